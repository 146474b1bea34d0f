"""Every layer: a row of the table states descriptions and input shapes; each row gets every check."""

import copy
import importlib
import inspect
import pickle
import pkgutil
from dataclasses import FrozenInstanceError, fields, replace
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import sknn.nn
from sknn.autodiff import Tensor, check_grads
from sknn.autodiff import primitives as F
from sknn.nn import (
    Activation,
    Affine,
    Attention,
    AttentionGate,
    AttentiveRecurrent,
    Autoregressive,
    BatchNorm,
    Beside,
    Concat,
    Context,
    Conv,
    ConvTranspose,
    Coupling,
    Cropped,
    CrossAttention,
    DecoderBlock,
    Dense,
    Draws,
    Dropout,
    Embedding,
    FeatureTokens,
    FeedForward,
    FillGaps,
    Flatten,
    GlobalPool,
    GroupNorm,
    InvertedResidual,
    Layer,
    LayerNorm,
    Mixing,
    Network,
    Patches,
    Pool,
    Positions,
    Recurrent,
    Residual,
    Sequential,
    Shifted,
    Spline,
    SqueezeExcite,
    Standardise,
    StochasticDepth,
    Store,
    TimePool,
    TransformerBlock,
    Unflatten,
    Upsample,
)
from sknn.ops import ACTIVATIONS

