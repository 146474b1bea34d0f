"""Hamiltonian Monte Carlo of networks: against conjugate answers, and by what must hold of any sampler."""

import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning

import sknn
from sknn import BayesianClassifier, BayesianRegressor, MLPClassifier, MLPRegressor, NetworkRegressor
from sknn.nn import BatchNorm, Dense, Dropout, Network, Parts
from sknn.posteriors import HMC, Task
from sknn.posteriors.chain import Sampler
from sknn.posteriors.leapfrog import point
from sknn.posteriors.likelihood import Likelihood
from sknn.posteriors.scales import Gamma, Scales, relevance_groups
from sknn.posteriors.shown import Shown

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0] + RNG.normal(0, 0.3, 60)
FRESH = RNG.normal(size=(7, 4))
QUICK = HMC(n_warmup=60, n_samples=60, n_steps=10)


def small(posterior=QUICK, **params):
    return BayesianRegressor(MLPRegressor(5, activation="tanh"), posterior, random_state=0, n_draws=20, **params)


def linear(posterior, **params):
    network = MLPRegressor((), input_scaling=None, target_scaling=None)
    return BayesianRegressor(network, posterior, random_state=0, **params)


def likelihood(network, x, y, loss="squared_error", weight=None):
    task = Task(network, x, y, weight, None, "auto", 10, np.random.RandomState(0))
    return Shown.of(task).likelihood()


# -- against answers that are known -----------------------------------------------------------------------------------


def test_a_linear_network_has_the_conjugate_posterior():
    posterior = HMC(n_warmup=300, n_samples=2000, n_steps=8)
    model = linear(posterior, prior_scale=0.5, noise=0.3, n_draws=4000).fit(X, Y)
    seen, fresh = np.column_stack([X, np.ones(60)]), np.column_stack([FRESH, np.ones(7)])
    covariance = np.linalg.inv(seen.T @ seen / 0.3**2 + np.eye(5) / 0.5**2)
    mean, std = fresh @ covariance @ seen.T @ Y / 0.3**2, np.sqrt(np.diag(fresh @ covariance @ fresh.T))
    draws = model.predict_draws(FRESH)
    assert draws.shape == (4000, 7)
    assert (np.abs(draws.mean(axis=0) - mean) < 4 * _standard_error(draws)).all()
    squares = np.square(draws - mean)
    assert (np.abs(squares.mean(axis=0) - std**2) < 4 * _standard_error(squares)).all()
    assert_allclose(model.uncertainty(FRESH), std, rtol=0.1)
    assert model.r_hat_ < 1.01
    assert abs(model.acceptance_rate_ - 0.8) < 0.1


def test_noise_of_a_linear_network():
    model = linear(HMC(n_warmup=200, n_samples=1000, n_steps=8), prior_scale=100.0, n_draws=50).fit(X, Y)
    seen = np.column_stack([X, np.ones(60)])
    residuals = Y - seen @ np.linalg.lstsq(seen, Y)[0]
    assert_allclose(model.noise_**2, residuals @ residuals / (60 - 5 - 2), rtol=0.05)  # the mean of an inverse gamma


def _standard_error(values):
    batches = values.reshape(40, -1, values.shape[-1]).mean(axis=1)
    return batches.std(axis=0, ddof=1) / np.sqrt(40)


# -- Geweke's joint distribution test ---------------------------------------------------------------------------------

N_OUTPUTS = 2


def tiny():
    """A likelihood of two outputs whose targets the test will draw."""
    x = np.random.RandomState(1).normal(size=(4, 1))
    network = MLPRegressor(2, activation="tanh", target_scaling=None, input_scaling=None)
    return likelihood(network, x, np.zeros((4, N_OUTPUTS)) + x)


def test_weights_scales_and_noise_have_the_joint_distribution_of_the_model():
    """Geweke (2004): data drawn anew after each move leave weights, scales and noise as they are beforehand."""
    rng, prior, noise = np.random.RandomState(0), Gamma(3.0, 2.0), Gamma(4.0, 1.0)
    model = tiny()
    scales = Scales(model, relevance_groups(model.network), None, False, prior, noise)
    n_groups = len(scales.alpha)

    def beforehand():
        scales.alpha = rng.gamma(prior.shape, size=n_groups) / prior.rate
        model.units = (rng.gamma(noise.shape, size=N_OUTPUTS) / noise.rate) ** -0.5
        return rng.standard_normal(len(scales.groups)) / np.sqrt(scales.alpha[scales.groups])

    def draw_y(theta):
        scales.move(theta)
        model.y = model.raw() + model.units * rng.standard_normal(model.y.shape)

    def measured(theta):
        y = model.y
        return np.concatenate(
            [np.log(scales.alpha), np.log(model.units), np.tanh(theta), np.square(np.tanh(theta)), np.tanh(y[0] * y[1])]
        )

    direct = []
    for _ in range(4000):
        theta = beforehand()
        draw_y(theta)
        direct.append(measured(theta))
    theta = beforehand()
    draw_y(theta)
    sampler = Sampler(scales, 8, 0.8, rng)
    sampler.begin(theta)
    in_turn, accepted = [], []
    for _ in range(4000):
        accepted.append(sampler.move(0.15))
        draw_y(sampler.point.position)
        sampler.point = point(scales.energy, sampler.point.position)
        in_turn.append(measured(sampler.point.position))
    assert 0.5 < np.mean(accepted) < 0.99  # a sampler that accepts all, or nothing, shows nothing
    errors = np.hypot(_standard_error(np.array(direct)), _standard_error(np.array(in_turn)))
    z = (np.mean(direct, axis=0) - np.mean(in_turn, axis=0)) / errors
    assert np.abs(z).max() < 4.0


