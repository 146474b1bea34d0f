"""Classes by their densities: against closed forms, what priors and weights do, and what is refused."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DensityClassifier, NormalizingFlow

X, NUMBERS = load_iris(return_X_y=True)
Y = np.array(["setosa", "versicolor", "virginica"])[NUMBERS]
KERNELS = KernelDensity(bandwidth=0.4)
GAUSSIANS = GaussianMixture(1, reg_covar=0.0)


def test_gaussian_kernels_in_closed_form():
    classifier = DensityClassifier(KernelDensity(bandwidth=0.5)).fit([[0.0], [1.0], [5.0]], ["a", "a", "b"])
    at = np.linspace(-2.0, 7.0, 10)
    of_a = np.log(0.5 * (norm.pdf(at, 0.0, 0.5) + norm.pdf(at, 1.0, 0.5)))
    joint = np.stack([of_a, norm.logpdf(at, 5.0, 0.5)], axis=1) + np.log([2 / 3, 1 / 3])
    assert_allclose(classifier.score_samples(at[:, None]), logsumexp(joint, axis=1), rtol=1e-10)
    expected = joint - logsumexp(joint, axis=1, keepdims=True)
    assert_allclose(classifier.predict_log_proba(at[:, None]), expected, rtol=1e-8, atol=1e-12)
    assert_array_equal(classifier.predict(at[:, None]), np.where(joint[:, 0] > joint[:, 1], "a", "b"))


@pytest.mark.parametrize("priors", [None, [0.2, 0.3, 0.5]])
def test_gaussians_are_quadratic_discriminant_analysis(priors):
    classifier = DensityClassifier(GAUSSIANS, priors=priors).fit(X, Y)
    shares = np.bincount(NUMBERS) / len(X)
    analysis = QuadraticDiscriminantAnalysis(priors=priors).fit(X, Y)
    assert_allclose(classifier.predict_proba(X), analysis.predict_proba(X), atol=1e-12)
    assert_allclose(classifier.class_prior_, shares if priors is None else priors)


def test_another_prior_is_bayes_rule_alone():
    half, rare = (DensityClassifier(KERNELS, priors=[p, 1 - p]).fit(X[50:], Y[50:]) for p in (0.5, 0.1))
    odds = half.predict_proba(X) * [0.1 / 0.5, 0.9 / 0.5]
    assert_allclose(rare.predict_proba(X), odds / odds.sum(axis=1, keepdims=True), rtol=1e-9)


def test_where_no_class_is_probable_the_priors_remain():
    flat = DensityClassifier(KernelDensity(kernel="tophat"), priors=[0.2, 0.3, 0.5]).fit(X, Y)
    far = np.full((1, 4), 1e6)
    assert flat.score_samples(far) == [-np.inf]
    assert_allclose(flat.predict_proba(far), [[0.2, 0.3, 0.5]])


def test_probabilities_far_from_all_data_are_numbers():
    far = np.full((1, 4), 1e6)
    found = DensityClassifier(KERNELS).fit(X, Y).predict_proba(far)
    assert_allclose(found.sum(axis=1), 1.0)


def test_weights_are_counts():
    counts = np.random.default_rng(0).integers(0, 4, size=len(X))
    weighted = DensityClassifier(KERNELS).fit(X, Y, counts)
    repeated = DensityClassifier(KERNELS).fit(np.repeat(X, counts, axis=0), np.repeat(Y, counts))
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-10)
    assert_allclose(weighted.class_prior_, repeated.class_prior_)


def test_a_class_without_weight_is_none():
    classifier = DensityClassifier(KERNELS).fit(X, Y, np.where(Y == "setosa", 0.0, 1.0))
    assert classifier.classes_.tolist() == ["versicolor", "virginica"]


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        (Y.tolist(), "<U10"),
        (pd.Series(Y, dtype="category"), "<U10"),
        (pd.Series(NUMBERS, dtype="Int64"), "int64"),
        (pl.Series(Y), "<U10"),
        (NUMBERS == 1, "bool"),
    ],
    ids=["list", "categories", "pandas' integers", "polars", "truth values"],
)
def test_labels_keep_their_kind(labels, dtype):
    classifier = DensityClassifier(KERNELS).fit(X, labels)
    assert classifier.classes_.dtype == classifier.predict(X).dtype == dtype
    assert (classifier.predict(X) == np.asarray(labels)).mean() > 0.95


@pytest.mark.parametrize(
    ("params", "y", "message"),
    [
        ({"priors": [0.5, 0.5]}, Y, "priors.*must be 3 probabilities"),
        ({"priors": [0.5, 0.6, 0.2]}, Y, "with a sum of 1"),
        ({"priors": [-0.5, 1.0, 0.5]}, Y, "priors"),
        ({"estimator": StandardScaler()}, Y, "estimator"),
        ({}, X[:, 0] + 0.01, "Unknown label type"),
        ({}, np.stack([NUMBERS, NUMBERS], axis=1), "one label for each sample"),
        ({}, Y[:-1], "inconsistent numbers of samples"),
        ({}, None, "requires y"),
        (
            {"estimator": GAUSSIANS},
            np.where(np.arange(150) == 7, 3, NUMBERS),
            r"density of class 3, of 1 sample\(s\), could",
        ),
        ({"estimator": NormalizingFlow(conditional=True)}, Y, r"conditional=True\) needs y"),
    ],
)
def test_what_does_not_go_together_is_refused(params, y, message):
    with pytest.raises(ValueError, match=message):
        DensityClassifier(**{"estimator": KERNELS, **params}).fit(X, y)


def test_before_a_fit_there_is_nothing():
    classifier = DensityClassifier(KERNELS)
    assert not hasattr(classifier, "n_features_in_")
    for method in ("score_samples", "predict_proba", "predict"):
        with pytest.raises(NotFittedError):
            getattr(classifier, method)(X)


def test_tables_pipelines_searches_and_pickles():
    frame = pd.DataFrame(X, columns=list("abcd"))
    search = GridSearchCV(
        DensityClassifier(make_pipeline(StandardScaler(), KernelDensity())),
        {"estimator__kerneldensity__bandwidth": [0.2, 0.5]},
        cv=3,
        error_score="raise",
    ).fit(frame, Y)
    assert search.best_score_ > 0.9
    best = clone(search.best_estimator_).fit(frame, Y)
    assert best.feature_names_in_.tolist() == list("abcd")
    assert_array_equal(pickle.loads(pickle.dumps(best)).predict_proba(frame), best.predict_proba(frame))
