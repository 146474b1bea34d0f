"""StochasticDepth: whole samples skip a block in training, and the mean stays."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad
from sknn.autodiff import primitives as F
from sknn.nn import Dense, Draws, Network, Residual, Sequences, StochasticDepth


def network(rate: float, shape: tuple) -> Network:
    return Network([StochasticDepth(rate)], shape, None, "float64")


@pytest.mark.parametrize("rest", [(4,), (3, 2), (2, 3, 4)])
def test_a_sample_is_dropped_as_a_whole_or_scaled(rest):
    x = 1.0 + np.random.default_rng(0).random((200, *rest))
    y = network(0.25, rest)(x, training=True, draws=Draws(0, "float64"))
    factor = (y / x).reshape(len(x), -1)
    assert_allclose(factor, np.broadcast_to(factor[:, :1], factor.shape), rtol=1e-14)
    assert_allclose(np.unique(factor.round(12)), [0, np.round(4 / 3, 12)])
    assert 0.15 < (factor[:, 0] == 0).mean() < 0.35


def test_all_positions_of_a_series_are_dropped_together():
    series = Sequences(np.ones((60, 1)), np.tile([1, 2, 3], 10))
    y = network(0.5, (None, 1))(series, training=True, draws=Draws(1, "float64"))
    assert {float(v) for v in y.values.ravel()} == {0.0, 2.0}
    for sample in y:
        assert_array_equal(sample, np.full_like(sample, sample[0, 0]))


def test_it_predicts_without_chance():
    x = np.ones((5, 2))
    assert_array_equal(network(0.9, (2,))(x), x)


def test_samples_that_skip_a_block_send_no_gradient_through_it():
    block = Network([Residual([Dense(2), StochasticDepth(0.5)])], (2,), np.random.RandomState(0), "float64")
    x = np.random.default_rng(0).standard_normal((8, 2))
    entered = Tensor(x)
    y = block.function(training=True, draws=Draws(0, "float64"))(entered)
    slope = grad(F.sum(y), entered)
    skipped = (y.value == x).all(axis=1)
    assert 0 < skipped.sum() < 8
    assert_array_equal(slope[skipped], 1)
    assert (slope[~skipped] != 1).all()
