"""Standardising inputs: in the precision in which they come, with the weights of the samples, channel by channel."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix

from sknn import CNNRegressor, MLPClassifier, MLPRegressor, NetworkRegressor
from sknn.nn import Conv, Dense, GlobalPool
from sknn.template.scaling import GlobalScaling, Scaling

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)) * [1.0, 10.0, 0.1, 1.0] + [0.0, 1e4, -3.0, 5.0]
X[:, 3] = 5.0
Y = X[:, 0] + X[:, 2]
SMALL = {"input_scaling": "standard", "max_iter": 3, "random_state": 0}
NIGHT = 2460000.5 + np.linspace(0, 0.4, 200)[:, None]
EACH = {
    "MLP": MLPRegressor((30, 30), activation="tanh"),
    "own layers": NetworkRegressor([Dense(30, activation="tanh"), Dense(30, activation="tanh")]),
}
each_network = pytest.mark.parametrize("network", EACH.values(), ids=EACH)


def fitted(network, *data, **params):
    return type(network)(**{**network.get_params(deep=False), **SMALL, **params}).fit(*data)


@each_network
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_dates_of_one_night_keep_their_digits(network, solver):
    """In single precision there are two of them."""
    y = np.sin(16 * (NIGHT[:, 0] - 2460000.5))
    enough = {
        "max_iter": 300,
        "learning_rate_init": 0.01,
        "solver": solver,
        "batch_size": 20 if solver == "adam" else "auto",
    }
    assert fitted(network, NIGHT, y, **enough).score(NIGHT, y) > 0.9
    assert len(np.unique(NIGHT.astype(np.float32))) <= 3


@each_network
def test_mean_and_scale_are_those_of_the_training_samples(network):
    scaling = fitted(network, X, Y).input_scaling_
    assert_allclose(scaling.mean, X.mean(axis=0), rtol=1e-12)
    assert_allclose(scaling.scale, np.where(np.arange(4) == 3, 1.0, X.std(axis=0)), rtol=1e-9)
    weight = np.arange(60) % 3.0
    scaling = fitted(network, X, Y, weight).input_scaling_
    repeated = np.repeat(X, weight.astype(int), axis=0)
    assert_allclose(scaling.mean, repeated.mean(axis=0), rtol=1e-12)
    assert_allclose(scaling.scale[:3], repeated[:, :3].std(axis=0), rtol=1e-9)


def test_what_is_set_aside_teaches_no_scale():
    model = fitted(MLPRegressor(4), X, Y, early_stopping=True, validation_fraction=0.5)
    assert np.abs(model.input_scaling_.mean - X.mean(axis=0))[0] > 1e-3
    given = MLPRegressor(4, **SMALL).fit(X, Y, X_val=X * 100, y_val=Y)
    assert_allclose(given.input_scaling_.mean, X.mean(axis=0), rtol=1e-12)


def test_many_batches_are_merged_without_losing_digits():
    x = 1e9 + RNG.normal(size=(1000, 2))
    scaling = Scaling((x[k : k + 7], None) for k in range(0, 1000, 7))
    assert_allclose(scaling.scale, (x - 1e9).std(axis=0), rtol=1e-6)


@each_network
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_as_if_the_inputs_had_been_scaled_before(network, dtype):
    model = fitted(network, X, Y, dtype=dtype)
    before = fitted(network, model.input_scaling_(X), Y, dtype=dtype, input_scaling=None)
    assert_array_equal(model.network_.theta, before.network_.theta)
    assert_array_equal(model.predict(X), before.predict(model.input_scaling_(X)))
    assert model.network_.layers == before.network_.layers  # network_ begins after it
    assert before.input_scaling_ is None


@each_network
def test_the_order_of_x_in_memory_changes_no_bit(network):
    orders = X, np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], X[::-1][::-1]
    models = [fitted(network, x, Y) for x in orders]
    for model, x in zip(models, orders, strict=True):
        assert_array_equal(model.network_.theta, models[0].network_.theta)
        assert_array_equal(models[0].predict(x), models[0].predict(X))


@each_network
def test_a_mapped_file_is_scaled_batch_by_batch(network, tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    model, expected = fitted(network, mapped, Y), fitted(network, X, Y)
    assert_array_equal(model.network_.theta, expected.network_.theta)
    assert_array_equal(model.predict(mapped), expected.predict(X))


IMAGES = RNG.normal(size=(20, 5, 6, 2)) * [1.0, 30.0] + [100.0, 0.0]
SERIES = [RNG.normal(size=(n, 2)) * [1.0, 30.0] + [100.0, 0.0] for n in RNG.integers(5, 9, 20)]


@pytest.mark.parametrize(
    ("model", "channel"),
    [
        (CNNRegressor(2, input_shape=(5, 6, 2)), -1),
        (CNNRegressor(2, input_shape=(2, 5, 6), data_format="channels_first"), 0),
        (NetworkRegressor([Conv(2, 3), GlobalPool()]), -1),
    ],
    ids=["CNN", "channels first", "own layers"],
)
def test_a_channel_of_a_grid_has_one_mean_and_one_scale(model, channel):
    images = IMAGES if channel == -1 else np.moveaxis(IMAGES, -1, 1)
    scaling = fitted(model, images, np.arange(20.0)).input_scaling_
    for found, expected in ((scaling.mean, IMAGES.mean(axis=(0, 1, 2))), (scaling.scale, IMAGES.std(axis=(0, 1, 2)))):
        by_position = np.moveaxis(found.reshape(images.shape[1:]), channel, -1)
        assert_allclose(by_position, np.broadcast_to(expected, by_position.shape), rtol=1e-9)


def test_channels_of_series_are_scaled_over_all_steps_with_the_weights_of_their_samples():
    weight = np.arange(20) % 3.0
    model = fitted(NetworkRegressor([Conv(2, 3), GlobalPool()]), SERIES, np.arange(20.0), weight)
    steps = np.concatenate([np.repeat(each, int(w), axis=0) for each, w in zip(SERIES, weight, strict=True)])
    assert_allclose(model.input_scaling_.mean, steps.mean(axis=0))
    assert_allclose(model.input_scaling_.scale, steps.std(axis=0))


def test_what_was_learnt_first_stays_in_warm_starts_and_partial_fits():
    warm = MLPRegressor(4, **SMALL, warm_start=True).fit(X, Y)
    first = warm.input_scaling_.mean
    assert_array_equal(warm.fit(X + 9.0, Y).input_scaling_.mean, first)
    assert_array_equal(MLPRegressor(4, **SMALL).fit(X, Y).partial_fit(X + 9.0, Y).input_scaling_.mean, first)


def test_too_large_values_are_none_once_they_are_scaled():
    large = X[:, :3] * 1e60
    MLPRegressor(4, **SMALL).fit(large, Y)
    with pytest.raises(ValueError, match="values too large for float32"):
        MLPRegressor(4, **{**SMALL, "input_scaling": None}).fit(large, Y)


def test_sparse_inputs_are_refused():
    with pytest.raises(ValueError, match="input_scaling='standard' would make sparse X dense"):
        MLPClassifier(4, **SMALL).fit(csr_array(X), np.median(Y) < Y)


def test_a_spread_beyond_single_precision_scales_single_precision():
    X = np.column_stack([np.linspace(0, 1e-46, 40), np.linspace(0, 1e40, 40), np.linspace(0, 1, 40)])
    scaling = Scaling([(X, None)])
    found = scaling(np.array([[0.0, 0.0, 0.5]], np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, scaling(np.array([[0.0, 0.0, 0.5]])), rtol=1e-6)


@pytest.mark.parametrize("method", ["predict", "fit", "partial_fit"])
def test_a_network_that_scales_refuses_sparse_samples_by_name(method):
    X, y = np.arange(80.0).reshape(40, 2), np.arange(40.0)
    model = MLPRegressor(3, input_scaling="standard", warm_start=True, max_iter=1, tol=1e9, n_iter_no_change=1)
    model = model.fit(X, y) if method == "predict" else model.set_params(max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match="would make sparse X dense"):
        getattr(model, method)(*[csr_matrix(X)] + ([] if method == "predict" else [y]))


def test_scaling_cannot_change_in_a_fit_that_goes_on():
    X, y = np.arange(80.0).reshape(40, 2), np.arange(40.0)
    model = MLPRegressor(3, warm_start=True, max_iter=2, tol=1e9, n_iter_no_change=1).fit(X, y)
    with pytest.raises(ValueError, match="input_scaling was changed after the first fit"):
        model.set_params(input_scaling="standard").fit(X, y)


@pytest.mark.parametrize("n", [10, 256, 5000])
@pytest.mark.parametrize("constant", [0.07, 0.7, 2460000.1])
def test_a_constant_feature_is_only_shifted(n, constant):
    X = np.column_stack([np.full(n, constant), np.linspace(0, 1, n)])
    assert Scaling([(X, None)]).scale[0] == 1.0
    model = MLPRegressor(2, solver="lbfgs", max_iter=1, dtype="float64", target_scaling="standard")
    assert model.fit(X, X[:, ::-1]).y_scale_[1] == 1.0


@pytest.mark.parametrize("size", [1e-200, 1e-120, 1e160])
def test_a_small_or_large_spread_is_no_constant(size):
    x = size * np.linspace(-1.0, 2.0, 50)[:, None]
    scaling = Scaling([(x[:30], None), (x[30:], None)])
    np.testing.assert_allclose(scaling.mean, x.mean(axis=0))
    np.testing.assert_allclose(scaling.scale / size, (x / size).std(axis=0))
    np.testing.assert_allclose(scaling(x).std(axis=0), 1.0)


# -- back to the data ----------------------------------------------------------------------------------------------

SHIFTED = np.array([1e5, -3.0]) + np.array([1e-3, 7.0]) * np.random.default_rng(0).normal(size=(50, 2))


def test_a_scaling_goes_back_and_knows_its_volume():
    scaling = Scaling([(SHIFTED, None)])
    assert_allclose(scaling.inverse(scaling(SHIFTED)), SHIFTED, rtol=1e-12)
    assert scaling.log_volume(SHIFTED[:2]) == pytest.approx([-np.log(SHIFTED.std(axis=0)).sum()] * 2)
    pixels = np.ones((2, 3, 3, 1))
    assert Scaling([(np.array([[0.0], [4.0]]), None)]).log_volume(pixels) == pytest.approx([-9 * np.log(2)] * 2)


def test_a_global_scaling_keeps_proportions():
    scaling = GlobalScaling([(SHIFTED[:20], None), (SHIFTED[20:], np.ones(30))])
    assert_allclose(scaling(SHIFTED).std(), 1.0)
    assert_allclose(np.ptp(scaling(SHIFTED), axis=0), np.ptp(SHIFTED, axis=0) / SHIFTED.std())
    assert_allclose(scaling.inverse(scaling(SHIFTED)), SHIFTED, atol=1e-9)


def test_a_global_scaling_leaves_pixels_alone():
    pixels = np.random.default_rng(0).uniform(size=(20, 4, 4, 1))
    scaling = GlobalScaling([(pixels, None)])
    assert_array_equal(scaling(pixels), pixels)
    assert scaling.mean.shape == (4, 4, 1)
    assert_allclose(GlobalScaling([(255.0 * pixels, None)])(255.0 * pixels).std(), 1.0)
