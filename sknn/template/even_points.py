"""Points that are spread as evenly as a distribution, in place of random ones."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from ..autodiff.tape import Array


def normal_points(n: int, n_features: int) -> Array:
    r"""Points that stand for a standard normal distribution: their means come nearer to its own than those of draws.

    They are the normal quantiles of :math:`u_{kj} = (1/2 + k \varphi^{-j}) \bmod 1`, where :math:`\varphi` is the root
    of :math:`\varphi^{d + 1} = \varphi + 1`, the golden ratio if d = 1: multiples of numbers that are hard to
    approximate fill the unit cube evenly.

    Parameters
    ----------
    n : int
        How many.
    n_features : int
        Their dimension, d.

    Returns
    -------
    points : ndarray of shape (n, n_features)

    References
    ----------
    Niederreiter (1992). Random number generation and quasi-Monte Carlo methods. SIAM. Section 3.

    Examples
    --------
    >>> points = normal_points(1000, 2)
    >>> bool(np.abs(points.mean(axis=0)).max() < 0.003), bool(np.abs(np.cov(points.T) - np.eye(2)).max() < 0.02)
    (True, True)
    """
    root = 1.5
    for _ in range(60):  # a fixed point that draws nearer by a half at least each time
        root = (1.0 + root) ** (1.0 / (n_features + 1))
    steps = root ** -np.arange(1.0, n_features + 1)
    points: Array = ndtri((0.5 + np.arange(1, n + 1)[:, None] * steps) % 1.0)
    return points
