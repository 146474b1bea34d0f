"""The perceptron: the rule beside scikit-learn's, compiled and on NumPy alone, and the layer with logistic outputs."""

from _thread import interrupt_main
from inspect import signature
from threading import Timer

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits, load_iris, make_classification
from sklearn.linear_model import Perceptron

from sknn import PerceptronClassifier
from sknn.ops import compiled

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS = load_iris(return_X_y=True)
TWO_CLASSES = make_classification(150, 8, flip_y=0.1, random_state=0)
OPTIONS = {
    "defaults": {},
    "in order": {"shuffle": False},
    "another seed": {"random_state": 7},
    "no intercept": {"fit_intercept": False},
    "slow": {"eta0": 0.1},
    "to the end": {"tol": None, "max_iter": 7},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2},
    "balanced": {"class_weight": "balanced"},
    "weighted": {"class_weight": {0: 2.0, 1: 0.5}},
}


@pytest.fixture(params=["compiled", "numpy"], autouse=True)
def path(request, monkeypatch):
    """With the compiled kernels where there are any, and on NumPy alone."""
    if request.param == "numpy":
        monkeypatch.setattr(compiled, "native", None)


def test_partial_fit_takes_its_arguments_in_the_order_of_scikit_learn():
    ours, theirs = (list(signature(kind.partial_fit).parameters) for kind in (PerceptronClassifier, Perceptron))
    assert ours == theirs


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("data", [IRIS, TWO_CLASSES], ids=["three classes", "two classes"])
def test_the_rule_has_the_weights_of_scikit_learn_to_the_last_bit(data, options):
    X, y = data
    ours, theirs = PerceptronClassifier(**options).fit(X, y), Perceptron(**options).fit(X, y)
    assert_array_equal(ours.coef_, theirs.coef_)
    assert_array_equal(ours.intercept_, theirs.intercept_)
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)
    assert_array_equal(ours.predict(X), theirs.predict(X))


def test_sparse_samples_give_the_weights_of_dense_ones():
    X, y = TWO_CLASSES
    X = np.where(np.abs(X) < 0.5, 0.0, X)
    dense, sparse = (PerceptronClassifier().fit(each, y) for each in (X, csr_matrix(X)))
    assert_array_equal(dense.coef_, sparse.coef_)
    assert_array_equal(dense.intercept_, sparse.intercept_)


def unaligned(X):
    return np.frombuffer(b"." + X.tobytes(), offset=1).reshape(X.shape)


@pytest.mark.parametrize(
    "layout",
    [np.asfortranarray, unaligned, np.float32, lambda X: X[::-1].copy()[::-1]],
    ids=["F", "bytes", "float32", "up"],
)
def test_the_weights_do_not_depend_on_how_samples_lie(layout):
    X, y = TWO_CLASSES
    X = X.astype(np.float32).astype(np.float64)
    assert_array_equal(PerceptronClassifier().fit(layout(X), y).coef_, Perceptron().fit(X, y).coef_)


def test_sparse_samples_without_intercept_give_the_weights_of_scikit_learn():
    X, y = load_digits(return_X_y=True)  # with an intercept scikit-learn learns it more slowly from sparse samples
    options = {"fit_intercept": False, "max_iter": 10}
    ours, theirs = (model(**options).fit(csr_matrix(X), y) for model in (PerceptronClassifier, Perceptron))
    assert_array_equal(ours.coef_, theirs.coef_)


def test_only_logistic_outputs_are_probabilities():
    X, y = IRIS
    assert not hasattr(PerceptronClassifier().fit(X, y), "predict_proba")
    logistic = PerceptronClassifier(solver="sgd", eta0=0.02, batch_size=10, random_state=0).fit(X, y)
    assert_allclose(logistic.predict_proba(X).sum(axis=1), 1.0, rtol=1e-12)
    assert logistic.score(X, y) > 0.9


def test_the_rule_has_no_batches():
    with pytest.raises(ValueError, match="batch_size=3 does not apply with solver='perceptron'"):
        PerceptronClassifier(batch_size=3).fit(*IRIS)


@pytest.mark.parametrize("solver", ["perceptron", "sgd"])
@pytest.mark.parametrize("class_weight", [[5, 1, 2], [{0: 1.0}]], ids=repr)
def test_class_weights_in_a_list_are_refused(solver, class_weight):
    model = PerceptronClassifier(solver=solver, class_weight=class_weight)
    with pytest.raises(ValueError, match=r"class_weight must be a dict, 'balanced' or None, got \["):
        model.fit(*IRIS)


@pytest.mark.parametrize("solver", ["perceptron", "sgd"])
def test_a_single_class_is_refused(solver):
    model = PerceptronClassifier(solver=solver)
    with pytest.raises(ValueError, match="number of classes has to be greater than one"):
        model.fit(IRIS[0], np.ones(150))
    assert not hasattr(model, "classes_")


def test_an_interrupt_ends_the_training_and_keeps_what_was_learnt():
    model = PerceptronClassifier(tol=None, max_iter=10**9)
    interrupt = Timer(0.1, interrupt_main)
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*IRIS)
    interrupt.join()
    assert model.n_iter_ > 0
    assert model.score(*IRIS) > 0.5
