"""What linear regression leaves: uncorrelated, of variance 1, taken back, and with the right volume."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sknn.template.residuals import Residuals

RNG = np.random.default_rng(0)
X = RNG.normal(size=(500, 3))
SLOPES = RNG.normal(size=(3, 2))
MIXED = np.array([[0.5, 0.2], [0.0, 0.1]])
Y = X @ SLOPES + RNG.normal(size=(500, 2)) @ MIXED + [1.0, -2.0]


def test_it_is_least_squares_and_what_is_left_is_white():
    residuals = Residuals(X, Y)
    assert_allclose(residuals.weight, SLOPES, atol=0.1)
    assert_allclose(residuals.bias, [1.0, -2.0], atol=0.1)
    r = residuals(Y, X)
    assert_allclose(r.T @ r / 500, np.eye(2), atol=1e-3)
    assert_allclose(residuals.inverse(r, X), Y, atol=1e-12)


def test_the_volume_is_that_of_the_jacobian():
    residuals = Residuals(X, Y)
    columns = [residuals(Y[:1] + step, X[:1]) - residuals(Y[:1], X[:1]) for step in np.eye(2)]
    assert_allclose(residuals.log_volume, np.linalg.slogdet(np.concatenate(columns))[1], rtol=1e-10)


def test_samples_count_by_their_weight():
    weight = RNG.integers(0, 3, 500).astype(float)
    one = Residuals(X, Y, weight)
    for other in (
        Residuals(*(np.repeat(each, weight.astype(int), axis=0) for each in (X, Y))),
        Residuals(X[weight > 0], Y[weight > 0], 7 * weight[weight > 0]),
    ):
        assert_allclose(one.weight, other.weight, atol=0.01)
        assert_allclose(one.lower, other.lower, rtol=0.01)


CASES = {
    "no noise": (X, X @ SLOPES),
    "a constant": (np.c_[X, np.ones(500)], Y),
    "constant y": (X, np.zeros((500, 2))),
    "twice the same": (np.c_[X, X], np.c_[Y, Y]),
    "more columns than rows": (RNG.normal(size=(20, 50)), RNG.normal(size=(20, 2))),
    "one number": (X, Y[:, :1]),
    "two samples": (X[:2], Y[:2]),
}


@pytest.mark.parametrize(("x", "y"), CASES.values(), ids=CASES)
def test_nothing_is_divided_by_nothing(x, y):
    residuals = Residuals(x, y)
    r = residuals(y, x)
    assert np.isfinite(residuals.log_volume)
    assert np.abs(r).max() < 30
    assert_allclose(residuals.inverse(r, x), y, atol=1e-10)
    in_single = residuals(y.astype(np.float32), x.astype(np.float32))
    assert in_single.dtype == np.float32
