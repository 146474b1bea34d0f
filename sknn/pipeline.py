"""What a pipeline does not pass on: methods of its last step beyond the few that scikit-learn knows by name.

What a regressor knows of y beyond its mean is asked for in one way here. One that tells no more than a mean and a
standard deviation, as scikit-learn's Gaussian processes and Bayesian linear models by ``predict(X, return_std=True)``
and networks of ``loss="normal"`` by ``predict_std(X)``, is taken at its word: y is normal about that mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from typing import Any

import numpy as np
from scipy.special import ndtri
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _num_samples

from .autodiff.tape import Array
from .description import checked_share

LARGEST = 2**20  # numbers that are drawn at a time
MOST_ROWS = 200  # a Gaussian process draws for all rows jointly, which costs the cube of them
SAME_LEVEL = 1e-9  # quantiles whose levels differ by no more


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
    lowest, highest = _transformed_back(estimator, np.array([[found.min(), found.max()]]))[0]
    if lowest > highest:
        raise ValueError(
            f"{estimator.transformer_!r} falls where y rises: its quantile q is quantile 1 - q of y; transform y by "
            "something that rises"
        )
    return _transformed_back(estimator, found)


def _transformed_back(estimator: TransformedTargetRegressor, values: Array) -> Array:
    inverse = estimator.transformer_.inverse_transform
    return np.column_stack([np.ravel(inverse(column.reshape(-1, 1))) for column in values.T])


def predict_interval(model: Any, X: Any, confidence: float = 0.9) -> Array:
    """Predict central intervals for samples with a regressor that stands in a pipeline, in units of y.

    They are what the regressor says by its own ``predict_interval``; or those of a normal distribution, if it predicts
    a standard deviation; or lie between the two quantiles that belong to them, if these are what it predicts. Of a
    ``TransformedTargetRegressor`` the ends are transformed back.

    Parameters
    ----------
    model : estimator
        A fitted pipeline, search or ``TransformedTargetRegressor`` with a regressor at its end that knows how sure it
        is, or such a regressor.
    X : array-like of shape (n_samples, ...)
        Samples, as the model takes them.
    confidence : float, default=0.9
        The probability that y lies inside.

    Returns
    -------
    interval : ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
        Its ends.

    Raises
    ------
    AttributeError
        If what is at the end tells no such interval.
    ValueError
        If `confidence` does not lie between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import BayesianRidge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn.pipeline import predict_interval
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2))
    >>> y = 50 + 3 * X[:, 0] + rng.normal(size=300)
    >>> ridge = make_pipeline(StandardScaler(), BayesianRidge()).fit(X, y)
    >>> predict_interval(ridge, [[0.0, 0.0]], confidence=0.95).round()
    array([[48., 52.]])
    """
    confidence = checked_share("confidence", confidence)
    estimator, X = last_step(model, X)
    if isinstance(estimator, TransformedTargetRegressor):
        return np.sort(_transformed_back(estimator, predict_interval(estimator.regressor_, X, confidence)), axis=1)
    if hasattr(estimator, "predict_interval"):
        return np.asarray(estimator.predict_interval(X, confidence=confidence))
    levels = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if is_normal(estimator):
        mean, std = mean_and_std(estimator, X)
        return mean[..., None] + std[..., None] * ndtri(levels)
    if hasattr(estimator, "predict_quantiles"):
        apart = np.abs(np.atleast_1d(estimator.quantile)[:, None] - levels)
        if (apart.min(axis=0) < SAME_LEVEL).all():
            return np.asarray(estimator.predict_quantiles(X)[:, apart.argmin(axis=0)])
    raise AttributeError(
        f"{type(estimator).__name__} has no predict_interval, no standard deviation and no quantiles {levels[0]:g} and "
        f"{levels[1]:g}; give a regressor that knows how sure it is"
    )


def score_samples(model: Any, X: Any, y: Any) -> Array:
    """The log-density of each y under its X, by a regressor or classifier that stands in a pipeline, in units of y.

    Parameters
    ----------
    model : estimator
        A fitted pipeline or search with an estimator at its end that has a ``score_samples(X, y)`` or predicts a
        standard deviation, or such an estimator.
    X : array-like of shape (n_samples, ...)
        Samples, as the model takes them.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their true values.

    Returns
    -------
    log_density : ndarray of shape (n_samples,)
        In nats. Of several normal outputs it is the sum, as of independent ones.

    Raises
    ------
    AttributeError
        If what is at the end tells no density, as of quantiles and conformal intervals.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import BayesianRidge
    >>> from sknn.pipeline import score_samples
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 1))
    >>> y = X[:, 0] + rng.normal(size=2000)
    >>> ridge = BayesianRidge().fit(X, y)
    >>> score_samples(ridge, X, y).mean().round(1)  # -log(sqrt(2 pi e)) = -1.42 are expected
    np.float64(-1.4)
    """
    estimator, X = last_step(model, X)
    if not is_normal(estimator):
        if hasattr(estimator, "score_samples"):
            return np.asarray(estimator.score_samples(X, y))
        raise AttributeError(
            f"{type(estimator).__name__} has no score_samples and no standard deviation, so there is no density of y"
        )
    mean, std = mean_and_std(estimator, X)
    z = (np.asarray(y, np.float64).reshape(mean.shape) - mean) / std
    log_density = -0.5 * z**2 - np.log(std) - 0.5 * np.log(2 * np.pi)
    return log_density.reshape(len(mean), -1).sum(axis=1)


def sample_y(model: Any, X: Any, n_samples: int = 1, random_state: Any = None) -> Array:
    """Draw y for samples from what a regressor knows that stands in a pipeline, in units of y.

    Parameters
    ----------
    model : estimator
        A fitted pipeline or search with a regressor at its end that has a ``sample_y`` or predicts a standard
        deviation, or such a regressor.
    X : array-like of shape (n_samples_X, ...)
        Samples, as the model takes them.
    n_samples : int, default=1
        Draws for each of them.
    random_state : int, RandomState instance or None, default=None
        An int gives the same draws in every call.

    Returns
    -------
    y : ndarray of shape (n_samples_X, n_samples) or (n_samples_X, n_outputs, n_samples)
        As ``GaussianProcessRegressor`` gives them.

    Raises
    ------
    AttributeError
        If what is at the end draws no y.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import BayesianRidge
    >>> from sknn.pipeline import sample_y
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 1))
    >>> ridge = BayesianRidge().fit(X, X[:, 0] + rng.normal(size=300))
    >>> draws = sample_y(ridge, [[1.0], [5.0]], 1000, random_state=0)
    >>> draws.shape, draws.mean(axis=1).round()
    ((2, 1000), array([1., 5.]))
    """
    estimator, X = last_step(model, X)
    if hasattr(estimator, "sample_y"):
        return np.asarray(estimator.sample_y(X, n_samples, random_state=random_state))
    if not is_normal(estimator):
        raise AttributeError(f"{type(estimator).__name__} has no sample_y and no standard deviation, so it draws no y")
    mean, std = (each[..., None] for each in mean_and_std(estimator, X))
    return mean + std * check_random_state(random_state).normal(size=(*mean.shape[:-1], n_samples))


def sample_y_in_blocks(
    model: Any, X: Any, n_samples: int, n_outputs: int, random_state: Any = None
) -> Iterator[tuple[Array, Array]]:
    """Draw y as `sample_y`, a few rows at a time: all draws of a large X need not exist at once.

    Parameters
    ----------
    model, X, n_samples, random_state
        See `sample_y`.
    n_outputs : int
        How many numbers each y has, at least 1.

    Yields
    ------
    rows : ndarray of int
        Which samples.
    y : ndarray of shape (n_rows, n_samples) or (n_rows, n_outputs, n_samples)
        Their draws.
    """
    estimator, X = last_step(model, X)
    rng, n = check_random_state(random_state), _num_samples(X)
    size = max(1, min(MOST_ROWS, LARGEST // (n_samples * n_outputs)))
    for start in range(0, n, size):
        rows = np.arange(start, min(start + size, n))
        yield rows, sample_y(estimator, _safe_indexing(X, rows), n_samples, rng)


def is_normal(estimator: Any) -> bool:
    """Tell whether a mean and a standard deviation are all that a regressor knows of y.

    Parameters
    ----------
    estimator : estimator
        The last step of a pipeline.

    Returns
    -------
    bool
        True if it predicts a standard deviation, and says nothing of intervals or densities itself.

    Examples
    --------
    >>> from sklearn.linear_model import BayesianRidge, Ridge
    >>> from sknn import FlowRegressor, MLPRegressor
    >>> from sknn.pipeline import is_normal
    >>> [is_normal(each) for each in (BayesianRidge(), MLPRegressor(loss="normal"), Ridge(), FlowRegressor())]
    [True, True, False, False]
    """
    own = hasattr(estimator, "predict_interval") or hasattr(estimator, "score_samples")
    return not own and predicts_std(estimator)


def predicts_std(estimator: Any) -> bool:
    """Tell whether a regressor predicts standard deviations of y.

    Parameters
    ----------
    estimator : estimator
        The last step of a pipeline.

    Returns
    -------
    bool
        True if its ``predict`` takes `return_std`, or it has a ``predict_std``.
    """
    if hasattr(estimator, "predict_std"):
        return True
    return hasattr(estimator, "predict") and "return_std" in signature(estimator.predict).parameters


def mean_and_std(estimator: Any, X: Any) -> tuple[Array, Array]:
    """Predict mean and standard deviation of y with a regressor of which `predicts_std` is true.

    Parameters
    ----------
    estimator : estimator
        Fitted, the last step of a pipeline.
    X : array-like of shape (n_samples, ...)
        Samples as they come to it.

    Returns
    -------
    mean, std : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        In units of y.
    """
    if hasattr(estimator, "predict_std"):
        return estimator.predict(X), estimator.predict_std(X)
    mean, std = estimator.predict(X, return_std=True)
    return np.asarray(mean), np.asarray(std)  # of a table ARDRegression predicts a column of pandas
