"""Variational autoencoders: linear ones are probabilistic PCA, bounds are in order, samples follow the density."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal, norm
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import sknn
from sknn import VAE
from sknn.estimators.generative.vae import divergence

RNG = np.random.default_rng(0)
LOADINGS = RNG.normal(size=(2, 6)) * 5.0
PLANE = RNG.normal(size=(1000, 2)) @ LOADINGS + RNG.normal(size=(1000, 6)) + 40.0
SIGNALS = np.cumsum(RNG.normal(size=(200, 13, 2)), axis=1)
DIGITS, LABELS = load_digits(return_X_y=True)
BLACK = (DIGITS > 8).astype(float)
IMAGES = DIGITS.reshape(-1, 8, 8, 1)
LINEAR = VAE(
    2,
    hidden_layer_sizes=(),
    input_scaling="global",
    alpha=0.0,
    learning_rate_init=0.02,
    batch_size=100,
    max_iter=200,
    dtype="float64",
    random_state=0,
)
BRIEF = VAE(3, hidden_layer_sizes=(16,), max_iter=3, n_importance=5, random_state=0)


@pytest.fixture(scope="module")
def linear():
    return clone(LINEAR).fit(PLANE)


@pytest.fixture(scope="module")
def half_trained():
    """Whose encoder does not tell the posterior, so that the bounds lie apart."""
    return clone(LINEAR).set_params(max_iter=10).fit(PLANE)


def exact_log_density(model, X):
    """That of a linear decoder with noise: the codes integrated out."""
    weight, bias = (model.decoder_.parameters["0"][name] for name in ("weight", "bias"))
    scale, mean = model.input_scaling_.scale, model.input_scaling_.mean
    covariance = np.outer(scale, scale) * (weight.T @ weight) + np.diag(model.noise_**2)
    return multivariate_normal(bias * scale + mean, covariance).logpdf(X)


# -- what is known exactly -----------------------------------------------------------------------------------------


def test_a_linear_one_with_one_noise_is_probabilistic_pca(linear):
    """Lucas, Tucker, Grosse & Norouzi (2019): the global optimum of its bound is that of Tipping & Bishop (1999)."""
    pca = PCA(2).fit(PLANE)
    assert_allclose(linear.score(PLANE), pca.score(PLANE), atol=0.01)
    assert_allclose(linear.noise_, np.full(6, np.sqrt(pca.noise_variance_)), rtol=0.01)


def test_with_a_noise_for_each_feature_it_is_factor_analysis():
    factors = FactorAnalysis(2).fit(PLANE)
    model = clone(LINEAR).set_params(input_scaling="standard").fit(PLANE)
    assert_allclose(model.score(PLANE), factors.score(PLANE), atol=0.01)
    assert_allclose(model.noise_, np.sqrt(factors.noise_variance_), rtol=0.1)


def test_its_codes_are_the_posterior_means_of_its_decoder(linear):
    weight, bias = (linear.decoder_.parameters["0"][name] for name in ("weight", "bias"))
    noise = (linear.noise_ / linear.input_scaling_.scale)[0]
    centred = linear.input_scaling_(PLANE) - bias
    ridge = centred @ weight.T @ np.linalg.inv(weight @ weight.T + noise**2 * np.eye(2))
    assert_allclose(linear.transform(PLANE), ridge, atol=0.05)


def test_the_divergence_is_that_of_many_draws():
    mean, log_sd = np.array([0.7, -1.5]), np.log([0.3, 2.0])
    z = mean + np.exp(log_sd) * np.random.default_rng(0).normal(size=(200_000, 2))
    drawn = norm(mean, np.exp(log_sd)).logpdf(z) - norm.logpdf(z)
    assert_allclose(divergence(mean, log_sd), drawn.mean(axis=0), atol=5 * drawn.std(axis=0).max() / np.sqrt(len(z)))


def test_with_more_codes_the_bound_rises_to_the_density(half_trained):
    exact = exact_log_density(half_trained, PLANE).mean()
    few, many = (clone_with(half_trained, n_importance=n).score(PLANE) for n in (10, 100))
    assert half_trained.elbo(PLANE).mean() + 0.01 < few < many < exact + 0.01
    assert_allclose(clone_with(half_trained, n_importance=3000).score(PLANE[:100]), exact_of(half_trained), atol=0.05)


def exact_of(model):
    return exact_log_density(model, PLANE[:100]).mean()


def clone_with(model, **params):
    return pickle.loads(pickle.dumps(model)).set_params(**params)


def test_without_divergence_it_is_an_autoencoder(linear):
    """Codes are points, and come back as through the principal components."""
    model, pca = clone(LINEAR).set_params(beta=0.0).fit(PLANE), PCA(2).fit(PLANE)
    errors = [np.square(each.inverse_transform(each.transform(PLANE)) - PLANE).mean() for each in (model, pca)]
    assert_allclose(errors[0], errors[1], rtol=0.02)
    assert model.kl_.min() > 2.0 * linear.kl_.max()


def test_numbers_that_tell_nothing_are_counted():
    model = clone(LINEAR).set_params(n_components=4).fit(PLANE)
    assert model.active_units_ == 2
    assert_allclose(np.sort(model.kl_)[:2], 0.0, atol=0.01)
    assert np.sort(model.kl_)[2] > 1.0


@pytest.mark.parametrize("input_scaling", ["global", "standard"])
@pytest.mark.parametrize(("X", "filters"), [(PLANE, None), (SIGNALS, (4,))], ids=["table", "signals"])
def test_densities_are_those_of_the_data_as_given(input_scaling, X, filters):
    model = clone(BRIEF).set_params(input_scaling=input_scaling, filters=filters, dtype="float64")
    one, other = clone(model).fit(X), clone(model).fit(1000.0 * X - 7.0)
    scores = one.score_samples(X) - X[0].size * np.log(1000.0)
    assert_allclose(other.score_samples(1000.0 * X - 7.0), scores, rtol=1e-9)
    assert_allclose(other.noise_, 1000.0 * one.noise_, rtol=1e-9)
    assert_allclose(one.score_samples(X.astype(np.float32)), one.score_samples(X), rtol=0.01)
    assert_allclose(one.score(X.astype(np.float32)), one.score(X), rtol=1e-4)


def test_samples_have_the_mean_and_covariance_of_the_data(linear):
    drawn = linear.sample(20_000, random_state=0)
    assert_allclose(drawn.mean(axis=0), PLANE.mean(axis=0), atol=0.4)
    assert_allclose(np.cov(drawn.T), np.cov(PLANE.T), atol=0.05 * np.abs(np.cov(PLANE.T)).max())


# -- likelihoods ---------------------------------------------------------------------------------------------------


def enumerated(model, levels):
    """All samples of three features that take some levels."""
    return np.stack(np.meshgrid(*[levels] * 3), axis=-1).reshape(-1, 3)


FEW_LEVELS = np.array([1.0, 2.0, 5.0])
CHAINS = FEW_LEVELS[np.clip(RNG.integers(3, size=(400, 1)) + RNG.integers(2, size=(400, 3)) * [0, 1, -1], 0, 2)]
DISCRETE = {"bernoulli": ((CHAINS == 2.0).astype(float), [0.0, 1.0]), "categorical": (CHAINS, FEW_LEVELS)}


@pytest.mark.parametrize("likelihood", DISCRETE)
def test_probabilities_of_all_there_is_add_up_to_one_and_samples_follow_them(likelihood):
    X, levels = DISCRETE[likelihood]
    model = VAE(2, hidden_layer_sizes=(8,), likelihood=likelihood, max_iter=60, n_importance=1000, random_state=0).fit(
        X
    )
    every = enumerated(model, levels)
    probability = np.exp(model.score_samples(every))
    assert_allclose(probability.sum(), 1.0, atol=0.02)
    drawn = model.sample(20_000, random_state=0)
    shares = (drawn[:, None] == every).all(axis=2).mean(axis=0)
    assert_allclose(shares.sum(), 1.0)
    assert_allclose(shares, probability, atol=0.015)
    assert set(np.unique(model.inverse_transform(model.transform(X)))) <= set(levels) or likelihood == "bernoulli"


def test_what_is_0_or_1_has_bernoullis_likelihood_unless_another_is_asked_for():
    assert type(clone(BRIEF).fit(BLACK)._likelihood).__name__ == "Bernoulli"
    assert type(clone(BRIEF).fit(DIGITS)._likelihood).__name__ == "Gaussian"
    assert clone(BRIEF).set_params(likelihood="gaussian").fit(BLACK).noise_.shape == (64,)
    assert not hasattr(clone(BRIEF).fit(BLACK), "noise_")


def test_it_learns_more_of_digits_than_independent_pixels():
    train, new = BLACK[:1300], BLACK[1300:]
    model = VAE(8, hidden_layer_sizes=(64,), max_iter=60, random_state=0).fit(train)
    share = train.mean(axis=0).clip(1e-3, 1 - 1e-3)
    alone = (new * np.log(share) + (1 - new) * np.log(1 - share)).sum(axis=1).mean()
    assert model.score(new) > alone + 3.0
    assert model.elbo(new).mean() < model.score(new)
    assert model.active_units_ >= 4


# -- conditions ----------------------------------------------------------------------------------------------------


def test_samples_are_drawn_under_conditions_and_scored_by_them():
    X, y = DIGITS / 16.0, np.array(["even", "odd"])[LABELS % 2]
    X = np.where(y[:, None] == "odd", X, 1.0 - X)
    params = {"conditional": True, "max_iter": 60, "input_scaling": "global", "random_state": 0}
    model = VAE(4, hidden_layer_sizes=(64,), **params).fit(X, y)
    assert model.sample(50, y="odd", random_state=0).mean() < 0.45 < 0.5 < model.sample(50, y="even").mean()
    assert model.sample(y=["odd", "even", "odd"]).shape == (3, 64)
    right, wrong = (
        model.score_samples(X[:50], y[:50]),
        model.score_samples(X[:50], np.roll(np.unique(y), 1)[LABELS[:50] % 2]),
    )
    assert (right > wrong).mean() > 0.95
    Z = model.transform(X[:5], y[:5])
    assert model.inverse_transform(Z, "odd").mean() < 0.45 < 0.5 < model.inverse_transform(Z, "even").mean()
    with pytest.raises(ValueError, match="conditional=True needs y"):
        model.transform(X[:5])


def test_a_condition_that_tells_nothing_changes_nothing():
    y = np.random.default_rng(1).integers(3, size=len(PLANE))
    model = clone(LINEAR).set_params(conditional=True).fit(PLANE, y)
    assert_allclose(model.score(PLANE, y), PCA(2).fit(PLANE).score(PLANE), atol=0.03)
    twin = clone(model)
    assert_array_equal(twin.fit_transform(PLANE, y), model.transform(PLANE, y))


def test_images_are_drawn_under_conditions_too():
    model = clone(BRIEF).set_params(filters=(4,), conditional=True).fit(IMAGES[:200], LABELS[:200] / 10.0)
    assert model.sample(4, y=0.3).shape == (4, 8, 8, 1)
    assert model.score_samples(IMAGES[:5], LABELS[:5] / 10.0).shape == (5,)


# -- shapes, and what is drawn -------------------------------------------------------------------------------------

SHAPES = {
    "images": (IMAGES, {"filters": (4, 8)}),
    "images of levels": (IMAGES, {"filters": (4, 8), "likelihood": "categorical"}),
    "black and white images of an odd size": (IMAGES[:, :7, :5] > 8, {"filters": (4, 8)}),
    "rows that are images": (DIGITS, {"filters": 4, "input_shape": (8, 8, 1)}),
    "signals of several channels": (SIGNALS, {"filters": (4,)}),
    "one scale for all": (SIGNALS, {"filters": (4,), "input_scaling": "global"}),
}


@pytest.mark.parametrize(("X", "params"), SHAPES.values(), ids=SHAPES)
def test_what_is_made_has_the_shape_of_what_was_given(X, params):
    X = X[:200].astype(np.float32)
    model = clone(BRIEF).set_params(**params).fit(X)
    assert model.sample(7).shape == (7, *X.shape[1:])
    assert model.sample(0).shape == (0, *X.shape[1:])
    assert model.inverse_transform(model.transform(X)).shape == X.shape
    assert model.elbo(X).shape == model.score_samples(X).shape == (200,)
    assert model.elbo(X).mean() < model.score(X)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("far", [1e2, 1e5, 1e30, 1e150, 1e300])
@pytest.mark.parametrize("hidden", [(), (16,)])
def test_a_row_far_off_has_a_low_score_and_no_nan(far, hidden):
    model = clone(BRIEF).set_params(hidden_layer_sizes=hidden).fit(PLANE)
    away = np.array([[far, 0.0, 0.0, 0.0, 0.0, 0.0], [far] * 6, [-far] * 6])
    for scores in (model.score_samples(away), model.elbo(away)):
        assert (scores < model.score_samples(PLANE).min()).all()


def test_outliers_in_training_do_no_harm():
    """Heavy tails: the largest of these lie thousands of standard deviations away."""
    X = np.random.default_rng(0).standard_cauchy((2000, 3))
    model = VAE(2, hidden_layer_sizes=(32,), max_iter=20, random_state=0).fit(X)
    assert max(model.loss_curve_) < 100.0
    assert np.isfinite(model.score_samples(X)).all()


@pytest.mark.parametrize("X", [PLANE, BLACK], ids=["numbers", "zeros and ones"])
def test_a_row_scores_the_same_in_any_batch(X):
    model = clone(BRIEF).fit(X)
    whole = model.score_samples(X)
    assert_allclose([model.score_samples(X[[k]])[0] for k in (0, 7, 900)], whole[[0, 7, 900]], rtol=1e-12)
    assert_array_equal(model.score_samples(X[::-1])[::-1], whole)


def test_one_seed_gives_the_same_samples_and_sampling_changes_nothing():
    model = clone(BRIEF).fit(PLANE)
    before = pickle.dumps(model)
    assert_array_equal(model.sample(5, random_state=3), model.sample(5, random_state=3))
    assert not np.array_equal(model.sample(5), model.sample(5))
    model.score(PLANE)
    model.transform(PLANE)
    assert pickle.dumps(model) == before


# -- as an estimator -----------------------------------------------------------------------------------------------


def test_it_goes_into_pipelines_searches_and_cross_validation_which_ignore_y():
    model = make_pipeline(clone(BRIEF).set_params(max_iter=60), LogisticRegression(max_iter=1000))
    assert model.fit(DIGITS[:600], LABELS[:600]).score(DIGITS[600:900], LABELS[600:900]) > 0.3
    assert model[:1].get_feature_names_out().tolist() == ["vae0", "vae1", "vae2"]
    search = GridSearchCV(clone(LINEAR), {"n_components": [1, 2]}, cv=2).fit(PLANE, np.arange(1000))
    assert search.best_params_ == {"n_components": 2}
    assert cross_val_score(clone(BRIEF), PLANE, cv=2).shape == (2,)


def test_a_weight_in_the_score_counts_rows():
    model, weight = clone(BRIEF).fit(PLANE), np.tile([1.0, 0.0], 500)
    assert_allclose(model.score(PLANE, sample_weight=weight), model.score(PLANE[::2]))


REFUSED = {
    "numbers beyond 0 and 1": ({"likelihood": "bernoulli"}, "is for numbers between these, but X holds others: take"),
    "too many levels": ({"likelihood": "categorical"}, "an output for each level of a number, at most 256"),
    "a share above 1": ({"warm_up": 1.5}, "The 'warm_up' parameter of VAE must be"),
}


@pytest.mark.parametrize(("params", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_go_together_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        clone(BRIEF).set_params(**params).fit(PLANE)


def test_levels_that_were_not_there_are_refused():
    model = clone(BRIEF).set_params(likelihood="categorical").fit(CHAINS)
    with pytest.raises(ValueError, match="X holds 4, which is none of the 3 levels of the fit"):
        model.score_samples([[1.0, 4.0, 2.0]])


def test_what_was_fitted_decides_until_the_next_fit():
    model = clone(BRIEF).fit(PLANE)
    changed = clone_with(model, n_components=5, likelihood="bernoulli", input_scaling="global", conditional=True)
    for method in ("transform", "score_samples", "elbo"):
        assert_array_equal(getattr(changed, method)(PLANE), getattr(model, method)(PLANE))
    assert_array_equal(changed.sample(3, random_state=0), model.sample(3, random_state=0))
    assert_array_equal(changed.noise_, model.noise_)


def test_a_warm_start_goes_on_with_the_same_networks_alone():
    warm = clone(BRIEF).set_params(warm_start=True).fit(BLACK)
    warm.fit(BLACK)
    with pytest.raises(ValueError, match="the parameters that shape the encoder were changed"):
        warm.set_params(n_components=4).fit(BLACK)


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli", "categorical"])
def test_the_file_has_all_of_it(likelihood, tmp_path):
    fitted = clone(BRIEF).set_params(likelihood=likelihood).fit(BLACK)
    sknn.save(fitted, tmp_path / "model")
    loaded = sknn.load(tmp_path / "model")
    assert_array_equal(loaded.score_samples(BLACK), fitted.score_samples(BLACK))
    assert_array_equal(loaded.sample(3, random_state=0), fitted.sample(3, random_state=0))


def test_it_begins_with_a_pretrained_one():
    first = clone(BRIEF).fit(PLANE)
    second = clone(BRIEF).set_params(pretrained=FrozenEstimator(first), max_iter=1).fit(PLANE)
    assert_array_equal(second.input_scaling_.mean, first.input_scaling_.mean)


DRAWS = "a sample of weight two draws once, a sample seen twice draws twice"


@parametrize_with_checks(
    [VAE(max_iter=5, hidden_layer_sizes=(8,), n_importance=5, dtype="float64", random_state=0)],
    expected_failed_checks=lambda _: {"check_sample_weight_equivalence_on_dense_data": DRAWS},
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)
