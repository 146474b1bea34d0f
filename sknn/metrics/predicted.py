"""Proper scores of what is predicted of a number: draws, a normal distribution, or an interval."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy.special import ndtr

from ..autodiff.tape import Array
from ..description import checked_share
from .weights import checked_weights


def crps(
    y_true: Any, draws: Any, *, average: Literal["mean"] | None = "mean", sample_weight: Any = None
) -> float | Array:
    r"""The continuous ranked probability score of draws: how far they lie from the truth, less how far from each other.

    .. math:: \mathrm{CRPS} = \mathrm E |x - y| - \tfrac12 \mathrm E |x - x'|,

    with independent draws :math:`x, x'` of a sample and its true value y. It is in units of y, and 0 is perfect; of
    draws that are all the same it is the absolute error. Both means are without bias, the second over all pairs of
    different draws, so that its expectation does not depend on the number of draws, and of few it may be negative.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The true values.
    draws : array-like of shape (n_samples, n_draws) or (n_samples, n_outputs, n_draws)
        What is predicted of them, as ``sample_y`` gives it; at least two draws each.
    average : {"mean"} or None, default="mean"
        The mean over samples and outputs, or (None) the score of each.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each sample counts.

    Returns
    -------
    score : float, or ndarray of the shape of y
        Smaller is better.

    Raises
    ------
    ValueError
        If there are not several draws for each true value, one of them is NaN, or weights are negative.

    References
    ----------
    Gneiting, Raftery (2007). Strictly proper scoring rules, prediction, and estimation. Journal of the American
    Statistical Association 102.

    Ferro (2014). Fair scores for ensemble forecasts. Quarterly Journal of the Royal Meteorological Society 140.

    Examples
    --------
    >>> from sknn.metrics import crps
    >>> crps([0.0, 0.0], [[-1.0, 1.0], [4.0, 6.0]])  # 1 - 1 and 5 - 1
    2.0
    """
    y = _numbers("y_true", y_true)
    x = _of_each("draws", draws, y, 2)
    m = x.shape[-1]
    # In rising order the k-th of m draws stands above k - 1 others and below m - k.
    apart = np.sort(x, axis=-1) @ (2.0 * np.arange(1, m + 1) - m - 1) / (m * (m - 1))
    return _averaged(np.abs(x - y[..., None]).mean(axis=-1) - apart, average, sample_weight)


def crps_gaussian(
    y_true: Any, mean: Any, std: Any, *, average: Literal["mean"] | None = "mean", sample_weight: Any = None
) -> float | Array:
    r"""The continuous ranked probability score of normal distributions, see :func:`crps`.

    .. math:: \mathrm{CRPS} = \sigma \left( z (2 \Phi(z) - 1) + 2 \varphi(z) - \pi^{-1/2} \right),
        \quad z = (y - \mu) / \sigma,

    with the distribution function and the density of the standard normal distribution.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The true values.
    mean, std : array-like of the same shape
        What is predicted of them, as ``predict(X, return_std=True)`` gives it; with a deviation of 0 the score is the
        absolute error.
    average : {"mean"} or None, default="mean"
        The mean over samples and outputs, or (None) the score of each.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each sample counts.

    Returns
    -------
    score : float, or ndarray of the shape of y
        In units of y; smaller is better.

    Raises
    ------
    ValueError
        If shapes differ, something is NaN, or a deviation or a weight is negative.

    References
    ----------
    Gneiting, Raftery, Westveld, Goldman (2005). Calibrated probabilistic forecasting using ensemble model output
    statistics and minimum CRPS estimation. Monthly Weather Review 133.

    Examples
    --------
    >>> from sknn.metrics import crps_gaussian
    >>> round(crps_gaussian([0.0], [0.0], [1.0]), 4)  # (sqrt(2) - 1) / sqrt(pi)
    0.2337
    """
    y, mu, sigma = (_numbers(name, each) for name, each in {"y_true": y_true, "mean": mean, "std": std}.items())
    if not mu.shape == sigma.shape == y.shape:
        raise ValueError(f"y_true, mean and std must have one shape, got {y.shape}, {mu.shape} and {sigma.shape}")
    if (sigma < 0).any():
        raise ValueError("std must not be negative")
    distance = np.abs(y - mu)
    z = distance / np.where(sigma > 0, sigma, 1.0)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    of_normal = distance * (2 * ndtr(z) - 1) + sigma * (2 * density - 1 / np.sqrt(np.pi))
    return _averaged(np.where(sigma > 0, of_normal, distance), average, sample_weight)


def interval_score(
    y_true: Any,
    interval: Any,
    *,
    confidence: float = 0.9,
    average: Literal["mean"] | None = "mean",
    sample_weight: Any = None,
) -> float | Array:
    r"""The interval score of Winkler: the width of an interval, and a penalty for every y that it misses.

    .. math:: S = (u - l) + \frac{2}{1 - c} \left( \max(l - y, 0) + \max(y - u, 0) \right)

    for an interval from l to u that shall hold y with probability c. It is in units of y; the smallest mean is that of
    the true quantiles, so that neither wide nor narrow intervals are rewarded. It says of intervals alone what
    :func:`crps` says of a whole distribution.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The true values.
    interval : array-like of shape (n_samples, 2) or (n_samples, n_outputs, 2)
        The ends, as ``predict_interval`` gives them.
    confidence : float, default=0.9
        The probability c that they were predicted for.
    average : {"mean"} or None, default="mean"
        The mean over samples and outputs, or (None) the score of each.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each sample counts.

    Returns
    -------
    score : float, or ndarray of the shape of y
        Smaller is better; infinite intervals have an infinite one.

    Raises
    ------
    ValueError
        If there is not an interval for each true value, its ends are the wrong way round or NaN, weights are negative,
        or `confidence` does not lie between 0 and 1.

    References
    ----------
    Gneiting, Raftery (2007). Strictly proper scoring rules, prediction, and estimation. Journal of the American
    Statistical Association 102.

    Examples
    --------
    >>> from sknn.metrics import interval_score
    >>> interval_score([1.0, 5.0], [[0.0, 2.0], [0.0, 4.0]], confidence=0.5, average=None)  # 4 + 2 / 0.5 * 1
    array([2., 8.])
    """
    confidence = checked_share("confidence", confidence)
    y = _numbers("y_true", y_true)
    low, high = np.moveaxis(_of_each("interval", interval, y, 2, exactly=True), -1, 0)
    if (low > high).any():
        raise ValueError("interval must hold the lower end first, and then the upper one")
    missed = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    return _averaged(high - low + 2 / (1 - confidence) * missed, average, sample_weight)


def _numbers(name: str, values: Any) -> Array:
    found = np.asarray(values, np.float64)
    if np.isnan(found).any():
        raise ValueError(f"{name} contains NaN; leave those samples out")
    if name == "y_true" and (found.ndim not in (1, 2) or not found.size):
        raise ValueError(f"y_true must have shape (n_samples,) or (n_samples, n_outputs), got {found.shape}")
    return found


def _of_each(name: str, values: Any, y: Array, n: int, exactly: bool = False) -> Array:
    """What is predicted of each value of y, along a last axis of `n` or more."""
    found = _numbers(name, values)
    if found.shape[:-1] != y.shape or found.shape[-1] < n or (exactly and found.shape[-1] != n):
        wanted = f"{n}" if exactly else f"{n} or more"
        raise ValueError(
            f"{name} must have the shape of y_true and an axis of {wanted}, got {found.shape} for {y.shape}"
        )
    return found


def _averaged(scores: Array, average: str | None, sample_weight: Any) -> float | Array:
    if average not in ("mean", None):
        raise ValueError(f"average={average!r} must be 'mean' or None")
    weight = checked_weights(sample_weight, len(scores))
    if average is None:
        return scores
    return float(np.average(scores.reshape(len(scores), -1).mean(axis=1), weights=weight)) if weight.any() else np.nan
