"""Scores of draws, normal distributions and intervals: by hand, against integrals, and what they must not depend on."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import norm

from sknn.metrics import crps, crps_gaussian, interval_score

RNG = np.random.default_rng(0)
Y = RNG.normal(size=(40, 2))
DRAWS = RNG.normal(size=(40, 2, 9))
ENDS = np.sort(RNG.normal(size=(40, 2, 2)), axis=-1)

BY_HAND = {
    "one place": (crps([1.0], [[3.0, 3.0, 3.0]]), 2.0),
    "two draws": (crps([0.0], [[3.0, 1.0]]), 2 - 1),
    "three draws": (crps([0.0], [[1.0, 5.0, 2.0]]), 8 / 3 - (4 + 1 + 3) / 6),
    "of each": (crps([0.0, 1.0], [[3.0, 1.0], [1.0, 1.0]], average=None), [1.0, 0.0]),
    "weighted": (crps([0.0, 1.0], [[3.0, 1.0], [1.0, 1.0]], sample_weight=[3, 1]), 0.75),
    "no weight": (crps([0.0], [[3.0, 1.0]], sample_weight=[0]), np.nan),
    "normal": (crps_gaussian([2.0], [2.0], [3.0]), 3 * (np.sqrt(2) - 1) / np.sqrt(np.pi)),
    "normal without width": (crps_gaussian([2.0, 0.0], [5.0, 0.0], [0.0, 0.0], average=None), [3.0, 0.0]),
    "inside": (interval_score([1.0], [[0.0, 2.0]], confidence=0.5), 2.0),
    "at the end": (interval_score([2.0], [[0.0, 2.0]]), 2.0),
    "missed on either side": (
        interval_score([-1.0, 5.0], [[0.0, 2.0], [0.0, 4.0]], confidence=0.8, average=None),
        [2 + 10, 4 + 10],
    ),
    "infinite": (interval_score([1.0], [[-np.inf, np.inf]]), np.inf),
}


@pytest.mark.parametrize(("found", "expected"), BY_HAND.values(), ids=BY_HAND)
def test_by_hand(found, expected):
    assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(("y", "mean", "std"), [(0.3, 0.0, 1.0), (-4.0, 1.0, 2.0), (1e3, 0.0, 1e-3)])
def test_that_of_a_normal_distribution_is_the_integral_it_stands_for(y, mean, std):
    def squared(x):
        return (norm.cdf(x, mean, std) - (x >= y)) ** 2

    ends = min(y, mean - 9 * std), max(y, mean + 9 * std)
    integral, _ = quad(squared, *ends, points=[y, mean - 2 * std, mean, mean + 2 * std], limit=500)
    assert_allclose(crps_gaussian([y], [mean], [std]), integral, rtol=1e-6)


@pytest.mark.parametrize("n_draws", [2, 20])
def test_any_number_of_draws_has_the_expectation_of_the_distribution(n_draws):
    y = np.zeros(20_000)
    found = crps(y, RNG.normal(0.5, 2.0, (20_000, n_draws)), average=None)
    exact = crps_gaussian([0.0], [0.5], [2.0])
    assert abs(found.mean() - exact) < 4 * found.std() / np.sqrt(len(y))


def test_the_true_quantiles_have_the_best_interval_score():
    y = RNG.normal(size=20_000)
    scores = {low: interval_score(y, np.tile(norm.ppf([low, 0.95]), (len(y), 1))) for low in (0.02, 0.05, 0.1)}
    assert min(scores, key=scores.get) == 0.05


SCORES = {
    "draws": partial(crps, Y, DRAWS),
    "normal": partial(crps_gaussian, Y, DRAWS[..., 0], np.abs(DRAWS[..., 1])),
    "interval": partial(interval_score, Y, ENDS),
}


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
def test_outputs_are_averaged_and_samples_weighted(score):
    each = score(average=None)
    weight = RNG.integers(0, 3, 40)
    assert each.shape == Y.shape
    assert_allclose(score(), each.mean())
    assert_allclose(score(sample_weight=weight), np.repeat(each, weight, axis=0).mean())


def test_units_of_y_are_those_of_the_scores():
    assert_allclose(crps(3 * Y + 7, 3 * DRAWS + 7), 3 * crps(Y, DRAWS))
    assert_allclose(interval_score(3 * Y + 7, 3 * ENDS + 7), 3 * interval_score(Y, ENDS))
    assert_allclose(crps(Y, DRAWS[..., ::-1], average=None), crps(Y, DRAWS, average=None))


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (
            lambda: crps(Y, DRAWS[..., :1]),
            r"draws must have the shape of y_true and an axis of 2 or more, got \(40, 2, 1",
        ),
        (lambda: crps(Y[:, 0], DRAWS), r"draws must have the shape of y_true .* got \(40, 2, 9\) for \(40,\)"),
        (lambda: crps(Y, np.where(DRAWS > 2, np.nan, DRAWS)), "draws contains NaN"),
        (lambda: crps([], np.zeros((0, 2))), r"y_true must have shape .* got \(0,\)"),
        (lambda: crps(Y, DRAWS, average="macro"), "average='macro' must be 'mean' or None"),
        (lambda: crps(Y, DRAWS, sample_weight=-np.ones(40)), "sample_weight must not be negative"),
        (lambda: crps_gaussian(Y, Y[:, :1], Y), r"must have one shape, got \(40, 2\), \(40, 1\) and \(40, 2\)"),
        (lambda: crps_gaussian(Y, Y, Y), "std must not be negative"),
        (
            lambda: interval_score(Y, DRAWS),
            r"interval must have the shape of y_true and an axis of 2, got \(40, 2, 9\)",
        ),
        (lambda: interval_score(Y, ENDS[..., ::-1]), "interval must hold the lower end first"),
        (lambda: interval_score(Y, ENDS, confidence=90), "confidence=90 must be a number above 0 and below 1"),
    ],
)
def test_errors(score, message):
    with pytest.raises(ValueError, match=message):
        score()
