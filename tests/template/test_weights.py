"""Weights of samples and of classes, in every estimator that has them."""

import pickle
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.utils.class_weight import compute_sample_weight

from sknn import CNNClassifier, CNNRegressor, MLPClassifier, MLPRegressor, PerceptronClassifier, PerceptronRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning",
    "ignore:lbfgs failed to converge:sklearn.exceptions.ConvergenceWarning",
)

N = 60
RNG = np.random.RandomState(0)
X = RNG.normal(size=(N, 4))
SIGNAL = X @ [2.0, -1.0, 0.5, 0.0]
TARGETS = {
    "binary": np.array(["no", "yes"])[(SIGNAL > 1.5).astype(int)],
    "multiclass": np.digitize(SIGNAL, [-2.0, 2.0]),
    "multilabel": np.column_stack([SIGNAL > 1, X[:, 1] > -1, X[:, 2] > X[:, 0]]).astype(int),
    "several columns": np.column_stack([np.digitize(SIGNAL, [-2.0, 2.0]), (X[:, 1] > 0) + 5]),
    "regression": SIGNAL,
    "multi-output": np.column_stack([SIGNAL, X[:, 1] ** 2]),
}
COUNTS = RNG.randint(0, 4, N)  # weights that are whole numbers


def mlp(task, **params):
    Estimator = MLPRegressor if task in ("regression", "multi-output") else MLPClassifier
    return Estimator(**{"hidden_layer_sizes": 5, "random_state": 0, "max_iter": 20, "dtype": "float64", **params})


def cnn(task, **params):
    Estimator = CNNRegressor if task in ("regression", "multi-output") else CNNClassifier
    small = {"filters": 2, "hidden_layer_sizes": (3,), "pooling": None}
    return Estimator(**{**small, "random_state": 0, "max_iter": 10, "dtype": "float64", **params})


def layer(task, **params):
    return PerceptronClassifier(**{"solver": "sgd", "eta0": 0.1, "max_iter": 10, "tol": None, **params})


class Classifier(NamedTuple):
    """A way to make a classifier, and a task for it."""

    make: object
    task: str


CLASSIFIERS = [
    *(
        Classifier(make, task)
        for make in (mlp, cnn)
        for task in ("binary", "multiclass", "multilabel", "several columns")
    ),
    *(Classifier(layer, task) for task in ("binary", "multiclass")),
]
every_classifier = pytest.mark.parametrize(
    ("make", "task"), CLASSIFIERS, ids=[f"{make.__name__}-{task}" for make, task in CLASSIFIERS]
)
FACTORS = {
    "binary": {"no": 0.5, "yes": 3.0},
    "multiclass": {0: 2.0, 2: 0.25},  # 1 for the class between
    "multilabel": [{0: 0.5, 1: 2.0}, {1: 3.0}, {0: 1.5, 1: 0.25}],
    "several columns": [{0: 2.0, 2: 0.25}, {5: 0.5, 6: 3.0}],
}


def theta(model, y, *args, **kwargs):
    return model.fit(X, y, *args, **kwargs).network_.theta


# -- weights of samples --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("solver", ["lbfgs", "sgd", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("params", [{}, {"input_scaling": "standard"}], ids=repr)
def test_integer_weights_equal_repetition(params, solver, task):
    more, y = np.repeat(X, COUNTS, axis=0), np.repeat(TARGETS[task], COUNTS, axis=0)
    model = mlp(task, solver=solver, alpha=1.0, **params)
    weighted = clone(model).set_params(batch_size=int(np.sum(COUNTS > 0))).fit(X, TARGETS[task], COUNTS)
    repeated = clone(model).set_params(batch_size=len(more)).fit(more, y)
    assert_allclose(weighted.network_.theta, repeated.network_.theta, rtol=0, atol=1e-10)
    assert weighted.loss_ == pytest.approx(repeated.loss_, rel=0, abs=1e-10)


