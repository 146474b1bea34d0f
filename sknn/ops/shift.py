"""A number added to each channel of each sample, the same at all of its positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from .at_positions import in_positions, meet, summed
from .segment import Segments


@op
def shift(x: Array, by: Array, *, segments: Segments | None = None) -> tuple[Array, Any]:
    """y = x + by. x: (n, *grid, channels), or (n_rows, channels) with `segments`, the rows of each sample; by:
    (n, channels)."""
    return meet(np.add, in_positions(x, segments), by, segments).reshape(x.shape), (by.dtype, segments)


@shift.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    dtype, segments = saved
    return g, None if out[1] is None else summed(in_positions(g, segments), segments).astype(dtype, copy=False)


@shift.reference
def _(x: Value, by: Value, *, segments: Segments | None = None) -> Value:
    if segments is not None:
        return x + F.take(by, segments.of_row)
    n, *grid, channels = F.shape_of(x)
    return x + F.reshape(by, (n, *[1] * len(grid), channels))
