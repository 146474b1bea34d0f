"""Dropout: how much is dropped, by which draws, and when."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad
from sknn.nn import Draws, Dropout, Network


def network(rate: float, shape: tuple[int, ...] = (200,)) -> Network:
    return Network([Dropout(rate)], shape, None)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_drops_the_share_it_says_and_keeps_the_mean(rate, dtype):
    x = np.ones((500, 200), dtype)
    y = network(rate)(x, training=True, draws=Draws(0, dtype))
    assert y.dtype == dtype
    assert_allclose(np.unique(y), [0, 1 / (1 - rate)], rtol=1e-6)
    spread = np.sqrt(rate * (1 - rate) / x.size)  # of the share in so many draws
    assert abs(np.mean(y == 0) - rate) < 4 * spread
    assert abs(y.mean(dtype=np.float64) - 1) < 4 * spread / (1 - rate)


def test_the_same_draws_drop_the_same_and_go_on():
    x, draws = np.ones((3, 200)), Draws(0)
    first, second = (network(0.5)(x, training=True, draws=draws) for _ in range(2))
    assert_array_equal(network(0.5)(x, training=True, draws=Draws(0)), first)
    assert (first != second).any()


def test_every_sample_and_every_element_is_drawn_by_itself():
    y = network(0.5, (40, 5))(np.ones((30, 40, 5)), training=True, draws=Draws(0))
    for axis in range(3):
        assert (y != np.take(y, [0], axis)).any()


@pytest.mark.parametrize(("rate", "training"), [(0.5, False), (0.0, True), (0.0, False)])
def test_otherwise_the_input_passes_unchanged_and_nothing_is_drawn(rate, training):
    x = np.random.default_rng(0).standard_normal((4, 200))
    assert_array_equal(network(rate)(x, training=training, draws=None), x)


def test_the_gradient_passes_where_the_input_did():
    x = Tensor(np.ones((3, 200)))
    y = network(0.25)(x, training=True, draws=Draws(0))
    assert_array_equal(grad(y.sum(), x), y.value)


def test_training_without_draws_is_an_error():
    with pytest.raises(ValueError, match=r"draws=None: Dropout draws in training; pass draws=Draws\(seed\)"):
        network(0.5)(np.ones((1, 200)), training=True)


def test_a_rate_from_a_grid_of_numpy_numbers_leaves_float32():
    x = Tensor(np.ones((2, 200), np.float32))
    y = network(np.float64(0.5))(x, training=True, draws=Draws(0))
    first = grad((y * y).sum(), x, create_graph=True)
    assert {y.dtype, first.dtype} == {np.dtype(np.float32)}