ROWS: dict[str, list[tuple[Layer, tuple[int, ...]]]] = {
    "Dense": [
        (Dense(2), (3,)),
        (Dense(1, activation="tanh", bias_init="ones"), (1,)),
        (Dense(3, init="orthogonal", gain=0.5, use_bias=False), (2,)),
        (Dense(3, activation="softmax"), (4, 2)),
        (Dense(2, activation="gelu"), (4, 2, 3)),
    ],
    "Activation": [*((Activation(name), (3,)) for name in ACTIVATIONS), (Activation("silu"), (2, 4, 3))],
    "BatchNorm": [
        (BatchNorm(), (3,)),
        (BatchNorm(momentum=0.5, epsilon=1e-2), (4, 2, 3)),
        (BatchNorm(activation="relu"), (4, 2)),
    ],
    "LayerNorm": [
        (LayerNorm(epsilon=1e-2), (4,)),
        (LayerNorm(epsilon=1e-2), (2, 3, 2)),
        (LayerNorm(epsilon=1e-2, over="sample"), (2, 3, 2)),
    ],
    "GroupNorm": [
        (GroupNorm(2, epsilon=1e-2), (4,)),
        (GroupNorm(1, epsilon=1e-2, activation="silu"), (3, 2)),
        (GroupNorm(3, epsilon=1e-2, gain_init="zeros"), (2, 3, 6)),
    ],
    "Conv": [
        (Conv(3), (5, 2)),
        (Conv(4, kernel_size=(3, 2), stride=2, activation="tanh"), (4, 5, 2)),
        (Conv(4, kernel_size=2, padding="valid", dilation=2, groups=2, use_bias=False), (5, 4, 2)),
        (Conv(2, kernel_size=2, padding=1), (2, 3, 2, 1)),
    ],
    "ConvTranspose": [
        (ConvTranspose(3), (4, 2)),
        (ConvTranspose(4, kernel_size=(3, 2), stride=2, activation="tanh"), (2, 3, 2)),
        (ConvTranspose(4, kernel_size=2, padding="valid", dilation=2, groups=2, use_bias=False), (3, 2, 2)),
        (ConvTranspose(2, kernel_size=3, stride=(1, 2, 3), padding=1, output_size=(2, 5, 5)), (2, 3, 2, 1)),
    ],
    "Pool": [(Pool(), (5, 2)), (Pool("average", size=(2, 3), stride=1), (4, 4, 2)), (Pool(padding="valid"), (5, 4, 1))],
    "GlobalPool": [(GlobalPool(), (5, 2)), (GlobalPool("max"), (3, 2, 2))],
    "Flatten": [(Flatten(), (3, 2)), (Flatten(), (2, 2, 2))],
    "Residual": [
        (Residual([Dense(3, activation="tanh", use_bias=False), Dropout(0.0)]), (3,)),
        (Residual([LayerNorm(epsilon=1e-2), Dense(5, activation="gelu"), Dense(2)]), (4, 2)),
        (Residual([Conv(2, kernel_size=2), BatchNorm(), Residual((Conv(2, activation="silu"),))]), (4, 2)),
        (Residual([Conv(3, stride=2)], shortcut=[Pool(), Dense(3, use_bias=False)]), (5, 2)),
        (Residual([Dense(3), LayerNorm()], activation="relu"), (4, 3)),
    ],
    "Concat": [
        (Concat([Dense(3, activation="tanh"), Dense(2)]), (3,)),
        (Concat([Conv(3, stride=2), BatchNorm()], shortcut=[Pool("average")]), (5, 2)),
    ],
    "SqueezeExcite": [(SqueezeExcite(activation="silu"), (4, 3)), (SqueezeExcite(2.0), (2, 3, 2))],
    "StochasticDepth": [(StochasticDepth(), (3,)), (StochasticDepth(0.5), (2, 2, 3)), (StochasticDepth(0.0), (2,))],
    "InvertedResidual": [
        (InvertedResidual(2, expansion=2), (4, 2)),
        (InvertedResidual(3, stride=2, squeeze=0, norm="group", activation="tanh"), (3, 4, 2)),
        (InvertedResidual(2, expansion=1, kernel_size=(1, 2), norm="layer", stochastic_depth=0.3), (3, 2, 2)),
    ],
    "Sequential": [(Sequential([Dense(3, activation="tanh"), LayerNorm(epsilon=1e-2)]), (2,)), (Sequential(()), (2,))],
    "Recurrent": [
        (Recurrent(3), (4, 2)),
        (Recurrent(2, "lstm", sequences=False), (3, 2)),
        (Recurrent(2, "rnn", bidirectional=True), (3, 1)),
        (Recurrent(2, bidirectional=True, sequences=False), (3, 2)),
    ],
    "Standardise": [(Standardise(), (3,)), (Standardise(), (3, 2, 2))],
    "Unflatten": [(Unflatten((3, 2)), (6,)), (Unflatten((2, 3, 1), channels_first=True), (6,))],
    "FillGaps": [(FillGaps(), (3,)), (FillGaps([2, 0]), (4, 3))],
    "FeatureTokens": [(FeatureTokens(4), (3,)), (FeatureTokens(4, [0, 2, 0], [2]), (3,))],
    "Dropout": [(Dropout(), (3,)), (Dropout(0.2), (4, 2)), (Dropout(0.0), (2,))],
    "Attention": [
        (Attention(2), (3, 4)),
        (Attention(1, causal=True, dropout=0.5, use_bias=False), (4, 3)),
        (Attention(2, rotary=True, init="orthogonal"), (3, 8)),
        (Attention(2), (2, 3, 4)),
    ],
    "AttentiveRecurrent": [(AttentiveRecurrent(2, memory_width=3), (3, 4)), (AttentiveRecurrent(3), (1, 3))],
    "CrossAttention": [
        (CrossAttention(2, memory_width=3), (3, 4)),
        (CrossAttention(1, dropout=0.3), (1, 3)),
        (CrossAttention(2, memory_width=3), (2, 1, 2, 4)),
    ],
    "FeedForward": [(FeedForward(), (3,)), (FeedForward(1.5, "swiglu", dropout=0.2, use_bias=False), (2, 4))],
    "TransformerBlock": [
        (TransformerBlock(2, feedforward=1.5, rotary=True), (3, 4)),
        (TransformerBlock(1, causal=True, dropout=0.3, attention_dropout=0.2, activation="reglu"), (2, 3)),
        (TransformerBlock(2, feedforward=1.5), (2, 2, 4)),
    ],
    "DecoderBlock": [(DecoderBlock(2, memory_width=3), (3, 4)), (DecoderBlock(1, dropout=0.3), (2, 3))],
    "Positions": [
        (Positions(), (4, 3)),
        (Positions("learned"), (3, 2)),
        (Positions("time"), (4, 2)),
        (Positions(), (2, 3, 5)),
        (Positions("learned"), (2, 3, 2)),
    ],
    "TimePool": [
        (TimePool(kind), shape)
        for kind in ("mean_max", "last", "mean", "max", "attention")
        for shape in ((4, 3), (2, 3, 2))
    ],
    "Beside": [(Beside("known", 2), (3,)), (Beside("known", 1), (4, 2)), (Beside("known", 3), (2, 2, 2))],
    "Shifted": [(Shifted("known", 2), (3,)), (Shifted("known", 1), (4, 2)), (Shifted("known", 3), (2, 2, 2))],
    "Upsample": [
        (Upsample(), (3, 2)),
        (Upsample((2, 3), "linear"), (3, 1, 2)),
        (Upsample(3, "linear"), (2, 3, 2, 1)),
    ],
    "Cropped": [
        (Cropped([Pool("average"), ConvTranspose(3, kernel_size=2, stride=2)]), (5, 3, 2)),
        (Cropped([Dense(3, activation="tanh")]), (4, 2)),
    ],
    "AttentionGate": [(AttentionGate(2), (3,)), (AttentionGate(3, 4), (4, 3, 5))],
    "Coupling": [
        (Coupling([Dense(3, activation="tanh")], (0, 2), (1,), Affine()), (4,)),
        (Coupling([Dense(3, activation="tanh")], (0, 3), (2, 1), Spline(3, 2.0), n_conditions=2), (5,)),
        (Coupling([Conv(2)], range(0, 8, 2), range(1, 8, 2), Affine(), n_conditions=2, grid=(2, 2)), (9,)),
    ],
    "Autoregressive": [
        (Autoregressive((4,), Affine(), activation="tanh"), (4,)),
        (Autoregressive((4, 3), n_conditions=2, reverse=True, activation="tanh"), (3,)),
        (Autoregressive((3,), Spline(3, 2.0)), (2,)),
    ],
    "Mixing": [(Mixing(), (4,)), (Mixing((0, 3, 1, 2), n_positions=2), (6,))],
    "Patches": [(Patches(2, 3), (5, 2)), (Patches((2, 3), 4, padding="valid"), (5, 4, 2))],
}