# -- the density of the weights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["squares", "normal", "classes"])
def test_gradient_of_the_energy(kind, weighted, monkeypatch):
    weight = np.arange(1.0, 61.0) if weighted else None
    if kind == "classes":
        model = likelihood(MLPClassifier(3, activation="tanh"), X, np.arange(60) % 3, weight=weight)
    else:
        loss = "normal" if kind == "normal" else "squared_error"
        y = np.column_stack([Y, Y**2])
        model = likelihood(MLPRegressor(3, activation="tanh", loss=loss), X, y, weight=weight)
    if kind == "squares":
        model.units[:] = 0.5, 2.0
    monkeypatch.setattr("sknn.posteriors.likelihood.ROWS", 25)  # so that blocks are added up
    scales = Scales(model, relevance_groups(model.network), 0.7, True)
    theta = np.random.RandomState(0).normal(size=len(model.free))
    value, slope = scales.energy(theta)
    assert_allclose(value, model.error(model.raw()) + 0.35 * theta @ theta)
    for k in range(0, len(theta), 5):
        step = 1e-5 * np.eye(len(theta))[k]
        expected = (scales.energy(theta + step)[0] - scales.energy(theta - step)[0]) / 2e-5
        assert_allclose(slope[k], expected, rtol=1e-6, atol=1e-6)


def test_groups_are_features_and_names():
    one = Network([Dense(2), Dense(1)], (3,), np.random.RandomState(0))
    assert list(relevance_groups(one)) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    parts = Parts(a=one, b=Network([Dense(1, use_bias=False)], (2,), np.random.RandomState(0)))
    groups = relevance_groups(parts)
    assert [len(set(groups[start:stop])) for start, stop, _ in parts.names.values()] == [1] * len(parts.names)


def test_frozen_weights_stay():
    network = MLPRegressor(3, activation="tanh", random_state=0)
    shown = Shown.of(Task(network, X, Y, None, "constant", "auto", 10, np.random.RandomState(0)))
    twin = shown.fit.network
    twin.train_at({"0.weight": 0.0})
    model = Likelihood(network, twin, X, Y[:, None])
    before = twin.theta.copy()
    scales = Scales(model, np.zeros(len(model.free), int), None, False)
    sampler = Sampler(scales, 5, 0.8, np.random.RandomState(0))
    sampler.begin(sampler.search(before[model.free]))
    sampler.warm_up(20)
    place = twin.names["0.weight"]
    assert_array_equal(twin.theta[place.start : place.stop], before[place.start : place.stop])
    assert (twin.theta[model.free] != before[model.free]).all()


# -- as a posterior ---------------------------------------------------------------------------------------------------


