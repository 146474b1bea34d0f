"""Mean-field variational inference: against what is known of linear regression."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.datasets import load_iris

import sknn
from sknn import BayesianClassifier, BayesianRegressor, CNNRegressor, MLPClassifier, MLPRegressor
from sknn.nn import Draws, differentiate
from sknn.posteriors import Task, Variational
from sknn.posteriors.lower_bound import LowerBound
from sknn.posteriors.shown import Shown

RNG = np.random.RandomState(0)
N, NOISE, PRIOR = 200, 0.5, 2.0
X = RNG.normal(size=(N, 2)) @ np.linalg.cholesky([[1.0, 0.8], [0.8, 1.0]]).T
X -= X.mean(axis=0)
Y = X @ [1.0, -1.0] + NOISE * RNG.normal(size=N)
Y = (Y - Y.mean()) / Y.std()  # so that nothing is scaled
DESIGN = np.column_stack([X, np.ones(N)])
PRECISION = DESIGN.T @ DESIGN / NOISE**2 + np.eye(3) / PRIOR**2
QUICK = Variational(max_iter=20)
FEW = {"tol": 10.0, "n_iter_no_change": 2}  # some epochs


def linear():
    return MLPRegressor((), solver="lbfgs", random_state=0)


@pytest.fixture(scope="module")
def found():
    posterior = Variational(max_iter=3000, learning_rate_init=0.02, batch_size=N)
    return BayesianRegressor(linear(), posterior, prior_scale=PRIOR, noise=NOISE, random_state=0, n_draws=4000).fit(
        X, Y
    )


def test_linear_regression_has_the_mean_and_too_small_a_spread(found):
    """The mean field knows the precision of each weight given the others: at correlation .8 that is .6 of the truth."""
    mean = np.linalg.solve(PRECISION, DESIGN.T @ Y / NOISE**2)
    std, true = 1 / np.sqrt(np.diag(PRECISION)), np.sqrt(np.diag(np.linalg.inv(PRECISION)))
    assert_allclose(found.network_.network_.theta, mean, atol=0.1 * std.min())
    assert_allclose(found._learnt.std, std, rtol=0.03)
    assert_allclose(std[:2] / true[:2], 0.6, atol=0.05)


def test_draws_have_that_mean_and_that_spread(found):
    assert_allclose(found.predict(X), DESIGN @ found.network_.network_.theta, atol=0.02)
    assert_allclose(found.uncertainty(X), np.sqrt(DESIGN**2 @ found._learnt.std**2), rtol=0.1)


def bound_of(network, x, y, prior_scale=PRIOR, noise=NOISE, **parameters):
    task = Task(network, x, y, None, noise, prior_scale, 10, np.random.RandomState(0))
    shown = Shown.of(task)
    noise = None if noise is None else np.array([noise])
    bound = LowerBound(shown.estimator, shown.fit.network, 0.02, prior_scale, noise, float(len(x)), **parameters)
    return bound, shown.fit.samples.take(slice(0, len(x)))


def lower_bound(bound, batch, n_draws=3000):
    """In nats, over all samples."""
    draws = Draws(0, "float64")
    nets = bound.parts.function(draws=draws)
    return -bound.weight * np.mean([bound(nets, batch, draws) for _ in range(n_draws)])


def test_the_bound_lies_below_the_evidence_by_the_divergence_from_the_posterior(found):
    bound, batch = bound_of(linear(), X, Y)
    bound.parts.means.theta[:] = found.network_.network_.theta
    bound.parts.spread.theta[:] = np.log(found._learnt.std)
    covariance = NOISE**2 * np.eye(N) + PRIOR**2 * DESIGN @ DESIGN.T
    evidence = multivariate_normal(np.zeros(N), covariance).logpdf(Y)
    divergence = 0.5 * (np.log(np.diag(PRECISION)).sum() - np.linalg.slogdet(PRECISION)[1])
    assert divergence > 0.4
    assert lower_bound(bound, batch) == pytest.approx(evidence - divergence, abs=0.1)
    for theta in RNG.normal(size=(5, 3)):
        bound.parts.means.theta[:] = theta
        assert lower_bound(bound, batch, 30) < evidence


def test_the_best_prior_scale_has_the_largest_bound():
    free, batch = bound_of(MLPRegressor((5,), random_state=0), X, Y, prior_scale=None)
    best = free.found_prior_scale()
    values = []
    for scale in (0.9 * best, best, 1.1 * best):
        given, _ = bound_of(MLPRegressor((5,), random_state=0), X, Y, prior_scale=scale)
        values.append(lower_bound(given, batch, 1))
    assert values[1] > max(values[0], values[2])
    assert values[1] == pytest.approx(lower_bound(free, batch, 1), rel=1e-9)


@pytest.mark.parametrize("noise", [NOISE, None])
@pytest.mark.parametrize("prior_scale", [PRIOR, None])
def test_the_gradient_of_the_bound_is_that_of_finite_differences(noise, prior_scale):
    bound, batch = bound_of(MLPRegressor((4,), activation="tanh", random_state=0), X, Y, prior_scale, noise)

    def value(watched=False):
        draws = Draws(0, "float64")
        return bound(bound.parts.function(watched=watched, draws=draws), batch, draws).mean()

    _, (gradient,) = differentiate(value(True), [bound.parts])
    theta, gradient = bound.parts.theta, gradient.copy()
    for k in (0, 5, 16, 17, len(theta) - 2, len(theta) - 1):
        before = theta[k]
        theta[k] = before + 1e-6
        above = value()
        theta[k] = before - 1e-6
        below = value()
        theta[k] = before
        assert gradient[k] == pytest.approx((above - below) / 2e-6, rel=1e-5, abs=1e-8)


def test_gradients_of_outputs_drawn_have_less_variance_than_those_of_weights_drawn():
    variance = {}
    for locally in (True, False):
        bound, batch = bound_of(MLPRegressor((10,), activation="tanh", random_state=0), X, Y, locally=locally)
        bound.parts.spread.theta[:] = np.log(0.2)
        draws, found = Draws(0, "float64"), []
        nets = bound.parts.function(watched=True, training=True, draws=draws)
        for _ in range(200):
            found.append(differentiate(bound(nets, batch, draws).mean(), [bound.parts])[1][0].copy())
        variance[locally] = np.var(found, axis=0).sum()
    assert variance[True] < 0.2 * variance[False]


def test_constant_noise_and_prior_are_found():
    y = 30.0 * Y + 7.0
    posterior = Variational(max_iter=2000, batch_size=N)
    model = BayesianRegressor(linear(), posterior, random_state=0).fit(X, y)
    assert model.noise_ == pytest.approx(30.0 * np.std(Y - DESIGN @ np.linalg.lstsq(DESIGN, Y)[0]), rel=0.1)
    assert model.prior_scale_ == pytest.approx(np.sqrt(np.mean(model.network_.network_.theta**2)), rel=0.1)


def test_means_begin_where_the_network_has_been_trained_to():
    network = MLPRegressor((5,), random_state=0, **FEW)
    model = BayesianRegressor(network, Variational(max_iter=1, learning_rate_init=1e-9), random_state=0).fit(X, Y)
    assert_allclose(model.network_.network_.theta, clone(network).fit(X, Y).network_.theta, rtol=1e-6)
    assert len(model.network_.loss_curve_) == model.network_.n_iter_ == 1


def test_classes():
    x, y = load_iris(return_X_y=True)
    network = MLPClassifier((10,), input_scaling="standard", random_state=0, **FEW)
    model = BayesianClassifier(network, Variational(max_iter=200, learning_rate_init=0.03), random_state=0).fit(x, y)
    assert model.score(x, y) > 0.93
    of_training, far_away = model.uncertainty([x[0], [9.0, 9.0, 1.0, 9.0]])
    assert far_away > of_training
    assert not hasattr(model, "log_evidence_")


PICTURES = RNG.normal(size=(60, 6, 6, 1))
CASES = {
    "rows": (MLPRegressor((5,), batch_norm=True, **FEW), X[:60], "constant"),
    "learned noise": (MLPRegressor((5,), **FEW), X[:60], "learned"),
    "pictures": (CNNRegressor((4,), hidden_layer_sizes=(8,), **FEW), PICTURES, 0.1),
}


@pytest.mark.parametrize("name", CASES)
def test_a_sample_is_predicted_alike_in_any_batch_and_sampling_changes_nothing(name):
    network, x, noise = CASES[name]
    model = BayesianRegressor(network, Variational(max_iter=2), noise=noise, n_draws=7, random_state=0).fit(x, Y[:60])
    before, together = pickle.dumps(model), model.predict_draws(x)
    one_by_one = np.concatenate([model.predict_draws(x[k : k + 1]) for k in range(5)], axis=1)
    assert_allclose(one_by_one, together[:, :5], rtol=1e-12, atol=1e-12)
    assert (together.std(axis=0) > 0).all()
    model.sample_y(x, 3, random_state=0)
    assert pickle.dumps(model) == before


def test_the_same_seed_gives_the_same_draws_and_another_others(tmp_path):
    model = BayesianRegressor(MLPRegressor((5,), **FEW), QUICK, n_draws=5, random_state=0).fit(X, Y)
    draws = model.predict_draws(X)
    sknn.save(model, tmp_path / "model.sknn")
    for same in (clone(model).fit(X, Y), pickle.loads(pickle.dumps(model)), sknn.load(tmp_path / "model.sknn")):
        assert_array_equal(same.predict_draws(X), draws)
    assert (clone(model).set_params(random_state=1).fit(X, Y).predict_draws(X) != draws).any()


def test_weights_count_as_so_many_samples():
    weight = RNG.randint(0, 4, size=N)
    posterior = Variational(max_iter=3000, learning_rate_init=0.02, batch_size=N)
    model = BayesianRegressor(linear(), posterior, prior_scale=PRIOR, noise=NOISE, random_state=0)
    precision = (DESIGN.T**2 @ weight) / NOISE**2 + 1 / PRIOR**2
    scale = np.sqrt(np.cov(Y, fweights=weight, ddof=0))
    model.fit(X, Y, sample_weight=weight)
    assert_allclose(model._learnt.std * model.network_._target.scale_, 1 / np.sqrt(precision), rtol=0.1)
    assert model.network_._target.scale_ == pytest.approx(scale)


@pytest.mark.parametrize("wrong", [{"initial_scale": 0.0}, {"max_iter": 0}, {"learning_rate_init": -1.0}])
def test_what_is_out_of_range_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Variational(**wrong)
