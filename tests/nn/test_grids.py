"""Images of any size: networks whose axes are open, and images of different sizes as rows without padding."""

import pickle

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
    Grids,
    GroupNorm,
    InvertedResidual,
    Layer,
    LayerNorm,
    Network,
    Patches,
    Pool,
    Positions,
    Residual,
    Sequential,
    SqueezeExcite,
    Standardise,
    TimePool,
    TransformerBlock,
    Upsample,
    value_and_grad,
)
from sknn.nn.blocks import basic, bottleneck, preactivation, unet
from sknn.nn.promises import check_shapes

SHAPES = np.array([[5, 7], [5, 7], [8, 6], [4, 4], [5, 7]])

NETWORKS: dict[str, list[Layer]] = {
    "Conv": [Conv(4)],
    "Conv, stride": [Conv(4, kernel_size=4, stride=(2, 1), activation="gelu")],
    "Conv, valid": [Conv(4, kernel_size=(3, 2), dilation=(1, 2), padding="valid", activation="relu")],
    "Conv, padded": [Conv(4, padding=(2, 1), stride=3, use_bias=False, activation="tanh")],
    "Conv, depthwise": [Conv(6, groups=3)],
    "ConvTranspose": [ConvTranspose(4, kernel_size=2, stride=2)],
    "ConvTranspose, gaps": [ConvTranspose(2, kernel_size=2, stride=(3, 1), padding="valid", activation="relu")],
    "there and back": [Conv(4, stride=2), ConvTranspose(3, kernel_size=2, stride=2), Conv(2)],
    "there and back, cropped": [Cropped([Pool(), Conv(3), ConvTranspose(2, kernel_size=2, stride=2)]), Conv(2)],
    "Upsample": [Upsample((2, 3)), Conv(2)],
    "Upsample, linear": [Upsample(2, "linear")],
    "U-net": [*unet(2, 2, attention=True), Conv(2, 1)],
    "U-net, nearest": [*unet(2, 2, residual=True, up="nearest"), Conv(2, 1)],
    "Pool": [Pool()],
    "Pool, average": [Pool("average", size=3, padding="valid")],
    "Pool, overlapping": [Pool(size=3, stride=2)],
    "GlobalPool": [GlobalPool()],
    "GlobalPool, max": [GlobalPool("max")],
    "classifier": [Standardise(), Conv(4), BatchNorm(), Activation("relu"), Pool(), Conv(4), GlobalPool(), Dense(3)],
    "segmenter": [Dense(4), LayerNorm(), Dropout(), Conv(4, activation="silu"), Dense(3)],
    "LayerNorm, sample": [LayerNorm(over="sample"), Conv(2)],
    "Sequential": [Sequential([Pool(), Sequential([Conv(3, stride=2)])]), Conv(2)],
    "Residual": [Conv(4), Residual([Conv(4), BatchNorm(), Residual([Conv(4)])]), Pool(), Residual([Conv(4)])],
    "Residual, shortcut": [Residual([Conv(4, stride=2), Conv(5)], shortcut=[Conv(5, kernel_size=1, stride=2)])],
    "Concat": [Concat([Conv(2)]), Concat([Pool(), Conv(2)], shortcut=[Pool("average")]), Conv(2)],
    "Concat, pooled": [Concat([GlobalPool()], shortcut=[Conv(2), GlobalPool("max")]), Dense(2)],
    "Patches": [Patches(4, 5)],
    "GroupNorm": [Conv(4), GroupNorm(2), Conv(2)],
    "SqueezeExcite": [SqueezeExcite(), Conv(2)],
    "residual network": [Conv(4), *basic(4, 6, stride=2), *bottleneck(6, 6, norm="group"), *preactivation(6, 6)],
    "mobile network": [
        InvertedResidual(4, stride=2),
        InvertedResidual(4, stochastic_depth=0.2),
        GlobalPool(),
        Dense(2),
    ],
    "tokens": [Patches(2, 6), Positions(), TransformerBlock(2, feedforward=2), Attention(3), TimePool(), Dense(2)],
}

each_network = pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)


def built(layers: list[Layer], dtype: str = "float64", shape: tuple = (None, None, 2)) -> Network:
    """The layers after a dense one, so that gradients by parameters pass through all."""
    return Network([Dense(3, activation="tanh"), *layers], shape, np.random.RandomState(0), dtype)


