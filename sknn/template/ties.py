"""Values that occur again and again: which columns have them, and how they are spread out."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..autodiff.tape import Array
from .bounds import Bounds

SHARE = 0.1  # of the samples, that share a value of a column with others, makes it one with ties
ROUNDING = 1e-9  # of the range of a column: values that are no farther apart are the same
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def spacings(x: Array) -> Array:
    """How far apart the nearest values of each column with ties are, 0 for a column without; shape that of a sample.

    Examples
    --------
    >>> x = np.array([[1.0, 0.5], [3.0, 0.1], [1.0, 0.7], [1.0, 0.9]])
    >>> spacings(x)
    array([2., 0.])
    """
    columns = x.reshape(len(x), -1).astype(np.float64)
    return np.array([_spacing(column) for column in columns.T]).reshape(x.shape[1:])


def _spacing(column: Array) -> float:
    values, counts = np.unique(column, return_counts=True)
    if counts[counts > 1].sum() <= SHARE * len(column):
        return 0.0
    gaps = np.diff(values)
    gaps = gaps[gaps > ROUNDING * (values[-1] - values[0])]
    return float(gaps.min()) if gaps.size else 1.0  # a constant column has no grid but that of whole numbers


def warn_of_ties(estimator: Any, spacing: Array) -> None:
    """Name the columns in which values are repeated, where a density can grow without bound."""
    tied = np.flatnonzero(spacing)
    if len(tied):
        names = getattr(estimator, "feature_names_in_", np.arange(spacing.size))
        warnings.warn(
            f"column(s) {', '.join(map(str, names[tied[:8]]))}{', ...' * (len(tied) > 8)} hold values that are "
            "repeated, as whole or rounded numbers are: a density grows there without bound, and its score says "
            "little; dequantize=True spreads such values over the grid on which they lie",
            stacklevel=2,
        )


class Spread:
    """Values of columns with ties, each spread evenly over its cell of the grid on which they lie.

    The density of what is spread is, on average over a cell, at most the probability of the value divided by the size
    of the cell (Theis, van den Oord, Bethge 2016): so it cannot grow without bound.

    Parameters
    ----------
    spacing : ndarray of the shape of a sample
        Sizes of cells, with the values in their middle; 0 for columns that stay as they are.
    bounds : Bounds, default=None
        Cells end there.

    References
    ----------
    Theis, van den Oord, Bethge (2016). A note on the evaluation of generative models. ICLR. arXiv:1511.01844.
    """

    def __init__(self, spacing: Array, bounds: Bounds | None = None) -> None:
        self.spacing, self.bounds = spacing, bounds

    def __call__(self, x: Array, share: Array) -> Array:
        """x, moved to a share in [0, 1) of the way through its cell."""
        low, high = x - 0.5 * self.spacing, x + 0.5 * self.spacing
        if self.bounds is not None:
            low, high = np.maximum(low, self.bounds.low), np.minimum(high, self.bounds.high)
        moved = low + (high - low) * (share + 2.0**-54)  # a bit off the lower edge, which may be a bound
        return np.where(self.spacing > 0, moved, x).astype(x.dtype, copy=False)

    def by_content(self, x: Array) -> Array:
        """x spread in a way that depends on the row alone: the same wherever it stands."""
        return self(x, content_noise(x))


def content_noise(x: Array) -> Array:
    """Uniform numbers in [0, 1), of the shape of x, that depend on the values of each row and on nothing else.

    They are hashes (the finaliser of SplitMix64; Steele, Lea & Flood 2014) of the bits of all of the row.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> noise = content_noise(x)
    >>> (noise[1] == content_noise(x[1:])[0]).all(), len(np.unique(noise))
    (np.True_, 4)
    """
    rows = np.ascontiguousarray(x, np.float64).reshape(len(x), -1) + 0.0  # for which -0 and 0 are one
    state = np.zeros(len(rows), np.uint64)
    for column in rows.view(np.uint64).T:
        state = _scrambled(state ^ column)
    number = np.arange(1, rows.shape[1] + 1, dtype=np.uint64) * GOLDEN
    noise: Array = (_scrambled(state[:, None] + number) >> np.uint64(11)) * 2.0**-53
    return noise.reshape(x.shape)


def _scrambled(state: Array) -> Array:
    state = state + GOLDEN
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