OF_TOKENS: dict[str, tuple[Layer, tuple[int, ...]]] = {"Embedding": (Embedding(5, 3), (4,))}  # which are no numbers


def given(layer: Layer, n: int) -> dict[str, np.ndarray]:
    """What it asks for besides n samples."""
    if isinstance(layer, Positions):
        return {"times": np.cumsum(np.random.default_rng(2).uniform(0.5, 1.5, (n, 4)), axis=1)}
    if isinstance(layer, Beside | Shifted):
        return {layer.name: np.random.default_rng(2).standard_normal((n, layer.width))}
    if getattr(layer, "n_conditions", 0):
        return {"condition": np.random.default_rng(2).standard_normal((n, layer.n_conditions))}
    if isinstance(layer, AttentiveRecurrent | CrossAttention | DecoderBlock):
        return {"memory": np.random.default_rng(2).standard_normal((n, 5, 3))}
    return {}


each_layer = pytest.mark.parametrize(
    ("layer", "shape"),
    [pytest.param(*row, id=f"{name}-{i}") for name, rows in ROWS.items() for i, row in enumerate(rows)],
)


def test_every_layer_has_a_row():
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(sknn.nn.__path__, "sknn.nn.")]
    classes = {each for module in modules for each in vars(module).values() if inspect.isclass(each)}
    assert sorted([*ROWS, *OF_TOKENS]) == sorted(
        each.__name__ for each in classes if issubclass(each, Layer) and each is not Layer and each.__name__[0] != "_"
    )


