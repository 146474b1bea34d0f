"""Validation while training: samples of one's own or set aside, what is recorded of them, and early stopping by it."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    log_loss,
    mean_squared_error,
    r2_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    PredefinedSplit,
    TimeSeriesSplit,
    cross_validate,
    train_test_split,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from sknn import CNNClassifier, CNNRegressor, MLPClassifier, MLPRegressor, PerceptronClassifier, PerceptronRegressor
from sknn.template.validation import set_aside

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning",
    "ignore:lbfgs failed to converge:sklearn.exceptions.ConvergenceWarning",
)

N = 80
RNG = np.random.RandomState(0)
ALL = RNG.normal(size=(2 * N, 4))
SIGNAL = ALL @ [2.0, -1.0, 0.5, 0.0] + RNG.normal(size=2 * N)
TARGETS = {
    "binary": np.array(["no", "yes"])[(SIGNAL > 0).astype(int)],
    "multiclass": np.digitize(SIGNAL, [-2.0, 2.0]),
    "multilabel": np.column_stack([SIGNAL > 1, ALL[:, 1] > -1]).astype(int),
    "regression": SIGNAL,
    "multi-output": np.column_stack([SIGNAL, ALL[:, 1] ** 2]),
}
X, X_VAL = ALL[:N], ALL[N:]
WEIGHT_VAL = RNG.uniform(0.2, 3.0, N)


class Case(NamedTuple):
    """An estimator with fast settings, and the name of its target."""

    model: object
    task: str

    @property
    def y(self):
        return TARGETS[self.task][:N]

    @property
    def validation(self):
        return {"X_val": X_VAL, "y_val": TARGETS[self.task][N:]}


QUICK = {"random_state": 0, "max_iter": 15, "learning_rate_init": 0.02}
SMALL = {"hidden_layer_sizes": (8,), **QUICK}
CASES = {
    **{f"MLP, {task}": Case(MLPClassifier(**SMALL), task) for task in ("binary", "multiclass", "multilabel")},
    **{f"MLP, {task}": Case(MLPRegressor(**SMALL), task) for task in ("regression", "multi-output")},
    "CNN, multiclass": Case(CNNClassifier(2, **SMALL), "multiclass"),
    "CNN, regression": Case(CNNRegressor(2, **SMALL), "regression"),
    "perceptron, binary": Case(PerceptronClassifier(solver="sgd", max_iter=15), "binary"),
    "perceptron, multi-output": Case(PerceptronRegressor(max_iter=15, tol=1e-6), "multi-output"),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def fitted(case, validation=True, sample_weight_val=None, **params):
    given = {**case.validation, "sample_weight_val": sample_weight_val} if validation else {}
    return clone(case.model).set_params(**params).fit(X, case.y, **given)


def loss_on(model, case, weight=None):
    """The mean loss of the fitted model on the validation samples, by scikit-learn's metrics."""
    y = case.validation["y_val"]
    if case.task == "multilabel":
        return sum(log_loss(y[:, k], model.predict_proba(X_VAL)[:, k], sample_weight=weight) for k in range(y.shape[1]))
    if is_classifier(model):
        return log_loss(y, model.predict_proba(X_VAL), sample_weight=weight)
    scale = getattr(model, "y_scale_", 1.0)
    return mean_squared_error(y / scale, model.predict(X_VAL) / scale, sample_weight=weight) / 2


# -- validation samples of one's own -------------------------------------------------------------------------------


@every_case
def test_without_early_stopping_validation_samples_are_only_recorded(case):
    plain, watched = fitted(case, validation=False), fitted(case)
    assert_array_equal(watched.network_.theta, plain.network_.theta)
    assert watched.loss_curve_ == plain.loss_curve_
    assert watched.best_loss_ == plain.best_loss_
    assert len(watched.validation_loss_curve_) == len(watched.validation_scores_) == watched.n_iter_
    assert watched.validation_loss_curve_[-1] == pytest.approx(loss_on(watched, case), rel=1e-5)
    assert plain.validation_scores_ is plain.validation_loss_curve_ is plain.best_validation_score_ is None


