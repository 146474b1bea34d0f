"""The constant noise of y around a network that was trained as it says: from samples that it has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold
from sklearn.utils import _safe_indexing

from ..autodiff.tape import Array
from .evidence import SMALLEST_NOISE
from .posterior import Task

FOLDS = 5


def noise_of(task: Task, network: Any) -> Array | None:
    """The constant noise of y, (n_outputs,): what is given, or what is held out; None where there is none.

    Parameters
    ----------
    task : Task
        What is known of the noise, and the samples.
    network : Estimator
        Fitted to them.
    """
    if task.noise is None or task.noise == "learned":
        return None
    if task.noise == "constant":
        return held_out_noise(network, task.X, task.y, task.sample_weight, task.rng)
    return np.full(len(network._target.scale_), float(task.noise))


def held_out_noise(network: Any, X: Any, y: Any, weight: Array | None, rng: np.random.RandomState) -> Array:
    """The standard deviation of y around a network, for each output, in units of y.

    Errors on the samples of the training would be too small. A network that stopped early has errors on others: those
    at its best epoch, in all outputs together; how they are divided among outputs, those of the training say. For any
    other clones are fitted to four fifths of the samples each, and asked about the rest.

    Parameters
    ----------
    network : Estimator
        A regressor with the squared error, fitted to these samples.
    X, y, weight
        What it was fitted to; weight None: all are one.
    rng : RandomState
        Divides them.

    Returns
    -------
    noise : ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        If there is a single sample, and none to hold out.

    Examples
    --------
    >>> from sknn import MLPRegressor
    >>> rng = np.random.RandomState(0)
    >>> X = rng.uniform(-1, 1, (200, 1))
    >>> y = X[:, 0] + rng.normal(0, 0.1, 200)
    >>> network = MLPRegressor((), solver="lbfgs").fit(X, y)
    >>> held_out_noise(network, X, y, None, rng).round(1)
    array([0.1])
    """
    scale = network._target.scale_
    squares = _of_folds(network, X, y, weight, rng) if network.best_loss_ is not None else _of_stopping(network, X, y)
    return scale * np.sqrt(np.maximum(squares, SMALLEST_NOISE**2))


def _of_stopping(network: Any, X: Any, y: Any) -> Array:
    """Squared errors of scaled targets on what was set aside to stop by; the curve has half their mean over outputs."""
    scale = network._target.scale_
    together = 2.0 * network.validation_loss_curve_[int(np.nanargmax(network.validation_scores_))]
    if len(scale) == 1:
        return np.array([together])
    in_training = np.maximum(_squares(network, X, y).mean(axis=0), SMALLEST_NOISE**2)
    share: Array = in_training / in_training.mean()
    return together * share


def _of_folds(network: Any, X: Any, y: Any, weight: Array | None, rng: np.random.RandomState) -> Array:
    """Squared errors of scaled targets on samples that clones have not seen."""
    n_samples = len(y)
    if n_samples < 2:
        raise ValueError("n_samples=1 leaves none to find the noise with: say how large it is, as in noise=0.1")
    found = np.empty((n_samples, len(network._target.scale_)))
    for kept, aside in KFold(min(FOLDS, n_samples), shuffle=True, random_state=rng).split(np.arange(n_samples)):
        X_kept, y_kept = _safe_indexing(X, kept), _safe_indexing(y, kept)
        fold = clone(network).fit(X_kept, y_kept, sample_weight=None if weight is None else weight[kept])
        found[aside] = _squares(fold, _safe_indexing(X, aside), _safe_indexing(y, aside), network._target.scale_)
    squares: Array = np.average(found, axis=0, weights=weight)
    return squares


def _squares(network: Any, X: Any, y: Any, scale: Array | None = None) -> Array:
    """Squared errors of y in units of a scale, by default that of the network: (n, n_outputs)."""
    scale = network._target.scale_ if scale is None else scale
    errors = (np.asarray(network.predict(X), np.float64) - np.asarray(y)).reshape(len(y), -1)
    return np.square(errors / scale)