@pytest.mark.parametrize("make", [cnn, layer])
def test_integer_weights_equal_repetition_in_other_networks(make):
    more, y = np.repeat(X, COUNTS, axis=0), np.repeat(TARGETS["binary"], COUNTS)
    weighted = make("binary", batch_size=int(np.sum(COUNTS > 0))).fit(X, TARGETS["binary"], COUNTS)
    repeated = make("binary", batch_size=len(more)).fit(more, y)
    assert_allclose(weighted.network_.theta, repeated.network_.theta, rtol=0, atol=1e-10)


ESTIMATORS = [
    MLPClassifier(5, random_state=0, max_iter=5),
    MLPRegressor(5, random_state=0, max_iter=5),
    CNNClassifier(2, hidden_layer_sizes=(), random_state=0, max_iter=5),
    CNNRegressor(2, hidden_layer_sizes=(), random_state=0, max_iter=5),
    PerceptronClassifier(max_iter=50),
    PerceptronClassifier(solver="sgd", max_iter=5, tol=None),
    PerceptronRegressor(max_iter=5, tol=None),
]
# Rosenblatt's rule follows scikit-learn's Perceptron to the last bit, there too where rows weigh nothing.
LIKE_SCIKIT_LEARN = [model for model in ESTIMATORS if getattr(model, "solver", "") == "perceptron"]
every_estimator = pytest.mark.parametrize("model", ESTIMATORS, ids=lambda model: type(model).__name__)
all_but_the_rule = pytest.mark.parametrize(
    "model", [model for model in ESTIMATORS if model not in LIKE_SCIKIT_LEARN], ids=lambda model: type(model).__name__
)


def target(model):
    return TARGETS["binary" if is_classifier(model) else "regression"]


@every_estimator
def test_weights_of_one_equal_none(model):
    unweighted = theta(clone(model), target(model))
    assert_array_equal(theta(clone(model), target(model), np.ones(N)), unweighted)
    partial = {"classes": np.unique(target(model))} if is_classifier(model) else {}
    one, other = (
        clone(model).partial_fit(X, target(model), sample_weight=weight, **partial) for weight in (None, np.ones(N))
    )
    assert_array_equal(one.network_.theta, other.network_.theta)


@pytest.mark.parametrize("params", [{}, {"early_stopping": True, "validation_fraction": 0.3}], ids=repr)
@pytest.mark.parametrize("scaled", [False, True])
@all_but_the_rule
def test_rows_of_weight_zero_leave_before_split_scaling_and_batching(model, scaled, params):
    y = target(model)
    model = clone(model).set_params(**params)
    if scaled and "input_scaling" in model.get_params():
        model.set_params(input_scaling="standard")
    some = COUNTS > 0
    spoilt, labels = X.copy(), y.copy()
    spoilt[~some] = 1e6
    labels[~some] = "what" if is_classifier(model) else 1e9
    without = clone(model).fit(X[some], y[some], COUNTS[some])
    found = model.fit(spoilt, labels, COUNTS)
    assert_array_equal(found.network_.theta, without.network_.theta)
    assert_array_equal(found.network_.state, without.network_.state)
    assert (found.t_, found.n_iter_) == (without.t_, without.n_iter_)


@all_but_the_rule
def test_a_batch_of_partial_fit_that_weighs_nothing_changes_nothing(model):
    partial = {"classes": np.unique(target(model))} if is_classifier(model) else {}
    model = clone(model)
    with pytest.raises(ValueError, match="Sample weights must contain at least one non-zero number"):
        model.partial_fit(X, target(model), sample_weight=np.zeros(N), **partial)
    model.partial_fit(X, target(model), **partial)
    before = pickle.dumps(model)
    model.partial_fit(5 * X, target(model)[::-1], sample_weight=np.zeros(N))
    assert pickle.dumps(model) == before


