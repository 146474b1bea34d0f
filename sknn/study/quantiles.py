"""Quantiles of y: which ones a model predicts, and baselines that predict several of them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from inspect import signature
from typing import Any, Self

import numpy as np
from scipy.stats import norm
from sklearn.base import BaseEstimator, RegressorMixin, clone


def levels_of(estimator: Any) -> np.ndarray:
    """Tell which quantiles a fitted model predicts.

    Parameters
    ----------
    estimator : fitted scikit-learn estimator
        Of a pipeline the last step counts, of a search what it found best, of a scaled target what learns it.

    Returns
    -------
    ndarray of shape (n_quantiles,)
        In the order in which ``predict_quantiles`` gives them; of a model that is told them in each prediction, those
        that it gives unasked.

    Raises
    ------
    AttributeError
        If it predicts none.
    """
    if hasattr(estimator, "itself"):  # what remembers its answers
        return levels_of(estimator.itself)
    if hasattr(estimator, "predict_quantiles") and "quantiles" in signature(estimator.predict_quantiles).parameters:
        unasked = signature(estimator.predict_quantiles).parameters["quantiles"].default
        return np.asarray(unasked, float)
    if hasattr(estimator, "quantile") and hasattr(estimator, "predict_quantiles"):
        return np.atleast_1d(np.asarray(estimator.quantile, float))
    for inner in ("best_estimator_", "regressor_"):
        if hasattr(estimator, inner):
            return levels_of(getattr(estimator, inner))
    if getattr(estimator, "steps", None):
        return levels_of(estimator.steps[-1][1])
    raise AttributeError(f"{type(estimator).__name__} has no attribute 'predict_quantiles'")


class _Quantiles(RegressorMixin, BaseEstimator, ABC):
    """A regressor around another one, which predicts several quantiles; `predict` gives the one nearest 0.5."""

    def __init__(self, estimator: Any, quantile: Sequence[float] = (0.1, 0.5, 0.9)) -> None:
        self.estimator = estimator
        self.quantile = quantile

    @abstractmethod
    def fit(self, X: Any, y: Any) -> Self:
        """Learn what the quantiles follow from.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Their values.

        Returns
        -------
        regressor
            Itself.
        """

    def predict(self, X: Any) -> np.ndarray:
        """Predict the quantile nearest 0.5.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Values of y.
        """
        nearest = int(np.argmin(np.abs(np.asarray(self.quantile) - 0.5).round(12)))
        return self.predict_quantiles(X)[:, nearest]

    @abstractmethod
    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Predict every quantile.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_quantiles)
            In the order of `quantile`.
        """


class OneByOne(_Quantiles):
    """Several quantiles from a regressor that learns one at a time, by its parameter ``quantile``.

    Parameters
    ----------
    estimator : scikit-learn regressor
        Copies of it are fitted.
    quantile : sequence of float
        What to learn.

    Attributes
    ----------
    estimators_ : list of estimator
        One for each quantile.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> dummy = OneByOne(DummyRegressor(strategy="quantile"), [0.25, 0.75]).fit(np.zeros((5, 1)), [0, 1, 2, 3, 4])
    >>> dummy.predict_quantiles([[0]])
    array([[1., 3.]])
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Learn each quantile."""
        self.estimators_ = [clone(self.estimator).set_params(quantile=level).fit(X, y) for level in self.quantile]
        return self

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Predict every quantile, sorted where they cross, as networks of sknn do it."""
        rank = np.argsort(np.argsort(self.quantile, kind="stable"))
        return np.sort(np.column_stack([each.predict(X) for each in self.estimators_]), axis=1)[:, rank]


class FromDeviation(_Quantiles):
    """Several quantiles from a regressor that predicts the mean and standard deviation of a Gaussian.

    Parameters
    ----------
    estimator : scikit-learn regressor
        A Gaussian process, whose ``predict`` takes ``return_std``.
    quantile : sequence of float
        What to predict.

    Attributes
    ----------
    regressor_ : estimator
        The fitted copy.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Learn mean and deviation."""
        self.regressor_ = clone(self.estimator).fit(X, y)
        return self

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Predict every quantile: mean + deviation times that of the standard normal distribution."""
        mean, deviation = self.regressor_.predict(X, return_std=True)
        return mean[:, np.newaxis] + deviation[:, np.newaxis] * norm.ppf(self.quantile)