@every_case
def test_early_stopping_goes_by_the_validation_samples_and_restores_the_best_weights(case):
    model = fitted(case, early_stopping=True, max_iter=3000, n_iter_no_change=3, tol=0.0)
    assert model.n_iter_ < 3000
    assert model.t_ == model.n_iter_ * N  # nothing was set aside
    assert min(model.validation_loss_curve_) < model.validation_loss_curve_[-1]
    assert loss_on(model, case) == pytest.approx(min(model.validation_loss_curve_), rel=1e-5)
    assert model.best_loss_ is None


@every_case
def test_validation_scores_are_larger_where_better(case):
    model = fitted(case)
    assert_array_equal(model.validation_scores_, np.negative(model.validation_loss_curve_))
    assert model.best_validation_score_ == max(model.validation_scores_)


@every_case
def test_validation_samples_have_weights(case):
    model = fitted(case, sample_weight_val=WEIGHT_VAL)
    assert model.validation_loss_curve_[-1] == pytest.approx(loss_on(model, case, WEIGHT_VAL), rel=1e-5)
    half = np.arange(N) < N // 2
    y_val = case.validation["y_val"]
    without = clone(case.model).fit(X, case.y, X_val=X_VAL[half], y_val=y_val[half])
    spoilt = np.where(half[:, None], X_VAL, 1e9)
    with_zeros = clone(case.model).fit(X, case.y, X_val=spoilt, y_val=y_val, sample_weight_val=half)
    assert with_zeros.validation_loss_curve_ == without.validation_loss_curve_


@pytest.mark.parametrize("early_stopping", [False, True])
def test_lbfgs_records_validation_after_each_iteration(early_stopping):
    case = Case(MLPRegressor(8, solver="lbfgs", max_iter=12, random_state=0), "regression")
    plain = fitted(case, validation=False)
    model = fitted(case, early_stopping=early_stopping, scoring="r2")  # inert here, as in scikit-learn
    assert_array_equal(model.network_.theta, plain.network_.theta)
    assert len(model.validation_scores_) == len(model.validation_loss_curve_) == 12
    assert model.validation_loss_curve_[-1] == pytest.approx(loss_on(model, case))
    assert model.validation_scores_[-1] == pytest.approx(model.score(**{"X": X_VAL, "y": case.validation["y_val"]}))
    assert model.best_validation_score_ == max(model.validation_scores_)


def test_the_penalty_is_no_part_of_the_validation_loss():
    model = fitted(CASES["MLP, regression"], alpha=100.0)
    assert model.validation_loss_curve_[-1] == pytest.approx(loss_on(model, CASES["MLP, regression"]), rel=1e-5)


def test_class_weights_count_in_the_validation_loss_but_not_in_the_score():
    case = CASES["MLP, binary"]
    factors = {"no": 0.5, "yes": 4.0}
    model = fitted(case, class_weight=factors, scoring="accuracy")
    by_class = compute_sample_weight(factors, case.validation["y_val"])
    assert model.validation_loss_curve_[-1] == pytest.approx(loss_on(model, case, by_class), rel=1e-5)
    assert model.validation_scores_[-1] == model.score(X_VAL, case.validation["y_val"])


@pytest.mark.parametrize("container", [sp.csr_array, sp.csc_matrix])
def test_validation_samples_may_be_sparse(container):
    case = CASES["MLP, binary"]
    model = clone(case.model).set_params(scoring="roc_auc")
    dense = clone(model).fit(X, case.y, **case.validation)
    sparse = model.fit(container(X), case.y, X_val=container(X_VAL), y_val=case.validation["y_val"])
    assert_allclose(sparse.validation_loss_curve_, dense.validation_loss_curve_, rtol=1e-5)
    assert_allclose(sparse.validation_scores_, dense.validation_scores_, atol=0.01)


