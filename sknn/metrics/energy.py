"""How far two samples are apart, without a model of either."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from ..autodiff.tape import Array

LARGEST = 2**20  # distances that are in memory at a time


def energy_distance(X: Any, Y: Any) -> float:
    r"""The energy distance of two samples: 0 if and only if they are distributed alike.

    .. math:: D(X, Y) = \sqrt{2\, \overline{|x - y|} - \overline{|x - x'|} - \overline{|y - y'|}},

    with the means of Euclidean distances over all pairs. It needs no density, so that it compares what any generator
    draws with what is real, and it is a metric. In one dimension it is that of `scipy.stats.energy_distance`. The pairs
    cost time, but only a block of them is in memory.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        One sample; of images or series every number counts as a feature. (n_samples,) is one feature.
    Y : array-like of shape (m_samples, n_features) or (m_samples, ...)
        The other.

    Returns
    -------
    distance : float
        Its square is in units of the features: give them a common scale first. That of two samples of n from one
        distribution falls as :math:`1 / \sqrt n`.

    Raises
    ------
    ValueError
        If one of them is empty, holds NaN or infinity, or they differ in their features.

    References
    ----------
    Székely, Rizzo (2013). Energy statistics: a class of statistics based on distances. Journal of Statistical Planning
    and Inference 143.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.metrics import energy_distance
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.normal(size=(2, 500, 3))
    >>> round(energy_distance(X, Y), 2), round(energy_distance(X, Y + 1), 2)
    (0.1, 1.0)
    """
    x, y = _rows("X", X), _rows("Y", Y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"X has {x.shape[1]} features a sample, but Y has {y.shape[1]}")
    exponent = int(np.frexp(max(np.abs(x).max(), np.abs(y).max()))[1])
    x, y = np.ldexp(x, -exponent), np.ldexp(y, -exponent)  # exact, and no square under- or overflows
    squared = 2 * _mean_distance(x, y) - _mean_distance(x, x) - _mean_distance(y, y)
    return float(np.sqrt(max(squared, 0.0)) * 2.0 ** (exponent / 2))  # never negative but by rounding


def _mean_distance(x: Array, y: Array) -> float:
    """Over all pairs, a few rows of x at a time."""
    n_blocks = -(-len(x) * len(y) // LARGEST)
    total = sum(cdist(block, y).sum() for block in np.array_split(x, min(n_blocks, len(x))))
    return float(total) / (len(x) * len(y))


def _rows(name: str, X: Any) -> Array:
    """A sample as rows of float64."""
    x = np.asarray(X, np.float64)
    if x.ndim == 0 or not x.size:
        raise ValueError(f"{name} must hold samples (n_samples, n_features), got an array of shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} contains NaN or infinity; drop those samples, or fill in what is missing")
    return x.reshape(len(x), -1)
