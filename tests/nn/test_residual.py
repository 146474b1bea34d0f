"""Residual: what its connection does, and that a network knows the layers within a layer."""

import pickle

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import counting
from sknn.nn import BatchNorm, Conv, Dense, Dropout, Flatten, Network, Residual
from sknn.nn.summary import describe


def nested() -> Network:
    """Convolutions with one layer within another; widths and positions differ inside."""
    inner = [Conv(6, kernel_size=1), BatchNorm(), Residual([Conv(6, use_bias=False)]), Conv(2, kernel_size=1)]
    layers = [Conv(2, stride=2), Residual(inner), Flatten(), Residual([Dense(100), Dense(24)]), Dense(3)]
    return Network(layers, (8, 6, 1), np.random.RandomState(0))


def test_multiplications_count_every_position_within_layers():
    first, last = 9 * 1 * 2 + 2, 24 * 3 + 3
    convolutions = (2 * 6 + 6) + (6 + 6) + 9 * 6 * 6 + (6 * 2 + 2)
    dense = (24 * 100 + 100) + (100 * 24 + 24)
    assert nested().multiplications == 4 * 3 * (first + convolutions) + dense + last


def test_what_operations_count_within_layers_is_what_the_layers_declare():
    network = nested()
    with counting() as work:
        network(np.zeros((3, 8, 6, 1), "float32"))
    assert (work.multiplications, work.values) == (3 * network.multiplications, 3 * 100)


def test_layers_within_layers_have_names_shapes_and_parameters_of_their_own():
    network = nested()
    assert {"1.0.weight", "1.1.gain", "1.2.0.weight", "1.3.bias", "3.1.weight"} <= set(network.names)
    assert network.shapes == [(4, 3, 2), (4, 3, 2), (24,), (24,), (3,)]
    assert network.shapes_by_name["1.2.0"] == (4, 3, 6)
    assert network.shapes_by_name["3.0"] == (100,)
    seen = [(type(layer).__name__, sorted(parameters)) for layer, parameters in network.walk()]
    assert [name for name, _ in seen[:6]] == ["Conv", "Residual", "Conv", "BatchNorm", "Residual", "Conv"]
    assert [name for name, _ in seen[6:]] == ["Conv", "Flatten", "Residual", "Dense", "Dense", "Dense"]
    assert dict(seen[3:4])["BatchNorm"] == ["gain", "mean", "shift", "variance"]
    assert pickle.loads(pickle.dumps(network)).multiplications == network.multiplications


def test_the_summary_counts_parameters_and_looks_through_layers_within_layers():
    network = nested()
    rows = describe(network)
    assert sum(row.n_parameters for row in rows) == network.n_parameters
    assert [row.receptive_field for row in rows] == [(3, 3), (7, 6), (8, 6), (8, 6), (8, 6)]
    assert rows[3].layer == "Residual(Dense(100), Dense(24))"
    assert rows[1].layer.endswith("Residual(Conv(6, use_bias=False)), Conv(2, kernel_size=1))")


def test_a_connection_goes_around_its_layers():
    network = Network([Residual([Dense(3), Dropout(0.5)])], (3,), np.random.RandomState(0), "float64")
    x = np.random.RandomState(1).normal(size=(4, 3))
    inner = network.parameters["0"]["0"]
    assert_allclose(network(x), x + x @ inner["weight"] + inner["bias"])
    network.theta[:] = 0.0
    assert_array_equal(network(x), x)
    drawn = network(x + 1, training=True, rng=np.random.RandomState(2))
    assert_array_equal(drawn, x + 1)  # what is dropped lies within