def test_validation_images_have_the_shape_of_training_images():
    grids, val = X.reshape(N, 2, 2, 1), X_VAL.reshape(N, 2, 2, 1)
    y, y_val = TARGETS["binary"][:N], TARGETS["binary"][N:]
    model = CNNClassifier(2, **SMALL, scoring="accuracy", early_stopping=True).fit(grids, y, X_val=val, y_val=y_val)
    assert model.score(val, y_val) == model.best_validation_score_
    with pytest.raises(ValueError, match=r"in the validation data .*X has samples of shape \(4, 1, 1\)"):
        clone(model).fit(grids, y, X_val=X_VAL.reshape(N, 4, 1, 1), y_val=y_val)


def test_names_of_features_are_checked_in_validation_samples():
    names = list("abcd")
    case = CASES["MLP, binary"]
    model = clone(case.model).set_params(scoring="f1_macro")
    named = {"X_val": pd.DataFrame(X_VAL, columns=names), "y_val": case.validation["y_val"]}
    assert model.fit(pd.DataFrame(X, columns=names), case.y, **named).validation_scores_
    other = {**named, "X_val": named["X_val"][list("abdc")]}
    with pytest.raises(ValueError, match=r"in the validation data .*The feature names should match"):
        model.fit(pd.DataFrame(X, columns=names), case.y, **other)


class Bad(NamedTuple):
    """Something wrong with the validation samples of binary classification, and what the error says."""

    given: dict
    message: str


