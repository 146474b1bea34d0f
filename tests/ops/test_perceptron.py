"""The perceptron rule against scikit-learn's loop in C: the same weights to the last bit, in the same epochs.

Compiled where there is a compiled kernel, and on NumPy alone.
"""

import warnings
from itertools import islice, repeat

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_digits, load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Perceptron
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils import compute_class_weight

from sknn.ops import compiled
from sknn.ops.perceptron import Samples, fit_perceptron, perceptron_epoch, shuffle_seeds, xorshift_orders


@pytest.fixture(params=["compiled", "numpy"], autouse=True)
def path(request, monkeypatch):
    """With the compiled kernels where there are any, and on NumPy alone."""
    if request.param == "numpy":
        monkeypatch.setattr(compiled, "native", None)


def scikit_learn(X, y, sample_weight=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Perceptron(**options).fit(X, y, sample_weight=sample_weight)


def one_against_rest(X, y, sample_weight=1.0, *, shuffle=True, random_state=0, class_weight=None, **options):
    """One binary fit per class, set up as scikit-learn sets it up."""
    classes = np.unique(y)
    weights = compute_class_weight(class_weight, classes=classes, y=y)
    if len(classes) == 2:
        problems = [(classes[1], weights[1], weights[0])]
    else:
        problems = [(label, weight, 1.0) for label, weight in zip(classes, weights, strict=True)]
    seeds = shuffle_seeds(np.random.RandomState(random_state), len(classes))
    return [
        fit_perceptron(
            X,
            np.where(y == label, 1.0, -1.0),
            sample_weight,
            weight_pos=weight_pos,
            weight_neg=weight_neg,
            orders=xorshift_orders(len(y), seed) if shuffle else None,
            **options,
        )
        for (label, weight_pos, weight_neg), seed in zip(problems, seeds, strict=True)
    ]


def assert_same(fits, expected):
    assert np.array_equal([fit.coef for fit in fits], expected.coef_)
    assert np.array_equal([fit.intercept for fit in fits], expected.intercept_)
    assert max(fit.n_iter for fit in fits) == expected.n_iter_


def gaussians(n_samples, n_features, n_classes, scale=1.0):
    rng = np.random.default_rng([n_samples, n_features, n_classes])
    X = rng.standard_normal((n_samples, n_features))
    y = np.argmax(X @ rng.standard_normal((n_features, n_classes)) + rng.standard_normal(n_classes), axis=1)
    y[rng.random(n_samples) < 0.1] = 0
    return X * scale, y


def integers(values, n_samples, n_features, n_classes):
    rng = np.random.default_rng([n_samples, n_features])
    return rng.choice(values, size=(n_samples, n_features)), np.arange(n_samples) % n_classes


def with_zero_rows():
    X, y = gaussians(300, 6, 2)
    X[::3] = 0.0
    return X, y


def duplicated():
    X, y = gaussians(60, 4, 3)
    return np.tile(X, (5, 1)), np.tile(y, 5)


DATA = {
    "iris": lambda: load_iris(return_X_y=True),
    "digits": lambda: load_digits(return_X_y=True),
    "two classes": lambda: gaussians(700, 20, 2),
    "five classes": lambda: gaussians(400, 12, 5),
    "many mistakes": lambda: make_classification(1000, 30, flip_y=0.3, class_sep=0.3, random_state=0),
    "one feature": lambda: gaussians(300, 1, 2),
    "fewer samples than features": lambda: gaussians(20, 150, 3),
    "rows longer than a block": lambda: gaussians(40, 9000, 2),
    "two samples": lambda: (np.array([[0.1, 0.7], [0.3, 2.1]]), np.array([0, 1])),
    "zero rows": with_zero_rows,
    "all zero": lambda: integers([0.0], 50, 3, 2),
    "duplicated rows": duplicated,
    "small integers, margins often exactly zero": lambda: integers([-1.0, 0.0, 1.0, 2.0], 500, 3, 3),
    "sums that depend on their order": lambda: integers([-1e16, 1e16, -1.0, 1.0, 3.0], 400, 17, 2),
    "tenths, margins within rounding of zero": lambda: integers([-0.3, -0.2, -0.1, 0.1, 0.2, 0.3], 500, 5, 2),
    "columns from 1e-8 to 1e8": lambda: gaussians(400, 9, 3, scale=np.logspace(-8, 8, 9)),
    "rows from 1e-8 to 1e8": lambda: gaussians(400, 9, 2, scale=np.logspace(-8, 8, 400)[::-1, None]),
    "squares underflow": lambda: gaussians(200, 5, 2, scale=1e-170),
    "margins overflow": lambda: gaussians(200, 5, 2, scale=1e200),
    "integer dtype": lambda: integers([-2, 0, 1, 3], 200, 4, 2),
}

OPTIONS = {
    "in order": {"shuffle": False},
    "shuffled": {"random_state": 3},
    "without intercept": {"shuffle": False, "fit_intercept": False},
    "eta0": {"shuffle": False, "eta0": 0.1},
    "without tol": {"tol": None, "max_iter": 7},
    "impatient": {"shuffle": False, "tol": 0.05, "n_iter_no_change": 1},
    "one epoch": {"max_iter": 1},
    "balanced": {"class_weight": "balanced", "fit_intercept": False},
    "class weights": {"class_weight": {0: 0.3, 1: 2.5}, "shuffle": False, "eta0": 1.7},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_same_as_scikit_learn(data, options):
    X, y = data()
    options = {"max_iter": 15, **options}
    assert_same(one_against_rest(X, y, **options), scikit_learn(X, y, **options))


@pytest.mark.parametrize("weights", [[0.5, 1.0, 2.0], [0.0, 1.0], [0.1, 0.7, 1e3], [1e-9]], ids=str)
@pytest.mark.parametrize("options", [OPTIONS["in order"], OPTIONS["shuffled"], OPTIONS["balanced"]], ids=str)
@pytest.mark.parametrize("data", ["two classes", "five classes", "small integers, margins often exactly zero"])
def test_sample_weights_same_as_scikit_learn(data, options, weights):
    X, y = DATA[data]()
    sample_weight = np.random.default_rng(0).choice(weights, size=len(y))
    options = {"max_iter": 15, **options}
    assert_same(one_against_rest(X, y, sample_weight, **options), scikit_learn(X, y, sample_weight, **options))


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.integers(2, 40), st.integers(1, 5), st.booleans(), st.sampled_from([1.0, 0.1, 3.0]))
def test_any_small_integers_same_as_scikit_learn(data, n_samples, n_features, fit_intercept, eta0):
    X = data.draw(arrays(np.float64, (n_samples, n_features), elements=st.integers(-3, 3).map(float)))
    y = data.draw(arrays(np.int64, n_samples, elements=st.integers(0, 1)).filter(lambda y: len(set(y)) == 2))
    sample_weight = data.draw(arrays(np.float64, n_samples, elements=st.sampled_from([0.1, 0.5, 1.0, 2.0])))
    options = {"fit_intercept": fit_intercept, "eta0": eta0, "max_iter": 8, "random_state": 1}
    assert_same(one_against_rest(X, y, sample_weight, **options), scikit_learn(X, y, sample_weight, **options))


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("tol", [1e-3, 0.05])
def test_early_stopping_same_as_scikit_learn(shuffle, tol):
    X, y = make_classification(600, 10, flip_y=0.1, random_state=0)
    split = StratifiedShuffleSplit(test_size=0.2, random_state=5)
    train, validation = next(split.split(X, y))
    is_train = np.isin(np.arange(len(y)), train)
    [seed] = shuffle_seeds(np.random.RandomState(5), n_classes=2)
    orders = xorshift_orders(len(y), seed) if shuffle else repeat(np.arange(len(y)))
    fit = fit_perceptron(
        X,
        2.0 * y - 1.0,
        tol=tol,
        orders=(order[is_train[order]] for order in orders),
        validate=lambda coef, intercept: np.mean((X[validation] @ coef + intercept > 0.0) == y[validation]),
    )
    options = {"early_stopping": True, "validation_fraction": 0.2, "random_state": 5}
    assert_same([fit], scikit_learn(X, y, shuffle=shuffle, tol=tol, **options))


def test_starting_values_same_as_scikit_learn():
    X, y = DATA["two classes"]()
    start, intercept = np.linspace(-3.0, 3.0, X.shape[1]), 0.7
    fit = fit_perceptron(X, 2.0 * y - 1.0, coef=start, intercept=intercept)
    expected = Perceptron(shuffle=False).fit(X, y, coef_init=start.copy(), intercept_init=intercept)
    assert_same([fit], expected)
    assert np.array_equal(start, np.linspace(-3.0, 3.0, X.shape[1]))


def test_continued_epochs_same_as_partial_fit():
    X, y = DATA["two classes"]()
    coef, intercept, expected = 0.0, 0.0, Perceptron(random_state=4)
    for part in np.array_split(np.arange(len(y)), 3):
        expected.partial_fit(X[part], y[part], classes=[0, 1])
        [seed] = shuffle_seeds(np.random.RandomState(4), n_classes=2)
        coef, intercept, *_ = fit_perceptron(
            X[part],
            2.0 * y[part] - 1.0,
            coef=coef,
            intercept=intercept,
            max_iter=1,
            orders=xorshift_orders(len(part), seed),
        )
    assert np.array_equal(coef, expected.coef_[0])
    assert intercept == expected.intercept_[0]


def text_like():
    rng = np.random.default_rng(0)
    return sp.random_array((300, 3000), density=0.01, format="csr", rng=rng, data_sampler=rng.standard_normal)


def unsorted_indices():
    X = sp.csr_array(integers([0.0, 1.0, 0.3], 100, 6, 2)[0])
    return sp.csr_array((X.data[::-1], X.indices[::-1], X.indptr[-1] - X.indptr[::-1]), shape=X.shape)


SPARSE = {
    "text-like": text_like,
    "full": lambda: sp.csr_array(gaussians(200, 7, 2)[0]),
    "empty rows": lambda: sp.csr_array(with_zero_rows()[0]),
    "all zero": lambda: sp.csr_array((30, 4)),
    "stored zeros": lambda: sp.csr_array((np.array([0.0, 1.0, -2.0, 0.0]), ([0, 1, 2, 3], [1, 1, 0, 2])), shape=(4, 3)),
    "unsorted indices": unsorted_indices,
    "matrix": lambda: sp.csr_matrix(gaussians(50, 3, 2)[0]),
    "by columns": lambda: sp.csc_array(integers([0.0, 0.0, 1.0, 0.1], 300, 5, 2)[0]),
    "float32": lambda: text_like().astype(np.float32),
}


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("orders", [None, list(islice(xorshift_orders(10_000, 7), 6))], ids=["in order", "shuffled"])
@pytest.mark.parametrize("matrix", SPARSE.values(), ids=SPARSE)
def test_sparse_same_as_dense(matrix, orders, fit_intercept):
    X = matrix()
    n_samples = X.shape[0]
    y = np.where(np.random.default_rng(1).random(n_samples) < 0.4, 1.0, -1.0)
    orders = orders and [order[order < n_samples] for order in orders]
    options = {"fit_intercept": fit_intercept, "orders": orders, "max_iter": 6, "weight_pos": 1.3}
    sparse, dense = fit_perceptron(X, y, **options), fit_perceptron(X.toarray(), y, **options)
    assert np.array_equal(sparse.coef, dense.coef)
    assert sparse[1:] == dense[1:]


@pytest.mark.parametrize("matrix", [*SPARSE.values(), lambda: gaussians(50, 3, 2)[0]], ids=[*SPARSE, "dense"])
def test_inputs_are_left_alone(matrix):
    X = matrix()
    y = np.where(np.arange(X.shape[0]) % 2, 1.0, -1.0)
    arguments = [y, *(vars(X).values() if sp.issparse(X) else [X])]
    arrays_before = [(array, array.copy()) for array in arguments if isinstance(array, np.ndarray)]
    fit_perceptron(X, y, max_iter=2)
    assert all(np.array_equal(array, before) for array, before in arrays_before)


def test_float32_is_computed_in_float64():
    X, y = gaussians(200, 7, 2)
    X, y = X.astype(np.float32), 2.0 * y - 1.0
    single, double = fit_perceptron(X, y), fit_perceptron(X.astype(np.float64), y)
    assert np.array_equal(single.coef, double.coef)
    assert single[1:] == double[1:]


def test_orders_visit_only_what_they_name():
    X, y = gaussians(200, 7, 2)
    y, chosen = 2.0 * y - 1.0, np.random.default_rng(0).permutation(200)[:90]
    named = fit_perceptron(X, y, orders=[chosen] * 4, max_iter=4)
    alone = fit_perceptron(X[chosen], y[chosen], max_iter=4)
    assert np.array_equal(named.coef, alone.coef)
    assert named[1:] == alone[1:]


@pytest.mark.parametrize("seed", [0, 1, 42, 2**32 - 1])
@pytest.mark.parametrize("n_samples", [1, 2, 257])
def test_orders_are_permutations_that_follow_the_seed(n_samples, seed):
    first, second = islice(xorshift_orders(n_samples, seed), 2)
    assert np.array_equal(np.sort(first), np.arange(n_samples))
    assert np.array_equal(second, first[first])


def test_seed_zero_means_one():
    assert np.array_equal(next(xorshift_orders(50, 0)), next(xorshift_orders(50, 1)))


def test_an_epoch_by_hand():
    X, y = np.array([[1.0, 2.0], [2.0, 1.0], [-1.0, 0.0]]), np.array([1.0, -1.0, 1.0])
    samples = Samples(X, y, step=np.array([1.0, 0.5, 2.0]), fit_intercept=True)
    weights = np.zeros(3)
    # sample 0: margin 0, weights (1, 2, 1); sample 1: margin -5, weights (0, 1.5, 0.5); sample 2: margin 0.5, right.
    assert perceptron_epoch(samples, weights) == 5.0
    assert weights.tolist() == [0.0, 1.5, 0.5]


def test_losses_are_the_mean_losses_of_the_epochs():
    X, y = gaussians(500, 8, 2)
    y = 2.0 * y - 1.0
    fit = fit_perceptron(X, y, max_iter=3, tol=None)
    step, weights = np.ones(len(y)), np.zeros(9)
    assert fit.n_iter == 3
    assert fit.losses == [perceptron_epoch(Samples(X, y, step, True), weights) / len(y) for _ in range(3)]


def test_separable_samples_end_without_a_mistake():
    X, y = gaussians(300, 5, 2)
    y = np.sign(X @ np.arange(1.0, 6.0))
    fit = fit_perceptron(X, y, tol=0.0, n_iter_no_change=50)
    assert fit.losses[-1] == 0.0
    assert np.array_equal(np.sign(X @ fit.coef + fit.intercept), y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.array([0.0, 1.0])}, r"y must hold the labels -1 and \+1 only, got \[0\. 1\.\]"),
        ({"intercept": 2.0, "fit_intercept": False}, "intercept must be 0 when fit_intercept=False, got 2.0"),
        ({"X": np.array([[1.7e308], [1.7e308]]), "tol": None}, "weights overflowed in epoch 1"),
    ],
    ids=["labels", "intercept", "overflow"],
)
def test_errors_say_what_is_wrong(change, message):
    arguments = {"X": np.array([[-1.0], [-1.0]]), "y": np.array([-1.0, 1.0]), "sample_weight": 2.0, **change}
    with pytest.raises(ValueError, match=message):
        fit_perceptron(**arguments)
