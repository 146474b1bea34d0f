"""Methods that pipelines do not pass on."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import ARDRegression, BayesianRidge, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from sknn import FlowRegressor, MLPClassifier, MLPRegressor, pipeline
from sknn.pipeline import last_step, predict_interval, predict_quantiles, sample_y, score_samples

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.uniform(100, 300, (200, 2))
Y = np.exp(X[:, 0] / 100 + RNG.normal(0, 0.3, 200))
SCALED = StandardScaler().fit_transform(X)
QUANTILES = [0.9, 0.1, 0.5]
NETWORK = MLPRegressor(4, loss="quantile", quantile=QUANTILES, max_iter=20, random_state=0)
LOGARITHM = {"func": np.log, "inverse_func": np.exp}
ONCE = [(np.arange(100), np.arange(100, 200))]


def expected(y=Y, X=SCALED, back=lambda quantiles: quantiles):
    return back(NETWORK.fit(X, y).predict_quantiles(X))


class Case(NamedTuple):
    """A model, and the quantiles that it predicts."""

    model: Any
    quantiles: Any


CASES = {
    "no pipeline": Case(NETWORK, lambda: expected(X=X)),
    "pipeline": Case(make_pipeline(StandardScaler(), NETWORK), expected),
    "one step": Case(make_pipeline(NETWORK), lambda: expected(X=X)),
    "nothing before": Case(make_pipeline("passthrough", NETWORK), lambda: expected(X=X)),
    "pipeline within": Case(make_pipeline(StandardScaler(), make_pipeline("passthrough", NETWORK)), expected),
    "search around": Case(
        GridSearchCV(make_pipeline(StandardScaler(), NETWORK), {"mlpregressor__alpha": [1e-4]}, cv=ONCE), expected
    ),
    "search within": Case(make_pipeline(StandardScaler(), GridSearchCV(NETWORK, {"alpha": [1e-4]}, cv=ONCE)), expected),
    "logarithm within": Case(
        make_pipeline(StandardScaler(), TransformedTargetRegressor(NETWORK, **LOGARITHM)),
        lambda: expected(np.log(Y), back=np.exp),
    ),
    "logarithm around": Case(
        TransformedTargetRegressor(make_pipeline(StandardScaler(), NETWORK), **LOGARITHM),
        lambda: expected(np.log(Y), back=np.exp),
    ),
    "scaled y": Case(
        make_pipeline(StandardScaler(), TransformedTargetRegressor(NETWORK, transformer=MinMaxScaler())), expected
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_quantiles_come_through(name):
    model, quantiles = CASES[name]
    found = predict_quantiles(model.fit(X, Y), X)
    assert_allclose(found, quantiles(), rtol=1e-6 if name == "scaled y" else 1e-12)
    high, low, middle = found.T
    assert np.all((low <= middle) & (middle <= high))


def test_frozen_ones_are_what_they_hold():
    frozen = FrozenEstimator(make_pipeline(StandardScaler(), NETWORK).fit(X, Y))
    assert_array_equal(predict_quantiles(frozen, X), predict_quantiles(frozen.estimator, X))


def test_tables_keep_their_names_on_the_way():
    table = pd.DataFrame(X, columns=["a", "b"])
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), NETWORK).fit(table, Y)
    network, rows = last_step(pipeline, table)
    assert network is pipeline[-1]
    assert list(rows) == ["a", "b"]
    assert_allclose(rows, SCALED)


def test_any_method_can_be_called_so():
    classifier, rows = last_step(make_pipeline(StandardScaler(), MLPClassifier(4, tol=0.1)).fit(X, Y > 9), X)
    assert classifier.predict_log_proba(rows).shape == (200, 2)


REFUSED = {
    "another loss": (
        make_pipeline(StandardScaler(), MLPRegressor(4, tol=0.1)),
        AttributeError,
        "no attribute 'predict_quantiles'",
    ),
    "no network": (make_pipeline(StandardScaler(), Ridge()), AttributeError, "no attribute 'predict_quantiles'"),
    "falling": (
        TransformedTargetRegressor(NETWORK, func=np.negative, inverse_func=np.negative),
        ValueError,
        "falls where y rises",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_predicts_no_quantiles_says_so(name):
    model, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        predict_quantiles(model.fit(X, Y), X)


@pytest.mark.parametrize("model", [Pipeline([("a", StandardScaler()), ("b", NETWORK)]), MLPRegressor(loss="quantile")])
def test_an_unfitted_model_is_told(model):
    with pytest.raises(NotFittedError):
        predict_quantiles(model, X)


def test_functions_of_x_stay_in_the_pipeline():
    pipeline = make_pipeline(FunctionTransformer(np.log), StandardScaler(), NETWORK).fit(X, Y)
    by_hand = pipeline[-1].predict_quantiles(pipeline[:-1].transform(X))
    assert_array_equal(predict_quantiles(pipeline, X), by_hand)


# -- what regressors know of y -------------------------------------------------------------------------------------


RIDGE = BayesianRidge().fit(SCALED, np.log(Y))
TWO = GaussianProcessRegressor(RBF(100.0) + WhiteKernel()).fit(X, np.c_[Y, -Y] / Y.std())


def test_intervals_are_normal_ones_quantiles_or_ones_own():
    mean, std = RIDGE.predict(SCALED, return_std=True)
    expected = np.c_[mean - 1.6448536 * std, mean + 1.6448536 * std]
    pipeline = make_pipeline(StandardScaler(), BayesianRidge()).fit(X, np.log(Y))
    assert_allclose(predict_interval(pipeline, X), expected, rtol=1e-6)
    around = TransformedTargetRegressor(pipeline, **LOGARITHM).fit(X, Y)
    assert_allclose(predict_interval(around, X), np.exp(expected), rtol=1e-6)
    falling = TransformedTargetRegressor(pipeline, func=lambda y: -y, inverse_func=lambda y: -y).fit(X, np.log(Y))
    assert_allclose(predict_interval(falling, X), expected, rtol=1e-6)
    network = make_pipeline(StandardScaler(), NETWORK).fit(X, Y)
    high, low, _ = predict_quantiles(network, X).T
    assert_array_equal(predict_interval(network, X, confidence=0.8), np.c_[low, high])
    flow = FlowRegressor(max_iter=1, random_state=0).fit(X, Y)
    assert_array_equal(predict_interval(flow, X, confidence=0.5), flow.predict_interval(X, confidence=0.5))


def test_densities_and_draws_are_normal_ones_or_ones_own():
    mean, std = TWO.predict(X, return_std=True)
    y = np.c_[Y, -Y] / Y.std()
    assert_allclose(score_samples(TWO, X, y), norm.logpdf(y, mean, std).sum(axis=1))
    mean, std = RIDGE.predict(SCALED, return_std=True)
    draws = sample_y(RIDGE, SCALED, 2000, random_state=0)
    assert_allclose(draws.mean(axis=1), mean, atol=0.04)
    assert_allclose(draws.std(axis=1), std, rtol=0.1)
    assert_array_equal(draws, sample_y(make_pipeline(RIDGE), SCALED, 2000, random_state=0))
    flow = FlowRegressor(max_iter=1, random_state=0).fit(X, Y)
    assert_array_equal(score_samples(make_pipeline(flow), X, Y), flow.score_samples(X, Y))
    assert_array_equal(sample_y(make_pipeline(flow), X, 3, 0), flow.sample_y(X, 3, random_state=0))


def test_a_column_of_pandas_is_an_array():
    table = pd.DataFrame(SCALED)
    ridge = ARDRegression().fit(table, np.log(Y))
    assert_allclose(predict_interval(ridge, table), predict_interval(ARDRegression().fit(SCALED, np.log(Y)), SCALED))


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_blocks_of_draws_are_all_rows(monkeypatch, n_outputs):
    model, y = (TWO, np.c_[Y, -Y]) if n_outputs == 2 else (BayesianRidge().fit(X, Y), Y)
    monkeypatch.setattr(pipeline, "LARGEST", 7 * 5 * n_outputs)
    blocks = list(pipeline.sample_y_in_blocks(model, pd.DataFrame(X).to_numpy(), 5, n_outputs, random_state=0))
    assert_array_equal(np.concatenate([rows for rows, _ in blocks]), np.arange(200))
    assert {draws.shape for _, draws in blocks[:-1]} == {(7, *y.shape[1:], 5)}


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda model: predict_interval(model, X),
            "Ridge has no predict_interval, no standard deviation and no quanti",
        ),
        (lambda model: score_samples(model, X, Y), "Ridge has no score_samples and no standard deviation"),
        (lambda model: sample_y(model, X), "Ridge has no sample_y and no standard deviation"),
    ],
)
def test_who_knows_nothing_is_told_apart(ask, message):
    with pytest.raises(AttributeError, match=message):
        ask(make_pipeline(StandardScaler(), Ridge()).fit(X, Y))


def test_intervals_of_other_levels_than_learnt_are_refused():
    network = NETWORK.fit(X, Y)
    with pytest.raises(AttributeError, match=r"MLPRegressor has no .* no quantiles 0.05 and 0.95"):
        predict_interval(network, X)
    with pytest.raises(ValueError, match="confidence=1 must be a number above 0 and below 1"):
        predict_interval(network, X, confidence=1)