def built(layer: Layer, shape: tuple[int, ...], dtype: str = "float64") -> Network:
    """The layer after a dense one, so that gradients by parameters pass through it even if it has none of its own."""
    return Network([Dense(shape[-1], activation="tanh"), layer], shape, np.random.default_rng(0), dtype)


def batch(n: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((n, *shape))


@each_layer
@pytest.mark.parametrize("n", [1, 5])
def test_the_output_has_the_shape_that_build_promised(layer, shape, n):
    network = Network([layer], shape, np.random.default_rng(0), "float64")
    x = batch(n, shape)
    for training in (False, True):
        y = network(x, training=training, draws=Draws(0), **given(layer, n))
        assert type(y) is np.ndarray
        assert y.shape == (n, *network.output_shape)
    assert network(Tensor(x), **given(layer, n)).shape == y.shape


@each_layer
def test_gradient_by_inputs(layer, shape):
    network = built(layer, shape)
    check_grads(lambda x: network(x, **given(layer, 3)), batch(3, shape))


@each_layer
def test_gradient_by_parameters(layer, shape, check_parameters):
    network = built(layer, shape)
    weights = batch(3, network.output_shape)
    check_parameters(lambda net, x: F.sum(F.square(net(x, **given(layer, 3)) - weights)), [network], batch(3, shape))


@each_layer
def test_float32_stays_float32(layer, shape):
    network = built(layer, shape, "float32")
    single = {name: x.astype(np.float32) for name, x in given(layer, 3).items()}
    y = network.function(watched=True)(batch(3, shape).astype(np.float32), **single)
    assert {network.theta.dtype, network.grad.dtype, y.dtype} == {np.dtype(np.float32)}


@each_layer
def test_a_description_cannot_be_changed(layer, shape):
    for each in fields(layer):
        with pytest.raises(FrozenInstanceError):
            setattr(layer, each.name, getattr(layer, each.name))
    before = replace(layer)
    built(layer, shape)(batch(2, shape), training=True, draws=Draws(0), **given(layer, 2))
    assert vars(layer) == vars(before)


@each_layer
def test_equal_descriptions_are_equal(layer, shape):
    for same in (replace(layer), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert same == layer
        assert hash(same) == hash(layer)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Dense(2), Dense(3)),
        (Dense(2), Dense(2, activation="relu")),
        (Dense(2), Dense(2, use_bias=False)),
        (Activation("relu"), Activation("tanh")),
        (Dense(2), Activation("identity")),
        (Residual([Dense(2)]), Residual([Dense(2), Dense(2)])),
    ],
)
def test_different_descriptions_are_different(one, other):
    assert one != other


@each_layer
def test_the_repr_makes_the_layer_again(layer, shape):
    assert eval(repr(layer), vars(sknn.nn)) == layer


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Dense(3), "Dense(3)"),
        (Dense(units=3, activation="tanh", use_bias=False), "Dense(3, activation='tanh', use_bias=False)"),
        (Conv(8, kernel_size=(3, 1)), "Conv(8, kernel_size=(3, 1))"),
        (Dropout(0.5), "Dropout()"),
        (Flatten(), "Flatten()"),
    ],
)
def test_the_repr_shows_what_was_chosen_only(layer, words):
    assert repr(layer) == words


# -- what a layer declares -----------------------------------------------------------------------------------------


def test_dense_declares_a_decaying_weight_and_a_bias_that_does_not():
    store = Store(np.random.default_rng(0))
    assert Dense(2, bias_init="ones").build((5, 3), store.inside("here")) == (5, 2)
    weight, bias = store.parameters
    assert (weight.name, weight.shape, weight.decay) == ("here.weight", (3, 2), True)
    assert (bias.name, bias.shape, bias.decay) == ("here.bias", (2,), False)
    assert_array_equal(bias.init, [1, 1])