@every_estimator
def test_negative_weights_are_refused(model):
    partial = {"classes": np.unique(target(model))} if is_classifier(model) else {}
    weight = np.where(np.arange(N) == 3, -1.0, 1.0)
    for learn, more in ((clone(model).fit, {}), (clone(model).partial_fit, partial)):
        with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
            learn(X, target(model), sample_weight=weight, **more)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_epoch_loss_is_the_weighted_mean(task):
    y, weight = TARGETS[task], RNG.uniform(0.1, 5.0, N)
    model = mlp(task, batch_size=7, max_iter=1, learning_rate_init=1e-300, alpha=0.0).fit(X, y, weight)
    if task == "regression":
        expected = mean_squared_error(y, model.predict(X), sample_weight=weight) / 2 / model.y_scale_**2
    else:
        expected = log_loss(y, model.predict_proba(X), sample_weight=weight)
    assert model.loss_curve_ == [pytest.approx(expected, rel=1e-9)]


# -- weights of classes --------------------------------------------------------------------------------------------


@every_classifier
def test_class_weights_are_factors_on_sample_weights(make, task):
    y, weight = TARGETS[task], RNG.uniform(0.5, 2.0, N)
    for class_weight in (FACTORS[task], "balanced"):
        model = make(task, class_weight=class_weight)
        factors = compute_sample_weight(class_weight, y)
        assert_allclose(theta(model, y), theta(make(task), y, factors), rtol=0, atol=1e-12)
    model = make(task, class_weight=FACTORS[task])
    assert_allclose(
        theta(model, y, weight), theta(make(task), y, weight * compute_sample_weight(FACTORS[task], y)), atol=1e-12
    )


@every_classifier
def test_without_class_weights_nothing_is_weighted(make, task):
    ones = [dict.fromkeys(np.unique(column).tolist(), 1.0) for column in TARGETS[task].reshape(N, -1).T]
    ones = ones if TARGETS[task].ndim == 2 else ones[0]
    plain = theta(make(task, class_weight=None), TARGETS[task])
    assert_array_equal(theta(make(task, class_weight=ones), TARGETS[task]), plain)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_balanced_classes_count_the_weights_of_their_samples(task):
    more, y = np.repeat(X, COUNTS, axis=0), np.repeat(TARGETS[task], COUNTS, axis=0)
    model = mlp(task, solver="lbfgs", class_weight="balanced", alpha=1.0)
    weighted, repeated = clone(model).fit(X, TARGETS[task], COUNTS), clone(model).fit(more, y)
    assert_allclose(weighted.network_.theta, repeated.network_.theta, rtol=0, atol=1e-10)


def test_balanced_classes_are_found_however_rare():
    y = (SIGNAL > 3.5).astype(int)
    assert y.sum() <= 0.1 * N
    params = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 10.0, "max_iter": 100}
    plain, balanced = (mlp("binary", class_weight=weight, **params).fit(X, y) for weight in (None, "balanced"))
    assert balanced.predict(X)[y == 1].mean() == 1
    assert plain.predict(X)[y == 1].mean() < 0.5


LABELS = {
    "words": np.array(["lo", "high"]),
    "digits as words": np.array(["0", "1"]),
    "objects": np.array(["lo", "high"], dtype=object),
    "bools": np.array([True, False]),
    "whole floats": np.array([1.0, 2.0]),
    "negative": np.array([-1, 1], np.int8),
}


@pytest.mark.parametrize("labels", LABELS)
def test_class_weights_go_by_labels_of_any_kind(labels):
    kinds = LABELS[labels]
    y = kinds[(SIGNAL > 0).astype(int)]
    factors = {kinds.tolist()[0]: 2.0, kinds.tolist()[1]: 0.5}
    expected = theta(mlp("binary"), y, np.where(SIGNAL > 0, 0.5, 2.0))
    assert_array_equal(theta(mlp("binary", class_weight=factors), y), expected)


