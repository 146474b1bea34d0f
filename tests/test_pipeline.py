"""Methods that pipelines do not pass on."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from sknn import MLPClassifier, MLPRegressor
from sknn.pipeline import last_step, predict_quantiles

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
