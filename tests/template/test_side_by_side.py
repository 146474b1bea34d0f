"""Estimators fitted side by side: each is as its own fit leaves it, to the bit, and steps are shared where they can."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sknn import CNNClassifier, MLPClassifier, MLPRegressor, NetworkRegressor
from sknn.nn import Activation, Concat, Conv, Dense, Dropout, Flatten, LayerNorm, Sequential, Unflatten
from sknn.schedules import OneCycle
from sknn.template import side_by_side
from sknn.template.side_by_side import fit_side_by_side

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 133
X = RNG.standard_normal((N, 5))
Y = np.sin(X[:, 0]) + 0.1 * RNG.standard_normal(N)
C = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
WEIGHT = RNG.uniform(0.5, 2.0, N)
HISTORY = (
    "loss_curve_",
    "n_iter_",
    "t_",
    "loss_",
    "best_loss_",
    "validation_scores_",
    "validation_loss_curve_",
    "best_validation_score_",
    "_drawn_so_far",
)


@pytest.fixture
def groups(monkeypatch):
    """How many estimators took their steps together, group by group."""
    sizes = []

    def noted(trainings):
        sizes.append(len(trainings))
        return train(trainings)

    train = side_by_side.train_side_by_side
    monkeypatch.setattr(side_by_side, "train_side_by_side", noted)
    return sizes


def members(Estimator=MLPRegressor, each=({}, {}, {}), **params):
    usual = {"max_iter": 12, "batch_size": 32}
    return [Estimator(**usual | {"random_state": k} | params | own) for k, own in enumerate(each)]


def assert_as_alone(estimators, alone):
    for one, other in zip(estimators, alone, strict=True):
        assert vars(one).keys() == vars(other).keys()
        assert_array_equal(one.network_.theta, other.network_.theta)
        assert_array_equal(one.network_.state, other.network_.state)
        for name in HISTORY:
            assert getattr(one, name) == getattr(other, name), name


OPTIONS = {
    "adam": {},
    "sgd, adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 1e-2, "n_iter_no_change": 1},
    "rmsprop, clipped": {"solver": "rmsprop", "clip_norm": 0.1},
    "adamw, one cycle": {"solver": "adamw", "learning_rate": "one_cycle", "activation": "tanh"},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2, "learning_rate_init": 0.03},
    "dropout": {"dropout": 0.3, "early_stopping": True, "activation": "gelu"},
    "batch norm": {"batch_norm": True, "alpha": 0.0},
    "layer norm": {"layer_norm": True, "activation": "logistic"},
    "residual": {"hidden_layer_sizes": (6, 6), "residual": True, "input_scaling": "standard"},
    "whole batches in order": {"shuffle": False, "batch_size": N, "activation": "softplus"},
    "a last sample alone": {"batch_size": 33, "batch_norm": True},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("Estimator", "y"), [(MLPRegressor, Y), (MLPClassifier, C)])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_each_is_as_if_alone(groups, Estimator, y, dtype, options, weight):
    params = {"hidden_layer_sizes": 7, "dtype": dtype, **options}
    alone = [estimator.fit(X, y, weight) for estimator in members(Estimator, **params)]
    assert_as_alone(fit_side_by_side(members(Estimator, **params), X, y, weight), alone)
    assert groups == [3]


DIFFER = {
    "rates, penalties and limits": (
        {},
        {"alpha": 0.1, "max_iter": 5},
        {"learning_rate_init": 0.1, "clip_norm": 0.5, "tol": 0.1, "n_iter_no_change": 1},
    ),
    "schedules": ({"learning_rate": OneCycle()}, {"learning_rate": "invscaling"}, {}),
    "one diverges late, with its best weights kept": (
        {"early_stopping": True},
        {"early_stopping": True, "learning_rate_init": 1e4, "solver": "adam"},
        {"early_stopping": True},
    ),
}


@pytest.mark.parametrize("each", DIFFER.values(), ids=DIFFER)
def test_those_that_take_steps_together_may_differ(groups, each):
    alone = [estimator.fit(X, Y) for estimator in members(each=each)]
    assert_as_alone(fit_side_by_side(members(each=each), X, Y), alone)
    assert groups == [3]
    assert (
        len({estimator.n_iter_ for estimator in alone}) > 1 or "learning_rate" in each[0] or "early_stopping" in each[0]
    )


TARGETS = {
    "labels": (MLPClassifier, np.column_stack([C > 0, C > 1]).astype(int), {}),
    "columns of classes": (MLPClassifier, np.column_stack([C, C > 0]), {}),
    "smoothed": (MLPClassifier, C, {"label_smoothing": 0.1}),
    "several values": (MLPRegressor, np.column_stack([Y, -Y]), {}),
    "quantiles": (MLPRegressor, Y, {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}),
    "huber": (MLPRegressor, Y, {"loss": "huber"}),
    "mean and noise": (MLPRegressor, np.column_stack([Y, -Y]), {"loss": "normal"}),
    "counts": (MLPRegressor, np.abs(C), {"loss": "poisson"}),
}


@pytest.mark.parametrize(("Estimator", "y", "params"), TARGETS.values(), ids=TARGETS)
def test_every_target(groups, Estimator, y, params):
    alone = [estimator.fit(X, y) for estimator in members(Estimator, **params)]
    assert_as_alone(fit_side_by_side(members(Estimator, **params), X, y), alone)
    assert groups == [3]


def test_given_validation_data(groups):
    more = {"X_val": X[:20], "y_val": Y[:20]}
    alone = [estimator.fit(X, Y, **more) for estimator in members(early_stopping=True)]
    assert_as_alone(fit_side_by_side(members(early_stopping=True), X, Y, validation=(X[:20], Y[:20], None)), alone)
    assert groups == [3]


def test_rows_of_each(groups):
    rows = [np.random.default_rng(k).integers(N, size=N) for k in range(3)]
    alone = [estimator.fit(X[mine], Y[mine], WEIGHT[mine]) for estimator, mine in zip(members(), rows, strict=True)]
    assert_as_alone(fit_side_by_side(members(), X, Y, WEIGHT, rows=rows), alone)
    assert groups == [3]


def test_containers_of_layers_that_take_members(groups):
    layers = [
        Concat([Dense(3, "tanh"), Dropout(0.2)]),
        Sequential([LayerNorm(), Dense(4, use_bias=False)]),
        Activation(),
    ]
    alone = [estimator.fit(X, Y) for estimator in members(NetworkRegressor, layers=layers)]
    assert_as_alone(fit_side_by_side(members(NetworkRegressor, layers=layers), X, Y), alone)
    assert groups == [3]


IN_TURN = {
    "lbfgs": (MLPRegressor, {"solver": "lbfgs"}, X),
    "sparse": (MLPRegressor, {}, sparse.csr_array(X * (X > 0))),
    "layers that do not take members": (
        NetworkRegressor,
        {"layers": [Unflatten((5, 1)), Conv(2, 3), Flatten()]},
        X,
    ),
    "one generator": (MLPRegressor, {"random_state": None}, X),
}


@pytest.mark.parametrize(("Estimator", "params", "x"), IN_TURN.values(), ids=IN_TURN)
def test_what_cannot_be_shared_is_fitted_in_turn(groups, Estimator, params, x):
    np.random.seed(0)
    alone = [estimator.fit(x, Y) for estimator in members(Estimator, **params)]
    np.random.seed(0)
    together = fit_side_by_side(members(Estimator, **params), x, Y)
    for one, other in zip(together, alone, strict=True):
        assert_array_equal(one.network_.theta, other.network_.theta)
    assert groups == []


def test_those_that_are_alike_are_found_among_others(groups):
    each = [{}, {"hidden_layer_sizes": 4}, {}, {"solver": "sgd"}, {"hidden_layer_sizes": 4}, {"dtype": "float64"}]
    alone = [estimator.fit(X, Y) for estimator in members(each=each)]
    assert_as_alone(fit_side_by_side(members(each=each), X, Y), alone)
    assert groups == [2, 2]


def test_an_own_objective_is_called_for_each_alone(groups):
    class Doubled(MLPRegressor):
        def _objective(self, nets, batch, draws):
            assert batch.x.ndim == 2
            return 2.0 * super()._objective(nets, batch, draws)

    alone = [estimator.fit(X, Y) for estimator in members(Doubled)]
    assert_as_alone(fit_side_by_side(members(Doubled), X, Y), alone)
    assert groups == []


def test_they_go_on_as_those_that_were_alone():
    alone, together = members(warm_start=True), members(warm_start=True)
    for _ in range(2):
        alone = [estimator.fit(X, Y) for estimator in alone]
        assert_as_alone(fit_side_by_side(together, X, Y), alone)
    assert_as_alone(
        [estimator.partial_fit(X, Y) for estimator in together], [estimator.partial_fit(X, Y) for estimator in alone]
    )


def test_none_holds_what_is_anothers():
    one, two, _ = fit_side_by_side(members(warm_start=True), X, Y)
    sizes = [len(pickle.dumps(each)) for each in (one, members(each=({},), warm_start=True)[0].fit(X, Y))]
    assert sizes[0] == sizes[1]
    assert not any(np.shares_memory(one.network_.theta, each) for each in (two.network_.theta, two.network_.grad))
    for run in one._state.runs.values():
        assert all(slot.base is None for slot in run.slots.values())


def test_each_warns_for_itself():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit_side_by_side(members(each=({}, {"max_iter": 300, "tol": 1.0}, {})), X, Y)
    assert sum(issubclass(each.category, ConvergenceWarning) for each in caught) == 2


WRONG = {
    "a parameter": (({}, {"alpha": -1.0}), Y, "alpha"),
    "an option": (({}, {"solver": "lbfgs", "clip_norm": 1.0}), Y, "clip_norm"),
    "one diverges": (({}, {"learning_rate_init": 1e30, "solver": "sgd"}), Y, "diverged"),
    "y": (({}, {}), np.full(N, np.nan), "NaN"),
}


@pytest.mark.parametrize(("each", "y", "message"), WRONG.values(), ids=WRONG)
def test_after_an_error_all_are_as_they_were(each, y, message):
    estimators = members(each=each)
    estimators[0].fit(X, Y)
    before = [dict(vars(estimator)) for estimator in estimators]
    with pytest.raises(ValueError, match=message):
        fit_side_by_side(estimators, X, y)
    for estimator, kept in zip(estimators, before, strict=True):
        assert vars(estimator).keys() == kept.keys()
        assert all(vars(estimator)[name] is value for name, value in kept.items())


def test_one_object_twice():
    one = MLPRegressor()
    with pytest.raises(ValueError, match="twice"):
        fit_side_by_side([one, one], X, Y)


def test_as_many_rows_as_estimators():
    with pytest.raises(ValueError, match="rows are given for 1 estimators, but there are 3"):
        fit_side_by_side(members(), X, Y, rows=[np.arange(N)])


@pytest.mark.parametrize("epochs", [0, 2])
def test_an_interruption_keeps_what_was_learnt(monkeypatch, epochs):
    def interrupting(self, *arguments):
        if self.first.state.epochs == epochs:
            raise KeyboardInterrupt
        return step(self, *arguments)

    step = side_by_side.train_side_by_side.__globals__["SideBySide"].step
    monkeypatch.setattr(side_by_side.train_side_by_side.__globals__["SideBySide"], "step", interrupting)
    estimators = members()
    with pytest.raises(KeyboardInterrupt):
        fit_side_by_side(estimators, X, Y)
    assert [getattr(estimator, "n_iter_", 0) for estimator in estimators] == [epochs] * 3
    assert all(hasattr(estimator, "network_") == bool(epochs) for estimator in estimators)


def test_families_of_other_layers():
    images = RNG.standard_normal((40, 4, 4, 1))
    params = {"filters": 2, "input_shape": (4, 4, 1)}
    alone = [estimator.fit(images, C[:40]) for estimator in members(CNNClassifier, **params)]
    assert_as_alone(fit_side_by_side(members(CNNClassifier, **params), images, C[:40]), alone)
