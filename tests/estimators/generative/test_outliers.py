"""Outliers by any density: where the offset lies, whose scores they are, and what is refused."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import OutlierDetector

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 2))
FAR = np.array([[9.0, 9.0], [-30.0, 0.0]])

ESTIMATORS = {
    "kernel density": KernelDensity(bandwidth=0.5),
    "mixture": GaussianMixture(2, random_state=0),
    "pipeline": make_pipeline(StandardScaler(), KernelDensity(bandwidth=0.5)),
    "search": GridSearchCV(KernelDensity(), {"bandwidth": [0.3, 1.0]}, cv=2),
    "detector": IsolationForest(n_estimators=20, random_state=0),
}


class Scores(BaseEstimator):
    """An estimator whose scores are its inputs."""

    def fit(self, X, y=None, sample_weight=None):
        return self

    def score_samples(self, X):
        return np.ravel(X)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_scores_are_those_of_the_estimator_and_signs_those_of_scikit_learn(name):
    detector = OutlierDetector(ESTIMATORS[name]).fit(X)
    alone = clone(ESTIMATORS[name]).fit(X)
    assert_array_equal(detector.score_samples(X), alone.score_samples(X))
    assert_array_equal(detector.decision_function(X), detector.score_samples(X) - detector.offset_)
    assert_array_equal(detector.predict(X), np.where(detector.decision_function(X) < 0, -1, 1))  # all have a score
    assert_array_equal(clone(detector).fit_predict(X), detector.predict(X))
    if name != "detector":  # outside of all data a forest of few trees cannot go on
        assert_array_equal(detector.predict(FAR), [-1, -1])


@pytest.mark.parametrize(("contamination", "n_outliers"), [("auto", 10), (0.005, 1), (0.1, 20), (0.5, 100)])
def test_the_share_of_outliers_among_training_samples_is_the_contamination(contamination, n_outliers):
    detector = OutlierDetector(KernelDensity(), contamination=contamination)
    assert (detector.fit_predict(X) == -1).sum() == n_outliers


@pytest.mark.parametrize(
    ("scores", "contamination", "weight", "offset"),
    [
        ([3.0, 1.0, 2.0, 4.0], 0.25, None, 1.5),
        ([3.0, 1.0, 2.0, 4.0], 0.1, None, 1.0),  # no sample is a tenth of four
        ([3.0, 1.0, 2.0, 4.0], 0.5, [1, 3, 1, 1], 1.5),
        ([3.0, 1.0, 2.0, 4.0], 0.5, [1, 3, 4, 1], 2.0),
        ([3.0, 1.0, 2.0, 4.0], 0.5, [1, 1, 0, 0], 2.0),
        ([-np.inf, 1.0, 2.0, 4.0], 0.25, None, 1.0),
    ],
)
def test_the_offset_lies_between_outliers_and_others(scores, contamination, weight, offset):
    detector = OutlierDetector(Scores(), contamination=contamination).fit(np.array(scores)[:, None], None, weight)
    assert detector.offset_ == offset


def test_a_normal_distribution_has_its_quantile_for_an_offset():
    many = RNG.normal(size=(20_000, 1))
    detector = OutlierDetector(GaussianMixture(), contamination=0.05).fit(many)
    assert_allclose(detector.offset_, norm.logpdf(norm.ppf(0.975)), atol=0.05)


def test_a_sample_without_a_score_is_an_outlier():
    detector = OutlierDetector(Scores()).fit(X[:, :1])
    assert_array_equal(detector.predict([[0.0], [np.nan], [-np.inf], [np.inf]]), [1, -1, -1, 1])


def test_weights_are_counts():
    counts = RNG.integers(0, 4, size=200)
    weighted = OutlierDetector(KernelDensity(), contamination=0.1).fit(X, sample_weight=counts)
    repeated = OutlierDetector(KernelDensity(), contamination=0.1).fit(np.repeat(X, counts, axis=0))
    assert_allclose(weighted.offset_, repeated.offset_, rtol=1e-12)
    assert_array_equal(weighted.predict(X), repeated.predict(X))


@pytest.mark.parametrize(
    ("scores", "weight", "error", "message"),
    [
        ([np.nan, 1.0], None, ValueError, "gave NaN for 1 training samples"),
        ([-np.inf, -np.inf, 0.0], None, ValueError, "gave -inf for more training samples than contamination=0.05"),
        ([1.0, 2.0], [0.0, 0.0], ValueError, "weight"),
    ],
)
def test_scores_that_give_no_offset_are_refused(scores, weight, error, message):
    with pytest.raises(error, match=message):
        OutlierDetector(Scores()).fit(np.array(scores)[:, None], sample_weight=weight)


def test_an_estimator_without_weights_refuses_them():
    with pytest.raises(TypeError, match="sample_weight was given, but GaussianMixture takes none"):
        OutlierDetector(GaussianMixture()).fit(X, sample_weight=np.ones(200))


@pytest.mark.parametrize(
    "params", [{"estimator": StandardScaler()}, {"contamination": 0.0}, {"contamination": 0.6}, {"contamination": "5%"}]
)
def test_parameters_are_checked(params):
    with pytest.raises(ValueError, match=next(iter(params))):
        OutlierDetector(**{"estimator": KernelDensity(), **params}).fit(X)


def test_a_failed_fit_leaves_it_as_it_was():
    detector = OutlierDetector(KernelDensity()).fit(X)
    before = dict(vars(detector))
    with pytest.raises(ValueError, match="NaN"):
        detector.fit(np.full((3, 2), np.nan))
    assert vars(detector) == before


def test_before_a_fit_there_is_nothing():
    detector = OutlierDetector(KernelDensity())
    assert not hasattr(detector, "n_features_in_")
    for method in ("score_samples", "decision_function", "predict"):
        with pytest.raises(NotFittedError):
            getattr(detector, method)(X)


def test_features_are_those_of_the_estimator():
    detector = OutlierDetector(KernelDensity()).fit(pd.DataFrame(X, columns=["a", "b"]))
    assert detector.n_features_in_ == 2
    assert detector.feature_names_in_.tolist() == ["a", "b"]


def test_a_frozen_density_is_used_as_it_is():
    density = KernelDensity(bandwidth=0.3).fit(X)
    detector = OutlierDetector(FrozenEstimator(density)).fit(X[:50])
    assert_array_equal(detector.score_samples(X), density.score_samples(X))


def test_searches_reach_the_estimator_and_pickles_predict_the_same():
    detector = OutlierDetector(KernelDensity()).set_params(estimator__bandwidth=0.2).fit(X)
    assert detector.estimator_.bandwidth == 0.2
    assert_array_equal(pickle.loads(pickle.dumps(detector)).predict(X), detector.predict(X))
