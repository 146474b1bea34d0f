"""Laplace's approximation: against Bayesian linear regression, against laplace-torch, and what it is a maximum of."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import BayesianRidge

from sknn import BayesianClassifier, BayesianRegressor, MLPClassifier, MLPRegressor, NetworkRegressor
from sknn.nn import Conv, GlobalPool
from sknn.posteriors import Laplace
from sknn.posteriors.evidence import Evidence
from sknn.posteriors.laplace import _at_rates, _only_last
from sknn.posteriors.likelihood import Likelihood
from sknn.posteriors.structures import STRUCTURES, Full

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0] + RNG.normal(0, 0.3, 60)
FRESH = RNG.normal(size=(7, 4))


def linear(**params):
    return BayesianRegressor(
        MLPRegressor((), target_scaling=None), Laplace(tol=1e-13, max_iter=2000), random_state=0, **params
    )


def test_a_linear_network_is_bayesian_ridge():
    flat = dict.fromkeys(("alpha_1", "alpha_2", "lambda_1", "lambda_2"), 0.0)
    ridge = BayesianRidge(fit_intercept=False, compute_score=True, tol=1e-13, max_iter=2000, **flat)
    ridge.fit(np.c_[X, np.ones(60)], Y)  # whose last weight is a bias with the same prior
    model = BayesianRegressor(MLPRegressor((), target_scaling=None), Laplace(tol=1e-13, max_iter=2000))
    model, fresh = model.fit(X, Y), np.c_[FRESH, np.ones(7)]
    mean, std = ridge.predict(fresh, return_std=True)
    assert_allclose(model.predict(FRESH), mean, rtol=1e-6)
    assert_allclose(model.predict(FRESH, return_std=True)[1], std, rtol=1e-6)
    assert_allclose(model.uncertainty(FRESH) ** 2, np.einsum("ij,jk,ik->i", fresh, ridge.sigma_, fresh), rtol=1e-6)
    assert_allclose(model.log_evidence_, ridge.scores_[-1], rtol=1e-6)
    assert_allclose([model.noise_, model.prior_scale_], [ridge.alpha_**-0.5, ridge.lambda_**-0.5], rtol=1e-6)


# -- beside laplace-torch 0.3 (torch 2.13): the same weights, prior precision 2, noise .5 ------------------------------

# Of each structure: the first rows of the covariances of fresh raw outputs, and the log marginal likelihood.
PEER = {
    (1, "full"): ([0.25910417, 0.14716477], -47.15958146),
    (1, "kronecker"): ([0.21722807, 0.17861001], -52.69485488),
    (1, "diagonal"): ([0.27657998, 0.14133379], -54.39887405),
    (1, "last_layer"): ([0.10602754, 0.09067836], -33.79298584),
    (3, "full"): ([1.38124851, 0.2400537, 0.30134103, 0.2400537, 2.14395538, -0.2157669], -73.29925302),
    (3, "kronecker"): ([1.39927785, 0.22803114, 0.333336, 0.22803114, 2.32371957, -0.41190686], -75.98517772),
    (3, "diagonal"): ([1.26899966, -0.0233912, 0.0574997, -0.0233912, 2.01133507, -0.62661277], -76.88306398),
    (3, "last_layer"): ([1.30537632, 0.24099748, 0.33045951, 0.24099748, 1.24230652, 0.39352931], -61.0556186),
}


@pytest.fixture(scope="module", params=[1, 3])
def peer(request):
    """A network with the weights of the peer's run, its targets, and fresh samples, in the order of its draws."""
    n_outputs, rng = request.param, np.random.RandomState(0)
    x = rng.normal(size=(20, 3))
    weights = [rng.normal(size=(3, 4)), rng.normal(size=4) * 0.3]
    weights += [rng.normal(size=(4, n_outputs)), rng.normal(size=n_outputs) * 0.3]
    if n_outputs == 1:
        y = np.sin(x[:, 0]) + 0.1 * rng.normal(size=(20, 1))[:, 0]
        model = MLPRegressor(4, activation="tanh", target_scaling=None, max_iter=20, tol=9.0, dtype="float64")
    else:
        y = rng.randint(0, 3, 20)
        model = MLPClassifier(4, activation="tanh", max_iter=20, tol=9.0, dtype="float64")
    fresh = rng.normal(size=(4, 3))
    network = model.set_params(n_iter_no_change=1).fit(x, y).network_
    for name, value in zip(("0.weight", "0.bias", "1.weight", "1.bias"), weights, strict=True):
        start, stop, _ = network.names[name]
        network.theta[start:stop] = value.ravel()
    return model, x, y, fresh


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_peers_covariances_and_evidence(structure, peer):
    model, x, y, fresh = peer
    network = _at_rates(model.network_, _only_last(model.network_) if structure == "last_layer" else {})
    encoded = model._target.encode(y, np.dtype(np.float64))
    likelihood = Likelihood(model, network, x, encoded, None)
    curvature = STRUCTURES[structure](likelihood)
    beta = 4.0 if likelihood.has_noise else 1.0
    ((_, _, jacobian),) = Likelihood(model, network, fresh).jacobians()
    covariance = curvature.covariance(jacobian, 2.0, beta)
    expected, evidence = PEER[likelihood.units.size, structure]
    assert_allclose(covariance.ravel()[: len(expected)], expected, rtol=1e-6)
    assert_allclose(Evidence.of(likelihood, curvature.eigenvalues).at(2.0, beta), evidence, rtol=1e-8)
    draws = np.random.RandomState(0).standard_normal((len(likelihood.free), 200_000))
    outputs = jacobian.reshape(-1, jacobian.shape[-1]) @ curvature.root(draws, 2.0, beta)
    drawn = np.cov(outputs)[: covariance.shape[1], : covariance.shape[1]]
    assert_allclose(drawn, covariance[0], atol=0.02 * np.abs(covariance[0]).max())


