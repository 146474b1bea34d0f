"""Networks on samples of different lengths give what they give on each sample alone."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import check_grads
from sknn.autodiff import primitives as F
from sknn.nn import (
    Activation,
    Attention,
    BatchNorm,
    Concat,
    Conv,
    ConvTranspose,
    Cropped,
    Dense,
    Draws,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    LayerNorm,
    Network,
    Patches,
    Pool,
    Positions,
    Recurrent,
    Residual,
    Sequences,
    Sequential,
    Standardise,
    TimePool,
    TransformerBlock,
    Unflatten,
    Upsample,
    value_and_grad,
)
from sknn.ops._kernels import native

LENGTHS = np.array([9, 5, 14, 7, 6])

NETWORKS: dict[str, list[Layer]] = {
    "Conv": [Conv(4)],
    "Conv, stride": [Conv(4, kernel_size=4, stride=2, activation="gelu")],
    "Conv, dilation": [Conv(4, kernel_size=2, dilation=[3], padding="valid", activation="relu")],
    "Conv, padded": [Conv(4, padding=1, stride=3, use_bias=False, activation="tanh")],
    "Conv, depthwise": [Conv(6, groups=3)],
    "ConvTranspose": [ConvTranspose(4)],
    "ConvTranspose, stride": [ConvTranspose(4, kernel_size=4, stride=2, activation="gelu")],
    "ConvTranspose, gaps": [ConvTranspose(2, kernel_size=2, stride=3, padding="valid", activation="relu")],
    "ConvTranspose, padded": [ConvTranspose(3, groups=3, dilation=3, padding=1, stride=2, use_bias=False)],
    "there and back": [Conv(4, stride=2), ConvTranspose(3, kernel_size=2, stride=2), Conv(2)],
    "there and back, cropped": [Cropped([Pool(), Conv(3), ConvTranspose(2, kernel_size=2, stride=2)]), Conv(2)],
    "Upsample": [Upsample(3), Conv(2)],
    "Upsample, linear": [Upsample(2, "linear")],
    "Pool": [Pool()],
    "Pool, average": [Pool("average", size=3)],
    "Pool, valid": [Pool("average", size=[2], padding="valid")],
    "Pool, overlapping": [Pool(size=3, stride=2)],
    "GlobalPool": [GlobalPool()],
    "GlobalPool, max": [GlobalPool("max")],
    "Recurrent": [Recurrent(4)],
    "Recurrent, both ways": [Recurrent(3, "lstm", bidirectional=True), Recurrent(3, "rnn")],
    "Recurrent, last": [Conv(3, stride=2), Recurrent(3, "lstm"), Recurrent(2, bidirectional=True, sequences=False)],
    "one after the other": [Conv(4, stride=2), Pool("average"), Conv(3), Pool(size=3, stride=1), Conv(2)],
    "classifier": [Standardise(), Conv(4), BatchNorm(), Activation("relu"), Pool(), Conv(4), GlobalPool(), Dense(3)],
    "tagger": [Dense(4), LayerNorm(), Dropout(), Conv(4, activation="silu"), Dense(3)],
    "Sequential": [Sequential([Pool(), Sequential([Conv(3, stride=2)])]), Conv(2)],
    "Residual": [Conv(4), Residual([Conv(4), BatchNorm(), Residual([Conv(4)])]), Pool(), Residual([Conv(4)])],
    "Residual, shortcut": [Residual([Conv(4, stride=2), Conv(5)], shortcut=[Conv(5, kernel_size=1, stride=2)])],
    "Concat": [Concat([Conv(2)]), Concat([Pool(), Conv(2)], shortcut=[Pool("average")]), Conv(2)],
    "Attention": [Attention(3)],
    "Attention, causal": [Attention(1, causal=True)],
    "Attention, turned": [Dense(8), Attention(2, rotary=True)],
    "Positions": [Positions()],
    "Positions, learned": [Positions("learned", length=14, gain=1.0)],
    "TransformerBlock": [
        TransformerBlock(1, feedforward=2),
        Pool(),
        TransformerBlock(3, causal=True),
        TimePool("last"),
    ],
    **{f"TimePool, {kind}": [TimePool(kind), Dense(2)] for kind in ("mean_max", "last", "mean", "max", "attention")},
    "Patches": [Patches(4, 5)],
    "Concat, pooled": [Concat([GlobalPool()], shortcut=[Conv(2), GlobalPool("max")]), Dense(2)],
}

each_network = pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)


def built(layers: list[Layer], dtype: str = "float64") -> Network:
    """The layers after a dense one, so that gradients by parameters pass through all."""
    return Network([Dense(3, activation="tanh"), *layers], (None, 2), np.random.RandomState(0), dtype)


def drawn(dtype: str = "float64", lengths: np.ndarray = LENGTHS) -> Sequences:
    return Sequences(np.random.default_rng(1).standard_normal((lengths.sum(), 2)).astype(dtype), lengths)


def outputs(y):
    """The values of rows, or what has become one row a sample."""
    return y.values if isinstance(y, Sequences) else y


@each_network
def test_on_rows_as_on_each_sample_alone(layers):
    network, x = built(layers), drawn()
    together = network(x)
    assert len(together) == len(x)
    for found, sample in zip(together, x, strict=True):
        assert_allclose(found, network(sample[None])[0], rtol=1e-12, atol=1e-12)


@each_network
def test_the_shape_is_the_one_promised(layers):
    network, x = built(layers), drawn()
    y = network(x)
    assert network.output_shape == (y.sample_shape if isinstance(y, Sequences) else y.shape[1:])


@each_network
def test_gradients_are_the_sums_of_those_of_each_sample(layers):
    network, x = built(layers), drawn()

    def gradient(batch) -> np.ndarray:
        return value_and_grad(lambda net: F.sum(F.square(1.0 + outputs(net(batch)))), [network])[1][0].copy()

    assert_allclose(gradient(x), sum(gradient(sample[None]) for sample in x), rtol=1e-10, atol=1e-12)


@each_network
def test_gradient_by_inputs(layers):
    network, x = built(layers), drawn(lengths=LENGTHS[1:3])

    check_grads(lambda values: outputs(network(x.like(values))), x.values)


@each_network
def test_float32_stays_float32(layers):
    network, x = built(layers, "float32"), drawn("float32")
    assert network(x).dtype == np.float32


@each_network
def test_in_blocks_as_in_one(layers):
    network, x = built(layers), drawn()
    parts = [sample for rows in x.blocks(20) for sample in network(x[rows])]
    for part, whole in zip(parts, network(x), strict=True):
        assert_allclose(part, whole, rtol=1e-12, atol=1e-13)


@pytest.mark.skipif(native is None, reason="NumPy's products of matrices round as their size has it")
@pytest.mark.parametrize("name", [name for name in NETWORKS if name.startswith(("Conv", "Pool", "GlobalPool", "one"))])
def test_kernels_give_the_bits_of_each_sample_alone(name):
    network = Network(NETWORKS[name], (None, 3), np.random.RandomState(0), "float32")
    x = Sequences(np.random.default_rng(1).standard_normal((LENGTHS.sum(), 3)).astype("float32"), LENGTHS)
    for found, sample in zip(network(x), x, strict=True):
        assert_array_equal(found, network(sample[None])[0])


# -- layers to which positions are samples -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer",
    [Dense(4, activation="relu"), Activation("gelu"), BatchNorm(), LayerNorm(), Dropout(0.3), Standardise()],
    ids=lambda layer: type(layer).__name__,
)
@pytest.mark.parametrize("training", [False, True])
def test_positions_are_samples(layer, training):
    x = drawn()
    on_rows, on_positions = (Network([layer], shape, np.random.RandomState(0), "f8") for shape in [(None, 2), (2,)])
    found = on_rows(x, training=training, draws=Draws(3))
    assert_array_equal(found.values, on_positions(x.values, training=training, draws=Draws(3)))
    assert_array_equal(found.lengths, x.lengths)
    assert_array_equal(on_rows.state, on_positions.state)


def test_standardise_learns_from_steps_with_the_weights_of_their_samples():
    x, weight = drawn(), np.array([1.0, 2.0, 0.0, 1.0, 3.0])
    network = Network([Standardise()], x.sample_shape, None, "float64")
    batches = [(x[rows].values, x[rows].at_positions(weight[rows])) for rows in (slice(0, 2), slice(2, 5))]
    network.layers[0].learn(network.parameters["0"], batches)
    repeated = x[[0, 1, 1, 3, 4, 4, 4]].values
    assert_allclose(network.parameters["0"]["mean"], repeated.mean(axis=0), rtol=1e-12)
    assert_allclose(network.parameters["0"]["scale"], repeated.std(axis=0), rtol=1e-12)


# -- how samples lie afterwards ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Conv(2), [9, 5, 14, 7, 6]),
        (Conv(2, stride=2), [5, 3, 7, 4, 3]),
        (Conv(2, kernel_size=4, padding="valid"), [6, 2, 11, 4, 3]),
        (ConvTranspose(2, stride=3), [27, 15, 42, 21, 18]),
        (ConvTranspose(2, kernel_size=4, stride=2, padding=1), [18, 10, 28, 14, 12]),
        (ConvTranspose(2, kernel_size=4, stride=2, padding="valid"), [20, 12, 30, 16, 14]),
        (Pool(), [5, 3, 7, 4, 3]),
        (Pool(padding="valid"), [4, 2, 7, 3, 3]),
        (Pool(size=3, stride=1, padding=1), [9, 5, 14, 7, 6]),
        (Sequential([Conv(2, stride=2), Dense(4), Pool(padding="valid")]), [2, 1, 3, 2, 1]),
    ],
)
def test_layers_say_the_lengths_that_they_leave(layer, expected):
    x = drawn()
    assert_array_equal(layer.follow(x).lengths, expected)
    assert_array_equal(Network([layer], (None, 2), np.random.RandomState(0))(x).lengths, expected)


def test_where_lengths_stay_layers_share_what_is_worked_out():
    x = drawn()
    assert Conv(2).follow(x) is x
    assert x.windows(3, 1, "same", 1) is x.like(x.values).windows(3, 1, "same", 1)


def test_after_global_pooling_nothing_lies_in_steps():
    assert GlobalPool().follow(drawn()) is None
    assert Sequential([Conv(2), GlobalPool()]).follow(drawn()) is None
    y = Network([GlobalPool(), Dense(4)], (None, 2), np.random.RandomState(0))(drawn("float32"))
    assert type(y) is np.ndarray
    assert y.shape == (5, 4)


# -- what cannot be ------------------------------------------------------------------------------------------------

REFUSED = {
    "Flatten": ([Conv(2), Flatten(), Dense(3)], (None, 2), r"may be of any size, .* put GlobalPool\(\) in its place"),
    "Unflatten": ([Unflatten((4, 2))], (None, 2), r"holds 8 features, but samples have shape \(None, 2\)"),
    "free channels": ([Conv(2)], (None, None), r"of shape \(None, None\): .* not the number of channels"),
    "an image's free channels": ([GlobalPool()], (8, 8, None), "not the number of channels"),
    "no channels": ([Conv(2)], (None,), r"works on grids, .* of shape \(None,\)"),
    "a size": ([ConvTranspose(2, output_size=9)], (None, 2), "output_size=9 must be None where samples are of any"),
    "kernel": ([Conv(2, kernel_size=(3, 3))], (None, 2), r"kernel_size=\(3, 3\) must be an integer"),
}


@pytest.mark.parametrize(("layers", "shape", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_built_for_any_length(layers, shape, message):
    with pytest.raises(ValueError, match=message):
        Network(layers, shape, np.random.RandomState(0))


@pytest.mark.parametrize("layer", [Conv(2, kernel_size=6, padding="valid"), Pool(size=6, padding="valid")])
def test_a_sample_too_short_is_named(layer):
    network = Network([layer], (None, 2), np.random.RandomState(0))
    with pytest.raises(ValueError, match="sample 1 is too short, it has 5 steps here: windows span 6"):
        network(drawn("float32"))
    with pytest.raises(ValueError, match="sample 1 is too short"):
        layer.follow(drawn())