def test_initial_values_are_drawn_in_the_order_of_declaration():
    store, rng = Store(np.random.default_rng(0)), np.random.default_rng(0)
    Dense(2, init="he_normal", bias_init="he_normal", gain=2.0).build((3,), store)
    assert_array_equal(store.parameters[0].init, 2 * np.sqrt(2 / 3) * rng.standard_normal((3, 2)))
    assert_array_equal(store.parameters[1].init, 2 * np.sqrt(2 / 3) * rng.standard_normal(2))


def test_parts_of_parts_have_names_with_their_whole_path():
    store = Store(np.random.default_rng(0))
    inner = store.inside("0").inside("query")
    inner.parameter("weight", (2,))
    inner.state("mean", (2,), "ones")
    assert [each.name for each in store.parameters + store.states] == ["0.query.weight", "0.query.mean"]


ERRORS = {
    "no units": (lambda: Dense(0), ValueError, r"units must be an integer in \[1, inf\); got 0"),
    "negative units": (lambda: Dense(-2), ValueError, r"units must be an integer in \[1, inf\); got -2"),
    "half a unit": (lambda: Dense(2.5), ValueError, "units must be an integer in .*; got 2.5"),
    "units in words": (lambda: Dense("5"), ValueError, "units must be an integer in .*; got '5'"),
    "true units": (lambda: Dense(True), ValueError, "units must be an integer in .*; got True"),
    "gain": (lambda: Dense(2, gain="big"), ValueError, r"gain must be a number in \(-inf, inf\); got 'big'"),
    "filters": (lambda: Conv(True), ValueError, r"filters must be an integer in \[1, inf\); got True"),
    "groups": (lambda: Conv(3, groups=2), ValueError, "filters=3 must be a multiple of groups=2"),
    "half a tap": (
        lambda: Conv(3, kernel_size=2.5), ValueError,
        r"kernel_size must be an integer or a sequence of integers in \[1, inf\); got 2.5",
    ),
    "a tap of two": (lambda: Conv(3, kernel_size=(3, True)), ValueError, r"kernel_size must be .*; got \(3, True\)"),
    "padding": (lambda: Conv(3, padding="some"), ValueError, "must be 'same' or 'valid' or an integer .*; got 'some'"),
    "output size": (
        lambda: ConvTranspose(3, stride=2, output_size=9).build((4, 1), Store(np.random.default_rng(0))), ValueError,
        r"output_size=\(9,\) has room for \(5,\) windows with stride \(2,\), but the input has \(4,\) positions",
    ),
    "size": (lambda: Pool(size=0), ValueError, r"size must be an integer or .* in \[1, inf\); got 0"),
    "stride": (lambda: Pool(stride="a"), ValueError, "stride must be an integer or .*; got 'a'"),
    "half a shape": (
        lambda: Unflatten((2.5,)), ValueError, r"shape must be a sequence of integers in \[1, inf\); got \(2.5,\)",
    ),
    "a number for a shape": (lambda: Unflatten(6), ValueError, "shape must be a sequence of integers .*; got 6"),
    "bytes for a shape": (lambda: Unflatten(b"ab"), ValueError, "shape must be a sequence of integers .*; got b'ab'"),
    "a set of sizes": (
        lambda: Conv(2, {3, 5}), ValueError, "kernel_size must be an integer or a sequence .*; got {3, 5}",
    ),
    "layers in a word": (lambda: Sequential("ab"), ValueError, "layers must be a list of layers; got 'ab'"),
    "one layer for a list": (
        lambda: Residual(Dense(2)), ValueError, r"layers must be a list of layers; got Dense\(2\)",
    ),
    "no layer": (lambda: Concat([Dense(2), 3]), ValueError, r"layers\[1\]=3 is no layer of sknn.nn, such as Dense"),
    "no shortcut": (lambda: Concat([Dense(2)], None), ValueError, "shortcut must be a list of layers; got None"),
    "more than a float holds": (
        lambda: LayerNorm(10**400), ValueError, r"epsilon must be a number in \(0, inf\); got 1",
    ),
    "activation of Dense": (lambda: Dense(2, activation="no"), ValueError, "activation='no' is unknown; .*relu"),
    "activation": (lambda: Activation("no"), ValueError, "activation='no' is unknown; .*relu"),
    "momentum": (lambda: BatchNorm(momentum=1.0), ValueError, r"momentum must be a number in \[0, 1\); got 1.0"),
    "activation of BatchNorm": (lambda: BatchNorm(activation="no"), ValueError, "activation='no' is unknown; .*relu"),
    "epsilon of BatchNorm": (lambda: BatchNorm(epsilon=0.0), ValueError, "epsilon must be a number in .*; got 0.0"),
    "epsilon of LayerNorm": (lambda: LayerNorm(epsilon=-1.0), ValueError, "epsilon must be a number in .*; got -1.0"),
    "over of LayerNorm": (lambda: LayerNorm(over="batch"), ValueError, "over='batch' must be 'channels' or 'sample'"),
    "groups of GroupNorm": (
        lambda: GroupNorm(2).build((5, 3), Store(None)), ValueError, "groups=2 must divide the 3 channels of the input",
    ),
    "no groups": (lambda: GroupNorm(0), ValueError, r"groups must be an integer in \[1, inf\); got 0"),
    "ratio": (lambda: SqueezeExcite(0.0), ValueError, r"ratio must be a number in \(0, inf\); got 0.0"),
    "rate of StochasticDepth": (lambda: StochasticDepth(1.0), ValueError, r"rate must be a number in \[0, 1\); got 1"),
    "no draws": (
        lambda: StochasticDepth(0.5).apply({}, np.ones((1, 1)), Context(training=True)), ValueError,
        "draws=None: StochasticDepth draws in training",
    ),
    "expansion": (lambda: InvertedResidual(2, expansion=0), ValueError, r"expansion must be a number in \(0, inf\)"),
    "rate": (lambda: Dropout(1.0), ValueError, r"rate must be a number in \[0, 1\); got 1.0"),
    "negative rate": (lambda: Dropout(-0.1), ValueError, r"rate must be a number in \[0, 1\); got -0.1"),
    "rate in words": (lambda: Dropout("a"), ValueError, "rate must be a number in .*; got 'a'"),
    "cell": (lambda: Recurrent(2, "no"), ValueError, "cell='no' must be 'gru' or 'lstm' or 'rnn'"),
    "no series": (
        lambda: Recurrent(2).build((3,), Store(None)), ValueError, r"works on series, .* but they are of shape \(3,\)",
    ),
    "no function behind the sum": (
        lambda: Residual([Dense(3)], activation="no"), ValueError, r"activation='no'",
    ),
    "nothing to go around": (lambda: Residual([]), ValueError, r"layers=\(\) is empty: Residual needs at least one"),
    "another shape within": (
        lambda: Residual([Dense(3, init="ones"), Dense(4, init="ones")]).build((3,), Store(None)), ValueError,
        r"layers of Residual must keep the shape of their input, \(3,\), but make it \(4,\)",
    ),
    "another shape around": (
        lambda: Residual([Dense(3)], shortcut=[Dense(2)]).build((4,), Store(np.random.default_rng(0))), ValueError,
        r"layers of Residual make \(3,\) of \(4,\), but the shortcut \(2,\): make them equal",
    ),
    "a stride beside an input": (
        lambda: Concat([Conv(2, stride=2)]).build((4, 1), Store(np.random.default_rng(0))), ValueError,
        r"layers of Concat make \(2, 2\) of \(4, 1\), but the way around them \(4, 1\): all axes but the last",
    ),
    "nothing to put beside": (lambda: Concat([]), ValueError, r"layers=\(\) is empty: Concat needs at least one"),
    "init": (
        lambda: Dense(2, init="no").build((3,), Store(None)), ValueError, "init='no' is unknown; .*'he_normal'",
    ),
    "bias_init": (
        lambda: Dense(2, init="zeros", bias_init="no").build((3,), Store(None)), ValueError, "init='no' is unknown",
    ),
    **{
        f"{type(layer).__name__} without a grid": (
            partial(layer.build, (3,), Store(None)), ValueError, r"works on grids, .* but they are of shape \(3,\)",
        )
        for layer in (Conv(2), Pool(), GlobalPool(), SqueezeExcite(), InvertedResidual(2), Upsample())
    },
    "heads": (lambda: Attention(0), ValueError, r"n_heads must be an integer in \[1, inf\); got 0"),
    "heads that do not fit": (
        lambda: Attention(3).build((5, 4), Store(None)), ValueError, "n_heads=3 must divide the 4 channels",
    ),
    "heads of odd width": (
        lambda: Attention(1, rotary=True).build((5, 3), Store(None)), ValueError, "rotary=True needs heads of an even",
    ),
    "no learned positions": (
        lambda: Positions("learned").build((None, 3), Store(None)), ValueError, "length=None: series of any length",
    ),
    "several channels of tokens": (
        lambda: Embedding(5, 3).build((4, 2), Store(None)), ValueError, r"works on tokens, .* of shape \(4, 2\)",
    ),
    **{
        f"{type(layer).__name__} without positions": (
            partial(layer.build, (4,), Store(None)), ValueError,
            r"works on the steps of series and the positions of grids, .* but they are of shape \(4,\)",
        )
        for layer in (Attention(1), CrossAttention(1), Positions(), TimePool())
    },
    **{
        f"{layer} without steps": (
            partial(layer.build, (4, 4, 2), Store(None)), ValueError, r"works on series, .* of shape \(4, 4, 2\)",
        )
        for layer in (AttentiveRecurrent(2), Positions("time"))
    },
    "turned on a grid": (
        lambda: Attention(1, rotary=True).build((4, 4, 2), Store(None)), ValueError,
        r"rotary=True turns with the step of a series, but samples are of shape \(4, 4, 2\)",
    ),
    "fewer channels than axes": (
        lambda: Positions().build((4, 4, 1), Store(None)), ValueError, "needs a channel for each axis of the grid",
    ),
    **{
        f"learned positions of {grid}": (
            partial(layer.build, (*grid, 2), Store(None)), ValueError,
            "positions of a grid are learned for all of it, so it must be of one size and length=None",
        )
        for layer, grid in ((Positions("learned"), (None, 4)), (Positions("learned", length=16), (4, 4)))
    },
    "factor": (lambda: Upsample(0), ValueError, r"factor must be an integer or .* in \[1, inf\); got 0"),
    "a factor for each of other axes": (
        lambda: Upsample((2, 2)).build((4, 1), Store(None)), ValueError, r"factor=\(2, 2\) must be .* each of 1 axes",
    ),
    "a crop that is too small": (
        lambda: Cropped([Pool()]).build((4, 4, 1), Store(None)), ValueError,
        r"layers of Cropped make \(2, 2, 1\) of \(4, 4, 1\): they must make a grid that is no smaller",
    ),
    "a crop of no grid": (
        lambda: Cropped([Flatten()]).build((4, 1), Store(None)), ValueError, r"Cropped make \(4,\) of \(4, 1\)",
    ),
    "a crop of series that are too short": (
        lambda: Cropped([Pool()]).build((None, 1), Store(None)), ValueError, "Cropped make 500 positions of 1000: they",
    ),
    "nothing to open the gate": (
        lambda: AttentionGate(3).build((4, 3), Store(None)), ValueError, "gated=3 channels leave none of 3 to open",
    ),
    "a number for a state": (
        lambda: Mixing().build((1,), Store(None)), ValueError, r"Mixing works on states \(d \+ 1,\), .* shape \(1,\)",
    ),
    "a value that stays and moves": (
        lambda: Coupling((), (0, 1), (1,)).build((3,), Store(None)), ValueError,
        r"stay=\(0, 1\) and move=\(1,\) must name different ones of 2 values",
    ),
    "groups that are not equal": (
        lambda: Mixing(n_positions=2).build((4,), Store(None)), ValueError,
        "which=None must name n_positions=2 equal groups of 3 values",
    ),
    "no condition": (
        lambda: Autoregressive((2,), n_conditions=2).apply({}, np.ones((1, 3)), Context()), ValueError,
        "condition=None: Autoregressive needs 2 numbers of each sample",
    ),
    "one bin": (lambda: Spline(1), ValueError, r"n_bins must be an integer in \[2, inf\); got 1"),
    "nothing beside": (
        lambda: Beside("known", 1).apply({}, np.ones((1, 1)), Context()), ValueError, "known=None: Beside.* needs",
    ),
    "another number beside": (
        lambda: Beside("known", 1).apply({}, np.ones((1, 1)), Context(given={"known": np.ones((1, 2))})), ValueError,
        r"known=numbers of shape \(1, 2\): Beside needs 1 numbers of each sample",
    ),
    "nothing to shift by": (
        lambda: Shifted("known", 1).apply({}, np.ones((1, 1)), Context()), ValueError, "known=None: Shifted.* needs",
    ),
    "no build": (lambda: Layer().build((3,), Store(None)), TypeError, "Layer defines no build"),
    "no apply": (lambda: Layer().apply({}, np.ones(3), Context()), TypeError, "Layer defines no apply"),
}  # fmt: skip


