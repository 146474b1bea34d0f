"""Diffusion models on data of which everything is known: Gaussians, and classes far apart."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import sknn
from sknn import DiffusionModel
from sknn.estimators.generative.denoising import Denoiser
from sknn.estimators.generative.lower_bound import lower_bound
from sknn.estimators.generative.samplers import SAMPLERS, level

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
COVARIANCE = np.array([[1.0, 0.9], [0.9, 1.0]])
PAIRS = RNG.multivariate_normal([0.0, 0.0], COVARIANCE, 4000)
QUICK = {"hidden_layer_sizes": (64, 64), "learning_rate_init": 5e-3, "random_state": 0}
GAUSSIAN = {
    target: DiffusionModel(target=target, input_scaling=None, max_iter=60, **QUICK).fit(PAIRS)
    for target in ("noise", "v")
}
MASKED = DiffusionModel(missing=0.5, max_iter=80, **QUICK).fit(PAIRS)
KINDS = RNG.choice(["low", "high"], 1000)
TWO = np.where(KINDS == "high", 16.0, 10.0)[:, None] + RNG.normal(size=(1000, 2)) * [1.0, 3.0]
TOLD = DiffusionModel(conditional=True, averaging=0.99, max_iter=150, **QUICK).fit(TWO, KINDS)

each_target = pytest.mark.parametrize("target", GAUSSIAN)
each_sampler = pytest.mark.parametrize("method", SAMPLERS)


# -- what is learnt ------------------------------------------------------------------------------------------------


def least_errors(times, variances):
    """The mean squared error of the best prediction of the noise, for Gaussian data with these variances."""
    alpha, sigma = np.array([level(time) for time in times]).T[..., None]
    return (alpha**2 * variances / (alpha**2 * variances + sigma**2)).mean(axis=1)


@each_target
def test_the_loss_at_each_level_of_noise_is_that_of_the_best_prediction(target):
    """a^2 s^2 / (a^2 s^2 + 1 - a^2) along each principal axis; over 1,000 rows of two values it scatters by 3 %."""
    expected = least_errors((np.arange(10) + 0.5) / 10, np.linalg.eigvalsh(COVARIANCE))
    assert_allclose(GAUSSIAN[target].loss_by_time_, expected, rtol=0.12, atol=0.003)
    assert_allclose(GAUSSIAN[target].loss_by_time_.mean(), expected.mean(), rtol=0.04)


def test_the_loss_of_a_wide_gaussian_is_that_of_theory():
    """Of N(0, 4) at alpha^2 = 1/2 it is .8."""
    X = 2.0 * RNG.normal(size=(4000, 1))
    model = DiffusionModel(input_scaling=None, max_iter=40, **QUICK).fit(X)
    noise = np.random.default_rng(1).normal(size=X.shape)
    found = Denoiser(model).predicted_noise(0.5**0.5 * (X + noise), 0.5) - noise
    best = 0.5**0.5 * (X + noise) * 0.5**0.5 / 2.5 - noise
    assert_allclose(np.square(best).mean(), 0.8, rtol=0.05)
    assert_allclose(np.square(found).mean(), np.square(best).mean(), rtol=0.02)


@each_target
@pytest.mark.parametrize("time", [0.2, 0.5, 0.8])
def test_the_noise_of_a_gaussian_is_an_affine_function(target, time):
    alpha, sigma = level(time)
    x = np.random.default_rng(1).multivariate_normal([0, 0], alpha**2 * COVARIANCE + sigma**2 * np.eye(2), 2000)
    found = Denoiser(GAUSSIAN[target]).predicted_noise(x, time)
    slope, _, _, _ = np.linalg.lstsq(np.c_[x, np.ones(2000)], found, rcond=None)
    expected = sigma * np.linalg.inv(alpha**2 * COVARIANCE + sigma**2 * np.eye(2))
    assert_allclose(slope[:2], expected, atol=0.1)
    assert_allclose(slope[2], 0, atol=0.06)
    rest = found - np.c_[x, np.ones(2000)] @ slope
    assert np.square(rest).mean() < 0.02 * np.square(found).mean()


# -- samples -------------------------------------------------------------------------------------------------------


@each_target
@pytest.mark.parametrize(("method", "n_steps"), [("dpm", 20), ("ddim", 100), ("ddpm", 100)])
def test_samples_are_distributed_as_the_data(target, method, n_steps):
    drawn = GAUSSIAN[target].sample(4000, random_state=0, method=method, n_steps=n_steps)
    assert_allclose(drawn.mean(axis=0), 0, atol=0.1)
    assert_allclose(np.cov(drawn.T), COVARIANCE, atol=0.12)


@each_sampler
@pytest.mark.parametrize("model", [GAUSSIAN["v"], TOLD, MASKED], ids=["plain", "conditional", "masked"])
def test_samples_repeat_by_seed_and_change_nothing(model, method):
    before = pickle.dumps(model)
    one, same, other = (model.sample(5, random_state=seed, method=method, n_steps=5) for seed in (0, 0, 1))
    assert one.shape == (5, 2)
    assert one.dtype == np.float64
    assert_array_equal(one, same)
    assert not np.isclose(one, other).all()
    assert not np.array_equal(*(model.sample(5, n_steps=2) for _ in range(2)))
    assert model.sample(0).shape == (0, 2)
    assert pickle.dumps(model) == before


def test_samples_obey_their_conditions():
    assert_allclose(TOLD.sample(500, "low", random_state=0).mean(axis=0), 10.0, atol=0.6)
    drawn = TOLD.sample(1000, np.repeat(["low", "high"], 500), random_state=0)
    assert_allclose(drawn[500:].mean(axis=0), 16.0, atol=0.6)
    assert_allclose(drawn[:500].std(axis=0), [1.0, 3.0], rtol=0.25)


def test_guidance_of_0_is_the_condition_and_of_minus_1_none_to_the_bit():
    x, condition = RNG.normal(size=(6, 2)).astype(np.float32), np.tile([1.0, 0.0], (6, 1)).astype(np.float32)
    told, untold = (Denoiser(TOLD, condition).outputs(x, 0.5, told=told) for told in (True, False))
    assert not np.isclose(told, untold).all()
    assert_array_equal(Denoiser(TOLD, condition, 0.0).raw(x, 0.5), told)
    assert_array_equal(Denoiser(TOLD, condition, -1.0).raw(x, 0.5), untold)
    assert_allclose(Denoiser(TOLD, condition, 2.0).raw(x, 0.5), 3.0 * told - 2.0 * untold, rtol=1e-5, atol=1e-6)
    assert_array_equal(*(TOLD.sample(4, kind, random_state=0, guidance=-1.0) for kind in ("low", "high")))
    assert_array_equal(TOLD.sample(4, "low", random_state=0, guidance=0.0), TOLD.sample(4, "low", random_state=0))


def test_without_its_condition_a_model_draws_of_everything():
    drawn = TOLD.sample(1000, "low", random_state=0, guidance=-1.0)[:, 0]
    assert 0.3 < (drawn > 13).mean() < 0.7


def test_noise_there_and_back():
    model = GAUSSIAN["v"]
    errors = []
    for n_steps in (50, 100):
        noise = model.to_noise(PAIRS[:500], n_steps=n_steps)
        errors.append(np.abs(model.from_noise(noise, n_steps=n_steps) - PAIRS[:500]).mean())
    assert_allclose(np.cov(noise.T), np.eye(2), atol=0.25)
    assert errors[1] < 0.03
    assert 1.6 < errors[0] / errors[1] < 2.4
    there = TOLD.to_noise(TWO[:50], KINDS[:50])
    assert_allclose(TOLD.from_noise(there, KINDS[:50]), TWO[:50], atol=1.0)


# -- densities -----------------------------------------------------------------------------------------------------


@each_target
def test_the_bound_is_near_the_log_density_of_a_gaussian(target):
    X = np.random.default_rng(1).multivariate_normal([0, 0], COVARIANCE, 500)
    lost = multivariate_normal([0, 0], COVARIANCE).logpdf(X) - GAUSSIAN[target].score_samples(X)
    assert -0.05 < lost.mean() < 0.2
    assert lost.std() < 0.6


def test_a_bound_from_the_true_prediction_is_the_log_density():
    """But for a variance of a ten-thousandth of noise; draws scatter by some tenths of a nat for a row."""
    X = np.random.default_rng(1).multivariate_normal([0, 0], COVARIANCE, 1000)

    def exact(x, time):
        alpha, sigma = level(time)
        return x @ (sigma * np.linalg.inv(alpha**2 * COVARIANCE + sigma**2 * np.eye(2)))

    lost = multivariate_normal([0, 0], COVARIANCE).logpdf(X) - lower_bound(exact, X)
    assert abs(lost.mean()) < 4 * lost.std() / len(X) ** 0.5 < 0.06


def test_the_bound_of_a_row_is_the_same_in_any_batch():
    model = GAUSSIAN["noise"]
    together = model.score_samples(PAIRS[:20])
    assert_allclose([model.score_samples(PAIRS[k : k + 1])[0] for k in range(20)], together, rtol=1e-12, atol=1e-12)
    assert model.score(PAIRS[:20]) == pytest.approx(together.mean())


def test_densities_are_those_of_the_data_as_given():
    """Units change the density by their Jacobian, precision changes nothing."""
    double = clone(TOLD).set_params(dtype="float64", max_iter=2)
    wide, one = TWO * [1024.0, 1.0], double.fit(TWO, KINDS)
    stretched = clone(double).fit(wide, KINDS)
    assert_allclose(stretched.score_samples(wide, KINDS), one.score_samples(TWO, KINDS) - np.log(1024.0), rtol=1e-9)
    lost = np.abs(one.score_samples(TWO.astype(np.float32), KINDS) - one.score_samples(TWO, KINDS))
    assert lost.max() < 0.1  # where noise is far out, and changes fast
    assert np.mean(lost < 1e-3) > 0.99
    assert TOLD.score(TWO, KINDS) > TOLD.score(TWO, KINDS[::-1]) + 1.0


def test_what_was_fitted_draws_whatever_parameters_say_since():
    model = pickle.loads(pickle.dumps(GAUSSIAN["v"]))
    before = model.sample(4, random_state=0)
    model.set_params(target="noise", missing=0.5, hidden_layer_sizes=3, filters=4)
    assert_array_equal(model.sample(4, random_state=0), before)
    with pytest.raises(ValueError, match="impute needs"):
        model.impute([[1.0, 2.0]])


# -- gaps ----------------------------------------------------------------------------------------------------------


def test_gaps_are_filled_from_the_distribution_given_what_is_known():
    """x2 given x1 = 1.5 is N(1.35, .19): the standard deviation .436."""
    filled = MASKED.impute(np.array([[1.5, np.nan]]), n_samples=4000, random_state=0)[:, 0]
    assert_array_equal(filled[:, 0], 1.5)
    assert_allclose(filled[:, 1].mean(), 1.35, atol=0.05)
    assert_allclose(filled[:, 1].std(), 0.436, rtol=0.15)


def test_a_row_of_nothing_but_gaps_is_a_sample():
    filled = MASKED.impute(np.full((3000, 2), np.nan), random_state=0)
    assert_allclose(np.cov(filled.T), COVARIANCE, atol=0.15)


def test_what_is_known_stays_to_the_bit():
    X = PAIRS[:50].copy()
    X[::2, 0] = np.nan
    before, kept = pickle.dumps(MASKED), X.copy()
    filled = MASKED.impute(X, random_state=0)
    several = MASKED.impute(X, n_samples=3, random_state=0)
    assert filled.shape == X.shape
    assert several.shape == (3, *X.shape)
    assert not np.isnan(several).any()
    assert (several[..., 1] == PAIRS[:50, 1]).all()
    assert (several[:, 1::2] == PAIRS[1:50:2]).all()
    assert not np.isclose(several[0, ::2, 0], several[1, ::2, 0]).any()
    assert_array_equal(filled, MASKED.impute(X, random_state=0))
    assert_array_equal(X, kept)
    assert pickle.dumps(MASKED) == before
    assert_array_equal(MASKED.impute(PAIRS[:3]), PAIRS[:3])
    assert MASKED.impute(X.astype(np.float32)).dtype == np.float32


def test_tables_with_gaps_teach_what_is_in_them():
    X = PAIRS + np.array([100.0, 0.0])
    X[RNG.random(X.shape) < 0.2] = np.nan
    model = DiffusionModel(missing=0.5, max_iter=80, **QUICK).fit(pd.DataFrame(X, columns=["a", "b"]))
    assert_allclose(model.input_scaling_.mean, np.nanmean(X, axis=0))
    assert_allclose(model.input_scaling_.scale, np.nanstd(X, axis=0))
    filled = model.impute(pd.DataFrame({"a": [101.5], "b": [np.nan]}), n_samples=2000, random_state=0)[:, 0, 1]
    assert_allclose(filled.mean(), 1.35, atol=0.1)
    assert_allclose(filled.std(), 0.436, rtol=0.2)


# -- pictures ------------------------------------------------------------------------------------------------------

ROWS, COLUMNS = np.indices((8, 8))
SPOTS = np.exp(-0.3 * ((ROWS - RNG.uniform(2, 5, (150, 1, 1))) ** 2 + (COLUMNS - RNG.uniform(2, 5, (150, 1, 1))) ** 2))
PICTURE = {"filters": 4, "max_iter": 50, "batch_size": 32, "learning_rate_init": 5e-3, "averaging": 0.99}
PICTURE["random_state"] = 0


def off(drawn):
    """How far pictures are from the nearest ones of the data, by their mean distance among these."""
    flat, known = (each.reshape(len(each), -1) for each in (drawn, SPOTS))
    return (
        np.linalg.norm(flat[:, None] - known, axis=2).min(axis=1).mean()
        / np.linalg.norm(known - known[::-1], axis=1).mean()
    )


def test_pictures_come_back_in_their_shape():
    model = DiffusionModel(**PICTURE).fit(SPOTS[..., None])
    drawn = model.sample(20, random_state=0)
    assert drawn.shape == (20, 8, 8, 1)
    assert off(drawn) < 0.5
    assert model.score_samples(SPOTS[:3, ..., None]).shape == (3,)
    flat = DiffusionModel(input_shape=(8, 8, 1), **PICTURE).fit(SPOTS.reshape(150, 64))
    assert_array_equal(flat.network_.theta, model.network_.theta)
    assert_array_equal(flat.sample(2, random_state=0), model.sample(2, random_state=0).reshape(2, 64))


def test_holes_in_pictures_are_filled():
    model = DiffusionModel(missing=0.5, **PICTURE).fit(SPOTS[..., None])
    X = SPOTS[:20, ..., None].copy()
    X[:, 4:] = np.nan
    filled = model.impute(X, random_state=0)
    assert_array_equal(filled[:, :4], X[:, :4])
    assert off(filled) < off(np.nan_to_num(X, nan=SPOTS.mean()))


def test_a_smaller_picture_may_be_the_condition():
    small = SPOTS.reshape(150, 4, 2, 4, 2).mean(axis=(2, 4))[..., None]
    model = DiffusionModel(conditional=True, **PICTURE).fit(SPOTS[..., None], small)
    drawn = model.sample(150, small, random_state=0)
    again = drawn.reshape(150, 4, 2, 4, 2).mean(axis=(2, 4))[..., None]
    assert np.abs(again - small).mean() < 0.5 * np.abs(again - small[::-1]).mean()
    with pytest.raises(ValueError, match=r"y has pictures of 3x3, but those of X are 8x8"):
        DiffusionModel(conditional=True, **PICTURE).fit(SPOTS[..., None], np.zeros((150, 3, 3, 1)))


# -- what else is promised -----------------------------------------------------------------------------------------


def test_half_a_fit_is_not_seen_in_what_it_is_averaged_to():
    raw, averaged = (
        DiffusionModel((8,), averaging=share, max_iter=3, random_state=0).fit(PAIRS[:300]) for share in (0.0, 0.999)
    )
    assert not np.allclose(raw.network_.theta, averaged.network_.theta)


def test_a_file_gives_it_back(tmp_path):
    sknn.save(TOLD, tmp_path / "model")
    twin = sknn.load(tmp_path / "model")
    assert_array_equal(twin.sample(3, "low", random_state=0), TOLD.sample(3, "low", random_state=0))
    assert_array_equal(twin.loss_by_time_, TOLD.loss_by_time_)


REFUSED = {
    "a method": (lambda: TOLD.sample(method="euler"), "method='euler' must be one of 'dpm', 'ddim', 'ddpm'"),
    "no steps": (lambda: TOLD.sample(n_steps=0), "n_steps=0 must be a whole number, at least 1"),
    "half a step": (lambda: TOLD.from_noise(TWO[:2], "low", n_steps=2.5), "n_steps=2.5 must be a whole number"),
    "a step to noise": (lambda: GAUSSIAN["v"].to_noise(PAIRS, n_steps=1), "n_steps=1 must be .*, at least 2"),
    "noise of another shape": (lambda: GAUSSIAN["v"].from_noise(np.zeros((2, 4))), r"Z has shape \(2, 4\), but noise"),
    "no noise": (lambda: GAUSSIAN["v"].from_noise([[0.0, np.nan]]), "Z contains NaN"),
    "gaps in what becomes noise": (lambda: MASKED.to_noise([[1.0, np.nan]]), "X has gaps"),
    "guidance to nothing": (lambda: MASKED.sample(guidance=1.0), "guidance=1.0 needs a condition .* conditional=True"),
    "guidance from nothing": (
        lambda: clone(TOLD).set_params(guidance_dropout=0.0, max_iter=1).fit(TWO, KINDS).sample(guidance=1.0),
        "guidance=1.0 needs samples without condition .* guidance_dropout=0.1",
    ),
    "guidance that is allowed after the fit": (
        lambda: (
            clone(TOLD)
            .set_params(guidance_dropout=0.0, max_iter=1)
            .fit(TWO, KINDS)
            .set_params(guidance_dropout=0.1)
            .sample(guidance=1.0)
        ),
        "guidance=1.0 needs samples without condition",
    ),
    "guidance to nowhere": (lambda: TOLD.sample(guidance=np.nan), "guidance=nan must be a finite number"),
    "guidance in words": (lambda: TOLD.sample(guidance="a"), "guidance='a' must be a finite number"),
    "no masks": (lambda: GAUSSIAN["v"].impute([[1.0, np.nan]]), r"impute needs a model .* missing=0.5.* missing=0"),
    "no draws": (lambda: MASKED.impute([[1.0, np.nan]], n_samples=0), "n_samples=0 must be a whole number"),
    "gaps in a fit": (lambda: DiffusionModel().fit([[1.0, np.nan]] * 3), "contains NaN"),
    "gaps in a score": (lambda: MASKED.score_samples([[1.0, np.nan]]), "X has gaps"),
    "an empty column": (
        lambda: DiffusionModel(missing=0.5).fit([[1.0, np.nan]] * 3), "column 1 of X .* holds nothing but NaN",
    ),
    "another target": (
        lambda: DiffusionModel((4,), max_iter=1, warm_start=True).fit(TWO).set_params(target="noise").fit(TWO),
        "target was changed after the first fit, to 'noise'",
    ),
    "other networks": (
        lambda: DiffusionModel((4,), max_iter=1, warm_start=True).fit(TWO).set_params(hidden_layer_sizes=5).fit(TWO),
        "changed after the first fit",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "words"), REFUSED.values(), ids=REFUSED)
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@parametrize_with_checks(
    [DiffusionModel((8,), max_iter=5, random_state=0), DiffusionModel((8,), missing=0.3, max_iter=5, random_state=0)]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)
