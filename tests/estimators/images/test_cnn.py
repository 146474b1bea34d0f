"""Convolutional networks: how X is read, what the parameters build, and what must be learnt."""

import pickle
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from math import prod

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from sknn import CNNClassifier, CNNRegressor
from sknn.augment import Rotate, Shift
from sknn.nn import BatchNorm, Conv, Dense, Dropout, GlobalPool, Pool, value_and_grad
from sknn.ops.memory import kept_memory

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 60
SMALL = {"filters": (3, 4), "hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0}


def bars(n=N, size=6, seed=0):
    """Noisy images with a bright row or a bright column, and which of the two it is."""
    rng = np.random.RandomState(seed)
    images, upright = 0.1 * rng.standard_normal((n, size, size)), rng.randint(0, 2, n)
    for image, column in zip(images, upright, strict=True):
        where = rng.randint(size)
        image[:, where] += column
        image[where] += 1 - column
    return images, upright


IMAGES, UPRIGHT = bars()


# -- how X is read -------------------------------------------------------------------------------------------------

WAYS = {
    "as it is": lambda x: x,
    "flattened": lambda x: x.reshape(len(x), -1),
    "nested lists": lambda x: x.tolist(),
    "in Fortran order": np.asfortranarray,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [(36, 1), (18, 2), (6, 6, 1), (3, 6, 2), (3, 3, 4, 1), (2, 3, 3, 2)])
def test_grids_flattened_or_not_give_the_same_network(shape, way):
    X = IMAGES.reshape(N, *shape)
    one = CNNClassifier(**SMALL, input_shape=shape).fit(X, UPRIGHT)
    other = CNNClassifier(**SMALL, input_shape=shape).fit(WAYS[way](X), UPRIGHT)
    assert other.n_features_in_ == 36
    assert_array_equal(one.network_.theta, other.network_.theta)
    assert_array_equal(one.predict_proba(X), other.predict_proba(WAYS[way](X)))


@pytest.mark.parametrize(("data_format", "shape"), [("channels_last", (6, 6, 1)), ("channels_first", (1, 6, 6))])
def test_a_single_channel_may_be_left_out(data_format, shape):
    cnn = CNNClassifier(**SMALL, input_shape=shape, data_format=data_format).fit(IMAGES, UPRIGHT)
    named = CNNClassifier(**SMALL, input_shape=shape, data_format=data_format).fit(IMAGES.reshape(N, *shape), UPRIGHT)
    assert_array_equal(cnn.predict_proba(IMAGES), named.predict_proba(IMAGES.reshape(N, *shape)))


def test_channels_first_is_the_same_data_in_another_order():
    last = IMAGES.reshape(N, 3, 6, 2)
    first = np.moveaxis(last, -1, 1)
    one = CNNClassifier(**SMALL, input_shape=(3, 6, 2)).fit(last, UPRIGHT)
    other = CNNClassifier(**SMALL, input_shape=(2, 3, 6), data_format="channels_first").fit(first, UPRIGHT)
    assert_allclose(one.predict_proba(last), other.predict_proba(first.reshape(N, -1)), rtol=1e-5)


OF_THEMSELVES = [
    ((36,), (36, 1), 36),
    ((18, 2), (18, 2), 2),
    ((6, 3, 2), (6, 3, 2), 2),
    ((3, 3, 2, 2), (3, 3, 2, 2), 2),
]


@pytest.mark.parametrize(("shape", "grid", "n_features"), OF_THEMSELVES)
def test_shapes_need_not_be_stated(shape, grid, n_features):
    X = IMAGES.reshape(N, *shape)
    cnn = CNNClassifier(**SMALL).fit(X, UPRIGHT)
    assert cnn.network_.input_shape == cnn._shape == grid
    assert cnn.n_features_in_ == n_features
    stated = CNNClassifier(**SMALL, input_shape=grid).fit(X, UPRIGHT)
    assert_allclose(cnn.predict_proba(X), stated.predict_proba(X), rtol=1e-4)


def test_three_axes_that_look_like_images_are_signals_with_a_warning():
    with pytest.warns(UserWarning, match=r"60 signals of 6 steps with 6 channels; if they .* give X\[..., None\]"):
        cnn = CNNClassifier(**SMALL).fit(IMAGES, UPRIGHT)
    assert cnn.network_.input_shape == (6, 6)
    with pytest.warns(UserWarning, match=r"60 signals of 6 steps with 6 channels; .* give X\[:, None\]"):
        cnn = CNNClassifier(**SMALL, data_format="channels_first").fit(IMAGES, UPRIGHT)
    assert cnn.network_.shapes[0] == (6, 6)


OF_ANY_SIZE = {**SMALL, "global_pooling": "max"}
RAGGED = [image[: 4 + k % 3, : 6 - k % 2, None] for k, image in enumerate(IMAGES)]


@pytest.mark.parametrize("input_shape", [None, (None, None, 1)])
def test_images_of_any_size_come_as_a_list(input_shape):
    cnn = CNNClassifier(**OF_ANY_SIZE, input_shape=input_shape, dtype="float64").fit(RAGGED, UPRIGHT)
    assert cnn.network_.input_shape == cnn._shape == (None, None, 1)
    assert cnn.n_features_in_ == 1
    alone = [cnn.predict_proba(image[None])[0] for image in RAGGED]
    assert_allclose(cnn.predict_proba(RAGGED), alone, rtol=1e-12)
    assert cnn.predict(np.ones((2, 9, 7, 1))).shape == (2,)
    assert cnn.summary()["output_shape"].tolist()[0] == (None, None, 3)


def test_images_of_one_size_are_the_same_alone_and_in_an_array():
    X = IMAGES[..., None]
    of_any, of_one = (CNNClassifier(**OF_ANY_SIZE, input_shape=shape).fit(X, UPRIGHT) for shape in (None, (6, 6, 1)))
    assert_allclose(of_any.predict_proba(X), of_one.predict_proba(X), rtol=1e-4)
    assert_array_equal(of_any.predict_proba(list(X)), of_any.predict_proba(X))


NO_ONE_SIZE = {
    "no pooling": ({"global_pooling": None}, RAGGED, "X holds samples of different sizes.* say global_pooling='"),
    "open, no pooling": (
        {"global_pooling": None, "input_shape": (None, None, 1)}, IMAGES[..., None], "leaves sizes open; say global",
    ),
    "other axes": ({"input_shape": (None, 1)}, RAGGED, r"input_shape=\(None, 1\), but X .* \(None, None"),
    "other channels": ({"input_shape": (None, None, 3)}, RAGGED, r"but X has samples of shape \(None, None, 1\)"),
    "channels first": ({"data_format": "channels_first"}, [x[..., 0] for x in RAGGED], "does not apply to samples"),
}  # fmt: skip


@pytest.mark.parametrize(("params", "X", "message"), NO_ONE_SIZE.values(), ids=NO_ONE_SIZE)
def test_sizes_that_cannot_be_open_are_refused(params, X, message):
    with pytest.raises(ValueError, match=message):
        CNNClassifier(**{**OF_ANY_SIZE, **params}).fit(X, UPRIGHT)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"input_shape": (6, 6)}, r"X has samples of shape \(6, 6, 1\), but input_shape is \(6, 6\)"),
        ({"input_shape": (6, 5, 1)}, r"X has samples of shape \(6, 6, 1\), but input_shape is \(6, 5, 1\)"),
        ({"input_shape": (36,)}, r"input_shape=\(36,\) must be \(L, C\), \(H, W, C\) or"),
        ({"input_shape": (6, 0, 1)}, "input_shape=.* must be"),
        ({"filters": (3, 4, 5), "padding": "valid"}, r"an input of size \(.*\) is too small for windows that span"),
        ({"kernel_size": [3]}, r"kernel_size=\[3\] lists 1 blocks, but filters=\(3, 4\) has 2"),
        ({"kernel_size": (3, 3, 3)}, r"kernel_size=\(3, 3, 3\) must be an integer of at least 1, or one for each of 2"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_left(params, message):
    cnn = CNNClassifier(**{**SMALL, **params})
    before = dict(vars(cnn))
    with pytest.raises(ValueError, match=message):
        cnn.fit(IMAGES[..., None], UPRIGHT)
    assert vars(cnn) == before


def test_raw_bytes_train_as_well_as_scaled_numbers():
    raw = np.clip(100 + 80 * IMAGES, 0, 255).astype(np.uint8)
    cnn = CNNClassifier(8, input_shape=(6, 6, 1), max_iter=40, learning_rate_init=0.01, random_state=0)
    assert cnn.fit(raw, UPRIGHT).score(raw, UPRIGHT) > 0.95
    again = clone(cnn).fit(2.0 * raw - 7.0, UPRIGHT)
    assert_allclose(again.predict_proba(2.0 * raw - 7.0), cnn.predict_proba(raw), atol=1e-3)


def test_inputs_are_scaled_channel_by_channel_and_by_weight():
    X = np.stack([IMAGES, 1000 + 50 * IMAGES], axis=-1)
    weight = np.arange(N) % 3 + 1.0
    cnn = CNNClassifier(**SMALL).fit(X, UPRIGHT, weight)
    scaling = cnn.input_scaling_
    repeated = np.repeat(X, weight.astype(int), axis=0)
    assert_allclose(scaling.mean, repeated.mean(axis=(0, 1, 2)), rtol=1e-12)
    assert_allclose(scaling.scale, repeated.std(axis=(0, 1, 2)), rtol=1e-12)
    unscaled = CNNClassifier(**SMALL, input_scaling=None).fit(X, UPRIGHT)
    assert unscaled.input_scaling_ is None


# -- what the parameters build -------------------------------------------------------------------------------------


def layers_of(kind, **params):
    cnn = CNNClassifier(**{**SMALL, "max_iter": 1, "input_shape": (6, 6, 1), **params}).fit(IMAGES, UPRIGHT)
    return [layer for layer in cnn.network_.layers if isinstance(layer, kind)]


@pytest.mark.parametrize(
    ("params", "kind", "expected"),
    [
        ({"filters": ((2, 3), (4,), 5)}, Conv, {"filters": [2, 3, 4, 5]}),
        ({"filters": 7}, Conv, {"filters": [7]}),
        ({"kernel_size": 2}, Conv, {"kernel_size": [2, 2]}),
        ({"kernel_size": (3, 1)}, Conv, {"kernel_size": [(3, 1), (3, 1)]}),
        ({"kernel_size": [5, (1, 3)]}, Conv, {"kernel_size": [5, (1, 3)]}),
        ({"dilation": [1, 2]}, Conv, {"dilation": [1, 2]}),
        ({"stride": (2, 1)}, Conv, {"stride": [(2, 1), (2, 1)]}),
        ({"padding": 2}, Conv, {"padding": [2, 2]}),
        ({"activation": "gelu"}, Conv, {"activation": ["gelu", "gelu"]}),
        ({"pooling": "average", "pool_size": 3}, Pool, {"kind": ["average"] * 2, "size": [3, 3]}),
        ({"pooling": None}, Pool, {"kind": []}),
        ({"global_pooling": "max"}, GlobalPool, {"kind": ["max"]}),
        ({"conv_dropout": 0.3, "dropout": 0.5}, Dropout, {"rate": [0.3, 0.3, 0.5]}),
        ({"hidden_layer_sizes": (4, 3)}, Dense, {"units": [4, 3, 1]}),
        ({"batch_norm": True}, BatchNorm, {"momentum": [0.9] * 3}),
    ],
)
def test_parameters_build(params, kind, expected):
    found = layers_of(kind, **params)
    for name, values in expected.items():
        assert [getattr(layer, name) for layer in found] == values


MEANINGLESS = {
    "no integer": ({"filters": (5.5,)}, "filters=.* must hold a positive integer"),
    "no filter": ({"filters": (0,)}, "filters=.* must hold a positive integer"),
    "an empty block": ({"filters": ((),)}, "filters=.* must hold a positive integer"),
    "blocks of blocks": ({"filters": (((5,),),)}, "filters=.* must hold a positive integer"),
    "a true filter": ({"filters": (True,)}, "filters=.* must hold a positive integer"),
    "true taps": ({"kernel_size": [True, 3]}, "kernel_size must be an integer or .*; got True"),
    "a true pool": ({"pool_size": (True, 2)}, r"pool_size=\(True, 2\) must be an integer"),
    "a word": ({"filters": ("5",)}, "filters=.* must hold a positive integer"),
    "half a tap": ({"kernel_size": [3.5, 3]}, "kernel_size must be an integer or .*; got 3.5"),
    "one axis of two": ({"pool_size": (2,)}, "pool_size=.* one for each of 2 axes"),
    "too small inside": ({"padding": "valid", "filters": ((8, 8), (8, 8))}, r"layer 4, .* to which samples come"),
}


@pytest.mark.parametrize(("params", "message"), MEANINGLESS.values(), ids=MEANINGLESS)
def test_meaningless_sizes_are_refused_by_name(params, message):
    with pytest.raises(ValueError, match=message):
        CNNClassifier(**{**SMALL, **params}, input_shape=(8, 8, 1)).fit(np.zeros((4, 64)), [0, 1, 0, 1])


@pytest.mark.parametrize(
    ("data_format", "message"), [("channels_last", "signals are .n, T."), ("channels_first", "2 or 3")]
)
def test_too_many_axes_are_refused(data_format, message):
    with pytest.raises(ValueError, match=message):
        CNNClassifier(**SMALL, data_format=data_format).fit(np.zeros((4, 2, 2, 2, 2, 2)), [0, 1, 0, 1])


@pytest.mark.parametrize("changed", [{"input_shape": (3, 3)}, {"input_shape": (4, 9, 1)}, {"filters": (3, 5)}])
def test_a_changed_shape_is_told_when_training_goes_on(changed):
    images, upright = bars()
    cnn = CNNClassifier(**SMALL, input_shape=(6, 6, 1), warm_start=True).fit(images, upright)
    with pytest.raises(ValueError, match=r"changed after the first fit: layer \d from .* to .*; fit anew"):
        cnn.set_params(**changed).fit(images.reshape(len(images), -1), upright)


def test_summary_tells_shapes_parameters_and_receptive_fields():
    images = np.zeros((4, 32, 32, 3))
    images[::2] = 1.0
    cnn = CNNClassifier(64, pooling=None, hidden_layer_sizes=(), max_iter=1).fit(images, [0, 1, 0, 1])
    convolution = cnn.summary().set_index("layer").loc["Conv(64, relu)"]
    assert (convolution["weights"], convolution["parameters"]) == (1_728, 1_728 + 64)
    dense = CNNClassifier((), hidden_layer_sizes=100, max_iter=1).fit(images, [0, 1, 0, 1])
    units = dense.summary().set_index("layer").loc["Dense(100, relu)"]
    assert (units["weights"], units["parameters"]) == (307_200, 307_200 + 100)
    deep = CNNClassifier((2, 2, 2), dilation=[1, 2, 4], pooling=None, max_iter=1).fit(images, [0, 1, 0, 1])
    assert deep.summary()["receptive_field"].tolist()[:3] == [(3, 3), (7, 7), (15, 15)]
    assert deep.summary()["output_shape"].tolist()[-1] == (1,)
    small = CNNClassifier(max_iter=1, input_shape=(8, 8, 1)).fit(images[:, :8, :8, 0], [0, 1, 0, 1]).summary()
    assert small["layer"].tolist()[3] == "Pool(max, 2)"
    assert small["receptive_field"].tolist()[1:7] == [(3, 3), (5, 5), (6, 6), (8, 8), (8, 8), (8, 8)]  # of 8 x 8 pixels


def test_summary_needs_a_fit():
    with pytest.raises(NotFittedError):
        CNNClassifier().summary()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_same_padding_takes_any_size(size):
    X = np.random.RandomState(0).standard_normal((20, size))
    cnn = CNNRegressor((2, 2, 2), max_iter=2).fit(X, X[:, 0])
    assert cnn.network_.shapes[-4][0] == -(-size // 8)


# -- training ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params", [{}, {"batch_norm": True}, {"dropout": 0.2, "conv_dropout": 0.1}, {"solver": "lbfgs"}]
)
def test_learns_bars(params):
    cnn = CNNClassifier((8,), input_shape=(6, 6, 1), max_iter=60, learning_rate_init=0.01, random_state=0, **params)
    test_images, test_upright = bars(seed=1)
    assert cnn.fit(*bars(200, seed=2)).score(test_images, test_upright) > 0.9


def test_learns_position_and_width_of_a_line():
    rng = np.random.RandomState(0)
    lines = np.stack([rng.uniform(5, 25, 300), rng.uniform(1, 3, 300)], axis=1)
    X = np.exp(-(((np.arange(30) - lines[:, :1]) / lines[:, 1:]) ** 2))
    cnn = CNNRegressor((8, 8), kernel_size=5, max_iter=100, learning_rate_init=0.01, random_state=0)
    both = cnn.fit(X[:200], lines[:200])
    assert both.predict(X[200:]).shape == (100, 2)
    assert both.score(X[200:], lines[200:]) > 0.9
    assert clone(cnn).fit(X[:200], lines[:200, 0]).score(X[200:], lines[200:, 0]) > 0.9


def test_labels_in_several_columns():
    Y = np.stack([UPRIGHT, 1 - UPRIGHT], axis=1)
    cnn = CNNClassifier(**SMALL, input_shape=(6, 6, 1)).fit(IMAGES, Y)
    assert cnn.predict(IMAGES).shape == cnn.predict_proba(IMAGES).shape == (N, 2)


def test_partial_fit_and_warm_start_go_on_and_keep_the_scale():
    cnn = CNNClassifier(**SMALL, input_shape=(6, 6, 1), warm_start=True)
    cnn.partial_fit(IMAGES[:30], UPRIGHT[:30], classes=[0, 1])
    state = cnn.network_.state.copy()
    cnn.partial_fit(IMAGES[30:], UPRIGHT[30:]).fit(100 * IMAGES, UPRIGHT)
    assert_array_equal(cnn.network_.state, state)
    assert len(cnn.loss_curve_) == 2 + SMALL["max_iter"]


def test_dropout_and_shuffles_repeat_with_the_seed():
    params = {**SMALL, "dropout": 0.5, "conv_dropout": 0.2, "input_shape": (6, 6, 1)}
    one, other = (CNNClassifier(**params).fit(IMAGES, UPRIGHT) for _ in range(2))
    assert_array_equal(one.network_.theta, other.network_.theta)
    assert_array_equal(pickle.loads(pickle.dumps(one)).predict_proba(IMAGES), one.predict_proba(IMAGES))


def test_early_stopping_restores_running_statistics_too():
    cnn = CNNClassifier(**{**SMALL, "max_iter": 15}, input_shape=(6, 6, 1), batch_norm=True, early_stopping=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        cnn.fit(IMAGES, UPRIGHT)
    assert max(cnn.validation_scores_) == cnn.best_validation_score_


def test_a_training_step_holds_at_most_three_times_its_activations():
    """What must be kept for the way back are the inputs and the outputs of convolutions, pools and dense layers."""
    images = np.random.RandomState(0).standard_normal((64, 784)).astype(np.float32)
    cnn = CNNClassifier(input_shape=(28, 28, 1), max_iter=1).fit(images[:10], np.arange(10))
    network = cnn.network_
    kept = [network.shapes[0], *network.shapes[2:]]
    activations = images.itemsize * len(images) * sum(map(prod, kept))

    def step() -> None:
        with kept_memory():
            value_and_grad(lambda net: net(images, training=True).sum(), [network])

    with ThreadPoolExecutor(1) as fresh:  # a thread that owns no buffers yet
        tracemalloc.start()
        try:
            fresh.submit(step).result()
            assert tracemalloc.get_traced_memory()[1] < 3 * activations
        finally:
            tracemalloc.stop()


# -- augmentation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("augment", ["shift", ["flip", Shift(0.3), "noise"], Rotate(30)], ids=str)
def test_images_are_augmented_in_whatever_form_they_come(augment):
    X = np.stack([IMAGES, -(IMAGES**2)], axis=-1)
    model = CNNClassifier(**SMALL, augment=augment)
    whole = clone(model).fit(X, UPRIGHT)
    assert not np.array_equal(
        whole.network_.theta, clone(model).set_params(augment=None).fit(X, UPRIGHT).network_.theta
    )
    flat = clone(model).set_params(input_shape=(6, 6, 2)).fit(X.reshape(N, -1), UPRIGHT)
    first = clone(model).set_params(data_format="channels_first").fit(np.moveaxis(X, -1, 1), UPRIGHT)
    for other in (flat, first):
        assert_allclose(other.network_.theta, whole.network_.theta, rtol=1e-4, atol=1e-5)


def test_a_network_that_sees_shifted_signals_knows_others_that_are():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=80)
    X = 0.1 * rng.normal(size=(80, 12, 1))
    X[:, 2:5, 0] += np.where(y[:, None], [1, 2, 3], [3, 2, 1])  # rising or falling, always there
    moved = np.roll(X, 3, axis=1)
    model = CNNClassifier((8,), pooling=None, learning_rate_init=0.01, max_iter=30, random_state=0)
    assert clone(model).fit(X, y).score(moved, y) < 0.8
    assert clone(model).set_params(augment=Shift(0.34)).fit(X, y).score(moved, y) > 0.95
