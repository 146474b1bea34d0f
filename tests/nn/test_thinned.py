"""Networks with units left out, the same ones for all samples."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.nn import (
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Network,
    Residual,
    Sequences,
    StochasticDepth,
    TransformerBlock,
)
from sknn.nn.thinned import DrawsOfUnits, Thinned

SERIES = (7, 3)


def network(layers, shape):
    return Network(layers, shape, np.random.default_rng(0), "float64")


NETWORKS = {
    "units": ([Dense(20, activation="tanh"), Dropout(0.5), Dense(2)], (3,)),
    "norms": ([Dense(20), BatchNorm(), Dropout(0.5), Dense(2)], (3,)),
    "pictures": ([Conv(8, 3), Dropout(0.5), Flatten(), Dropout(0.5), Dense(2)], (5, 5, 1)),
    "attention": ([TransformerBlock(1, dropout=0.5), GlobalPool("average"), Dense(2)], SERIES),
    "depth": ([Residual([Dense(3, activation="tanh"), StochasticDepth(0.5)]), Dense(2)], (3,)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_sample_gets_the_same_output_in_any_batch_and_another_of_another_network(name):
    layers, shape = NETWORKS[name]
    net, x = network(layers, shape), np.random.default_rng(1).standard_normal((6, *shape))
    before = net.theta.tobytes() + net.state.tobytes()
    each = [Thinned(net, DrawsOfUnits(0, number)) for number in range(8)]
    for thinned in each:
        together = thinned(x)
        assert_allclose(np.concatenate([thinned(x[k : k + 1]) for k in range(6)]), together, atol=1e-12)
        assert_array_equal(thinned(x), together)
    assert len({thinned(x).tobytes() for thinned in each}) > 1
    assert net.theta.tobytes() + net.state.tobytes() == before


def test_nothing_but_dropout_differs_from_prediction():
    """Two of three units: three times half of what they say."""
    net = network([Dense(3), BatchNorm(), Dropout(0.5)], (3,))
    net.state[:] = np.random.default_rng(2).uniform(0.5, 2.0, net.state.size)
    x = np.random.default_rng(1).standard_normal((6, 3))
    y = Thinned(net, DrawsOfUnits(0, 3))(x)
    left = (y != 0).any(axis=0)
    assert left.any()
    assert not left.all()
    assert_allclose(y, 2.0 * net(x) * left)


def test_all_positions_lack_the_same_channels():
    net, x = network([Dropout(0.5)], (None, 12)), np.ones((5, 12))
    y = Thinned(net, DrawsOfUnits(0, 0))(Sequences(x, [2, 3])).values
    assert_array_equal(y, np.broadcast_to(y[:1], y.shape))
    assert set(np.unique(y)) == {0.0, 2.0}


def test_layers_and_networks_draw_apart_and_a_layer_whatever_was_drawn_before_it():
    draws = DrawsOfUnits(0, 0)
    first, second = draws.uniform((2, 50)), draws.uniform((2, 50))
    assert (first != second).all()
    draws.begin()
    draws.uniform((9, 3))
    assert_array_equal(draws.uniform((2, 50)), second)
    assert (DrawsOfUnits(0, 1).uniform((2, 50)) != first).all()
    assert (DrawsOfUnits(1, 0).uniform((2, 50)) != first).all()