# -- on its own ----------------------------------------------------------------------------------------------------


def test_the_gauss_newton_matrix_of_a_linear_model_is_the_hessian_and_log_det_is_slogdet(peer):
    model, x, y, _ = peer
    encoded = model._target.encode(y, np.dtype(np.float64))
    last = _at_rates(model.network_, _only_last(model.network_))
    likelihood = Likelihood(model, last, x, encoded, None)
    _, gradient, matrix = likelihood.expanded()
    columns = []
    for k in likelihood.free:
        step = 1e-6
        slopes = []
        for sign in (1, -1):
            last.theta[k] += sign * step
            slopes.append(likelihood.expanded()[1])
            last.theta[k] -= sign * step
        columns.append((slopes[0] - slopes[1]) / (2 * step))
    assert_allclose(matrix, np.array(columns), atol=1e-7)
    assert_allclose(matrix, matrix.T, rtol=1e-12)
    evidence = Evidence.of(likelihood, Full(likelihood).eigenvalues)
    assert evidence.eigenvalues.min() >= 0
    H = 3.0 * matrix + 2.0 * np.eye(len(matrix))
    assert_allclose(np.log(3.0 * evidence.eigenvalues + 2.0).sum(), np.linalg.slogdet(H)[1], rtol=1e-12)
    assert np.isfinite(gradient).all()


NETWORKS = {
    "full": (MLPRegressor(3, activation="tanh"), "full"),
    "kronecker": (MLPRegressor(3, activation="tanh", max_iter=30), "kronecker"),
    "diagonal": (MLPRegressor(3, activation="tanh", max_iter=30), "diagonal"),
    "last layer": (MLPRegressor(3, activation="tanh", max_iter=30), "last_layer"),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("network", "structure"), NETWORKS.values(), ids=NETWORKS)
def test_prior_and_noise_are_those_of_the_largest_evidence(network, structure):
    model = BayesianRegressor(network, Laplace(structure=structure), random_state=0).fit(X, Y)
    learnt = model._learnt
    likelihood = Likelihood(
        model.network_,
        _at_rates(model.network_.network_, learnt.rates),
        X,
        model.network_._target.encode(Y, np.dtype(np.float64)),
        None,
    )
    evidence = Evidence.of(likelihood, learnt.curvature.eigenvalues)
    best = evidence.at(learnt.alpha, learnt.beta)
    assert_allclose(best - 60 * np.log(model.network_.y_scale_), model.log_evidence_, rtol=1e-9)
    assert_allclose(evidence.slopes(learnt.alpha, learnt.beta), 0.0, atol=1e-5)
    for factor in (0.99, 1.01):
        assert evidence.at(factor * learnt.alpha, learnt.beta) < best
        assert evidence.at(learnt.alpha, factor * learnt.beta) < best
    assert_allclose(model.prior_scale_, learnt.alpha**-0.5)


