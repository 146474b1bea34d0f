"""Which score is the bound: exact arithmetic, weights, and the probability of ranks."""

from fractions import Fraction
from math import inf

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.estimators.bayesian.kth_score import kth_smallest, reach, warn_if_too_few, weight_below


@pytest.mark.parametrize("confidence", [f"0.{digits:02}" for digits in range(1, 100)] + ["0.999", "0.0005", "1e-05"])
def test_the_rank_is_that_of_exact_arithmetic(confidence):
    for n in (1, 9, 10, 19, 99, 100, 199, 999, 9999):
        exact = Fraction(confidence) * (n + 1)
        assert reach(float(confidence), n) == -(-exact.numerator // exact.denominator)


def test_in_floating_point_it_would_be_another():
    assert np.ceil(0.55 * 100) == 56  # a score too far
    assert reach(0.55, 99) == 55
    assert reach(5 / 6, 5) == 5
    assert reach(np.float64(0.9), 9) == 9


@pytest.mark.parametrize("scale", [1.0, 3.7, 1e-9])
@pytest.mark.parametrize("n", [9, 19, 20, 99])
def test_equal_weights_are_none(n, scale):
    scores = np.random.default_rng(0).normal(size=(4, n))
    weight = np.full(n, scale)
    for confidence in (0.05, 0.1, 0.55, 0.7, 0.9, 0.95, 0.99):
        expected = kth_smallest(scores, reach(confidence, n))
        assert_array_equal(kth_smallest(scores, reach(confidence, n, weight), weight), expected)
        below = weight_below(scores[0], scores[1]) < reach(confidence, n)
        assert_array_equal(weight_below(scores[0], scores[1], weight) < reach(confidence, n, weight), below)


@pytest.mark.parametrize("weight", [None, np.array([0.5, 2.0, 1.0, 1.0, 0.1, 3.0, 1.0, 1.0, 0.4])])
def test_a_set_has_what_does_not_exceed_the_bound(weight):
    rng = np.random.default_rng(0)
    scores, values = rng.integers(0, 5, 9).astype(float), np.arange(-1.0, 6.0, 0.5)
    for confidence in np.linspace(0.05, 0.95, 19):
        wanted = reach(confidence, 9, weight)
        inside = weight_below(scores, values, weight) < wanted
        assert_array_equal(inside, values <= kth_smallest(scores, wanted, weight))


def test_weights_that_are_counts_weigh_at_least_as_if_samples_were_repeated():
    """The new sample counts as those before it do on average, once or more often."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        scores, counts = rng.normal(size=12), rng.integers(1, 4, size=12)
        repeated = kth_smallest(np.repeat(scores, counts), reach(0.8, counts.sum()))
        assert kth_smallest(scores, reach(0.8, 12, counts), counts) >= repeated


@pytest.mark.parametrize(
    ("confidence", "n", "too_few"),
    [(0.9, 8, True), (0.9, 9, False), (0.95, 18, True), (0.95, 19, False), (0.5, 1, False), (0.99, 98, True)],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_too_few_scores_leave_no_bound(confidence, n, too_few, weighted, recwarn):
    weight = np.full(n, 0.3) if weighted else None
    warn_if_too_few(confidence, n, weight)
    assert (len(recwarn) == 1) == too_few
    bound = kth_smallest(np.arange(float(n)), reach(confidence, n, weight), weight)
    assert bound == (inf if too_few else n - 1)


def test_the_message_says_how_many_it_takes():
    with pytest.warns(UserWarning, match="5 conformity scores are too few for confidence=0.99, which takes 99"):
        warn_if_too_few(0.99, 5)
