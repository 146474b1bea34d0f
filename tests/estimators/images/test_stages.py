"""Residual networks and networks of few weights: what parameters build, what is refused, and what must be learnt."""

import pickle
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from sknn import MobileNetClassifier, MobileNetRegressor, ResNetClassifier, ResNetRegressor
from sknn.augment import Flip
from sknn.nn import BatchNorm, Conv, GroupNorm, InvertedResidual, LayerNorm, Residual, StochasticDepth

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FEW = {"max_iter": 2, "random_state": 0}
CLASSIFIERS = {
    "ResNet": ResNetClassifier((4, 8), **FEW),
    "MobileNet": MobileNetClassifier((8, 8), blocks=1, **FEW),
}
each_family = pytest.mark.parametrize("family", CLASSIFIERS.values(), ids=CLASSIFIERS)


def spots(n: int = 80, grid: tuple[int, ...] = (8, 8), channels: int = 1, seed: int = 0):
    """Noise, in half of the samples with a bright spot anywhere, and which these are."""
    rng = np.random.default_rng(seed)
    X, y = 0.3 * rng.standard_normal((n, *grid, channels)), rng.integers(2, size=n)
    for sample, bright in zip(X, y, strict=True):
        corner = [rng.integers(size - 2) for size in grid]
        sample[tuple(slice(low, low + 3) for low in corner)] += 1.5 * bright
    return X, y


SPOTS = spots()


def ragged(n: int, n_axes: int, seed: int = 0):
    """Spots on grids of different sizes."""
    rng = np.random.default_rng(seed)
    samples = [spots(1, tuple(rng.integers(5, 10, n_axes)), seed=k) for k in range(n)]
    return [X[0] for X, _ in samples], np.array([y[0] for _, y in samples])


# -- what the parameters build -------------------------------------------------------------------------------------


def built(Estimator, grid=(8, 8), channels=1, **params):
    X, y = spots(20, grid, channels)
    return Estimator(**{**FEW, "max_iter": 1, **params}).fit(X, y)


def convolutions(estimator):
    """Those of the blocks, in order, without the shortcuts."""
    walked = estimator.network_.layers_by_name.items()
    return [layer for name, layer in walked if isinstance(layer, Conv) and "." in name and "shortcut" not in name]


@pytest.mark.parametrize(
    ("grid", "filters", "kernels", "after"),
    [
        ((12,), [32, 64, 64], [8, 5, 3], (None,)),
        ((9, 8), [16, 32, 64], [3, 3], (None, None)),
        ((4, 4, 4), [16, 32, 64], [3, 3], (None, None, None)),
    ],
)
def test_what_auto_is_depends_on_the_axes(grid, filters, kernels, after):
    resnet = built(ResNetClassifier, grid)
    found = convolutions(resnet)
    assert [layer.filters for layer in found] == np.repeat(filters, len(kernels)).tolist()
    assert [layer.kernel_size for layer in found] == kernels * 3
    strides = [layer.stride for layer in found[:: len(kernels)]]
    assert strides == ([1, 1, 1] if len(grid) == 1 else [1, 2, 2])
    assert resnet.network_.input_shape == (*after, 1)
    assert_array_equal(resnet.predict(spots(4, tuple(n + 3 for n in grid))[0]).shape, (4,))  # of any size


def test_the_default_network_is_the_small_one_of_the_literature():
    X = np.random.default_rng(0).standard_normal((20, 32, 32, 3))
    y = np.arange(20) % 10
    assert ResNetClassifier(**{**FEW, "max_iter": 1}).fit(X, y).network_.n_parameters == 78_042


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"filters": 6}, [6, 6]),
        ({"filters": (4, 6), "blocks": (1, 2)}, [4, 4, 6, 6, 6, 6]),
        ({"filters": (8, 16), "block": "bottleneck"}, [2, 2, 8, 4, 4, 16]),
        ({"filters": (4,), "kernel_size": [5, 3, 1]}, [4, 4, 4]),
        ({"filters": (4, 8), "block": "preactivation", "blocks": 2}, [4] * 4 + [8] * 4),
    ],
)
def test_filters_and_blocks(params, expected):
    assert [layer.filters for layer in convolutions(built(ResNetClassifier, **params))] == expected