def quiet(model, *data, **more):
    """Fit, whether or not so short chains agree."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*data, **more)


def test_what_is_fitted():
    model = quiet(small(), X, Y)
    assert model.draws_.shape == (20, 4 * 5 + 5 + 5 + 1)
    assert len(np.unique(model.draws_, axis=0)) > 10
    assert 0 < model.acceptance_rate_ <= 1
    assert 0.9 < model.r_hat_ < 2.0
    assert 0.1 < model.prior_scale_ < 3.0
    assert_allclose(model.noise_, 0.3, rtol=0.3)
    assert model.predict_draws(FRESH).shape == (20, 7)
    assert_allclose(model.predict_draws(FRESH)[:, :3], model.predict_draws(FRESH[:3]), rtol=1e-10)
    assert_array_equal(model.network_.network_.theta, model.draws_[-1])
    assert_allclose(model.network_.predict(FRESH), model.predict_draws(FRESH)[-1])
    assert_allclose(model.uncertainty(FRESH), model.predict_draws(FRESH).std(axis=0))


def test_same_seed_same_draws_whatever_n_jobs():
    first = quiet(small(n_jobs=1), X, Y)
    assert_array_equal(quiet(small(n_jobs=2), X, Y).draws_, first.draws_)
    assert (quiet(small().set_params(random_state=1), X, Y).draws_ != first.draws_).all()


def test_each_chain_begins_elsewhere_and_gives_its_share():
    model = quiet(small(replace(QUICK, n_chains=3)), X, Y)
    assert model.draws_.shape[0] == 20
    assert len(np.unique(model.draws_[[0, 7, 14], 0])) == 3
    fewer = quiet(small().set_params(n_draws=1), X, Y)
    assert fewer.draws_.shape[0] == 1
    more = quiet(small().set_params(n_draws=150), X, Y)
    assert more.draws_.shape[0] == 150  # chains go on until there are as many
    assert len(np.unique(more.draws_, axis=0)) > 75  # all but those that stayed where they were


@pytest.mark.parametrize("noise", ["learned", 0.5])
def test_noise_that_is_learned_or_known(noise):
    model = quiet(small(noise=noise), X, Y)
    if noise == "learned":
        assert model.noise_ is None
        assert model.uncertainty(FRESH, kind="noise").shape == (7,)
    else:
        assert_allclose(model.noise_, 0.5)
        assert_allclose(model.uncertainty(FRESH, kind="noise"), 0.5)


def test_outputs_have_noise_of_their_own():
    y = np.column_stack([Y, X[:, 0] + np.random.RandomState(0).normal(0, 1.0, 60)])
    model = quiet(small(), X, y)
    assert_allclose(model.noise_, [0.3, 1.0], rtol=0.3)


@pytest.mark.parametrize("unit", [0.01, 10.0])
def test_targets_that_are_not_standardised(unit):
    network = MLPRegressor(5, activation="tanh", target_scaling=None)
    scaled = quiet(small(HMC(n_warmup=60, n_samples=40, n_steps=30)).set_params(network=network), X, unit * Y)
    assert_allclose(scaled.noise_ / unit, 0.3, rtol=0.3)


def test_a_given_prior_scale_stays():
    model = quiet(small(prior_scale=0.5), X, Y)
    assert_allclose(model.prior_scale_, 0.5)


def test_a_feature_that_does_not_matter_fades():
    x = np.random.RandomState(0).normal(size=(100, 3))
    y = np.sin(2 * x[:, 0]) + 0.5 * np.sin(2 * x[:, 1]) + np.random.RandomState(1).normal(0, 0.1, 100)
    model = quiet(small(HMC(n_warmup=150, n_samples=100, n_steps=20)), x, y)
    first = model.draws_[:, :15].reshape(-1, 3, 5)
    sizes = np.sqrt(np.square(first).mean(axis=(0, 2)))
    assert sizes[2] < 0.5 * sizes[:2].min()


def test_classes():
    x, y = make_moons(80, noise=0.2, random_state=0)
    posterior = HMC(n_warmup=100, n_samples=100, n_steps=20)
    model = BayesianClassifier(MLPClassifier(6, activation="tanh"), posterior, random_state=0, n_draws=20)
    quiet(model, x, y)
    assert model.score(x, y) > 0.9
    assert_allclose(model.predict_proba(x).sum(axis=1), 1.0)
    between, within = model.uncertainty([[0.5, 0.25], [-1.0, 0.5]], kind="total")
    assert between > 2 * within


def test_a_weight_of_two_counts_as_two(monkeypatch):
    monkeypatch.setattr("sknn.posteriors.chain.STEPS_OF_SEARCH", 1)  # longer ones, and chains, tell rounding apart
    weight = np.random.RandomState(0).randint(0, 4, 60)
    brief = HMC(n_warmup=20, n_samples=10, n_steps=3)
    weighted = quiet(small(brief), X, Y, sample_weight=weight)
    repeated = quiet(small(brief), np.repeat(X, weight, axis=0), np.repeat(Y, weight))
    assert_allclose(weighted.draws_, repeated.draws_, rtol=1e-9)
    assert_allclose(weighted.noise_, repeated.noise_)


def test_pickles_clones_and_files(tmp_path):
    model = quiet(small(), X, Y)
    expected = model.predict_draws(FRESH)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict_draws(FRESH), expected)
    assert_array_equal(quiet(clone(model), X, Y).draws_, model.draws_)
    sknn.save(model, tmp_path / "hmc.sknn")
    assert_array_equal(sknn.load(tmp_path / "hmc.sknn").predict_draws(FRESH), expected)


def test_searches_reach_into_it():
    assert BayesianRegressor(posterior=HMC()).set_params(posterior__n_chains=3).posterior == HMC(n_chains=3)


# -- what does not go together ----------------------------------------------------------------------------------------


def test_chains_that_disagree_are_named():
    with pytest.warns(ConvergenceWarning, match=r"median of R-hat is .*n_warmup=4, n_samples=8"):
        small(HMC(n_warmup=2, n_samples=4, n_steps=1)).fit(X, Y)


@pytest.mark.parametrize("layer", [Dropout(0.2), BatchNorm()])
def test_networks_that_are_no_function_of_their_weights_are_refused(layer):
    network = NetworkRegressor([Dense(3), layer])
    with pytest.raises(ValueError, match=rf"{type(layer).__name__}.*leave it out"):
        BayesianRegressor(network, "hmc").fit(X, Y)


def test_large_networks_are_slow(monkeypatch):
    monkeypatch.setattr("sknn.posteriors.hmc.SLOW_FROM", 30)
    with pytest.warns(UserWarning, match="31 weights by 2400 gradients over all 60 samples"):
        quiet(small(), X, Y)
