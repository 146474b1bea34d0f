"""Values that occur again and again: which columns have them, and how they are spread out."""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

import numpy as np

from ..autodiff.tape import Array
from .bounds import Bounds

SHARE = 0.1  # of the samples, that share a value of a column with others, makes it one with ties
ROUNDING = 1e-9  # of the range of a column: values that are no farther apart are the same


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
    """Values of columns with ties, each spread evenly over its cell of the grid on which they lie, and put back.

    The density of what is spread is, on average over a cell, the probability of the value divided by the size of the
    cell (Theis, van den Oord, Bethge 2016): so it cannot grow without bound.

    Parameters
    ----------
    spacing, origin : ndarray of the shape of a sample
        Sizes of cells, with the values in their middle, and one of these values; 0 for columns that stay as they are.
    bounds : Bounds, default=None
        Cells end there.

    References
    ----------
    Theis, van den Oord, Bethge (2016). A note on the evaluation of generative models. ICLR. arXiv:1511.01844.

    Examples
    --------
    >>> spread = Spread(np.array([1.0, 0.0]), np.array([0.0, 0.0]))
    >>> spread(np.array([[3.0, 0.7]]), np.array([[0.25, 0.25]]))
    array([[2.75, 0.7 ]])
    >>> spread.back(np.array([[2.75, 0.7]]))
    array([[3. , 0.7]])
    """

    def __init__(self, spacing: Array, origin: Array, bounds: Bounds | None = None) -> None:
        self.spacing, self.origin, self.bounds = spacing, origin, bounds

    def __call__(self, x: Array, share: Array) -> Array:
        """x, moved to a share in [0, 1) of the way through its cell."""
        low, high = x - 0.5 * self.spacing, x + 0.5 * self.spacing
        if self.bounds is not None:
            low, high = np.maximum(low, self.bounds.low), np.minimum(high, self.bounds.high)
        moved = low + (high - low) * (share + 2.0**-54)  # a bit off the lower edge, which may be a bound
        return np.where(self.spacing > 0, moved, x).astype(x.dtype, copy=False)

    def back(self, x: Array) -> Array:
        """The values in whose cells x lies."""
        some = np.where(self.spacing > 0, self.spacing, 1.0)
        value = self.origin + np.round((x - self.origin) / some) * some
        if self.bounds is not None:
            value = np.clip(value, self.bounds.low, self.bounds.high)
        return np.where(self.spacing > 0, value, x)


def places(n: int, shape: tuple[int, ...]) -> Array:
    """n places in the cells of a sample of this shape, the same in each call: shares in (0, 1), shape (n, *shape).

    Those of each column are the middles of n equal parts of its cells, in an order of their own (Latin hypercube).
    """
    order = np.random.default_rng(0).permuted(np.tile(np.arange(n), (prod(shape), 1)), axis=1)
    return ((order.T + 0.5) / n).reshape(n, *shape)
