"""Intervals in a study: what is measured of them, and from which level on they hold the true value."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from sknn.metrics import crps_scorer, interval_score, log_density_scorer
from sknn.pipeline import predict_interval

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class OfIntervals:
    """One number of the central intervals that a model predicts for test rows.

    Parameters
    ----------
    function : callable
        ``function(y, interval, confidence)``.
    confidence : float
        Their level.
    """

    function: Callable[[np.ndarray, np.ndarray, float], float]
    confidence: float

    def __call__(self, estimator: Any, X: Any, y: np.ndarray) -> float:
        remembers = hasattr(estimator, "itself")  # and answers each question once
        ask = estimator.predict_interval if remembers else partial(predict_interval, estimator)
        return float(self.function(np.asarray(y, float), ask(X, self.confidence), self.confidence))


def score(y: np.ndarray, interval: np.ndarray, confidence: float) -> float:
    """The mean interval score, which says of two models with intervals which one is better."""
    return float(interval_score(y, interval, confidence=confidence))


def coverage(y: np.ndarray, interval: np.ndarray, confidence: float) -> float:
    """The share of values that lie inside."""
    return float(np.mean((interval[:, 0] <= y) & (y <= interval[:, 1])))


def width(y: np.ndarray, interval: np.ndarray, confidence: float) -> float:
    """The mean width."""
    return float(np.mean(interval[:, 1] - interval[:, 0]))


def negative_log_likelihood(estimator: Any, X: Any, y: np.ndarray) -> float:
    """Minus the mean log-density of y, in nats; of models of intervals alone there is none."""
    return -log_density_scorer(getattr(estimator, "itself", estimator), X, y)


def ranked_probability_score(estimator: Any, X: Any, y: np.ndarray) -> float:
    """The mean continuous ranked probability score, in units of y; of models of intervals alone there is none."""
    return -crps_scorer(getattr(estimator, "itself", estimator), X, y)


def levels_needed(estimator: Any, X: Any, y: np.ndarray) -> np.ndarray:
    """Tell of each row how wide an interval has to be to hold the true value.

    Parameters
    ----------
    estimator : fitted estimator
        One that predicts intervals of any level.
    X : array-like of shape (n_samples, ...)
        Test rows.
    y : ndarray of shape (n_samples,)
        Their true values.

    Returns
    -------
    ndarray of shape (n_samples,)
        The smallest of ``LEVELS`` whose interval holds y, 1 if none does; NaN of models that know one level alone.
    """
    needed = np.ones(len(y))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what there is to say was said of the level that is compared
            for level in reversed(LEVELS):
                low, high = predict_interval(estimator, X, level).T
                needed[(low <= y) & (y <= high)] = level
    except AttributeError:
        return np.full(len(y), np.nan)
    return needed
