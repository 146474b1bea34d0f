"""A factor for each channel of each sample, the same at all of its positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from .at_positions import in_positions, meet, summed
from .segment import Segments


@op
def gate(x: Array, factor: Array, *, segments: Segments | None = None) -> tuple[Array, Any]:
    """y = x factor. x: (n, *grid, channels), or (n_rows, channels) with `segments`, the rows of each sample; factor:
    (n, channels) (Hu et al. 2018)."""
    rows = in_positions(x, segments)
    return meet(np.multiply, rows, factor, segments).reshape(x.shape), (rows, factor, segments)


@gate.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    x, factor, segments = saved
    rows = g.reshape(x.shape)
    dx = None if out[0] is None else meet(np.multiply, rows, factor, segments).reshape(g.shape)
    to_factor = None if out[1] is None else summed(rows, segments, x).astype(factor.dtype, copy=False)
    return dx, to_factor


@gate.reference
def _(x: Value, factor: Value, *, segments: Segments | None = None) -> Value:
    if segments is not None:
        return x * F.take(factor, segments.of_row)
    n, *grid, channels = F.shape_of(x)
    return x * F.reshape(factor, (n, *[1] * len(grid), channels))


@gate.takes
def _(y: Array, *inputs: Array, **options: Any) -> tuple[int, int]:
    return y.size, y.size
