"""Bayesian regressors and classifiers from outside: what they say that they do not know, around all networks."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import (
    BayesianClassifier,
    BayesianRegressor,
    CNNRegressor,
    MLPClassifier,
    MLPRegressor,
    PerceptronRegressor,
    RNNRegressor,
)
from sknn.posteriors import HMC, POSTERIORS, Ensemble, Laplace, NormalMixture, class_uncertainty
from sknn.posteriors.lower_bound import LowerBound

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = np.sin(X[:, 0]) + RNG.normal(0, 0.2, 60)
LABELS = np.array(["low", "middle", "high"])[np.digitize(Y, [-0.4, 0.4])]
FRESH = RNG.normal(size=(9, 2))
FEW = {"max_iter": 20, "learning_rate_init": 0.02}


def regressor(posterior="laplace", **params):
    return BayesianRegressor(MLPRegressor(4, activation="tanh", **FEW), posterior, n_draws=7, random_state=0, **params)


def classifier(posterior="laplace", **params):
    return BayesianClassifier(
        MLPClassifier(4, activation="tanh", **FEW), posterior, n_draws=7, random_state=0, **params
    )


QUICK = {"hmc": HMC(n_warmup=20, n_steps=5)}
every_posterior = pytest.mark.parametrize("posterior", [QUICK.get(name, name) for name in POSTERIORS], ids=POSTERIORS)
two_columns = pytest.mark.parametrize("y", [Y, np.column_stack([Y, 3.0 * Y])], ids=["one output", "two outputs"])


# -- what is said of numbers ---------------------------------------------------------------------------------------


@every_posterior
@two_columns
@pytest.mark.parametrize("noise", ["constant", "learned", 0.3])
def test_all_that_is_said_of_y_agrees(posterior, y, noise):
    model = regressor(posterior, noise=noise).fit(X, y)
    mean, std = model.predict(FRESH, return_std=True)
    assert mean.shape == std.shape == (9, *y.shape[1:])
    epistemic, of_noise, total = (model.uncertainty(FRESH, kind) for kind in ("epistemic", "noise", "total"))
    assert_allclose(total, std)
    assert_allclose(total**2, epistemic**2 + of_noise**2)
    quantiles = model.predict_quantiles(FRESH, [0.05, 0.5, 0.95])
    assert quantiles.shape == (9, *y.shape[1:], 3)
    assert (np.diff(quantiles) > 0).all()
    assert_allclose(model.predict_interval(FRESH), quantiles[..., [0, 2]], rtol=1e-12, atol=1e-14)
    assert model.predict_draws(FRESH).shape[1:] == (9, *y.shape[1:])
    drawn = model.sample_y(FRESH, 2000, random_state=0)
    assert drawn.shape == (9, *y.shape[1:], 2000)
    of_few = epistemic.max() if posterior in ("dropout", "variational") else 0.0  # whose draws are new each time
    assert (np.abs(drawn.mean(axis=-1) - mean) < 5 * (std / np.sqrt(2000) + of_few)).all()
    if np.all(of_few == 0.0):
        assert (np.abs((drawn < quantiles[..., [1]]).mean(axis=-1) - 0.5) < 0.08).all()
    if y.ndim == 1:
        grid = np.linspace(mean[0] - 9 * std[0], mean[0] + 9 * std[0], 4001)
        density = np.exp(model.score_samples(np.repeat(FRESH[:1], len(grid), axis=0), grid))
        assert_allclose(np.trapezoid(density, grid), 1.0, rtol=1e-4)
        assert_allclose(np.trapezoid(density * grid, grid), mean[0], atol=1e-3 * std[0])
    if noise == "learned":
        assert model.noise_ is None
    elif noise == 0.3:
        assert_allclose(model.noise_, 0.3)


@every_posterior
def test_a_prediction_is_the_same_in_any_company_and_any_call(posterior):
    model = regressor(posterior).fit(X, Y)
    for method in (model.predict, model.uncertainty, model.predict_interval, model.score_samples):
        assert_array_equal(method(FRESH), method(FRESH))
        assert_allclose(np.concatenate([method(FRESH[[k]]) for k in range(9)]), method(FRESH), rtol=1e-9, atol=1e-12)
    assert_array_equal(model.sample_y(FRESH, 3, random_state=1), model.sample_y(FRESH, 3, random_state=1))
    assert model.sample_y(FRESH, 0).shape == (9, 0)


@every_posterior
def test_a_seed_decides(posterior):
    first, again = regressor(posterior).fit(X, Y), clone(regressor(posterior)).fit(X, Y)
    assert_array_equal(first.predict(FRESH), again.predict(FRESH))
    assert_array_equal(first.uncertainty(FRESH), again.uncertainty(FRESH))
    other = regressor(posterior).set_params(random_state=1).fit(X, Y)
    assert (other.predict(FRESH) != first.predict(FRESH)).any()


@every_posterior
@pytest.mark.parametrize("make", [regressor, classifier])
def test_asking_leaves_everything_as_it_was(make, posterior):
    model = make(posterior).fit(X, Y if make is regressor else LABELS)
    before = pickle.dumps(model)
    model.uncertainty(FRESH)
    model.predict_draws(FRESH)
    if make is regressor:
        model.sample_y(FRESH, 3)
    assert pickle.dumps(model) == before
    assert_array_equal(pickle.loads(before).predict(FRESH), model.predict(FRESH))


def test_a_mixture_by_hand():
    mean, spread, noise = np.array([[[1.0]], [[3.0]]]), np.full((1, 1, 1), 0.5), np.array([[[1.0]], [[2.0]]])
    mixture = NormalMixture(mean, spread, noise)
    assert_allclose(mixture.center(), [[2.0]])
    assert_allclose(mixture.std("epistemic") ** 2, [[1.0 + 0.25]])
    assert_allclose(mixture.std("noise") ** 2, [[2.5]])
    assert_allclose(mixture.std("total") ** 2, [[3.75]])
    parts = norm([1.0, 3.0], np.sqrt([1.25, 4.25]))
    assert_allclose(mixture.log_density(np.array([[2.5]])), np.log(parts.pdf(2.5).mean()))
    for level in (0.01, 0.5, 0.99):
        assert_allclose(parts.cdf(mixture.quantiles([level])[0, 0, 0]).mean(), level)
    one = NormalMixture(mean[:1], spread, noise[:1])
    assert_allclose(one.mean_log_density(), -0.5 * np.log(2 * np.pi * np.e * 1.25), rtol=1e-2)


# -- what is said of classes ---------------------------------------------------------------------------------------


@every_posterior
@pytest.mark.parametrize("labels", [LABELS, LABELS == "low"], ids=["three classes", "two classes"])
def test_all_that_is_said_of_classes_agrees(posterior, labels):
    model = classifier(posterior).fit(X, labels)
    assert_array_equal(model.classes_, np.unique(labels))
    probability = model.predict_proba(FRESH)
    assert_allclose(probability.sum(axis=1), 1.0)
    assert_array_equal(model.predict(FRESH), model.classes_[probability.argmax(axis=1)])
    assert_allclose(np.exp(model.predict_log_proba(FRESH)), probability)
    assert_allclose(model.score_samples(FRESH, np.repeat(model.classes_[:1], 9)), np.log(probability[:, 0]))
    epistemic, noise, total = (model.uncertainty(FRESH, kind) for kind in ("epistemic", "noise", "total"))
    assert_allclose(epistemic + noise, total, atol=1e-12)
    assert_allclose(total, -(probability * np.log(probability)).sum(axis=1))
    draws = model.predict_draws(FRESH)
    assert draws.shape[1:] == probability.shape
    assert_allclose(draws.sum(axis=2), 1.0)
    if model.posterior != "laplace":  # whose draws are of a normal distribution, which its probabilities know exactly
        assert_allclose(class_uncertainty(draws, "epistemic"), epistemic, atol=1e-12)


def test_labels_that_were_not_seen_have_no_density():
    model = classifier().fit(X, LABELS)
    assert model.score_samples(FRESH[:1], ["huge"]) == -np.inf


def test_one_class_is_certain():
    model = classifier().fit(X, np.zeros(60, int))
    assert_array_equal(model.predict_proba(FRESH), np.ones((9, 1)))
    assert_array_equal(model.uncertainty(FRESH), np.zeros(9))


# -- ensembles -----------------------------------------------------------------------------------------------------


def test_members_are_those_trained_alone_to_the_bit():
    network = MLPRegressor(4, activation="tanh", early_stopping=True, max_iter=40, learning_rate_init=0.02)
    model = BayesianRegressor(network, Ensemble(3), random_state=0).fit(X, Y)
    assert len({member.n_iter_ for member in model.members_}) >= 1
    for member in model.members_:
        alone = clone(member).fit(X, Y)
        assert_array_equal(alone.network_.theta, member.network_.theta)
        assert alone.n_iter_ == member.n_iter_
    assert_allclose(model.predict(FRESH), np.mean([member.predict(FRESH) for member in model.members_], axis=0))
    held_out = [2.0 * -member.best_validation_score_ for member in model.members_]
    assert_allclose(model.noise_, np.sqrt(np.mean(held_out)) * Y.std(), rtol=1e-6)


def test_members_of_other_samples_speak_in_one_unit():
    model = BayesianRegressor(MLPRegressor(4, **FEW), Ensemble(3, bootstrap=True), noise=0.1, random_state=0)
    model.fit(X, Y)
    assert_allclose(
        model.predict_draws(FRESH), [member.predict(FRESH) for member in model.members_], rtol=1e-5, atol=1e-6
    )
    assert len({member.y_mean_ for member in model.members_}) == 3
    several = BayesianClassifier(MLPClassifier(4, **FEW), Ensemble(3, bootstrap=True), random_state=0)
    few = np.r_[np.zeros(30), np.ones(28), 2, 2]
    assert several.fit(X, few).predict_proba(FRESH).shape == (9, 3)


@pytest.mark.slow
def test_near_classes_are_told_by_mutual_information():
    """Trained on the digits 0 to 7, asked about 8 and 9."""
    x, y = load_digits(return_X_y=True)
    near = y >= 8
    scores = []
    for seed in range(3):
        kept, aside = train_test_split(np.flatnonzero(~near), test_size=0.3, random_state=seed)
        model = BayesianClassifier(posterior="ensemble", random_state=seed).fit(x[kept], y[kept])
        asked = np.concatenate([aside, np.flatnonzero(near)])
        scores.append(roc_auc_score(near[asked], model.uncertainty(x[asked])))
    assert np.median(scores) >= 0.93


# -- around all networks, within all of scikit-learn -----------------------------------------------------------------


def test_searches_reach_into_the_network_and_the_posterior():
    search = GridSearchCV(
        regressor(),
        {"posterior__structure": ["full", "diagonal"], "network__hidden_layer_sizes": [2, 4], "posterior": ["laplace"]},
        cv=2,
    )
    search.fit(X, Y)
    assert set(search.best_params_) == {"posterior__structure", "network__hidden_layer_sizes", "posterior"}
    found = GridSearchCV(regressor(), {"posterior": [Laplace(), Ensemble(2)]}, cv=2).fit(X, Y)
    assert isinstance(found.best_estimator_.posterior, Laplace | Ensemble)


def test_in_a_pipeline():
    model = make_pipeline(StandardScaler(), regressor()).fit(X, Y)
    assert len(model.predict(FRESH, return_std=True)) == 2
    assert cross_validate(model, X, Y, cv=2)["test_score"].shape == (2,)


NETWORKS = {
    "signals": (CNNRegressor(2, **FEW), RNG.normal(size=(40, 8, 1))),
    "ragged series": (RNNRegressor(2, **FEW), [RNG.normal(size=(3 + k % 4, 1)) for k in range(40)]),
}


@pytest.mark.parametrize("posterior", ["laplace", "ensemble"])
@pytest.mark.parametrize(("network", "samples"), NETWORKS.values(), ids=NETWORKS)
def test_around_networks_of_other_samples(network, samples, posterior):
    y = np.array([np.mean(each) for each in samples])
    model = BayesianRegressor(network, posterior, random_state=0).fit(samples, y)
    assert (model.uncertainty(samples[:5]) > 0).all()
    assert model.predict_interval(samples[:5]).shape == (5, 2)


# -- what is refused -----------------------------------------------------------------------------------------------


REFUSED = {
    "a posterior of no name": (regressor("bayes"), r"posterior.*'bayes'"),
    "a loss of its own": (BayesianRegressor(MLPRegressor(loss="huber")), r"loss='squared_error'"),
    "noise below nothing": (regressor(noise=-1.0), "noise"),
    "a classifier": (BayesianRegressor(MLPClassifier()), "must be a regressor"),
    "a rule of its own": (BayesianRegressor(PerceptronRegressor()), "no posterior has a say"),
    "no draws": (regressor().set_params(n_draws=0), "n_draws"),
}


@pytest.mark.parametrize(("model", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_by_name(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y)


def test_asking_for_what_there_is_not():
    model = regressor().fit(X, Y)
    for call, message in (
        (lambda: model.uncertainty(FRESH, "aleatoric"), r"kind='aleatoric' is unknown; choose one of 'epistemic'"),
        (lambda: model.predict_interval(FRESH, 1.0), r"confidence=1\.0"),
        (lambda: model.predict_quantiles(FRESH, []), r"quantiles=\[\]"),
        (lambda: model.sample_y(FRESH, -1), r"n_samples=-1"),
        (lambda: model.score_samples(FRESH, np.zeros((9, 2))), r"shape \(9, 2\)"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@every_posterior
def test_a_fit_that_fails_loses_nothing(posterior):
    model = regressor(posterior).fit(X, Y)
    before = model.predict(FRESH)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((60, 2), np.nan), Y)
    assert_array_equal(model.predict(FRESH), before)


@pytest.mark.parametrize("n", [3, 25])
@pytest.mark.parametrize("posterior", ["laplace", "ensemble", "dropout", QUICK["hmc"]], ids=str)
def test_the_default_network_takes_few_samples(posterior, n):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = BayesianRegressor(posterior=posterior, random_state=0).fit(X[:n], Y[:n])
    assert np.isfinite(model.predict(FRESH)).all()


def test_an_interrupted_fit_of_independent_weights_leaves_nothing(monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    model = regressor("variational").fit(X, Y)
    before = model.predict(FRESH)
    monkeypatch.setattr(LowerBound, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert_array_equal(model.predict(FRESH), before)