def test_sizes_are_kept_as_numbers_of_python():
    assert Dense(np.int64(5)) == Dense(5)
    assert repr(Conv(np.int32(3), kernel_size=np.array([3, 5]))) == "Conv(3, kernel_size=(3, 5))"
    assert Pool(size=[2, 3]) == Pool(size=(2, 3))
    assert hash(Unflatten([2, np.int64(3)])) == hash(Unflatten((2, 3)))


CHOICES = {
    (Dense, "activation"), (Dense, "init"), (Dense, "bias_init"), (Dense, "use_bias"), (Conv, "activation"),
    (Conv, "init"), (Conv, "bias_init"), (Conv, "use_bias"), (Activation, "activation"), (Pool, "kind"),
    (GlobalPool, "kind"), (LayerNorm, "over"), (Unflatten, "channels_first"), (Attention, "causal"),
    (Attention, "rotary"), (Attention, "use_bias"), (Attention, "init"), (FeedForward, "activation"),
    (TransformerBlock, "activation"), (Positions, "kind"), (TimePool, "kind"), (Upsample, "kind"),
    (Recurrent, "cell"), (Recurrent, "bidirectional"), (Recurrent, "sequences"), (BatchNorm, "activation"),
    (BatchNorm, "gain_init"), (LayerNorm, "gain_init"), (GroupNorm, "gain_init"), (SqueezeExcite, "activation"),
    (InvertedResidual, "activation"), (InvertedResidual, "norm"), (InvertedResidual, "zero_init"),
}  # fmt: skip


