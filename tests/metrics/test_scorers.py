"""Scorers of estimators that know how sure they are: what they ask, alone, in pipelines, in searches."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import BayesianRidge, LinearRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPRegressor, metrics
from sknn.metrics import coverage_scorer, crps_scorer, interval_score_scorer, log_density_scorer, width_scorer
from sknn.pipeline import last_step, mean_and_std

RNG = np.random.default_rng(0)
X = RNG.normal(size=(500, 2)) * 10
Y = X[:, 0] + RNG.normal(size=500)
Z = norm.ppf(0.95)


class Known(RegressorMixin, BaseEstimator):
    """p(y | x) = N(x, 1), said by methods of its own."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.asarray(X)[:, 0]

    def predict_interval(self, X, confidence=0.9):
        return self.predict(X)[:, None] + norm.interval(confidence)

    def score_samples(self, X, y):
        return norm.logpdf(y, self.predict(X))

    def sample_y(self, X, n_samples=1, random_state=None):
        return self.predict(X)[:, None] + random_state.normal(size=(len(X), n_samples))


EXPECTED = {
    log_density_scorer: norm.logpdf(Y, X[:, 0]).mean(),
    crps_scorer: -metrics.crps_gaussian(Y, X[:, 0], np.ones(500)),
    coverage_scorer: np.mean(np.abs(Y - X[:, 0]) < Z),
    width_scorer: -2 * Z,
    interval_score_scorer: -(2 * Z + 20 * np.maximum(np.abs(Y - X[:, 0]) - Z, 0).mean()),
}


@pytest.mark.parametrize(("scorer", "expected"), EXPECTED.items(), ids=[each.__name__ for each in EXPECTED])
@pytest.mark.parametrize(
    "wrap",
    [lambda model: model, lambda model: make_pipeline("passthrough", model), lambda model: GridSearchCV(model, {})],
    ids=["alone", "pipeline", "search"],
)
def test_what_an_estimator_says_is_scored(scorer, expected, wrap):
    assert_allclose(scorer(wrap(Known()).fit(X, Y), X, Y), expected, rtol=0.02 if scorer is crps_scorer else 1e-12)


@pytest.mark.parametrize(
    "model",
    [
        BayesianRidge(),
        GaussianProcessRegressor(RBF() + WhiteKernel(), normalize_y=True),
        MLPRegressor((), loss="normal", max_iter=20, tol=1.0, n_iter_no_change=2, random_state=0),
    ],
    ids=["ridge", "process", "network"],
)
def test_deviations_are_those_of_a_normal_distribution(model):
    pipeline = make_pipeline(StandardScaler(), model).fit(X[:100], Y[:100])
    mean, std = mean_and_std(*last_step(pipeline, X))
    assert_allclose(log_density_scorer(pipeline, X, Y), norm.logpdf(Y, mean, std).mean())
    assert_allclose(crps_scorer(pipeline, X, Y), -metrics.crps_gaussian(Y, mean, std))
    assert_allclose(coverage_scorer(pipeline, X, Y), np.mean(np.abs(Y - mean) < Z * std))
    assert_allclose(width_scorer(pipeline, X), -2 * Z * std.mean())


def test_cross_validation_takes_them_all_and_other_levels():
    scoring = {each.__name__: each for each in EXPECTED} | {"half": partial(coverage_scorer, confidence=0.5)}
    found = cross_validate(BayesianRidge(), X, Y, scoring=scoring)
    assert_allclose(found["test_half"].mean(), 0.5, atol=0.08)
    assert_allclose(found["test_coverage_scorer"].mean(), 0.9, atol=0.04)


@pytest.mark.parametrize("scorer", EXPECTED, ids=lambda each: each.__name__)
def test_who_knows_nothing_is_not_scored(scorer):
    with pytest.raises(AttributeError, match="LinearRegression has no"):
        scorer(make_pipeline(StandardScaler(), LinearRegression()).fit(X, Y), X, Y)
