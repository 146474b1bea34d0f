"""Going on from fitted weights: warm starts and partial_fit, alone, after each other and after a pickle."""

import pickle

import numpy as np
import pytest
import sklearn.neural_network as peers
from numpy.testing import assert_array_equal
from sklearn.base import clone, is_classifier

from sknn import CNNClassifier, CNNRegressor, MLPClassifier, MLPRegressor, PerceptronClassifier, PerceptronRegressor

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning")

N = 80
RNG = np.random.RandomState(0)
X = RNG.normal(size=(N, 4))
SIGNAL = X @ [2.0, -1.0, 0.5, 0.0] + 0.1 * RNG.normal(size=N)
LABELS = np.where(SIGNAL > 0, "yes", "no")

SMALL = {"hidden_layer_sizes": (5,), "max_iter": 6, "batch_size": 20, "random_state": 0}
NETWORKS = {
    "MLPClassifier": MLPClassifier(**SMALL),
    "MLPRegressor": MLPRegressor(**SMALL),
    "CNNClassifier": CNNClassifier(2, **SMALL, batch_norm=True),
    "CNNRegressor": CNNRegressor(2, **SMALL, dropout=0.2),
    "PerceptronClassifier": PerceptronClassifier(solver="sgd", eta0=0.1, max_iter=6, tol=None, batch_size=20),
    "PerceptronRegressor": PerceptronRegressor(max_iter=6, tol=None),
}
every_network = pytest.mark.parametrize("model", NETWORKS.values(), ids=NETWORKS)


def target(model):
    return LABELS if is_classifier(model) else SIGNAL


def with_params(model, **params):
    """A clone with those of the parameters that it has."""
    model = clone(model)
    return model.set_params(**{name: value for name, value in params.items() if name in model.get_params()})


# -- warm starts ---------------------------------------------------------------------------------------------------


@every_network
@pytest.mark.parametrize("early_stopping", [False, True])
def test_every_warm_refit_resets_the_counters_and_appends_to_the_curves(model, early_stopping):
    model = with_params(model, warm_start=True, early_stopping=early_stopping, validation_fraction=0.25, tol=0.0)
    losses, scores = [], []
    for _ in range(3):
        model.fit(X, target(model))
        assert model.t_ == model.n_iter_ * (60 if early_stopping else 80)
        assert model.loss_curve_[: len(losses)] == losses
        assert len(model.loss_curve_) - len(losses) == model.n_iter_
        losses = list(model.loss_curve_)
        if early_stopping:
            assert model.validation_scores_[: len(scores)] == scores
            assert model.best_validation_score_ == max(model.validation_scores_[len(scores) :])
            scores = list(model.validation_scores_)
            assert len(scores) == len(model.validation_loss_curve_) == len(losses)
        else:
            assert model.best_loss_ == min(losses[-model.n_iter_ :])


@pytest.mark.parametrize("kind", [MLPRegressor, PerceptronRegressor])
def test_a_warm_refit_on_a_new_target_forgets_the_best_of_the_old_one(kind):
    """scikit-learn's network goes back to the weights that were best for the old target, R2 -2.4."""
    params = {"warm_start": True, "early_stopping": True, "validation_fraction": 0.25, "random_state": 0}
    ours = with_params(kind(), **params, learning_rate_init=0.01, max_iter=1000)
    assert ours.fit(X, SIGNAL).score(X, SIGNAL) > 0.9
    assert ours.fit(X, -SIGNAL).score(X, -SIGNAL) > 0.9
    theirs = peers.MLPRegressor(**params, learning_rate_init=0.01, max_iter=1000)
    assert theirs.fit(X, SIGNAL).fit(X, -SIGNAL).score(X, -SIGNAL) < 0


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.filterwarnings("ignore:lbfgs failed:sklearn.exceptions.ConvergenceWarning")
def test_a_warm_refit_appends_what_is_recorded_of_validation_samples(solver):
    model = MLPRegressor(**{**SMALL, "solver": solver}, warm_start=True)
    for fits in range(1, 4):
        model.fit(X, SIGNAL, X_val=X[:20], y_val=SIGNAL[:20])
        assert len(model.validation_scores_) == len(model.validation_loss_curve_) == fits * 6
    model.set_params(warm_start=False).fit(X, SIGNAL)
    assert model.validation_scores_ is None
    assert model.validation_loss_curve_ is None


@pytest.mark.parametrize("model", [NETWORKS["MLPRegressor"], NETWORKS["CNNRegressor"]], ids=["MLP", "CNN"])
def test_the_scale_of_the_target_is_fixed_at_the_first_fit(model):
    model = with_params(model, warm_start=True).fit(X, SIGNAL)
    scale = model.y_mean_, model.y_scale_
    model.fit(X, 7 * SIGNAL + 1).partial_fit(X, 5 * SIGNAL)
    assert (model.y_mean_, model.y_scale_) == scale
    again = with_params(model, warm_start=False).fit(X, 7 * SIGNAL + 1)
    assert (again.y_mean_, again.y_scale_) != scale


# -- partial_fit ---------------------------------------------------------------------------------------------------


@every_network
def test_a_fit_and_then_partial_fit_continues_as_if_it_were_one_fit(model):
    one, other = (with_params(model, shuffle=False, random_state=np.random.RandomState(1)) for _ in range(2))
    one.set_params(warm_start=True).fit(X, target(model)).partial_fit(X, target(model)).partial_fit(X, target(model))
    other.set_params(max_iter=8).fit(X, target(model))
    assert_array_equal(one.network_.theta, other.network_.theta)
    assert_array_equal(one.network_.state, other.network_.state)
    assert one.loss_curve_ == other.loss_curve_
    assert one.t_ == other.t_


