"""Initial values have the spread they promise, for every shape, gain and kind of random generator."""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.nn.init import INITIALISERS

FAN_IN, FAN_OUT = 200, 300


class Known(NamedTuple):
    """Mean and variance of the values, and the bound that they keep."""

    mean: float
    variance: float
    bound: float


def uniform(bound: float) -> Known:
    return Known(0.0, bound**2 / 3, bound)


KNOWN = {
    "zeros": Known(0.0, 0.0, 0.0),
    "ones": Known(1.0, 0.0, 1.0),
    "glorot_uniform": uniform(np.sqrt(6 / 500)),
    "glorot_normal": Known(0.0, 2 / 500, np.inf),
    "he_uniform": uniform(np.sqrt(6 / 200)),
    "he_normal": Known(0.0, 2 / 200, np.inf),
    "lecun_uniform": uniform(np.sqrt(3 / 200)),
    "lecun_normal": Known(0.0, 1 / 200, np.inf),
    "orthogonal": Known(0.0, 1 / 300, 1.0),  # rows of length one, of 300 entries
}
RANDOM = sorted(KNOWN.keys() - {"zeros", "ones"})

each = pytest.mark.parametrize("name", KNOWN)
each_random = pytest.mark.parametrize("name", RANDOM)


def drawn(name: str, shape: tuple[int, ...], seed: int = 0, **options) -> np.ndarray:
    return INITIALISERS[name](np.random.default_rng(seed), shape, FAN_IN, FAN_OUT, **options)


def test_every_initialiser_has_a_row():
    assert sorted(KNOWN) == sorted(INITIALISERS)


@each
def test_mean_variance_and_bound(name):
    values, known = drawn(name, (FAN_IN, FAN_OUT)), KNOWN[name]
    assert_allclose(values.mean(), known.mean, atol=5 * np.sqrt(known.variance / values.size))
    assert_allclose(values.var(), known.variance, rtol=0.03)
    assert np.abs(values).max() <= known.bound
    if "uniform" in name:
        assert np.abs(values).max() > 0.999 * known.bound


@each
@pytest.mark.parametrize("shape", [(7,), (3, 4), (3, 3, 2, 5), (1, 1)])
def test_shape_and_precision(name, shape):
    values = drawn(name, shape)
    assert values.shape == shape
    assert values.dtype == np.float64


@each_random
def test_the_generator_alone_decides(name):
    assert_array_equal(drawn(name, (4, 3)), drawn(name, (4, 3)))
    assert (drawn(name, (4, 3), seed=1) != drawn(name, (4, 3))).all()
    legacy = [INITIALISERS[name](np.random.RandomState(2), (4, 3), 4, 3) for _ in range(2)]
    assert_array_equal(*legacy)


@each_random
def test_gain_is_a_factor(name):
    assert_allclose(drawn(name, (4, 3), gain=1.5), 1.5 * drawn(name, (4, 3)), rtol=1e-14)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (2, 3, 4), (2, 2, 7), (1, 3)])
def test_orthogonal_has_orthonormal_rows_or_columns(shape):
    matrix = drawn("orthogonal", shape, gain=2.0).reshape(-1, shape[-1])
    product = matrix @ matrix.T if len(matrix) < shape[-1] else matrix.T @ matrix
    assert_allclose(product, 4 * np.eye(len(product)), atol=1e-14)


def test_orthogonal_favours_no_direction():
    rng = np.random.default_rng(0)
    first = [INITIALISERS["orthogonal"](rng, (3, 3), 3, 3)[0, 0] for _ in range(1000)]
    assert_allclose(np.mean(first), 0, atol=5 * np.sqrt(1 / 3 / 1000))
