"""Drawing tokens: their frequencies, temperatures, and the most probable ones alone."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from scipy.stats import chisquare

from sknn.estimators.sequences.sampling import draw_sequences, drawn, next_probabilities

RAW = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)


def test_at_temperature_one_probabilities_are_the_softmax():
    assert_allclose(next_probabilities(RAW), softmax(RAW.astype(float), axis=1), rtol=1e-12)


@pytest.mark.parametrize("temperature", [0, 1e-3, 1e-300])
def test_towards_temperature_zero_the_most_probable_token_remains(temperature):
    assert_allclose(next_probabilities(RAW, temperature), np.eye(7)[RAW.argmax(axis=1)], atol=1e-100)


def test_a_temperature_is_a_power_of_the_probabilities():
    expected = softmax(RAW.astype(float), axis=1) ** 2
    assert_allclose(next_probabilities(RAW, 0.5), expected / expected.sum(axis=1, keepdims=True), rtol=1e-12)
    assert_allclose(next_probabilities(RAW, 1e300), 1 / 7)


@pytest.mark.parametrize("k", range(1, 9))
def test_only_the_k_most_probable_tokens_remain(k):
    found = next_probabilities(RAW, top_k=k)
    rank = np.argsort(np.argsort(-RAW, axis=1), axis=1)
    assert_array_equal(found > 0, rank < k)
    assert_allclose(found.sum(axis=1), 1.0)
    assert_array_equal(next_probabilities(np.zeros((1, 4)), top_k=2) > 0, [[True, True, False, False]])  # in a tie


def test_tokens_are_drawn_as_often_as_they_are_probable():
    probability = np.array([0.1, 0.0, 0.6, 0.3, 0.0])
    tokens = drawn(np.tile(probability, (20_000, 1)), np.random.RandomState(0).random_sample(20_000))
    counts = np.bincount(tokens, minlength=5)
    assert counts[[1, 4]].sum() == 0
    assert chisquare(counts[[0, 2, 3]], 20_000 * probability[[0, 2, 3]]).pvalue > 0.001
    assert drawn(np.array([[0.0, 1.0, 0.0]] * 2), np.array([0.0, 1.0 - 2**-53])).tolist() == [1, 1]


class Counting:
    """After token k comes k + 1; 5 is the end."""

    def __call__(self, steps):
        return np.log(np.eye(6)[(steps[:, -1] + 1) % 6] + 1e-300)

    def take(self, rows):
        return self


@pytest.mark.parametrize(
    ("begin", "max_length", "expected"), [([], 9, [0, 1, 2, 3, 4]), ([3], 9, [3, 4]), ([], 3, [0, 1, 2]), ([4], 1, [4])]
)
def test_sequences_end_by_themselves_or_are_cut(begin, max_length, expected):
    rng = np.random.RandomState(0)
    found = draw_sequences(Counting(), next_probabilities, 2, begin, 5, max_length, rng)
    assert found == [expected, expected]
