"""Autoencoders: linear ones are PCA, denoising ones climb the density, codes are as sparse as asked for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import subspace_angles
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import sknn
from sknn import Autoencoder

DIGITS, LABELS = load_digits(return_X_y=True)
PIXELS = DIGITS / 16.0
RNG = np.random.default_rng(0)
PLANE = RNG.normal(size=(300, 2)) @ RNG.normal(size=(2, 6)) * 5.0 + RNG.normal(size=(300, 6)) + 40.0
LINEAR = Autoencoder(2, hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, max_iter=2000, tol=1e-8, random_state=0)
BRIEF = Autoencoder(4, hidden_layer_sizes=(16,), max_iter=3, random_state=0)


def squared_error(X, found):
    return np.square(found - X).sum(axis=1).mean()


# -- what is known exactly -----------------------------------------------------------------------------------------


def test_a_linear_one_finds_the_subspace_of_pca():
    linear, pca = clone(LINEAR).fit(PLANE), PCA(2).fit(PLANE)
    of_pca = squared_error(PLANE, pca.inverse_transform(pca.transform(PLANE)))
    assert_allclose(-linear.score_samples(PLANE).mean(), of_pca, rtol=1e-3)
    assert_allclose(linear.score(PLANE), pca.explained_variance_ratio_.sum(), rtol=1e-3)
    directions = linear.decoder_.parameters["0"]["weight"]
    assert subspace_angles(directions.T, pca.components_.T).max() < 1e-2


def test_taught_to_remove_noise_it_moves_gaussian_samples_along_the_slope_of_their_density():
    """(r(x) - x) / s^2 is the slope of the log-density of what has the noise (Alain & Bengio 2014)."""
    factor, noise = np.array([[1.0, 0.0], [0.8, 0.5]]), 0.5
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10_000, 2)) @ factor.T
    params = {"hidden_layer_sizes": (), "noise": noise, "input_scaling": None, "alpha": 0.0, "max_iter": 30}
    denoising = Autoencoder(2, batch_size=200, random_state=0, **params).fit(X)
    at = rng.normal(size=(50, 2))
    slope = -at @ np.linalg.inv(factor @ factor.T + noise**2 * np.eye(2))
    assert_allclose((denoising.reconstruct(at) - at) / noise**2, slope, atol=0.1)


@pytest.mark.parametrize("sparsity", [0.05, 0.2])
def test_each_unit_is_as_active_as_asked_for(sparsity):
    params = {"hidden_layer_sizes": (), "max_iter": 400, "random_state": 0}
    sparse = Autoencoder(32, sparsity=sparsity, **params).fit(PIXELS[:600])
    activations = sparse.transform(PIXELS[:600]).mean(axis=0)
    assert_allclose(activations, sparsity, atol=0.01)
    assert_allclose(sparse.mean_activations_, activations, rtol=1e-5)
    assert set(sparse.loss_curves_) == {"error", "sparsity"}


def test_a_penalty_on_activities_makes_many_zero():
    shares = []
    for strength in (0.001, 0.05):
        penalised = Autoencoder(64, hidden_layer_sizes=(), activity_l1=strength, max_iter=60, random_state=0)
        code = penalised.fit(PIXELS).transform(PIXELS)
        assert code.min() == 0.0
        shares.append((code == 0.0).mean())
    assert shares[0] + 0.2 < shares[1] > 0.7


def test_a_shift_by_the_stride_shifts_the_map_of_codes():
    images = np.zeros((2, 32, 32, 1))
    images[0, 8:16, 8:16, 0] = np.random.default_rng(0).uniform(size=(8, 8))
    images[1] = np.roll(images[0], (4, 8), axis=(0, 1))
    convolutional = Autoencoder(3, filters=(4, 6), max_iter=1, dtype="float64", random_state=0).fit(images)
    maps = convolutional.network_.encoder[:2](images)  # before the dense layers
    assert maps.shape == (2, 8, 8, 6)
    inside = maps[0, 1:6, 1:5]  # of the margin, which sees zeros beyond the edge
    assert_allclose(maps[1, 2:7, 3:7], inside, atol=1e-12)
    assert np.ptp(inside) > 0.1


# -- how well it does ----------------------------------------------------------------------------------------------


def test_its_code_tells_more_of_digits_than_as_many_principal_components():
    train, new = PIXELS[:1300], PIXELS[1300:]
    curved, pca = Autoencoder(8, max_iter=150, random_state=0).fit(train), PCA(8).fit(train)
    error = -curved.score_samples(new).mean()
    assert error < 0.7 * squared_error(new, pca.inverse_transform(pca.transform(new)))
    assert_allclose(error, squared_error(new, curved.inverse_transform(curved.transform(new))))


@pytest.mark.parametrize("spoilt", [{"noise": 0.3}, {"masking": 0.3}], ids=str)
def test_taught_with_spoilt_digits_it_mends_them(spoilt):
    train, new = PIXELS[:1300], PIXELS[1300:]
    rng = np.random.default_rng(1)
    seen = new + rng.normal(0, 0.3, new.shape) if "noise" in spoilt else new * (rng.uniform(size=new.shape) > 0.3)
    plain = Autoencoder(32, max_iter=100, random_state=0)
    models = plain, clone(plain).set_params(**spoilt)
    errors = [squared_error(new, each.fit(train).reconstruct(seen)) for each in models]
    assert errors[1] < 0.6 * errors[0]
    assert errors[1] < 0.4 * squared_error(new, seen)


# -- scales and shapes ---------------------------------------------------------------------------------------------


def test_errors_are_in_the_units_of_X():
    one, other = (clone(BRIEF).set_params(dtype="float64").fit(X) for X in (PLANE, 1000.0 * PLANE - 7.0))
    assert_allclose(other.score_samples(1000.0 * PLANE - 7.0), 1e6 * one.score_samples(PLANE), rtol=1e-6)
    assert_allclose(other.score(1000.0 * PLANE - 7.0), one.score(PLANE), rtol=1e-6)
    assert one.input_scaling_.scale.shape == (6,)
    assert np.ptp(one.input_scaling_.scale) == 0.0


def test_what_lies_between_0_and_1_is_left_as_it_is_and_made_so():
    pixels = clone(BRIEF).fit(PIXELS)
    assert pixels.out_activation_ == "logistic"
    assert_array_equal(pixels.input_scaling_(PIXELS), PIXELS)
    made = pixels.inverse_transform(np.random.default_rng(0).normal(0, 100, (50, 4)))
    assert made.min() >= 0.0
    assert made.max() <= 1.0
    assert clone(BRIEF).fit(DIGITS).out_activation_ == "identity"
    assert clone(BRIEF).set_params(output="linear").fit(PIXELS).out_activation_ == "identity"


IMAGES = PIXELS.reshape(-1, 8, 8, 1)
SHAPES = {
    "images": (IMAGES, {"filters": (4, 8)}),
    "images of an odd size": (IMAGES[:, :7, :5], {"filters": (4, 8)}),
    "rows that are images": (PIXELS, {"filters": 4, "input_shape": (8, 8, 1)}),
    "images without channel": (IMAGES[..., 0], {"filters": [4], "input_shape": (8, 8, 1)}),
    "signals": (DIGITS, {"filters": (4,)}),
    "signals of several channels": (RNG.normal(size=(200, 13, 2)), {"filters": (4,)}),
    "volumes": (RNG.normal(size=(60, 4, 5, 6, 1)), {"filters": (4,)}),
}


@pytest.mark.parametrize(("X", "params"), SHAPES.values(), ids=SHAPES)
def test_what_is_made_has_the_shape_and_precision_of_what_was_given(X, params):
    X = X[:200].astype(np.float32)
    model = clone(BRIEF).set_params(**params).fit(X)
    found = model.reconstruct(X)
    assert (found.shape, found.dtype) == (X.shape, X.dtype)
    Z = model.transform(X)
    assert (Z.shape, Z.dtype) == ((len(X), 4), X.dtype)
    assert_allclose(model.inverse_transform(Z), found, rtol=1e-4, atol=1e-4)
    error = np.square(found - X).reshape(len(X), -1).sum(axis=1, dtype=float)
    assert_allclose(model.score_samples(X), -error, rtol=1e-4)


def test_a_row_gets_the_same_in_any_batch_and_nothing_is_spoilt_after_training():
    model = clone(BRIEF).set_params(noise=0.5, masking=0.5).fit(PIXELS)
    whole = model.score_samples(PIXELS)
    assert_allclose([model.score_samples(PIXELS[[k]])[0] for k in (0, 7, 1000)], whole[[0, 7, 1000]], rtol=1e-12)


def test_weights_count_in_the_score_and_in_the_mean_activations():
    weight = np.tile([1.0, 3.0], 150)
    model = clone(BRIEF).set_params(sparsity=0.1).fit(PLANE, sample_weight=weight)
    repeated = np.repeat(PLANE, weight.astype(int), axis=0)
    assert_allclose(model.score(PLANE, sample_weight=weight), model.score(repeated), rtol=1e-10)
    assert_allclose(model.mean_activations_, model.transform(repeated).mean(axis=0), rtol=1e-4)


# -- as an estimator -----------------------------------------------------------------------------------------------


def test_it_goes_into_pipelines_and_searches_which_ignore_y():
    search = GridSearchCV(clone(BRIEF), {"n_components": [1, 6]}, cv=2).fit(PIXELS[:300], LABELS[:300])
    assert search.best_params_ == {"n_components": 6}
    model = make_pipeline(clone(BRIEF).set_params(max_iter=30), LogisticRegression(max_iter=1000))
    assert model.fit(PIXELS[:600], LABELS[:600]).score(PIXELS[600:900], LABELS[600:900]) > 0.5
    assert model[:1].get_feature_names_out().tolist() == [f"autoencoder{k}" for k in range(4)]
    table = clone(BRIEF).set_output(transform="pandas").fit_transform(PIXELS[:50])
    assert table.columns.tolist() == [f"autoencoder{k}" for k in range(4)]


REFUSED = {
    "two penalties": ({"sparsity": 0.1, "activity_l1": 0.1}, "activity_l1=0.1 does not apply with sparsity=0.1"),
    "a sigmoid for any numbers": ({"output": "sigmoid"}, "output='sigmoid' makes numbers between 0 and 1, but X"),
    "a sigmoid for standardised ones": (
        {"output": "sigmoid", "input_scaling": "standard"},
        "input_scaling='standard' does not apply with output='sigmoid'",
    ),
    "no layer": ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be > 0"),
    "no filters": ({"filters": (8, 0)}, r"filters=\(8, 0\) must hold a positive integer for each convolution"),
    "nothing where there should be filters": ({"filters": ()}, r"filters=\(\) must hold a positive integer"),
    "a shape without filters": ({"input_shape": (2, 3, 1)}, "is for convolutional networks: give filters"),
}


@pytest.mark.parametrize(("params", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_go_together_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        clone(BRIEF).set_params(**params).fit(PLANE)


def test_codes_of_another_length_are_refused():
    with pytest.raises(ValueError, match="Z has 3 numbers in a row, but codes of this Autoencoder have 4"):
        clone(BRIEF).fit(PLANE).inverse_transform(np.zeros((2, 3)))


@pytest.mark.parametrize("change", [{"n_components": 5}, {"hidden_layer_sizes": (8,)}], ids=str)
def test_a_warm_start_needs_the_same_networks(change):
    warm = clone(BRIEF).set_params(warm_start=True).fit(PLANE)
    with pytest.raises(ValueError, match="the parameters that shape the encoder were changed"):
        warm.set_params(**change).fit(PLANE)


def test_what_goes_on_lies_where_the_decoder_can_reach_it():
    model = clone(BRIEF).partial_fit(PIXELS)
    before = model.reconstruct(PIXELS)
    with pytest.raises(ValueError, match="X holds numbers beyond 0 and 1, but all were between them in the first fit"):
        model.partial_fit(DIGITS)
    assert_array_equal(model.reconstruct(PIXELS), before)


def test_there_are_no_parts_before_a_fit_and_the_file_has_all_of_them(tmp_path):
    assert not hasattr(BRIEF, "encoder_")
    fitted = clone(BRIEF).set_params(filters=(4,), input_shape=(8, 8, 1)).fit(PIXELS)
    sknn.save(fitted, tmp_path / "model")
    assert_array_equal(sknn.load(tmp_path / "model").reconstruct(PIXELS), fitted.reconstruct(PIXELS))


@pytest.mark.filterwarnings("ignore:Got `batch_size`")  # all at once, so that weights do what repetition does
@parametrize_with_checks([Autoencoder(max_iter=5, batch_size=200, dtype="float64", random_state=0)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)
