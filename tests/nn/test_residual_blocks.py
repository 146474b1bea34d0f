"""Blocks of deep networks: beside PyTorch, beside loops, and what they are at the start."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad
from sknn.autodiff import primitives as F
from sknn.nn import (
    Conv,
    Dense,
    Draws,
    GlobalPool,
    InvertedResidual,
    Layer,
    Network,
    Sequences,
    SqueezeExcite,
    differentiate,
)
from sknn.nn.blocks import basic, bottleneck, inverted_residual, normalised, preactivation
from sknn.nn.trainable import nest

RESIDUAL = {"basic": basic, "bottleneck": bottleneck, "preactivation": preactivation}
BLOCKS = {**RESIDUAL, "inverted_residual": inverted_residual}


def built(layers: list[Layer], shape: tuple, dtype: str = "float64") -> Network:
    """With parameters and running statistics that all differ from those of the start."""
    network = Network(layers, shape, np.random.RandomState(0), dtype)
    network.theta[:] += 0.2 * np.cos(1.0 + 0.7 * np.arange(network.theta.size))
    network.state[:] += 0.3 * np.cos(0.5 + 0.9 * np.arange(network.state.size))
    return network


def waves(*shape: int) -> np.ndarray:
    return np.cos(0.4 + 0.31 * np.arange(np.prod(shape))).reshape(shape)


# -- beside PyTorch 2.13, float64, with copied weights and running statistics ----------------------------------------

PEERS: dict[str, tuple[list[Layer], tuple]] = {
    "basic": (basic(3, 3), (5, 4, 3)),
    "basic, narrower": (basic(2, 4, stride=2, norm="group"), (5, 6, 2)),
    "basic, of signals": (basic(2, 3, kernel_size=[8, 5, 3]), (9, 2)),
    "bottleneck": (bottleneck(4, 8, stride=2), (5, 4, 4)),
    "bottleneck, of volumes": (bottleneck(4, 4, kernel_size=(1, 3, 3)), (2, 3, 3, 4)),
    "preactivation": (preactivation(2, 4, stride=(2, 1), norm="layer"), (5, 4, 2)),
    "inverted residual": (inverted_residual(2, 2, expansion=3, squeeze=0.5), (5, 4, 2)),
    "inverted residual, narrower": (inverted_residual(2, 3, stride=2, activation="relu"), (6, 5, 2)),
    "squeeze and excite": ([SqueezeExcite(0.5)], (3, 4, 4)),
}


def there(torch, layers, params, x, training):
    """The same layers in PyTorch, channels first; parameters are tensors by name, running statistics among them."""
    for position, layer in enumerate(layers):
        x = THERE[type(layer).__name__](torch, layer, params.get(str(position), {}), x, training)
    return x


def conv(torch, layer, params, x, training):
    windows = layer.windows(tuple(x.shape[2:]))
    behind = [
        (n - 1) * s + k - low - size
        for n, s, k, low, size in zip(
            windows.output, windows.stride, windows.span, windows.low, windows.size, strict=True
        )
    ]
    pads = [pad for low, high in zip(windows.low[::-1], behind[::-1], strict=True) for pad in (low, max(high, 0))]
    weight = params["weight"].movedim((-1, -2), (0, 1))
    function = getattr(torch.nn.functional, f"conv{x.dim() - 2}d")
    y = function(torch.nn.functional.pad(x, pads), weight, params.get("bias"), windows.stride, groups=layer.groups)
    return activated(torch, y, layer.activation)


def activated(torch, x, activation):
    return x if activation == "identity" else getattr(torch.nn.functional, activation)(x)


def batch_norm(torch, layer, params, x, training):
    running, momentum = (params["mean"], params["variance"]), 1 - layer.momentum
    y = torch.nn.functional.batch_norm(x, *running, params["gain"], params["shift"], training, momentum, layer.epsilon)
    return activated(torch, y, layer.activation)


def group_norm(torch, layer, params, x, training):
    return torch.nn.functional.group_norm(x, layer.groups, params["gain"], params["shift"], layer.epsilon)


def layer_norm(torch, layer, params, x, training):
    last = x.movedim(1, -1)
    y = torch.nn.functional.layer_norm(last, last.shape[-1:], params["gain"], params["shift"], layer.epsilon)
    return y.movedim(-1, 1)


def squeeze_excite(torch, layer, params, x, training):
    squeeze, excite = params["squeeze"], params["excite"]
    means = x.mean(tuple(range(2, x.dim())))
    inner = activated(torch, means @ squeeze["weight"] + squeeze["bias"], layer.activation)
    factor = torch.sigmoid(inner @ excite["weight"] + excite["bias"])
    return x * factor.reshape(*factor.shape, *[1] * (x.dim() - 2))


def residual(torch, layer, params, x, training):
    through = there(torch, layer.layers, params, x, training)
    around = there(torch, layer.shortcut, params.get("shortcut", {}), x, training)
    return activated(torch, around + through, layer.activation)


THERE = {
    "Conv": conv,
    "BatchNorm": batch_norm,
    "GroupNorm": group_norm,
    "LayerNorm": layer_norm,
    "SqueezeExcite": squeeze_excite,
    "Residual": residual,
    "Activation": lambda torch, layer, params, x, training: activated(torch, x, layer.activation),
}


def copied(torch, network):
    """Parameters and running statistics as tensors by their full names, and all of them nested as layers are."""
    theta, state = torch.tensor(network.theta), torch.tensor(network.state)
    leaves = {key: theta[a:b].reshape(s).clone().requires_grad_() for key, (a, b, s) in network.names.items()}
    statistics = {key: state[a:b].reshape(s).clone() for key, (a, b, s) in network.state_names.items()}
    return leaves, statistics, nest({**leaves, **statistics})


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", PEERS)
def test_values_gradients_and_statistics_beside_pytorch(name, training):
    torch = pytest.importorskip("torch", reason="PyTorch is no dependency; its numbers are recorded below")
    layers, shape = PEERS[name]
    network, x = built(layers, shape), waves(3, *shape)
    leaves, state, params = copied(torch, network)
    given = torch.tensor(np.moveaxis(x, -1, 1), requires_grad=True)
    expected = there(torch, layers, params, given, training).movedim(1, -1)
    entered = Tensor(x)
    y = network.function(watched=True, training=training)(entered)
    seed = waves(*y.shape)
    expected.backward(torch.tensor(seed))
    assert_allclose(y.value, expected.detach(), rtol=0, atol=1e-10)
    assert_allclose(grad(y, entered, seed=seed), given.grad.movedim(1, -1), rtol=0, atol=1e-10)
    network.state[:] = built(layers, shape).state
    differentiate(F.sum(network.function(watched=True, training=training)(x) * seed), [network])
    for key, (start, stop, s) in network.names.items():
        assert_allclose(network.grad[start:stop].reshape(s), leaves[key].grad, rtol=0, atol=1e-10)
    for key, (start, stop, _) in network.state_names.items():
        assert_allclose(network.state[start:stop], state[key], rtol=0, atol=1e-10)


# The sum of outputs times waves(*outputs), in training and as it predicts, that PyTorch makes of waves(3, *shape).
RECORDED = {
    "basic": (43.80706712301257, 42.01851434938036),
    "basic, narrower": (2.4644909156380512, 2.4644909156380512),
    "basic, of signals": (1.5066938172624778, 1.8243162798723516),
    "bottleneck": (1.1272992297665767, -0.593758660890211),
    "bottleneck, of volumes": (58.50194629289322, 57.63516738099702),
    "preactivation": (-7.915469022453231, -7.915469022453231),
    "inverted residual": (29.24987958980053, 55.928271727937954),
    "inverted residual, narrower": (-2.074311397721818, -0.11194456708665629),
    "squeeze and excite": (35.25485561203264, 35.25485561203264),
}


@pytest.mark.parametrize("name", PEERS)
def test_the_numbers_of_pytorch(name):
    layers, shape = PEERS[name]
    for training, expected in zip((True, False), RECORDED[name], strict=True):
        y = built(layers, shape)(waves(3, *shape), training=training)
        assert_allclose((y * waves(*y.shape)).sum(), expected, rtol=0, atol=1e-10)


# -- what a block is made of -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["batch", "group", "layer"])
def test_a_convolution_in_front_of_a_norm_has_no_bias_and_no_activation_of_its_own(norm):
    conv, *rest = normalised(Conv(6, activation="tanh"), norm, "silu")
    assert conv == Conv(6, use_bias=False)
    assert [getattr(layer, "activation", "identity") for layer in rest][-1] == "silu"


def test_groups_divide_any_number_of_channels():
    groups = [normalised(Conv(filters), "group")[1].groups for filters in (64, 12, 7)]
    assert groups == [8, 4, 1]


def test_an_unknown_norm_is_refused():
    with pytest.raises(ValueError, match="norm='instance' must be one of 'batch', 'group', 'layer'"):
        normalised(Conv(3), "instance")


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("norm", ["batch", "group", "layer"])
@pytest.mark.parametrize(
    ("grid", "stride", "after"), [((9,), 1, (9,)), ((9, 6), 2, (5, 3)), ((4, 5, 3), (1, 2, 1), (4, 3, 3))]
)
def test_shapes(name, norm, grid, stride, after):
    block = BLOCKS[name](4, 8, stride=stride, norm=norm, stochastic_depth=0.2)
    network = Network(block, (*grid, 4), np.random.RandomState(0))
    assert network.output_shape == (*after, 8)
    x = np.ones((2, *grid, 4), "float32")
    assert network(x, training=True, draws=Draws(0)).shape == (2, *after, 8)


PROJECTIONS = [
    ({"channels": 4, "filters": 4}, 0),
    ({"channels": 4, "filters": 8}, 1),
    ({"channels": 4, "filters": 4, "stride": 2}, 1),
    ({"channels": 4, "filters": 4, "stride": (1, 1)}, 0),
]


@pytest.mark.parametrize(("params", "n_convolutions"), PROJECTIONS)
@pytest.mark.parametrize("name", RESIDUAL)
def test_the_way_around_is_projected_where_the_shape_changes_alone(name, params, n_convolutions):
    (block,) = RESIDUAL[name](**params)
    convolutions = [layer for layer in block.shortcut if isinstance(layer, Conv)]
    assert [layer.kernel_size for layer in convolutions] == [1] * n_convolutions
    assert block.activation == ("identity" if name == "preactivation" else "relu")


KERNELS = {
    "one number": (3, [3, 3]),
    "one for each axis": ((3, 5), [(3, 5), (3, 5)]),
    "one for each convolution": ([8, 5, 3], [8, 5, 3]),
    "one for each convolution and axis": ([(3, 1), (1, 3)], [(3, 1), (1, 3)]),
}


@pytest.mark.parametrize(("given", "expected"), KERNELS.values(), ids=KERNELS)
def test_kernel_sizes(given, expected):
    for name in ("basic", "preactivation"):
        (block,) = RESIDUAL[name](2, 2, kernel_size=given)
        assert [layer.kernel_size for layer in block.layers if isinstance(layer, Conv)] == expected


# -- how a block begins ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", BLOCKS)
def test_with_gains_of_zero_a_block_begins_as_the_identity_and_its_gradient_is_exactly_that_of_the_way_around(
    name, training
):
    network = Network(BLOCKS[name](4, 4, zero_init=True), (5, 4), np.random.RandomState(0), "float64")
    x = 1.0 + np.abs(waves(3, 5, 4))  # above the kink of the ReLU behind the sum
    outputs, slopes = [], []
    for seed in (0, 1):
        for key, (start, stop, shape) in network.names.items():
            if key.endswith("weight") and network.theta[start:stop].any():
                network.theta[start:stop] = np.random.RandomState(seed).standard_normal(shape).ravel()
        entered = Tensor(x)
        y = network.function(training=training)(entered)
        outputs.append(y.value)
        slopes.append(grad(F.sum(y * waves(*y.shape)), entered))
    for output, slope in zip(outputs, slopes, strict=True):
        assert_array_equal(output, x)
        assert_array_equal(slope, waves(*x.shape))


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_that_begins_as_the_identity_learns(name):
    layers = [*BLOCKS[name](4, 4, zero_init=True), GlobalPool(), Dense(1)]
    network = Network(layers, (5, 4), np.random.RandomState(0), "float64")
    x, target = waves(6, 5, 4), waves(6, 1)
    for _ in range(2):  # at first only what is zero has a gradient, then all that is multiplied by it
        y = network.function(watched=True, training=True)(x)
        differentiate(F.sum(F.square(y - target)), [network])
        network.theta -= 0.1 * network.grad
    y = network.function(watched=True, training=True)(x)
    differentiate(F.sum(F.square(y - target)), [network])
    for key, (start, stop, _) in network.names.items():
        if key.endswith("weight"):
            assert np.abs(network.grad[start:stop]).max() > 1e-9, key


# -- depthwise convolutions, squeeze and excitation ------------------------------------------------------------------


@pytest.mark.parametrize(("grid", "kernel"), [((7,), (3,)), ((5, 6), (3, 2)), ((3, 4, 3), (2, 3, 1))])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_depthwise_convolution_is_as_many_separate_ones_as_channels(grid, kernel, stride):
    x, channels = waves(2, *grid, 5), 5
    together = built([Conv(channels, kernel, stride, groups=channels)], (*grid, channels))
    weight, bias = together.parameters["0"]["weight"], together.parameters["0"]["bias"]
    apart = []
    for c in range(channels):
        alone = built([Conv(1, kernel, stride)], (*grid, 1))
        alone.parameters["0"]["weight"][...] = weight[..., :, c : c + 1]
        alone.parameters["0"]["bias"][:] = bias[c]
        apart.append(alone(x[..., c : c + 1]))
    assert_allclose(together(x), np.concatenate(apart, axis=-1), rtol=0, atol=1e-14)


def test_a_depthwise_convolution_and_one_of_positions_have_fewer_weights_than_a_full_one():
    channels, filters, taps = 32, 48, 9
    separable = Network(
        [Conv(channels, 3, groups=channels, use_bias=False), Conv(filters, 1, use_bias=False)],
        (8, 8, channels),
        np.random.RandomState(0),
    )
    full = Network([Conv(filters, 3, use_bias=False)], (8, 8, channels), np.random.RandomState(0))
    assert separable.n_parameters == taps * channels + channels * filters == 1824
    assert full.n_parameters == taps * channels * filters == 13824


def test_squeeze_and_excitation_by_hand():
    network, x = built([SqueezeExcite(0.5)], (3, 2, 4)), waves(2, 3, 2, 4)
    squeeze, excite = network.parameters["0"]["squeeze"], network.parameters["0"]["excite"]
    for sample, y in zip(x, network(x), strict=True):
        inner = np.maximum(sample.mean((0, 1)) @ squeeze["weight"] + squeeze["bias"], 0)
        factor = 1 / (1 + np.exp(-(inner @ excite["weight"] + excite["bias"])))
        assert_allclose(y, sample * factor, rtol=1e-12)


@pytest.mark.parametrize(("ratio", "units"), [(0.25, 2), (0.01, 1), (2.0, 16)])
def test_the_bottleneck_of_squeeze_and_excitation_has_a_unit_at_least(ratio, units):
    network = Network([SqueezeExcite(ratio)], (3, 8), np.random.RandomState(0))
    assert network.names["0.squeeze.weight"].shape == (8, units)


@pytest.mark.parametrize("params", [{}, {"stride": 2, "squeeze": 0.0}, {"expansion": 1, "norm": "group"}], ids=repr)
def test_the_layer_is_the_block_for_as_many_channels_as_come(params):
    one = Network([InvertedResidual(3, **params)], (4, 5, 2), np.random.RandomState(0))
    other = Network(inverted_residual(2, 3, **params), (4, 5, 2), np.random.RandomState(0))
    assert [name.removeprefix("0.") for name in one.names] == list(other.names)
    assert_array_equal(one.theta, other.theta)
    x = waves(2, 4, 5, 2).astype("float32")
    assert_array_equal(one(x), other(x))


def test_the_parameters_of_an_inverted_residual():
    layers = inverted_residual(16, 24, expansion=4, squeeze=0.25)
    wide, narrow = 4 * 16, 4
    convolutions = 16 * wide + 9 * wide + wide * 24
    squeeze = wide * narrow + narrow + narrow * wide + wide
    assert Network(layers, (8, 8, 16), np.random.RandomState(0)).n_parameters == convolutions + squeeze + 2 * (
        wide + wide + 24
    )


# -- series of different lengths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", BLOCKS)
def test_series_of_different_lengths_get_what_each_gets_alone(name, stride):
    network = built(BLOCKS[name](2, 4, stride=stride, stochastic_depth=0.1), (None, 2))
    series = Sequences.of([waves(n, 2) for n in (5, 9, 4)])
    for together, sample in zip(network(series), series, strict=True):
        assert_allclose(together, network(sample[None])[0], rtol=1e-12, atol=1e-13)


def test_series_of_one_length_train_as_the_array_of_them():
    layers, x = inverted_residual(2, 4, stochastic_depth=0.3), waves(4, 6, 2)
    grid, rows = built(layers, (6, 2)), built(layers, (None, 2))
    found = []
    for network, given in ((grid, x), (rows, Sequences.of(list(x)))):
        y = network.function(watched=True, training=True, draws=Draws(0, "float64"))(given)
        y = F.reshape(getattr(y, "values", y), (-1,))
        differentiate(F.sum(F.square(y)), [network])
        found.append((y.value, network.grad, network.state))
    for one, other in zip(*found, strict=True):
        assert_allclose(one, other, rtol=1e-11, atol=1e-12)