@pytest.mark.parametrize(("norm", "kind"), [("batch", BatchNorm), ("group", GroupNorm), ("layer", LayerNorm)])
@pytest.mark.parametrize("family", [ResNetClassifier, MobileNetClassifier])
def test_norms(family, norm, kind):
    estimator = built(family, filters=(8, 8), norm=norm)
    kinds = {type(layer) for layer, _ in estimator.network_.walk() if "Norm" in type(layer).__name__}
    assert kinds == {kind}


@pytest.mark.parametrize(("zero_init", "first"), [(True, 0.0), (False, 1.0)])
def test_blocks_begin_as_what_goes_around_them_unless_told_otherwise(zero_init, first):
    resnet = built(ResNetClassifier, filters=(4,), zero_init=zero_init, learning_rate_init=1e-12)
    assert resnet.network_.layers[2].layers[-1].gain_init == ("zeros" if zero_init else "ones")
    assert_allclose(resnet.network_.parameters_of("2.3")["gain"], first, atol=1e-9)


def test_stochastic_depth_grows_from_block_to_block():
    for family in (ResNetClassifier, MobileNetClassifier):
        estimator = built(family, filters=(8, 8), blocks=2, stride=1, stochastic_depth=0.4)
        rates = [layer.rate for layer, _ in estimator.network_.walk() if isinstance(layer, StochasticDepth)]
        assert_allclose(rates, [0.1, 0.2, 0.3, 0.4])


def test_a_norm_and_a_function_stand_behind_the_last_block_of_preactivation():
    layers = built(ResNetClassifier, filters=(4,), block="preactivation").network_.layers
    assert [type(layer).__name__ for layer in layers[2:]] == ["Residual", "BatchNorm", "GlobalPool", "Dense"]
    assert isinstance(layers[2], Residual)
    assert layers[3].activation == "relu"


SCALES = {
    0: ((16, 24, 40, 80), 2),
    1: ((16, 24, 48, 88), 3),
    3: ((24, 32, 56, 104), 4),
    -1: ((16, 24, 40, 72), 2),
}


@pytest.mark.parametrize("scale", SCALES)
def test_scale_makes_networks_deeper_and_wider(scale):
    widths, n_blocks = SCALES[scale]
    mobilenet = built(MobileNetClassifier, scale=scale, expansion=1)
    blocks = [layer for layer in mobilenet.network_.layers if isinstance(layer, InvertedResidual)]
    assert [block.filters for block in blocks] == np.repeat(widths, n_blocks).tolist()


def test_the_parameters_of_a_mobilenet_by_hand():
    mobilenet = built(MobileNetClassifier, channels=3, filters=(8, 16), blocks=1, expansion=2, squeeze=0.25)

    def block(channels: int, filters: int) -> int:
        wide, units = 2 * channels, channels // 4
        convolutions = channels * wide + 9 * wide + wide * filters
        return convolutions + 2 * (wide + wide + filters) + (wide * units + units) + (units * wide + wide)

    first, last = 9 * 3 * 8 + 2 * 8, 16 * 32 + 2 * 32
    assert mobilenet.network_.n_parameters == first + block(8, 8) + block(8, 16) + last + 32 + 1


# -- what is refused -----------------------------------------------------------------------------------------------