Y_VAL = TARGETS["binary"][N:]
BAD = {
    "no labels": Bad({"X_val": X_VAL}, "X_val and y_val belong together.*; y_val is missing"),
    "no samples": Bad({"y_val": Y_VAL}, "; X_val is missing"),
    "only weights": Bad({"sample_weight_val": WEIGHT_VAL}, "; X_val and y_val is missing"),
    "nan": Bad({"X_val": np.full((2, 4), np.nan), "y_val": Y_VAL[:2]}, "in the validation data .*contains NaN"),
    "other features": Bad({"X_val": X_VAL[:, :2], "y_val": Y_VAL}, "in the validation data .*X has 2 features"),
    "fewer labels": Bad({"X_val": X_VAL, "y_val": Y_VAL[:-1]}, "in the validation data .*inconsistent numbers"),
    "other labels": Bad({"X_val": X_VAL, "y_val": SIGNAL[N:] > 0}, "in the validation data .*"),
    "unknown labels": Bad({"X_val": X_VAL, "y_val": ["maybe"] * N}, "in the validation data .*classes not in"),
    "several labels": Bad({"X_val": X_VAL, "y_val": np.ones((N, 2), int)}, "in the validation data .*y has shape"),
    "negative weights": Bad(
        {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": -WEIGHT_VAL}, "in the validation data .*Negative values"
    ),
    "weightless": Bad(
        {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": np.zeros(N)}, "in the validation data .*non-zero"
    ),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("model", [CASES["MLP, binary"].model, CASES["perceptron, binary"].model], ids=["MLP", "layer"])
def test_bad_validation_samples_are_named(model, bad):
    model = clone(model)
    with pytest.raises((ValueError, TypeError), match=BAD[bad].message):
        model.fit(X, TARGETS["binary"][:N], **BAD[bad].given)
    assert not hasattr(model, "network_")


def test_counts_are_counts_in_validation_samples_too():
    model = MLPRegressor(loss="poisson", **SMALL)
    with pytest.raises(ValueError, match=r"in the validation data .*y must not be negative"):
        model.fit(X, np.ones(N), X_val=X_VAL, y_val=-np.ones(N))


# -- the score -----------------------------------------------------------------------------------------------------

POSITIVE = (TARGETS["binary"] == "yes").astype(int)
SCORERS = {
    "accuracy": lambda model, y: accuracy_score(y, model.predict(X_VAL)),
    "f1": lambda model, y: f1_score(y, model.predict(X_VAL)),
    "roc_auc": lambda model, y: roc_auc_score(y, model.predict_proba(X_VAL)[:, 1]),
    "average_precision": lambda model, y: average_precision_score(y, model.predict_proba(X_VAL)[:, 1]),
    "neg_log_loss": lambda model, y: -log_loss(y, model.predict_proba(X_VAL)),
}


@pytest.mark.parametrize("scoring", SCORERS)
@pytest.mark.parametrize("kind", [MLPClassifier, CNNClassifier])
def test_any_scorer_of_scikit_learn_decides_early_stopping(kind, scoring):
    y, y_val = POSITIVE[:N], POSITIVE[N:]
    model = kind(**SMALL, early_stopping=True, scoring=scoring).fit(X, y, X_val=X_VAL, y_val=y_val)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.best_validation_score_ == pytest.approx(SCORERS[scoring](model, y_val), rel=1e-5)
    best = int(np.argmax(model.validation_scores_))
    assert model.validation_loss_curve_[best] == pytest.approx(log_loss(y_val, model.predict_proba(X_VAL)), rel=1e-5)


@pytest.mark.parametrize("task", ["regression", "multi-output"])
@pytest.mark.parametrize("kind", [MLPRegressor, PerceptronRegressor])
def test_a_scorer_decides_early_stopping_of_regressors(kind, task):
    y_val = TARGETS[task][N:]
    model = kind(random_state=0, early_stopping=True, scoring="r2").fit(X, TARGETS[task][:N], X_val=X_VAL, y_val=y_val)
    assert model.best_validation_score_ == pytest.approx(r2_score(y_val, model.predict(X_VAL)), rel=1e-5)


def test_a_callable_decides_early_stopping():
    losses = []

    def backwards(estimator, X, y):
        assert_array_equal(y, Y_VAL)
        losses.append(log_loss(y, estimator.predict_proba(X)))
        return losses[-1]

    model = fitted(CASES["MLP, binary"], early_stopping=True, scoring=backwards)
    assert_allclose(model.validation_loss_curve_, losses, rtol=1e-5)
    assert model.validation_scores_ == losses
    assert model.n_iter_ == 12  # the first and best, ten without improvement, and one more than that
    assert log_loss(Y_VAL, model.predict_proba(X_VAL)) == pytest.approx(losses[0], rel=1e-5)


@every_case
def test_scores_are_weighted(case):
    scoring = "accuracy" if is_classifier(case.model) else "r2"
    model = fitted(case, sample_weight_val=WEIGHT_VAL, scoring=scoring)
    expected = model.score(X_VAL, case.validation["y_val"], sample_weight=WEIGHT_VAL)
    assert model.validation_scores_[-1] == pytest.approx(expected, rel=1e-5)


def test_a_scorer_that_takes_no_weights_is_refused_where_there_are_some():
    for scoring in ("neg_max_error", lambda estimator, X, y: 0.0):
        with pytest.raises(ValueError, match=r"scoring=.* takes no sample_weight"):
            fitted(CASES["MLP, regression"], sample_weight_val=WEIGHT_VAL, scoring=scoring)
    assert fitted(CASES["MLP, regression"], scoring="neg_max_error").best_validation_score_ < 0


def test_a_score_of_nan_cannot_stop_training():
    case, nan = CASES["MLP, regression"], lambda estimator, X, y: np.nan
    with pytest.raises(ValueError, match=r"scoring=.* is NaN on the validation samples"):
        fitted(case, early_stopping=True, scoring=nan)
    assert np.isnan(fitted(case, scoring=nan).validation_scores_).all()


@every_case
def test_a_scoring_with_nothing_to_score_is_refused(case):
    model = clone(case.model).set_params(scoring="accuracy" if is_classifier(case.model) else "r2")
    with pytest.raises(ValueError, match=r"scoring='\w+' has nothing to score: give X_val and y_val, or set early"):
        model.fit(X, case.y)
    partial = {}
    if is_classifier(model):
        partial = {"classes": [0, 1] if case.task == "multilabel" else np.unique(case.y)}
    model.partial_fit(X, case.y, **partial)  # where it may be left over from a fit


def test_the_perceptron_rule_stops_as_scikit_learns():
    for params, given in (({}, CASES["perceptron, binary"].validation), ({"scoring": "f1"}, {})):
        with pytest.raises(ValueError, match="stops by the accuracy on samples that it sets aside itself"):
            PerceptronClassifier(**params).fit(X, TARGETS["binary"][:N], **given)


# -- samples set aside ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_splits_are_stratified(n_classes):
    y = np.repeat(np.arange(n_classes), 20 * np.arange(1, n_classes + 1))
    kept, aside = set_aside(y, 0.2, np.random.RandomState(0), stratify=True)
    assert_array_equal(np.bincount(y[aside]), 4 * np.arange(1, n_classes + 1))
    assert_array_equal(np.sort(np.concatenate([kept, aside])), np.arange(len(y)))


class Rare(NamedTuple):
    """Counts of classes, and how many of each are set aside at 0.25; None: any number of any."""

    counts: list
    aside: list | None


RARE = {
    "one alone": Rare([40, 40, 1], [10, 10, 0]),
    "two alone": Rare([1, 40, 1, 80], [0, 10, 0, 20]),
    "all alone": Rare([1] * 20, None),
    "all but one": Rare([1] * 9 + [20], [0] * 9 + [5]),
    "more classes than are set aside": Rare([2] * 10, None),
}


@pytest.mark.parametrize("rare", RARE.values(), ids=RARE)
def test_a_class_with_a_single_member_does_not_crash(rare):
    y = np.repeat(np.arange(len(rare.counts)), rare.counts)
    for seed in range(5):
        kept, aside = set_aside(y, 0.25, np.random.RandomState(seed), stratify=True)
        assert_array_equal(np.sort(np.concatenate([kept, aside])), np.arange(len(y)))
        assert len(aside) >= 2
        if rare.aside is not None:
            assert_array_equal(np.bincount(y[aside], minlength=len(rare.counts)), rare.aside)
    inputs = np.random.RandomState(0).normal(size=(len(y), 3))
    model = MLPClassifier(5, early_stopping=True, validation_fraction=0.25, max_iter=3, random_state=0).fit(inputs, y)
    assert_array_equal(model.classes_, np.unique(y))
    assert len(model.validation_scores_) == 3


@pytest.mark.parametrize("y", [[0, 0, 0, 1], ["a", "a", "b", "b"], [0.5, 1.5, 2.0, 4.0]], ids=repr)
def test_two_of_four_samples_can_be_spared(y):
    kind = MLPRegressor if isinstance(y[0], float) else MLPClassifier
    model = kind(5, early_stopping=True, max_iter=3, random_state=0).fit(X[:4], y)
    assert model.t_ == 3 * 2
    with pytest.raises(ValueError, match="The validation set is too small"):
        MLPRegressor(early_stopping=True).fit(X[:3], [0.5, 1.5, 2.0])
    with pytest.raises(ValueError, match="n_samples=1 leaves none to validate with: give X_val and y_val"):
        MLPRegressor(early_stopping=True).fit(X[:1], [0.5])


@pytest.mark.parametrize("params", [{}, {"early_stopping": True}, {"solver": "lbfgs"}], ids=repr)
@pytest.mark.parametrize("kind", [MLPClassifier, CNNClassifier])
@pytest.mark.filterwarnings("error")
def test_a_single_class_needs_no_epochs_and_gives_no_warning(kind, params):
    y = np.full(N, "only")
    model = kind(hidden_layer_sizes=(5,), **params).fit(X, y, X_val=X_VAL, y_val=y)
    assert (model.n_iter_, model.t_, model.loss_, model.loss_curve_) == (0, 0, 0.0, [])
    assert_array_equal(model.predict(X), y)
    assert_array_equal(model.predict_proba(X), np.ones((N, 1)))
    if not params:
        assert_array_equal(model.partial_fit(X, y).predict(X), y)
        assert kind(5).partial_fit(X, y, classes=["only"]).n_iter_ == 0


@pytest.mark.parametrize("seed", range(4))
def test_early_stopping_by_default_does_not_collapse_recall_on_three_percent_positives(seed):
    inputs, y = make_classification(
        2000, 10, n_informative=6, weights=[0.97], flip_y=0, class_sep=1.5, random_state=seed
    )
    train, test, y_train, y_test = train_test_split(inputs, y, stratify=y, random_state=0)
    whole, early, by_accuracy = (
        MLPClassifier(32, learning_rate_init=0.003, random_state=0, **params).fit(train, y_train)
        for params in ({}, {"early_stopping": True}, {"early_stopping": True, "scoring": "accuracy"})
    )
    recall, collapsed = (recall_score(y_test, model.predict(test)) for model in (early, by_accuracy))
    assert recall >= 0.75
    assert recall >= recall_score(y_test, whole.predict(test)) - 0.1
    assert recall >= collapsed


# -- metadata routing ----------------------------------------------------------------------------------------------


def test_validation_samples_pass_through_the_steps_of_a_pipeline():
    case = CASES["MLP, binary"]
    with config_context(enable_metadata_routing=True):
        network = clone(case.model).set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(StandardScaler(), network, transform_input=["X_val"])
        pipeline.fit(1e3 * X, case.y, X_val=1e3 * X_VAL, y_val=case.validation["y_val"])
    scaler = StandardScaler().fit(X)
    by_hand = clone(case.model).fit(
        scaler.transform(X), case.y, X_val=scaler.transform(X_VAL), y_val=case.validation["y_val"]
    )
    assert_allclose(pipeline[-1].validation_loss_curve_, by_hand.validation_loss_curve_, rtol=1e-4)


@every_case
def test_validation_samples_are_routed_in_a_cross_validation(case):
    weights = {"sample_weight_val": WEIGHT_VAL[:50]}
    validation = {"X_val": X_VAL[:50], "y_val": case.validation["y_val"][:50], **weights}
    with config_context(enable_metadata_routing=True):
        model = clone(case.model).set_fit_request(X_val=True, y_val=True, sample_weight_val=True)
        pipeline = make_pipeline(StandardScaler(), model, transform_input=["X_val"])
        found = cross_validate(pipeline, X, case.y, params=validation, cv=2, return_estimator=True, error_score="raise")
    assert all(len(each[-1].validation_loss_curve_) == each[-1].n_iter_ for each in found["estimator"])


def test_validation_samples_are_routed_in_a_search():
    case = CASES["MLP, binary"]
    with config_context(enable_metadata_routing=True):
        network = clone(case.model).set_params(early_stopping=True).set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline([("scale", StandardScaler()), ("net", network)], transform_input=["X_val"])
        search = GridSearchCV(pipeline, {"net__alpha": [1e-4, 1.0]}, cv=2, error_score="raise")
        search.fit(X, case.y, X_val=X_VAL[:50], y_val=case.validation["y_val"][:50])
    assert search.best_estimator_[-1].validation_scores_


def test_without_metadata_routing_validation_samples_go_to_a_named_step():
    case = CASES["MLP, binary"]
    given = {f"net__{name}": values for name, values in case.validation.items()}
    pipeline = Pipeline([("scale", StandardScaler()), ("net", clone(case.model))]).fit(X, case.y, **given)
    assert pipeline[-1].validation_scores_


# -- samples set aside by a splitter --------------------------------------------------------------------------------

GROUPS = np.arange(N) // 6


def rows_set_aside(splitter, **given):
    """Which rows of X a fit with early stopping scores."""
    seen = []
    model = MLPRegressor(3, early_stopping=True, validation_fraction=splitter, max_iter=2, random_state=0)
    model.set_params(scoring=lambda estimator, X_val, y_val: seen.append(X_val) or 0.0)
    model.fit(X, X[:, 0], **given)
    return np.flatnonzero((X[:, None] == seen[0]).all(axis=-1).any(axis=1))


def test_a_splitter_keeps_groups_together():
    splitter = GroupShuffleSplit(1, test_size=0.3, random_state=0)
    aside = rows_set_aside(splitter, groups=GROUPS)
    assert_array_equal(aside, next(splitter.split(X, groups=GROUPS))[1])
    assert not set(GROUPS[aside]) & set(np.delete(GROUPS, aside))


def test_the_last_split_of_a_splitter_counts():
    assert_array_equal(rows_set_aside(TimeSeriesSplit(3)), np.arange(N)[-(N // 4) :])


def test_groups_follow_the_samples_that_count():
    weight = (np.arange(N) % 3 > 0).astype(float)
    aside = rows_set_aside(GroupShuffleSplit(1, test_size=0.3, random_state=0), groups=GROUPS, sample_weight=weight)
    assert weight[aside].all()
    assert not set(GROUPS[aside]) & set(np.delete(GROUPS, aside)[np.delete(weight, aside) > 0])


def test_groups_come_by_routing():
    network = MLPRegressor(3, early_stopping=True, validation_fraction=GroupShuffleSplit(1), max_iter=2)
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(network.set_fit_request(groups=True), {"alpha": [0.0, 1.0]}, cv=GroupKFold(2))
        search.fit(X, X[:, 0], groups=GROUPS)
    assert search.best_estimator_.best_validation_score_ is not None


@pytest.mark.parametrize(
    ("groups", "message"), [(None, "'groups' parameter should not be None"), (GROUPS[1:], "inconsistent numbers of")]
)
def test_groups_that_do_not_fit_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        rows_set_aside(GroupShuffleSplit(1), groups=groups)


@pytest.mark.parametrize("model", [MLPRegressor(3, early_stopping=True), PerceptronClassifier(early_stopping=True)])
def test_groups_without_a_splitter_that_keeps_them_together_are_refused(model):
    y = np.arange(len(X)) % 2
    with pytest.raises(
        ValueError, match=r"validation_fraction=0.1 would divide the groups: give a splitter that keeps"
    ):
        clone(model).fit(X, y, groups=GROUPS)
    clone(model).set_params(early_stopping=False, tol=100.0, n_iter_no_change=1).fit(X, y, groups=GROUPS)


SPLITS = {
    "a word": ("split", "'validation_fraction' parameter of .* or an object implementing 'split'. Got 'split' instead"),
    "no split": (PredefinedSplit([-1] * len(X)), r"validation_fraction=Predef.* makes no split of \d+ samples"),
    "nothing": (0.0, r"validation_fraction=0.0 of \d+ samples: test_size=0.0 should be"),
    "too much": (0.9999, r"validation_fraction=0.9999 of \d+ samples: test_size="),
}


@pytest.mark.parametrize("case", SPLITS)
def test_splits_that_set_nothing_aside_are_refused_by_name(case):
    fraction, message = SPLITS[case]
    with pytest.raises(ValueError, match=f"(?s){message}"):
        rows_set_aside(fraction)


@pytest.mark.parametrize("value", ["a", None, [1.0], np.ones(2)], ids=repr)
def test_a_scorer_gives_a_number(value):
    model = MLPRegressor(3, early_stopping=True, scoring=lambda estimator, X_val, y_val: value)
    with pytest.raises(ValueError, match=r"scoring=.* must give a number, got "):
        model.fit(X, X[:, 0])