def test_units_of_y_change_units_alone():
    one, other = (BayesianRegressor(MLPRegressor(3, activation="tanh"), random_state=0) for _ in range(2))
    one.fit(X, Y)
    other.fit(X, 1000.0 * Y + 5.0)
    assert_allclose(other.predict(FRESH), 1000.0 * one.predict(FRESH) + 5.0, rtol=1e-6)
    assert_allclose(other.uncertainty(FRESH), 1000.0 * one.uncertainty(FRESH), rtol=1e-5)
    assert_allclose(other.noise_, 1000.0 * one.noise_, rtol=1e-6)
    assert_allclose(other.log_evidence_, one.log_evidence_ - 60 * np.log(1000.0), rtol=1e-6)
    assert_allclose(
        other.score_samples(FRESH, np.full(7, 5.0)), one.score_samples(FRESH, np.zeros(7)) - np.log(1000.0), rtol=1e-5
    )


def test_what_is_given_of_prior_and_noise_stays():
    model = BayesianRegressor(MLPRegressor(3), noise=0.5, prior_scale=2.0, random_state=0).fit(X, Y)
    assert_allclose([model.noise_, model.prior_scale_], [0.5, 2.0])
    total, epistemic = model.uncertainty(FRESH, "total"), model.uncertainty(FRESH)
    assert_allclose(total**2, epistemic**2 + 0.25)


def test_outputs_with_different_noise():
    noise = np.random.default_rng(1).normal(size=(300, 2)) * [0.1, 1.0]
    x = np.random.default_rng(2).uniform(-2, 2, (300, 1))
    model = BayesianRegressor(MLPRegressor(8, activation="tanh"), random_state=0).fit(x, np.sin(x) + noise)
    assert_allclose(model.noise_, [0.1, 1.0], rtol=0.15)
    assert model.predict_interval(x[:5]).shape == (5, 2, 2)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("structure", STRUCTURES)
def test_classes(structure):
    labels = np.array(["a", "b", "c"])[np.digitize(Y, [-1.0, 1.0])]
    model = BayesianClassifier(MLPClassifier(4, max_iter=60), Laplace(structure=structure), random_state=0)
    model.fit(X, labels)
    total, noise, epistemic = (model.uncertainty(FRESH, kind) for kind in ("total", "noise", "epistemic"))
    assert_allclose(total, noise + epistemic, rtol=1e-9)
    assert (epistemic > 0).all()
    assert_allclose(model.predict_proba(FRESH).sum(axis=1), 1.0)
    assert_allclose(model.predict_draws(FRESH).sum(axis=2), 1.0)


def test_auto_takes_the_last_layer_of_what_is_not_dense():
    signals = np.random.default_rng(0).normal(size=(40, 12, 1))
    network = NetworkRegressor([Conv(3, 3, activation="tanh"), GlobalPool()], max_iter=5, tol=1.0, n_iter_no_change=2)
    model = BayesianRegressor(network, random_state=0).fit(signals, signals.mean(axis=(1, 2)))
    assert len(model._learnt.curvature.eigenvalues) == 4  # three channels and a bias
    assert (model.uncertainty(signals) > 0).all()


def test_a_frozen_layer_has_no_uncertainty():
    network = MLPRegressor(4, activation="tanh", freeze=1)
    model = BayesianRegressor(network, Laplace(structure="full"), random_state=0).fit(X, Y)
    assert len(model._learnt.curvature.eigenvalues) == 5


def test_steps_that_do_not_suffice_are_told():
    with pytest.warns(ConvergenceWarning, match=r"max_iter=2 steps.*Laplace\(max_iter=6\)"):
        BayesianRegressor(MLPRegressor(4), Laplace(max_iter=2), random_state=0).fit(X, Y)


def test_what_was_stopped_early_settles_before_it_is_judged():
    """Else initial weights would be a wide prior, and what was not learnt yet noise."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 30))
    y = x[:, 0] + np.sin(2.0 * x[:, 1]) + 0.3 * rng.normal(size=300)
    model = BayesianRegressor(posterior=Laplace(structure="kronecker"), random_state=0).fit(x[:200], y[:200])
    assert 0.2 < model.noise_ < 0.6
    assert -model.score_samples(x[200:], y[200:]).mean() < 1.2  # a normal distribution around the mean has 1.6


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_noise_that_is_learned_is_drawn_as_it_is_predicted():
    model = BayesianRegressor(MLPRegressor(6, activation="tanh", max_iter=60), noise="learned", random_state=0)
    model.fit(X, Y)
    far = 3.0 * FRESH
    std = model.predict(far, return_std=True)[1]
    assert_allclose(model.sample_y(far, 20_000, random_state=0).std(axis=1), std, rtol=0.05)
