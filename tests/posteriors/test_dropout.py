"""Monte Carlo dropout: its variance in closed form, and what sampling leaves alone."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris

import sknn
from sknn import (
    BayesianClassifier,
    BayesianRegressor,
    CNNRegressor,
    MLPClassifier,
    MLPRegressor,
    NetworkRegressor,
    RNNRegressor,
)
from sknn.nn import Dense
from sknn.nn import Dropout as Layer
from sknn.posteriors import Dropout

RNG = np.random.RandomState(0)
X = RNG.normal(size=(60, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.1 * RNG.normal(size=60)
FEW = {"tol": 10.0, "n_iter_no_change": 2, "random_state": 0}  # some epochs


def fitted(network=None, rate=0.05, x=X, y=Y, **parameters):
    network = MLPRegressor((20,), **FEW) if network is None else network
    model = BayesianRegressor if hasattr(network, "loss") and network.loss == "squared_error" else BayesianClassifier
    parameters = {"n_draws": 20, "noise": 0.1, **parameters} if model is BayesianRegressor else {"n_draws": 20}
    return model(network, Dropout(rate), random_state=0, **parameters).fit(x, y)


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_the_variance_of_a_linear_layer_behind_dropout_is_that_of_its_closed_form(p):
    model = fitted(NetworkRegressor([Layer(p)], **FEW), n_draws=4000)
    weight = model.network_.network_.parameters["1"]["weight"] * model.network_._target.scale_
    variance = p / (1 - p) * np.square(X * weight[:, 0]).sum(axis=1)
    assert_allclose(np.square(model.uncertainty(X)), variance, rtol=0.15)
    assert_allclose(np.square(model.predict(X, return_std=True)[1]), variance + 0.01, rtol=0.15)


def test_without_dropout_there_is_noise_alone():
    model = fitted(rate=0.0, noise=0.3)
    assert_allclose(model.uncertainty(X), 0.0, atol=1e-12)
    assert_allclose(model.predict(X, return_std=True)[1], 0.3)


IRIS = load_iris(return_X_y=True)
PICTURES = RNG.normal(size=(60, 6, 6, 1))
CASES = {
    "batch norm": (MLPRegressor((20,), batch_norm=True, **FEW), X, Y),
    "classes": (MLPClassifier((20,), batch_norm=True, **FEW), *IRIS),
    "pictures": (CNNRegressor((4,), hidden_layer_sizes=(8,), batch_norm=True, **FEW), PICTURES, Y),
    "series": (RNNRegressor(8, **FEW), PICTURES[..., 0], Y),
}


@pytest.mark.parametrize("name", CASES)
def test_a_sample_is_predicted_alike_in_any_batch_and_sampling_changes_nothing(name):
    network, x, y = CASES[name]
    model = fitted(network, 0.3, x, y)
    before = pickle.dumps(model)
    together = model.predict_draws(x)
    one_by_one = np.concatenate([model.predict_draws(x[k : k + 1]) for k in range(5)], axis=1)
    assert_allclose(one_by_one, together[:, :5], rtol=1e-12, atol=1e-12)
    assert_array_equal(model.predict_draws(x), together)
    assert (together.std(axis=0) > 0).all()
    if hasattr(model, "sample_y"):
        model.sample_y(x, 3, random_state=0)
    assert pickle.dumps(model) == before


def test_the_same_seed_gives_the_same_draws_and_another_others(tmp_path):
    model, x = fitted(rate=0.3), X[:4]
    draws = model.predict_draws(x)
    sknn.save(model, tmp_path / "model.sknn")
    for same in (fitted(rate=0.3), clone(model).fit(X, Y), pickle.loads(pickle.dumps(model))):
        assert_array_equal(same.predict_draws(x), draws)
    assert_array_equal(sknn.load(tmp_path / "model.sknn").predict_draws(x), draws)
    assert (clone(model).set_params(random_state=1).fit(X, Y).predict_draws(x) != draws).any()
    once, again, other = (model.sample_y(x, 5, random_state=seed) for seed in (0, 0, 1))
    assert_array_equal(once, again)
    assert (once != other).any()


@pytest.mark.parametrize(
    ("network", "kept"),
    [
        (MLPRegressor((20,), **FEW), 0.2),
        (MLPRegressor((20,), dropout=0.4, **FEW), 0.4),
        (NetworkRegressor([Dense(5), Layer(0.3)], **FEW), 0.3),
    ],
)
def test_a_network_that_has_dropout_keeps_it(network, kept):
    model = fitted(network, 0.2)
    assert [layer.rate for layer in model.network_.network_.layers if isinstance(layer, Layer)] == [kept]


def test_a_network_that_has_none_and_can_be_given_none_is_refused_before_training():
    network = NetworkRegressor([Dense(5)], tol=0.0, max_iter=10**9)
    with pytest.raises(ValueError, match=r"has no dropout.*put sknn\.nn\.Dropout\(0\.05\) behind a layer"):
        fitted(network)


def test_constant_noise_is_that_of_samples_held_out():
    model = fitted(MLPRegressor((), solver="lbfgs"), rate=0.0, noise="constant")
    assert model.noise_ == pytest.approx(0.1, rel=0.3)


def test_learned_noise_is_the_networks():
    model = fitted(noise="learned")
    assert model.noise_ is None
    assert model.uncertainty(X, "noise").std() > 0


@pytest.mark.parametrize("rate", [-0.1, 1.0, "a"])
def test_a_rate_must_be_one(rate):
    with pytest.raises(ValueError, match="rate must be"):
        Dropout(rate)


def test_a_network_without_any_layer_to_drop_from_is_refused():
    with pytest.raises(ValueError, match="no hidden layers"):
        fitted(MLPRegressor((), **FEW))
