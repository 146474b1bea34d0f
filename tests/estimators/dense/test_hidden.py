"""Hidden layers as features: which layer is meant, what comes out, and who uses it."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import (
    CNNClassifier,
    HiddenLayerTransformer,
    MLPClassifier,
    MLPRegressor,
    NetworkClassifier,
    PerceptronClassifier,
)
from sknn.nn import Activation, BatchNorm, Conv, Dense, Dropout, Flatten, GlobalPool, LayerNorm, Pool, Residual

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, NUMBERS = load_digits(return_X_y=True)
X, Y = DIGITS[:80] / 16.0, NUMBERS[:80]
QUICK = {"max_iter": 2, "random_state": 0}
MLP = MLPClassifier((6, 4), **QUICK)
CNN = CNNClassifier((3, 5), hidden_layer_sizes=(7,), input_shape=(8, 8, 1), **QUICK)


def relu(z):
    return np.maximum(z, 0)


# -- which layer ---------------------------------------------------------------------------------------------------


def test_the_activations_are_those_of_the_layer():
    network = MLP.fit(X, Y)
    first = relu(X @ network.coefs_[0] + network.intercepts_[0])
    second = relu(first @ network.coefs_[1] + network.intercepts_[1])
    for layer, expected in {0: first, 1: second, -1: second, -2: first}.items():
        found = HiddenLayerTransformer(MLP, layer).fit_transform(X, Y)
        assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_last_hidden_layer_is_what_the_output_layer_sees():
    hidden = HiddenLayerTransformer(CNN).fit(X, Y)
    output = hidden.estimator_.network_.parameters[str(len(hidden.estimator_.network_.layers) - 1)]
    scores = hidden.transform(X) @ output["weight"] + output["bias"]
    assert_array_equal(hidden.estimator_.classes_[scores.argmax(axis=1)], hidden.estimator_.predict(X))


@pytest.mark.parametrize(("layer", "n_features"), [(0, 4 * 4 * 3), (1, 2 * 2 * 5), (2, 7), (-3, 4 * 4 * 3)])
def test_grids_come_as_rows_as_the_next_layer_sees_them(layer, n_features):
    hidden = HiddenLayerTransformer(CNN, layer).fit(X, Y)
    found = hidden.transform(X)
    assert found.shape == (80, n_features)
    if layer == 0:  # position by position, channel by channel, after the pooling
        maps = hidden.estimator_.network_[:2](hidden.estimator_.input_scaling_(X))
        pooled = relu(maps).reshape(80, 4, 2, 4, 2, 3).max(axis=(2, 4))
        assert_allclose(found.reshape(80, 4, 4, 3), pooled, rtol=1e-12)


STACKS = {
    "normalised, then activated": ([Dense(5, use_bias=False), BatchNorm(), Activation("tanh"), Dense(3)], [5, 3]),
    "normalised first": ([BatchNorm(), Dense(5), LayerNorm(), Dropout(0.2)], [5]),
    "added to their input": ([Dense(5), Residual([LayerNorm(), Dense(5)]), Residual([Dense(5)]), Dropout()], [5, 5, 5]),
    "pooled to channels": ([Conv(4), GlobalPool(), Dense(3)], [4, 3]),
    "two convolutions": ([Conv(2), Conv(3, stride=2), Pool(), Flatten()], [128, 12]),
}


@pytest.mark.parametrize(("layers", "widths"), STACKS.values(), ids=STACKS)
def test_a_hidden_layer_ends_where_the_next_weights_begin(layers, widths):
    network = NetworkClassifier(layers, input_shape=(8, 8, 1) if isinstance(layers[0], Conv) else None, **QUICK)
    hidden = HiddenLayerTransformer(FrozenEstimator(network.fit(X, Y))).fit(X)
    assert [hidden.set_params(layer=k).transform(X).shape[1] for k in range(len(widths))] == widths
    with pytest.raises(ValueError, match=rf"the network has {len(widths)} hidden layer"):
        hidden.set_params(layer=len(widths)).transform(X)


@pytest.mark.parametrize(
    ("estimator", "layer", "message"),
    [
        (MLP, 2, r"layer=2 is not there: the network has 2 hidden layer\(s\)"),
        (MLP, -3, "layer=-3 is not there"),
        (PerceptronClassifier(), -1, r"layer=-1 is not there: the network has 0 hidden layer\(s\)"),
        (MLP, 0.5, "'layer' parameter of HiddenLayerTransformer must be an int"),
        (LogisticRegression(), -1, "'estimator' parameter of HiddenLayerTransformer must be an instance of"),
    ],
)
def test_a_layer_or_estimator_that_is_not_there_is_refused_and_nothing_is_left(estimator, layer, message):
    hidden = HiddenLayerTransformer(estimator, layer)
    with pytest.raises(ValueError, match=message):
        hidden.fit(X, Y)
    assert vars(hidden) == {"estimator": estimator, "layer": layer}


# -- fitted or to be fitted ----------------------------------------------------------------------------------------


def test_a_clone_of_the_network_is_fitted_and_the_network_left_alone():
    network = clone(MLP)
    hidden = HiddenLayerTransformer(network).fit(X, Y)
    assert not hasattr(network, "network_")
    assert_array_equal(hidden.estimator_.network_.theta, clone(MLP).fit(X, Y).network_.theta)


def test_a_frozen_network_is_used_as_it_is():
    network = clone(MLP).fit(X, Y)
    theta = network.network_.theta.copy()
    hidden = HiddenLayerTransformer(FrozenEstimator(network))
    expected = HiddenLayerTransformer(MLP).fit(X, Y).transform(X)
    assert_array_equal(hidden.fit(X).transform(X), expected)
    assert_array_equal(clone(hidden).fit(X[:10]).transform(X), expected)
    assert_array_equal(clone(hidden).fit_transform(X), expected)
    assert_array_equal(network.network_.theta, theta)


def test_a_frozen_network_must_be_fitted_and_of_sknn():
    with pytest.raises(NotFittedError):
        HiddenLayerTransformer(FrozenEstimator(clone(MLP))).fit(X, Y)
    line = LinearRegression().fit(X, Y)
    with pytest.raises(TypeError, match=r"estimator must be a network of sknn, got FrozenEstimator\(.*LinearReg"):
        HiddenLayerTransformer(FrozenEstimator(line)).fit(X, Y)


def test_a_network_that_is_not_frozen_needs_targets():
    with pytest.raises(ValueError, match="requires y to be passed"):
        HiddenLayerTransformer(MLP).fit(X)


def test_nothing_is_told_before_the_fit():
    hidden = HiddenLayerTransformer(MLP)
    for call in (lambda: hidden.transform(X), hidden.get_feature_names_out):
        with pytest.raises(NotFittedError):
            call()
    assert not hasattr(hidden, "n_features_in_")


def test_validation_samples_reach_the_network_through_a_pipeline():
    stopping = clone(MLP).set_params(early_stopping=True)
    with config_context(enable_metadata_routing=True):
        stopping.set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(
            StandardScaler(), HiddenLayerTransformer(stopping), RandomForestClassifier(3), transform_input=["X_val"]
        )
        hidden = pipeline.fit(X[:60], Y[:60], X_val=X[60:], y_val=Y[60:])[1]
    scale = StandardScaler().fit(X[:60]).transform
    alone = clone(stopping).fit(scale(X[:60]), Y[:60], X_val=scale(X[60:]), y_val=Y[60:])
    assert hidden.estimator_.validation_scores_ == alone.validation_scores_


def test_fit_parameters_reach_the_network():
    weight = np.arange(80) % 3
    expected = clone(MLP).fit(X, Y, sample_weight=weight).network_.theta
    assert_array_equal(HiddenLayerTransformer(MLP).fit(X, Y, sample_weight=weight).estimator_.network_.theta, expected)
    with config_context(enable_metadata_routing=True):
        hidden = HiddenLayerTransformer(clone(MLP).set_fit_request(sample_weight=True))
        pipeline = make_pipeline(hidden, RandomForestClassifier(3).set_fit_request(sample_weight=False))
        routed = pipeline.fit(X, Y, sample_weight=weight)[0]
    assert_array_equal(routed.estimator_.network_.theta, expected)


# -- what comes out ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("network", [MLP, CNN, MLPRegressor((3, 2), **QUICK)], ids=lambda each: type(each).__name__)
def test_features_come_in_the_precision_of_x_and_one_sample_at_a_time_is_the_same(network, dtype):
    data = X.astype(dtype)
    hidden = HiddenLayerTransformer(network, layer=0).fit(data, Y)
    together = hidden.transform(data)
    assert together.dtype == dtype
    alone = np.concatenate([hidden.transform(data[k : k + 1]) for k in range(5)])
    assert_allclose(alone, together[:5], rtol=1e-5, atol=1e-6)


def test_pandas_out_has_names_and_the_index():
    frame = pd.DataFrame(X, index=np.arange(80)[::-1]).add_prefix("pixel")
    hidden = HiddenLayerTransformer(MLP).set_output(transform="pandas").fit(frame, Y)
    features = hidden.transform(frame)
    assert list(features.columns) == [f"hiddenlayertransformer{k}" for k in range(4)]
    assert list(features.columns) == list(hidden.get_feature_names_out())
    assert_array_equal(features.index, frame.index)
    assert_array_equal(hidden.feature_names_in_, frame.columns)
    assert hidden.n_features_in_ == 64
    with pytest.raises(ValueError, match="feature names should match"):
        hidden.transform(frame.add_suffix("?"))


def test_a_pickle_transforms_to_the_same_bits():
    hidden = HiddenLayerTransformer(CNN, layer=1).fit(X, Y)
    assert_array_equal(pickle.loads(pickle.dumps(hidden)).transform(X), hidden.transform(X))


# -- beside other estimators ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(64,), (8, 8), (8, 8, 1)])
def test_a_cnn_feeds_a_forest(shape):
    cnn = CNNClassifier(8, hidden_layer_sizes=(32,), input_shape=(8, 8, 1), learning_rate_init=0.01, **QUICK)
    images = DIGITS.reshape(-1, *shape)
    forest = make_pipeline(
        HiddenLayerTransformer(cnn.set_params(max_iter=8)), RandomForestClassifier(30, random_state=0)
    )
    assert forest.fit(images[:600], NUMBERS[:600]).score(images[600:900], NUMBERS[600:900]) > 0.9
    assert forest[-1].n_features_in_ == 32


def test_searched_by_layer_and_by_parameters_of_the_network():
    pipeline = make_pipeline(HiddenLayerTransformer(MLP), PCA(2), LogisticRegression())
    name = "hiddenlayertransformer"
    grid = {f"{name}__layer": [0, -1], f"{name}__estimator__hidden_layer_sizes": [(5, 3), (8, 4)]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, Y)
    best = search.best_estimator_[0]
    sizes = search.best_params_[f"{name}__estimator__hidden_layer_sizes"]
    assert len(best.get_feature_names_out()) == sizes[search.best_params_[f"{name}__layer"]]
    assert search.best_estimator_.get_params().items() >= search.best_params_.items()


def test_a_search_reaches_the_layers_of_a_network_of_your_own():
    hidden = HiddenLayerTransformer(NetworkClassifier([Dense(4)], **QUICK))
    search = GridSearchCV(
        make_pipeline(hidden, LogisticRegression()),
        {"hiddenlayertransformer__estimator__layers__0__units": [2, 6]},
        cv=2,
        error_score="raise",
    )
    best = search.fit(X, Y)
    assert best.best_estimator_[0].transform(X).shape[1] in (2, 6)
    assert hidden.estimator.layers == [Dense(4)]


def test_the_layer_can_be_changed_without_another_fit():
    hidden = HiddenLayerTransformer(MLP).fit(X, Y)
    network = hidden.estimator_
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hidden.set_params(layer=0).transform(X).shape == (80, 6)
    assert hidden.estimator_ is network