@every_classifier
def test_class_weights_in_partial_fit(make, task):
    y = TARGETS[task]
    columns = y.reshape(N, -1).T
    classes = {"multilabel": np.arange(3), "several columns": [np.unique(column) for column in columns]}.get(task)
    classes = np.unique(y) if classes is None else classes
    one, other = make(task, class_weight=FACTORS[task]), make(task)
    for rows in (slice(0, 30), slice(30, 33), slice(33, N)):  # the second lacks classes that class_weight names
        one.partial_fit(X[rows], y[rows], classes=classes)
        named = FACTORS[task] if y.ndim == 2 else [FACTORS[task]]
        factors = np.prod(
            [
                [factor.get(label, 1.0) for label in column.tolist()]
                for factor, column in zip(named, columns, strict=True)
            ],
            axis=0,
        )
        other.partial_fit(X[rows], y[rows], sample_weight=factors[rows], classes=classes)
    assert_array_equal(one.network_.theta, other.network_.theta)


@pytest.mark.parametrize("make", [mlp, cnn, layer, lambda task, **params: PerceptronClassifier(**params)])
def test_balanced_in_partial_fit_is_refused_in_scikit_learns_words(make):
    y = TARGETS["binary"]
    with pytest.raises(ValueError, match="class_weight 'balanced' is not supported") as expected:
        SGDClassifier(class_weight="balanced").partial_fit(X, y, classes=np.unique(y))
    with pytest.raises(ValueError, match="class_weight 'balanced' is not supported") as found:
        make("binary", class_weight="balanced").partial_fit(X, y, classes=np.unique(y))
    assert str(found.value) == str(expected.value)


def test_a_class_of_weight_zero_keeps_its_name_but_has_no_influence():
    y = TARGETS["multiclass"]
    model = mlp("multiclass", class_weight={1: 0.0, 0: 1.0, 2: 1.0}, batch_size=7).fit(X, y)
    assert_array_equal(model.classes_, [0, 1, 2])
    assert model.t_ == 20 * np.sum(y != 1)
    spoilt = np.where((y == 1)[:, None], 1e9, X)
    again = clone(model).fit(spoilt, y)
    assert_array_equal(again.network_.theta, model.network_.theta)
    before = model.network_.theta.copy()
    assert_array_equal(model.partial_fit(X[y == 1], y[y == 1]).network_.theta, before)


class Bad(NamedTuple):
    """A class weight that makes no sense for a task, and the error it gets."""

    class_weight: object
    task: str
    message: str


BAD = {
    "negative": Bad({"no": -1.0}, "binary", "class_weight must be finite and not negative, got {'no': -1.0}"),
    "nan": Bad({"no": np.nan}, "binary", "class_weight must be finite and not negative"),
    "other labels": Bad(
        {"No": 2.0, "yes": 1.0},
        "binary",
        r"class_weight names \['No'\], which are not in y, and not \['no'\], which are; the labels of y are "
        r"\['no', 'yes'\]",
    ),
    "labels of another type": Bad(
        {"0": 2.0}, "multiclass", r"names \['0'\], .* and not \[0, 1, 2\], which are; the labels of y are \[0, 1, 2\]"
    ),
    "a list for one column": Bad([{0: 1.0}], "multiclass", "class_weight must be a dict, 'balanced' or None, got"),
    "a dict for many": Bad({0: 2.0}, "multilabel", "class_weight should be a list of dicts, or the string 'balanced'"),
    "a word": Bad({"no": "2"}, "binary", "class_weight must be finite and not negative, got {'no': '2'}"),
    "nothing": Bad({"no": None}, "binary", "class_weight must be finite and not negative, got {'no': None}"),
    "several": Bad({"no": np.ones(2)}, "binary", "class_weight must be finite and not negative, got {'no': array"),
    "a column without": Bad([None, {}, {}], "multilabel", "class_weight should be a list of dicts, or the string"),
    "words in a list": Bad(["balanced"] * 3, "multilabel", "class_weight should be a list of dicts, or the string"),
    "too few": Bad([{0: 2.0}], "multilabel", r"Got 1 element\(s\) while having 3 outputs"),
    "nothing left": Bad({"no": 0.0, "yes": 0.0}, "binary", "must contain at least one non-zero number"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_class_weights_are_named(bad):
    class_weight, task, message = BAD[bad]
    with pytest.raises(ValueError, match=message):
        mlp(task, class_weight=class_weight).fit(X, TARGETS[task])
