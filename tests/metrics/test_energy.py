"""The energy distance: SciPy's in one dimension, closed forms, and what it must not depend on."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import energy_distance as in_one_dimension

from sknn.metrics import energy, energy_distance

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 3)), RNG.normal(size=(45, 3)) + 0.5

BY_HAND = {
    "two points": ([[0.0, 0.0]], [[3.0, 4.0]], np.sqrt(2 * 5)),
    "two against one": ([0.0, 2.0], [1.0], np.sqrt(2 * 1 - 1)),
    "a sample and itself": (X, X, 0.0),
    "a sample twice": (X, np.r_[X, X], 0.0),
    "in another order": (X, X[::-1], 0.0),
}


@pytest.mark.parametrize(("x", "y", "distance"), BY_HAND.values(), ids=BY_HAND)
def test_by_hand(x, y, distance):
    assert_allclose(energy_distance(x, y), distance, atol=1e-7)


def test_in_one_dimension_it_is_scipys():
    assert_allclose(energy_distance(X[:, 0], Y[:, :1]), in_one_dimension(X[:, 0], Y[:, 0]), rtol=1e-10)


def test_normal_samples_reach_the_closed_form():
    # of N(0, 1) and N(m, 1): E|x - y| is the mean of |N(m, 2)|, E|x - x'| = 2 / sqrt(pi)
    x, y = RNG.normal([[[0.0]], [[1.0]]], size=(2, 4000, 1))
    apart = 2 / np.sqrt(np.pi) * np.exp(-1 / 4) + 0.5204998778130465  # erf(1 / 2)
    assert_allclose(energy_distance(x, y), np.sqrt(2 * apart - 4 / np.sqrt(np.pi)), rtol=0.1)


def test_it_is_a_metric_that_turning_does_not_change():
    turn = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    found = energy_distance(X, Y)
    assert_allclose(energy_distance(Y, X), found, rtol=1e-12)
    assert_allclose(energy_distance(X @ turn + 7, Y @ turn + 7), found, rtol=1e-10)
    assert_allclose(energy_distance(X * 100, Y * 100), found * np.sqrt(100), rtol=1e-10)
    assert found <= energy_distance(X, X + 1) + energy_distance(X + 1, Y)


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_no_square_under_or_overflows(unit):
    assert_allclose(energy_distance(X * unit, Y * unit), energy_distance(X, Y) * np.sqrt(unit), rtol=1e-10)


def test_blocks_say_what_all_pairs_say(monkeypatch):
    whole = energy_distance(X, Y)
    monkeypatch.setattr(energy, "LARGEST", 100)
    assert_allclose(energy_distance(X, Y), whole, rtol=1e-10)


def test_images_are_rows():
    x, y = RNG.normal(size=(2, 10, 4, 3, 2))
    assert energy_distance(x, y) == energy_distance(x.reshape(10, -1), y.reshape(10, -1))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X, Y[:, :2], "X has 3 features a sample, but Y has 2"),
        (X[:0], Y, r"X must hold samples \(n_samples, n_features\), got an array of shape \(0, 3\)"),
        (X, 3.0, r"Y must hold samples \(n_samples, n_features\), got an array of shape \(\)"),
        (X, np.where(Y > 1, np.nan, Y), "Y contains NaN or infinity"),
    ],
)
def test_errors(x, y, message):
    with pytest.raises(ValueError, match=message):
        energy_distance(x, y)