@pytest.mark.parametrize("value", [1, 0, None, "no", ["relu"], np.nan, b"relu", {}], ids=repr)
@pytest.mark.parametrize(("layer", "name"), sorted(CHOICES, key=str))
def test_words_and_truth_values_are_checked_when_a_layer_is_made(layer, name, value):
    needed = {"shape": (2,)} if layer is Unflatten else {}
    needed |= {first.name: 2 for first in fields(layer)[:1] if first.name in ("units", "filters")}
    with pytest.raises(ValueError, match=f"^{name}"):
        layer(**needed, **{name: value})


def test_words_and_truth_values_of_numpy_are_python_s():
    layer = Dense(2, activation=np.str_("relu"), use_bias=np.False_)
    assert (type(layer.activation), layer.use_bias) == (str, False)


@pytest.mark.parametrize(("action", "error", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(action, error, message):
    with pytest.raises(error, match=message):
        action()


@pytest.mark.parametrize("second", ["parameter", "state"])
def test_a_name_declared_twice_is_refused(second):
    store = Store(np.random.RandomState(0)).inside("0")
    store.parameter("scale", (2,))
    with pytest.raises(ValueError, match=r"name='scale' is declared twice: there is a '0\.scale' already"):
        getattr(store, second)("scale", (3,))
