"""Layers that hold layers: what they make of them, and that a network knows the layers within a layer."""

import pickle
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, counting, grad
from sknn.autodiff import primitives as p
from sknn.nn import (
    Activation,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Draws,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    LayerNorm,
    Network,
    Pool,
    Residual,
    Sequences,
    Sequential,
    Standardise,
    Unflatten,
)
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


def test_the_summary_looks_through_what_a_shortcut_goes_around():
    layers = [Conv(2), Residual([Conv(4, stride=2), BatchNorm(), Conv(4)], shortcut=[Conv(4, kernel_size=1, stride=2)])]
    network = Network([*layers, Dense(1)], (12, 1), np.random.RandomState(0))
    rows = describe(network)
    assert [row.receptive_field for row in rows] == [(3,), (9,), (9,)]
    inside = "Conv(4, stride=2), BatchNorm(), Conv(4), shortcut=Conv(4, kernel_size=1, stride=2)"
    assert rows[1].layer == f"Residual({inside})"
    assert sum(row.n_parameters for row in rows) == network.n_parameters


def test_layers_that_accompany_others_see_no_more_than_they_do():
    layers = [Standardise(), Unflatten((6, 2)), Conv(2), LayerNorm(), Activation("relu"), Dropout(), Flatten()]
    rows = describe(Network(layers, (12,), np.random.RandomState(0)))
    assert [row.receptive_field for row in rows] == [(1,), (1,), (3,), (3,), (3,), (3,), (6,)]


FIELDS = {
    "in order": ([Sequential([Conv(2), Conv(2, stride=2)]), Conv(2)], (12, 1), [(5,), (9,)]),
    "side by side": ([Concat([Conv(2)], shortcut=[Conv(2, 7)]), Conv(2)], (12, 1), [(7,), (9,)]),
    "a shortcut that sees farther": ([Residual([Conv(2)], shortcut=[Conv(2, 5)])], (12, 1), [(5,)]),
    "the input beside": ([Concat([Conv(2), Conv(2)])], (12, 1), [(5,)]),
    "a shortcut within": ([Sequential([Residual([Conv(1)], shortcut=[Sequential([Conv(1, 5)])])])], (12, 1), [(5,)]),
    "through everything": ([Concat([GlobalPool()], shortcut=[Conv(2, 3), GlobalPool()]), Dense(1)], (9, 1), [(9,)] * 2),
    "of any length": ([Conv(2), GlobalPool(), Dense(1)], (None, 1), [(3,), (None,), (None,)]),
    "a grid within": ([Sequential([Standardise(), Unflatten((6, 2)), Conv(2)]), Conv(2)], (12,), [(3,), (5,)]),
    "features": ([Dense(12), Unflatten((6, 2)), Conv(2), GlobalPool()], (12,), [()] * 4),
    "laid out anew": (
        [Conv(4, 2, 2, "valid"), Unflatten((16, 4)), Conv(4, 1), Conv(4, 3), GlobalPool()],
        (8, 8, 1),
        [(2, 2), (2, 2), (2, 2), (8, 8), (8, 8)],
    ),
    "laid out anew, within": (
        [Sequential([Conv(4, 2, 2, "valid"), Unflatten((16, 4))]), Conv(4, 3), GlobalPool()],
        (8, 8, 1),
        [(2, 2), (8, 8), (8, 8)],
    ),
}


@pytest.mark.parametrize(("layers", "shape", "fields"), FIELDS.values(), ids=FIELDS)
def test_what_an_output_sees(layers, shape, fields):
    network = Network(layers, shape, np.random.RandomState(0), "float64")
    assert [row.receptive_field for row in describe(network)] == fields
    if None in shape or len(shape) == 1:
        return
    for k, reaches in enumerate(fields):  # no output sees more
        y = network[: k + 1](x := Tensor(np.random.RandomState(1).normal(size=(1, *shape))))
        for index in np.ndindex(y.shape[1:-1]):
            seen = np.nonzero(grad(p.sum(y[(0, *index)]), x)[0].any(axis=-1))
            assert all(np.ptp(places) < reach for places, reach in zip(seen, reaches, strict=True))


def test_a_connection_goes_around_its_layers():
    network = Network([Residual([Dense(3), Dropout(0.5)])], (3,), np.random.RandomState(0), "float64")
    x = np.random.RandomState(1).normal(size=(4, 3))
    inner = network.parameters["0"]["0"]
    assert_allclose(network(x), x + x @ inner["weight"] + inner["bias"])
    network.theta[:] = 0.0
    assert_array_equal(network(x), x)
    drawn = network(x + 1, training=True, draws=Draws(2))
    assert_array_equal(drawn, x + 1)  # what is dropped lies within


def test_a_shortcut_has_parameters_of_its_own_and_is_added():
    network = Network([Residual([Dense(3)], shortcut=[Dense(3, use_bias=False)])], (2,), np.random.RandomState(0), "f8")
    assert list(network.names) == ["0.0.weight", "0.shortcut.0.weight", "0.0.bias"]
    assert network.shapes_by_name["0.shortcut.0"] == (3,)
    (_, _), (_, through), (_, around) = network.walk()
    x = np.random.RandomState(1).normal(size=(4, 2))
    assert_allclose(network(x), x @ around["weight"] + x @ through["weight"] + through["bias"])