REFUSED = {
    "filters": (ResNetClassifier, {"filters": (8, 0)}, "filters=(8, 0) must be a positive integer, or"),
    "no filters": (MobileNetClassifier, {"filters": ()}, "filters=() must be a positive integer"),
    "filters in words": (ResNetClassifier, {"filters": "many"}, "The 'filters' parameter of ResNetClassifier must be"),
    "blocks": (
        MobileNetClassifier, {"filters": (8, 8), "blocks": (1, 2, 3)}, "names 3 stages, but filters names 2",
    ),
    "kernels of other axes": (ResNetClassifier, {"kernel_size": (3, 3, 3)}, "kernel_size=(3, 3, 3) must be"),
    "a norm": (ResNetClassifier, {"norm": "instance"}, "The 'norm' parameter of ResNetClassifier must be"),
    "a block": (ResNetClassifier, {"block": "dense"}, "The 'block' parameter of ResNetClassifier must be"),
    "stride": (MobileNetClassifier, {"stride": 0}, "The 'stride' parameter of MobileNetClassifier must be"),
    "expansion": (MobileNetClassifier, {"expansion": 0}, "The 'expansion' parameter of MobileNetClassifier must be"),
    "activation": (MobileNetClassifier, {"activation": "no"}, "The 'activation' parameter of MobileNetClassifier"),
    "a search": (ResNetClassifier, {"solver": "lbfgs", "clip_norm": 1.0}, "BatchNorm"),
    "batches of one": (ResNetClassifier, {"batch_size": 1}, "does not apply with batches of one sample"),
}  # fmt: skip


@pytest.mark.parametrize(("family", "params", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_leaves_nothing_behind(family, params, message):
    estimator = family(**params)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=re.escape(message)):
        estimator.fit(*SPOTS)
    assert vars(estimator) == before


# -- what must be learnt -------------------------------------------------------------------------------------------

GRIDS = {"signals": (20,), "images": (8, 8), "volumes": (6, 6, 6)}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@each_family
def test_spots_are_found(family, grid):
    X, y = spots(160, grid)
    estimator = clone(family).set_params(max_iter=15, learning_rate_init=0.01)
    assert estimator.fit(X[:100], y[:100]).score(X[100:], y[100:]) > 0.85


@pytest.mark.parametrize("n_axes", [1, 2])
@each_family
def test_samples_of_different_sizes(family, n_axes):
    X, y = ragged(120, n_axes)
    estimator = clone(family).set_params(max_iter=15, learning_rate_init=0.01, batch_size=16).fit(X[:90], y[:90])
    assert estimator.score(X[90:], y[90:]) > 0.8
    alone = np.concatenate([estimator.predict_proba([x]) for x in X[90:]])
    assert_allclose(estimator.predict_proba(X[90:]), alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("Regressor", [ResNetRegressor, MobileNetRegressor])
def test_numbers(Regressor):
    rng = np.random.default_rng(0)
    width = rng.uniform(1, 4, 200)
    X = np.exp(-(((np.arange(24) - 12) / width[:, None]) ** 2)) + 0.05 * rng.standard_normal((200, 24))
    regressor = Regressor((8, 8), max_iter=20, learning_rate_init=0.01, random_state=0)
    assert regressor.fit(X[:150], width[:150]).score(X[150:], width[150:]) > 0.9


def test_augmentation_is_part_of_training_alone():
    y = np.arange(60) % 2
    rising = np.linspace(-1.0, 1.0, 12)
    X = np.where(y[:, None], rising, -rising) + 0.1 * np.random.default_rng(0).standard_normal((60, 12))
    told, blind = (
        ResNetClassifier((4,), augment=augment, max_iter=20, learning_rate_init=0.01, random_state=0).fit(X, y)
        for augment in (None, Flip())
    )
    assert told.loss_ < 0.3
    assert blind.loss_ > 0.6  # of log 2 = 0.69: what rises is shown as what falls
    assert_array_equal(blind.predict_proba(X), blind.set_params(augment=None).predict_proba(X))


@each_family
def test_copies_go_on_alike(family):
    estimator = clone(family).set_params(augment="flip", stochastic_depth=0.2, warm_start=True).fit(*SPOTS)
    copy = pickle.loads(pickle.dumps(estimator))
    for each in (estimator, copy):
        each.fit(*SPOTS)
    assert_array_equal(copy.network_.theta, estimator.network_.theta)
    assert_array_equal(copy.predict_proba(SPOTS[0]), estimator.predict_proba(SPOTS[0]))


@each_family
def test_images_of_different_sizes_go_through_cross_validation(family):
    X, y = ragged(30, 2)
    images = np.empty(len(X), object)
    images[:] = X
    assert np.isfinite(cross_val_score(family, images, y, cv=2, error_score="raise")).all()
