"""Between whole samples and their positions: what is summed over the positions of a sample, and what holds at each.

Positions are the grid of samples (n, *grid, channels), or rows (n_rows, channels) of which `segments` say whose they
are.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value
from . import compiled
from .segment import Segments


def in_positions(x: Value, segments: Segments | None) -> Value:
    """Samples on a grid as (n, positions, channels), and rows as they are: what the other functions take."""
    if segments is not None:
        return segments.flat(x)
    n, *grid, channels = F.shape_of(x)
    return F.reshape(x, (n, prod(grid), channels))


def totals(x: Array, segments: Segments | None) -> Array:
    """The sum over the positions of each sample, in float64: (n, channels)."""
    if segments is None:
        return np.add.reduce(x, axis=1, dtype=np.float64)
    return segments.membership(np.dtype(np.float64)) @ x


def counts(x: Array, segments: Segments | None) -> Array | int:
    """How many positions a sample has: one number, or one for each in a column."""
    return x.shape[1] if segments is None else segments.lengths[:, None]


def at_positions(each: Array, segments: Segments | None) -> Array:
    """What belongs to each sample, (n, channels), so that it meets all of its positions."""
    return each[:, None] if segments is None else segments.handed_out(each)


def meet(by: np.ufunc, x: Array, each: Array, segments: Segments | None) -> Array:
    """np.add or np.multiply of x and what belongs to each sample, at all of its positions."""
    found = compiled.meet(x, each, by is np.multiply) if segments is None else None
    return by(x, at_positions(each, segments)) if found is None else found


def summed(x: Array, segments: Segments | None, others: Array | None = None) -> Array:
    """The sum over the positions of each sample of x, or of x times others like it, in the precision of x."""
    found = compiled.totals(x, others) if segments is None else None
    if found is None:
        found = totals(x if others is None else np.multiply(x, others), segments).astype(x.dtype)
    return found