SOLVERS = ["sgd", "adam", "adamw", "rmsprop"]
SCHEDULES = ["constant", "invscaling", "adaptive", "cosine"]


@every_network
@pytest.mark.parametrize("generator", [False, True])
def test_pickled_and_reloaded_it_goes_on_bit_for_bit(model, generator):
    seed = np.random.RandomState(1) if generator else 1
    model = with_params(model, warm_start=True, random_state=seed).fit(X, target(model))
    for _ in range(3):
        copy = pickle.loads(pickle.dumps(model))
        model.partial_fit(X, target(model))
        copy.partial_fit(X, target(model))
        assert_array_equal(copy.network_.theta, model.network_.theta)
        assert_array_equal(copy.network_.state, model.network_.state)
        assert copy.loss_curve_ == model.loss_curve_
    assert_array_equal(copy.fit(X, target(model)).network_.theta, model.fit(X, target(model)).network_.theta)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("learning_rate", SCHEDULES)
def test_a_pickle_keeps_the_state_of_every_solver_and_schedule(learning_rate, solver):
    params = {"solver": solver, "learning_rate": learning_rate, "n_iter_no_change": 1, "tol": 1.0}
    model = MLPClassifier(**SMALL, warm_start=True).set_params(**params).fit(X, LABELS)
    copy = pickle.loads(pickle.dumps(model))
    for each in (model, copy):
        for _ in range(5):
            each.partial_fit(X, LABELS)
    assert_array_equal(copy.network_.theta, model.network_.theta)


@every_network
def test_without_warm_start_a_later_partial_fit_starts_a_fresh_optimizer_from_the_fitted_weights(model):
    plain, warm = (with_params(model, momentum=0.9, random_state=np.random.RandomState(1)) for _ in range(2))
    plain.fit(X, target(model))
    warm.set_params(warm_start=True).fit(X, target(model))
    assert_array_equal(plain.network_.theta, warm.network_.theta)
    assert len(pickle.dumps(plain)) < len(pickle.dumps(warm))
    anew = pickle.loads(pickle.dumps(plain)).set_params(warm_start=True, max_iter=1).fit(X, target(model))
    plain.partial_fit(X, target(model))
    assert_array_equal(plain.network_.theta, anew.network_.theta)  # a warm refit begins with a fresh optimizer
    if not isinstance(model, PerceptronRegressor | PerceptronClassifier):  # whose steps remember nothing
        assert not np.array_equal(warm.partial_fit(X, target(model)).network_.theta, plain.network_.theta)


class Unread(list):
    """A list that can grow, and not be copied."""

    def __iter__(self):
        raise AssertionError("the curve of the calls before was read")


@every_network
def test_a_call_of_partial_fit_costs_the_same_however_many_came_before(model):
    model = clone(model).fit(X, target(model))
    model.loss_curve_ = Unread(model.loss_curve_)
    for _ in range(3):
        model.partial_fit(X, target(model))
    assert len(model.loss_curve_) == 6 + 3
    assert model.loss_ == model.loss_curve_[-1]


def test_a_call_that_fails_leaves_the_curve_as_it_was():
    model = MLPRegressor(**SMALL, solver="sgd").fit(X, SIGNAL)
    curve = list(model.loss_curve_)
    with pytest.raises(ValueError, match="diverged"):
        model.set_params(learning_rate_init=1e30).partial_fit(X, SIGNAL)
    assert model.loss_curve_ == curve


@pytest.mark.filterwarnings("ignore:Maximum number of iteration:sklearn.exceptions.ConvergenceWarning")
def test_the_perceptron_rule_goes_on_from_its_weights():
    one, other = (PerceptronClassifier(max_iter=3, tol=None, shuffle=False) for _ in range(2))
    one.fit(X, LABELS).partial_fit(X, LABELS)
    assert_array_equal(one.coef_, other.set_params(max_iter=4).fit(X, LABELS).coef_)


@pytest.mark.filterwarnings("ignore:Maximum number of iteration:sklearn.exceptions.ConvergenceWarning")
def test_another_rule_goes_on_from_weights_that_have_no_history():
    model = PerceptronClassifier(max_iter=3, tol=None, warm_start=True, random_state=0).fit(X, LABELS)
    assert not hasattr(model, "validation_scores_")
    model.set_params(solver="sgd").fit(X, LABELS)
    assert len(model.loss_curve_) == 3
    assert model.validation_scores_ is None


# -- the rows of a batch -------------------------------------------------------------------------------------------


def test_a_lone_last_row_joins_the_batch_before_where_layers_need_the_batch():
    joined, whole, without = (
        MLPRegressor(5, batch_size=size, batch_norm=norm, shuffle=False, random_state=0).partial_fit(
            X[:41], SIGNAL[:41]
        )
        for size, norm in [(40, True), (41, True), (40, False)]
    )
    assert_array_equal(joined.network_.theta, whole.network_.theta)
    assert joined._state.steps == 1
    assert without._state.steps == 2


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_single_row_is_refused_where_layers_need_the_batch(method):
    model = MLPRegressor(5, max_iter=3, batch_norm=True).fit(X, SIGNAL)
    theta = model.network_.theta.copy()
    with pytest.raises(ValueError, match=r"BatchNorm\(.*\) does not apply with batches of one sample"):
        getattr(model, method)(X[:1], SIGNAL[:1])
    assert_array_equal(model.network_.theta, theta)