def test_concat_puts_what_comes_around_first():
    network = Network(
        [Concat([Dense(3)]), Concat([Dense(1)], shortcut=[Dense(2)])], (2,), np.random.RandomState(0), "f8"
    )
    assert network.shapes == [(5,), (3,)]
    x = np.random.RandomState(1).normal(size=(4, 2))
    first, second = network[:1](x), network(x)
    assert_array_equal(first[:, :2], x)
    parts = network.parameters["1"]["shortcut"]["0"], network.parameters["1"]["0"]
    expected = [first @ each["weight"] + each["bias"] for each in parts]
    assert_allclose(second, np.concatenate(expected, axis=1))


def test_a_sequence_of_layers_computes_what_they_do_one_by_one():
    layers = [Conv(2), BatchNorm(), Residual([Conv(2)]), Flatten(), Dense(3)]
    flat, nested = (
        Network(each, (5, 1), np.random.RandomState(0))
        for each in (layers, [Sequential([*layers[:2], Sequential(layers[2:4])]), layers[4]])
    )
    x = np.random.RandomState(1).normal(size=(4, 5, 1)).astype("f4")
    assert_array_equal(nested.theta, flat.theta)
    assert_array_equal(nested(x, training=True), flat(x, training=True))
    assert_array_equal(nested.state, flat.state)


@dataclass(frozen=True)
class Halve(Layer):
    """Leaves every second step of each sample; None: nothing but a row of each."""

    seen: list = field(default_factory=list, compare=False)
    ends: bool = False

    def build(self, shape, store):
        return shape

    def apply(self, params, x, context):
        self.seen.append(tuple(context.sequences.lengths.tolist()))
        if self.ends:
            starts = np.cumsum([0, *context.sequences.lengths])[:-1]
            return np.add.reduceat(x, starts)
        keep = np.concatenate([np.arange(length) % 2 == 0 for length in context.sequences.lengths])
        return x[keep]

    def follow(self, sequences):
        return None if self.ends else sequences.of_lengths((sequences.lengths + 1) // 2)


X = np.arange(24.0).reshape(12, 2)
INSIDE = {
    "alone": lambda halve: [halve, halve],
    "in a sequence": lambda halve: [Sequential([halve, Dense(2, init="orthogonal")]), halve],
    "in two": lambda halve: [Sequential([Sequential([halve]), halve])],
    "on both ways": lambda halve: [Residual([halve], shortcut=[halve]), Concat([halve, Dense(1)], shortcut=[halve])],
}


UNEVEN = {
    "a stride": (lambda: Residual([Conv(2, stride=2)]), "Residual make 500 steps of 1000, .* around them 1000"),
    "no padding": (lambda: Concat([Conv(2, padding="valid")]), "Concat make 998 steps of 1000, but what lies around"),
    "another remainder": (
        lambda: Residual([Pool()], shortcut=[Pool(padding="valid")]), "make 501 steps of 1001, .* around them 500",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("container", "message"), UNEVEN.values(), ids=UNEVEN)
def test_ways_of_different_lengths_are_refused_when_built(container, message):
    with pytest.raises(ValueError, match=message):
        Network([container()], (None, 2), np.random.RandomState(0))


def test_ways_of_the_same_lengths_are_joined():
    layers = [
        Residual([Conv(4, stride=2)], shortcut=[Pool(), Dense(4)]),
        Concat([Conv(2)]),
        Residual([GlobalPool()], [GlobalPool()]),
    ]
    network = Network(layers, (None, 2), np.random.RandomState(0), "f8")
    assert network.shapes == [(None, 4), (None, 6), (6,)]
    series = [np.random.RandomState(k).normal(size=(k + 3, 2)) for k in range(4)]
    y = network(Sequences.of(series))
    assert_allclose(y, np.concatenate([network(Sequences.of([each])) for each in series]), rtol=1e-12)


@pytest.mark.parametrize("inside", INSIDE.values(), ids=INSIDE)
def test_layers_know_how_samples_lie_after_those_before_them_that_shorten(inside):
    halve, end = Halve(), Halve(ends=True)
    network = Network([Dense(2), *inside(halve)], (2,), np.random.RandomState(0), "f8")
    y = network(Sequences(X, [7, 5]))
    assert y.lengths.tolist() == [2, 2]
    assert len(y.values) == 4
    assert set(halve.seen) == {(7, 5), (4, 3)}
    ended = Network([Sequential([*network.layers, end]), Dense(1)], (2,), np.random.RandomState(0), "f8")
    assert ended(Sequences(X, [7, 5])).shape == (2, 1)
    assert end.seen == [(2, 2)]
    alone = [network(Sequences(X[:7], [7])).values, network(Sequences(X[7:], [5])).values]
    assert_allclose(y.values, np.concatenate(alone))


def test_some_layers_of_a_network_are_a_function():
    network = nested()
    x = np.random.RandomState(1).normal(size=(4, 8, 6, 1)).astype("f4")
    half = network[:2](x)
    assert_array_equal(network[2:](half), network(x))
    assert_array_equal(network[1:][1:][:-1](half), network[2:-1](half))
    network.theta[:] = 0
    assert_array_equal(network[:2](x), np.zeros_like(half))
    assert network.function(training=True)[1:].training