def drawn(dtype: str = "float64", shapes: np.ndarray = SHAPES) -> Grids:
    values = np.random.default_rng(1).standard_normal((shapes.prod(axis=1).sum(), 2))
    return Grids(values.astype(dtype), shapes)


def outputs(y):
    """The values of rows, or what has become one row a sample."""
    return y.values if hasattr(y, "lengths") else y


# -- axes that are open --------------------------------------------------------------------------------------------


@each_network
def test_a_network_of_open_axes_is_that_of_each_size(layers):
    """Parameters are the same, and so are results."""
    network = built(layers)
    for n, m in ((5, 7), (8, 6), (9, 9)):
        fixed, x = built(layers, shape=(n, m, 2)), np.random.default_rng(0).standard_normal((2, n, m, 2))
        assert_array_equal(network.theta, fixed.theta)
        assert_array_equal(network(x), fixed(x))
        for promised, size in zip(network.output_shape, fixed.output_shape, strict=True):
            assert promised in (None, size)
        check_shapes(network, x)


def test_any_number_of_axes_and_only_some_of_them_may_be_open():
    layers = [Conv(2), Pool(), Residual([Conv(2)]), ConvTranspose(2, stride=2), BatchNorm(), GlobalPool(), Dense(1)]
    for shape in ((None, None, None, 1), (4, None, 1), (None, 4, 5, 1)):
        network = Network(layers, shape, np.random.RandomState(0))
        grid = [6 if n is None else n for n in shape]
        assert network(np.ones(grid, "f4")[None]).shape == (1, 1)
        assert network.shapes[1][:-1] == tuple(None if n is None else -(-n // 2) for n in shape[:-1])


REFUSED = {
    "Flatten": ([Conv(2), Flatten(), Dense(3)], (None, 8, 2), r"\(None, 8, 2\) may be of any size, .* GlobalPool"),
    "a size": ([ConvTranspose(2, output_size=9)], (8, None, 2), "output_size=9 must be None where samples are of any"),
    "a stride": ([Residual([Conv(2, stride=(1, 2))])], (None, None, 2), "make 1000x500 positions of 1000x1000"),
    "one open": ([Residual([Conv(2, stride=(1, 2))])], (6, None, 2), "make 6x500 positions of 6x1000, .* 6x1000: the"),
    "odd sizes": ([Concat([Pool(), ConvTranspose(2, stride=2)])], (None, None, 2), "1002x1002 positions of 1001x1001"),
}


@pytest.mark.parametrize(("layers", "shape", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_built_for_any_size(layers, shape, message):
    with pytest.raises(ValueError, match=message):
        Network(layers, shape, np.random.RandomState(0))


# -- images of different sizes -------------------------------------------------------------------------------------


@each_network
def test_on_rows_as_on_each_sample_alone(layers):
    network, x = built(layers), drawn()
    together = network(x)
    assert len(together) == len(x)
    for found, sample in zip(together, x, strict=True):
        assert_allclose(found, network(sample[None])[0], rtol=1e-12, atol=1e-12)


@each_network
@pytest.mark.parametrize("training", [False, True])
def test_images_of_one_size_are_the_array(layers, training):
    network = built(layers)
    array = np.random.default_rng(0).standard_normal((4, 6, 5, 2))
    state = network.state.copy()
    expected = network(array, training=training, draws=Draws(0, "float64"))
    moved, network.state[:] = network.state.copy(), state
    found = network(Grids.of(array), training=training, draws=Draws(0, "float64"))
    assert_allclose(outputs(found).ravel(), expected.ravel(), rtol=1e-12, atol=1e-13)
    assert_allclose(network.state, moved, rtol=1e-12, atol=1e-15)  # the mean of what is normalised is 0


@each_network
def test_gradients_are_the_sums_of_those_of_each_sample(layers):
    network, x = built(layers), drawn()

    def gradient(batch) -> np.ndarray:
        return value_and_grad(lambda net: F.sum(F.square(1.0 + outputs(net(batch)))), [network])[1][0].copy()

    assert_allclose(gradient(x), sum(gradient(sample[None]) for sample in x), rtol=1e-10, atol=1e-12)


@each_network
def test_gradient_by_inputs(layers):
    network, x = built(layers), drawn(shapes=SHAPES[2:4])
    check_grads(lambda values: outputs(network(x.like(values))), x.values)


@each_network
def test_the_shape_is_the_one_promised(layers):
    network, x = built(layers, "float32"), drawn("float32")
    y = network(x)
    assert network.output_shape == (y.sample_shape if hasattr(y, "lengths") else y.shape[1:])
    assert y.dtype == np.float32
    check_shapes(network, x)


@each_network
def test_in_blocks_as_in_one(layers):
    network, x = built(layers), drawn()
    parts = [sample for rows in x.blocks(60) for sample in network(x[rows])]
    for part, whole in zip(parts, network(x), strict=True):
        assert_allclose(part, whole, rtol=1e-12, atol=1e-13)


def test_statistics_of_a_batch_are_those_of_all_pixels():
    network, x = Network([BatchNorm(momentum=0.0)], (None, None, 2), None, "float64"), drawn()
    y = network(x, training=True)
    assert_allclose(y.values.mean(axis=0), 0, atol=1e-12)
    assert_allclose(network.parameters["0"]["mean"], x.values.mean(axis=0))
    assert_allclose(network.parameters["0"]["variance"], x.values.var(axis=0, ddof=1))


@pytest.mark.parametrize("layer", [Conv(2, kernel_size=5, padding="valid"), Pool(size=5, padding="valid")])
def test_a_sample_too_small_is_named(layer):
    network = Network([layer], (None, None, 2), np.random.RandomState(0))
    for apply in (network, layer.follow):
        with pytest.raises(ValueError, match="sample 3 is too small, it has 4x4 positions here: windows span 5x5"):
            apply(drawn("float32"))


# -- as an array of samples ----------------------------------------------------------------------------------------


def objects(samples):
    array = np.empty(len(samples), object)
    for k, sample in enumerate(samples):
        array[k] = sample
    return array


IMAGES = list(drawn())
FORMS = {"list": list, "tuple": tuple, "object array": objects, "a column": lambda each: objects(each)[:, None]}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_is_read(form):
    x = Grids.of(form(IMAGES))
    assert_array_equal(x.values, drawn().values)
    assert_array_equal(x.shapes, SHAPES)
    assert Grids.of(x) is x
    assert Grids.of(x, "float32").dtype == np.float32


@pytest.mark.parametrize("rows", [slice(1, 4), slice(None, None, 2), [3, 0, 3], np.arange(5) > 2, (slice(2), ...)])
def test_rows_are_samples(rows):
    found = drawn()[rows]
    expected = objects(IMAGES)[rows[0] if isinstance(rows, tuple) else rows]
    assert isinstance(found, Grids)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other)


def test_it_is_an_array_of_samples_to_others():
    x = drawn()
    assert (x.shape, x.ndim, x.sample_shape) == ((5,), 1, (None, None, 2))
    assert_array_equal(x[2], IMAGES[2])
    array = np.asarray(x)
    assert array.shape == (5,)
    assert array[3].shape == (4, 4, 2)
    copied = pickle.loads(pickle.dumps(x))
    assert_array_equal(copied.shapes, x.shapes)
    assert repr(x) == "Grids(5 samples of 4x4 to 8x6 positions, 2 channels, float64)"
    assert repr(x[:0]) == "Grids(0 samples of  positions, 2 channels, float64)"
    assert [(run.n_samples, run.grid) for run in x.runs] == [(1, (4, 4)), (3, (5, 7)), (1, (8, 6))]
    assert [run.n_samples for run in x[:4].runs] == [2, 1, 1]


WRONG = {
    "no samples": (lambda: Grids.of([]), "X holds no samples"),
    "no channels": (lambda: Grids.of([np.zeros((3, 4))]), r"sample 0 of X has shape \(3, 4\) .* an image"),
    "words": (lambda: Grids.of([np.full((2, 2, 1), "a")]), "sample 0 .* dtype <U1: it must hold real numbers"),
    "other channels": (
        lambda: Grids.of([np.zeros((2, 2, 1)), np.zeros((2, 2, 3))]),
        "sample 1 of X has shape .2, 2, 3",
    ),
    "other axes": (lambda: Grids.of([np.zeros((2, 2, 1)), np.zeros((2, 2, 2, 1))]), "sample 1 .* as many axes"),
    "an empty one": (lambda: Grids.of([np.zeros((2, 0, 1))]), "sample 0 of X is 2x0: every sample needs"),
    "too few": (lambda: Grids(np.zeros((3, 1)), [[2, 2]]), "shapes add up to 4, but there are 3 positions"),
    "no rows": (lambda: Grids(np.zeros((3, 1)), [3]), r"a row of sizes for each sample, but are of shape \(1,\)"),
    "one number of it": (lambda: np.asarray(drawn(), float), "is no array of float64: its samples differ in size"),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
