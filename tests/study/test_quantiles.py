"""Studies of quantiles: networks beside baselines that predict the same, by pinball loss and coverage."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.dummy import DummyRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LinearRegression, QuantileRegressor
from sklearn.metrics import mean_pinball_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import FlowRegressor, MLPRegressor
from sknn.study import Study
from sknn.study.measures import Answers, as_measures
from sknn.study.quantiles import FromDeviation, OneByOne, levels_of

X, Y = load_diabetes(return_X_y=True)
PINBALL, COVERAGE = as_measures(["pinball_loss", "coverage"])


class Fixed(LinearRegression):
    """Predict the same quantiles everywhere, the highest first."""

    quantile = (0.9, 0.5, 0.1)

    def predict_quantiles(self, X):
        return np.tile([200.0, 150.0, 100.0], (len(X), 1))


@pytest.mark.parametrize("wrap", [lambda model: model, make_pipeline, lambda model: Answers(make_pipeline(model), X)])
def test_both_measures(wrap):
    model = wrap(Fixed().fit(X, Y))
    values = {0.1: 100.0, 0.5: 150.0, 0.9: 200.0}
    expected = [mean_pinball_loss(Y, np.full_like(Y, value), alpha=level) for level, value in values.items()]
    assert PINBALL.scorer(model, X, Y) == pytest.approx(np.mean(expected))
    assert COVERAGE.scorer(model, X, Y) == np.mean((Y >= 100) & (Y <= 200))


def test_the_coverage_of_one_quantile_is_what_lies_below():
    model = OneByOne(DummyRegressor(strategy="quantile"), [0.8]).fit(X, Y)
    assert COVERAGE.scorer(model, X, Y) == pytest.approx(0.8, abs=0.01)


def test_quantiles_one_by_one_are_those_of_the_models_and_never_cross():
    model = OneByOne(QuantileRegressor(alpha=0), [0.9, 0.2]).fit(X, Y)
    apart = [QuantileRegressor(alpha=0, quantile=level).fit(X, Y).predict(X) for level in (0.9, 0.2)]
    found = model.predict_quantiles(X)
    assert_allclose(np.sort(found, axis=1), np.sort(np.transpose(apart), axis=1))
    assert (found[:, 0] >= found[:, 1]).all()
    assert_array_equal(model.predict(X), found[:, 1])


def test_quantiles_of_a_gaussian():
    model = FromDeviation(GaussianProcessRegressor(normalize_y=True, optimizer=None), [0.1, 0.5, 0.9]).fit(X, Y)
    mean, deviation = model.regressor_.predict(X[:5], return_std=True)
    assert_allclose(model.predict_quantiles(X[:5])[:, 2], mean + 1.2815515655 * deviation)
    assert_allclose(model.predict(X[:5]), mean)


def test_levels_of_models_that_are_told_them_are_those_they_give_unasked():
    assert levels_of(make_pipeline(StandardScaler(), FlowRegressor())).tolist() == [0.05, 0.5, 0.95]


def test_levels_are_found_within_pipelines_and_around_scaled_targets():
    network = MLPRegressor(3, loss="quantile", quantile=[0.2, 0.5], max_iter=5, tol=10, n_iter_no_change=2)
    model = TransformedTargetRegressor(make_pipeline(StandardScaler(), network), transformer=StandardScaler())
    assert levels_of(make_pipeline(StandardScaler(), model).fit(X, Y)).tolist() == [0.2, 0.5]
    with pytest.raises(AttributeError, match="LinearRegression has no attribute 'predict_quantiles'"):
        levels_of(make_pipeline(LinearRegression()))


def test_a_study_of_quantiles():
    study = Study(["dummy", "linear", "hist_gradient_boosting", "mlp"], cv=2, quantiles=[0.1, 0.5, 0.9]).run(X, Y)
    assert list(study.results.columns[6:9]) == ["pinball_loss", "coverage", "mae"]
    assert study.results["error"].isna().all()
    scores = study.summary().set_index("model")
    assert scores.loc["linear", "pinball_loss_mean"] < scores.loc["dummy", "pinball_loss_mean"]
    assert scores["coverage_mean"].between(0.4, 0.9).all()
    assert "in pinball loss" in study.verdicts()["data"]


def test_models_without_quantiles_have_no_such_scores_and_did_not_fail():
    results = Study(["ridge"], cv=2, scoring=["mae", "pinball_loss", "coverage"]).run(X, Y).results
    assert results[["pinball_loss", "coverage"]].isna().all(axis=None)
    assert results[["error", "warnings"]].isna().all(axis=None)


def test_a_study_of_quantiles_can_be_tuned():
    study = Study(["linear", "hist_gradient_boosting"], cv=2, tune=2, quantiles=[0.1, 0.9]).run(X[:60], Y[:60])
    assert study.results["error"].isna().all()
    assert study.results.set_index("model").loc["hist_gradient_boosting", "params"].notna().all()


@pytest.mark.parametrize(
    ("options", "data", "message"),
    [
        ({"quantiles": [0.5, 1.0]}, (X, Y), r"quantiles=\[0.5, 1.0\] must be numbers between 0 and 1"),
        ({"quantiles": []}, (X, Y), "must be numbers between 0 and 1"),
        ({"quantiles": [0.5]}, load_iris(return_X_y=True), "are of numbers, but 'data' is classification data"),
        ({"quantiles": [0.5], "models": ["ridge"]}, (X, Y), "unknown model 'ridge'"),
        ({"scoring": ["coverage", "mae"]}, (X, Y), "'coverage' says of no model that it is better"),
    ],
)
def test_what_is_no_study_of_quantiles(options, data, message):
    with pytest.raises(ValueError, match=message):
        Study(**{"models": None, "cv": 2} | options).run(*data)
