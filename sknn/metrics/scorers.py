"""Scorers of estimators that know how sure they are, for scikit-learn's ``scoring=``.

Each is a function (estimator, X, y), so that ``cross_validate(model, X, y, scoring={"nats": log_density_scorer})``
works with pipelines and searches too; another confidence is ``functools.partial(coverage_scorer, confidence=0.5)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tape import Array
from .predicted import crps, crps_gaussian, interval_score

N_DRAWS = 1000


def log_density_scorer(estimator: Any, X: Any, y: Any) -> float:
    """The mean log-density of the true values under what is predicted: minus the negative log-likelihood.

    Parameters
    ----------
    estimator : estimator
        Fitted, with a ``score_samples(X, y)`` as that of `FlowRegressor`, or one that predicts a standard deviation
        and nothing else, which is taken for that of a normal distribution; also in a pipeline or a search.
    X : array-like of shape (n_samples, ...)
        Samples.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their true values.

    Returns
    -------
    score : float
        In nats a sample, of y in its units; larger is better. It depends on these units, differences do not.

    Raises
    ------
    AttributeError
        If the estimator tells no density.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import BayesianRidge
    >>> from sklearn.model_selection import cross_val_score
    >>> from sknn.metrics import log_density_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> cross_val_score(BayesianRidge(), X, y, scoring=log_density_scorer).mean().round(1)
    np.float64(-5.4)
    """
    from .. import pipeline

    return float(np.mean(pipeline.score_samples(estimator, X, y)))


def crps_scorer(estimator: Any, X: Any, y: Any) -> float:
    """The negative of :func:`crps` of what an estimator predicts.

    It is in closed form where that is a normal distribution, and otherwise of 1000 draws, the same in every call.

    Parameters
    ----------
    estimator : estimator
        Fitted, with a ``sample_y(X, n_samples, random_state)``, or one that predicts a standard deviation; also in a
        pipeline or a search.
    X : array-like of shape (n_samples, ...)
        Samples.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their true values.

    Returns
    -------
    score : float
        In units of y; larger is better, and 0 is perfect.

    Raises
    ------
    AttributeError
        If the estimator draws nothing.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import BayesianRidge
    >>> from sklearn.model_selection import cross_val_score
    >>> from sknn.metrics import crps_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> cross_val_score(BayesianRidge(), X, y, scoring=crps_scorer).mean().round()
    np.float64(-31.0)
    """
    from .. import pipeline

    model, X = pipeline.last_step(estimator, X)
    truth = np.asarray(y, np.float64)
    if pipeline.is_normal(model):
        return -float(crps_gaussian(truth, *pipeline.mean_and_std(model, X)))
    n_outputs = int(np.prod(truth.shape[1:]))
    blocks = pipeline.sample_y_in_blocks(model, X, N_DRAWS, n_outputs, random_state=0)
    scores = [crps(truth[rows], draws, average=None) for rows, draws in blocks]
    return -float(np.concatenate(scores).mean())


def coverage_scorer(estimator: Any, X: Any, y: Any, *, confidence: float = 0.9) -> float:
    """The share of true values in the intervals that an estimator predicts.

    It should be `confidence`, neither less nor more: report it, but choose no model by it.

    Parameters
    ----------
    estimator : estimator
        Fitted, one that `sknn.pipeline.predict_interval` takes.
    X : array-like of shape (n_samples, ...)
        Samples.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their true values.
    confidence : float, default=0.9
        The level of the intervals.

    Returns
    -------
    share : float
        Over samples and outputs.

    Raises
    ------
    AttributeError
        If the estimator predicts no intervals.

    See Also
    --------
    sknn.inspection.coverage : Of many levels.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import BayesianRidge
    >>> from sklearn.model_selection import cross_val_score
    >>> from sknn.metrics import coverage_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> cross_val_score(BayesianRidge(), X, y, scoring=coverage_scorer).mean().round(2)
    np.float64(0.89)
    """
    low, high = _ends(estimator, X, confidence)
    truth = np.asarray(y, np.float64).reshape(low.shape)
    return float(np.mean((low <= truth) & (truth <= high)))


def width_scorer(estimator: Any, X: Any, y: Any = None, *, confidence: float = 0.9) -> float:
    """The mean width of the intervals that an estimator predicts, as a negative number: narrow ones are better.

    It says nothing without the coverage beside it; :func:`interval_score_scorer` weighs both.

    Parameters
    ----------
    estimator : estimator
        Fitted, one that `sknn.pipeline.predict_interval` takes.
    X : array-like of shape (n_samples, ...)
        Samples.
    y : None
        Ignored.
    confidence : float, default=0.9
        The level of the intervals.

    Returns
    -------
    score : float
        In units of y.

    Raises
    ------
    AttributeError
        If the estimator predicts no intervals.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import BayesianRidge
    >>> from sknn.metrics import width_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> round(width_scorer(BayesianRidge().fit(X, y), X))
    -180
    """
    low, high = _ends(estimator, X, confidence)
    return -float(np.mean(high - low))


def interval_score_scorer(estimator: Any, X: Any, y: Any, *, confidence: float = 0.9) -> float:
    """The negative of :func:`interval_score` of the intervals that an estimator predicts: to choose a model by.

    Parameters
    ----------
    estimator : estimator
        Fitted, one that `sknn.pipeline.predict_interval` takes.
    X : array-like of shape (n_samples, ...)
        Samples.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their true values.
    confidence : float, default=0.9
        The level of the intervals.

    Returns
    -------
    score : float
        In units of y; larger is better.

    Raises
    ------
    AttributeError
        If the estimator predicts no intervals.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import BayesianRidge
    >>> from sklearn.model_selection import cross_val_score
    >>> from sknn.metrics import interval_score_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> cross_val_score(BayesianRidge(), X, y, scoring=interval_score_scorer).mean().round(-1)
    np.float64(-220.0)
    """
    from .. import pipeline

    interval = pipeline.predict_interval(estimator, X, confidence)
    return -float(interval_score(np.asarray(y).reshape(interval.shape[:-1]), interval, confidence=confidence))


def _ends(estimator: Any, X: Any, confidence: float) -> Array:
    from .. import pipeline

    return np.moveaxis(pipeline.predict_interval(estimator, X, confidence), -1, 0)
