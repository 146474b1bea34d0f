"""What a pipeline does not pass on: methods of its last step beyond the few that scikit-learn knows by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline

from .autodiff.tape import Array


def last_step(model: Any, X: Any) -> tuple[Any, Any]:
    """The estimator at the end of a fitted pipeline, and samples as they come to it through the steps before.

    So that any method of it can be called, with whatever arguments it takes. Pipelines within pipelines are followed to
    their end; of a search the best estimator is taken, of a ``FrozenEstimator`` what it holds.

    Parameters
    ----------
    model : estimator
        A fitted pipeline or search, or any estimator, which is then its own last step.
    X : array-like of shape (n_samples, ...)
        Samples, as the model takes them.

    Returns
    -------
    estimator : estimator
        The last step.
    X : array-like of shape (n_samples, ...)
        What the other steps make of the samples.

    Raises
    ------
    NotFittedError
        If steps before the last are not fitted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import PerceptronClassifier
    >>> from sknn.pipeline import last_step
    >>> X, y = load_iris(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), PerceptronClassifier()).fit(X, y)
    >>> perceptron, scaled = last_step(pipeline, X)
    >>> perceptron, scaled.std().round(6)
    (PerceptronClassifier(), np.float64(1.0))
    """
    if hasattr(model, "best_estimator_"):
        return last_step(model.best_estimator_, X)
    if isinstance(model, FrozenEstimator):
        return last_step(model.estimator, X)
    if isinstance(model, Pipeline):
        return last_step(model[-1], model[:-1].transform(X) if len(model) > 1 else X)
    return model, X


def end_of(model: Any) -> Any:
    """The estimator at the end of pipelines and searches, fitted or not.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> end_of(make_pipeline(StandardScaler(), Ridge()))
    Ridge()
    """
    if hasattr(model, "best_estimator_"):
        return end_of(model.best_estimator_)
    if isinstance(model, FrozenEstimator | BaseSearchCV):
        return end_of(model.estimator)
    return end_of(model.steps[-1][1]) if isinstance(model, Pipeline) else model


def predict_quantiles(model: Any, X: Any, quantiles: Any = None) -> Array:
    """Predict every quantile for samples with a network that stands in a pipeline, in units of y.

    A ``TransformedTargetRegressor``, around the network or around the pipeline, learns quantiles of the transformed y.
    A quantile of what rises with y is the same quantile of y, so its inverse gives those of y itself (which would be
    wrong of a mean).

    Parameters
    ----------
    model : estimator
        A fitted pipeline, search or ``TransformedTargetRegressor`` with a regressor of ``loss="quantile"`` at its end,
        or another that has ``predict_quantiles``; or such a regressor.
    X : array-like of shape (n_samples, ...)
        Samples, as the model takes them.
    quantiles : sequence of float, default=None
        Which, for regressors that are told in each prediction; None: those that the regressor has learnt, or gives
        unasked.

    Returns
    -------
    y : ndarray of shape (n_samples, n_quantiles)
        In the order of the parameter `quantile`, or of the quantiles asked for.

    Raises
    ------
    AttributeError
        If what is at the end predicts no quantiles.
    ValueError
        If a transformed target falls where y rises.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import MLPRegressor
    >>> from sknn.pipeline import predict_quantiles
    >>> rng = np.random.RandomState(0)
    >>> X = rng.uniform(0, 1000, (500, 1))
    >>> y = rng.normal(5.0, 1.0, 500)
    >>> network = MLPRegressor(8, loss="quantile", quantile=[0.1, 0.5, 0.9], learning_rate_init=0.01, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), network).fit(X, y)
    >>> low, _, high = predict_quantiles(pipeline, X).T
    >>> bool(0.7 < np.mean((low < y) & (y < high)) < 0.9)
    True
    """
    estimator, X = last_step(model, X)
    if not isinstance(estimator, TransformedTargetRegressor):
        return estimator.predict_quantiles(X) if quantiles is None else estimator.predict_quantiles(X, quantiles)
    found = predict_quantiles(estimator.regressor_, X, quantiles)
    inverse = estimator.transformer_.inverse_transform
    lowest, highest = np.ravel(inverse(np.array([[found.min()], [found.max()]])))
    if lowest > highest:
        raise ValueError(
            f"{estimator.transformer_!r} falls where y rises: its quantile q is quantile 1 - q of y; transform y by "
            "something that rises"
        )
    return np.column_stack([np.ravel(inverse(column.reshape(-1, 1))) for column in found.T])
