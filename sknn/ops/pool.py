"""Pooling: the largest or the mean element of each window."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from .conv import around
from .kernels import pool_average, pool_average_back, pool_max, pool_max_back, window_sizes
from .windows import Windows


@op
def max_pool(x: Array, *, windows: Windows) -> tuple[Array, Any]:
    """y_p = max over the window p of x. x: (n, *grid, channels), y: (n, *output, channels)."""
    y = pool_max(x, windows)
    return y, (x, y, windows)


@max_pool.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    x, y, windows = saved
    return (pool_max_back(g, x, y, windows),)


@max_pool.reference
def _(x: Value, *, windows: Windows) -> Value:
    return reduce(F.maximum, _taps(x, windows, outside=-np.inf))  # in a tie the first one wins


@op
def average_pool(x: Array, *, windows: Windows) -> tuple[Array, Any]:
    """y_p = mean over those elements of the window p that lie on the grid. Shapes as of :func:`max_pool`."""
    return pool_average(x, windows), (x.shape, windows)


@average_pool.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    shape, windows = saved
    return (pool_average_back(g, shape, windows),)


@average_pool.reference
def _(x: Value, *, windows: Windows) -> Value:
    return reduce(F.add, _taps(x, windows, outside=0.0)) / window_sizes(windows).astype(x.dtype)


def _taps(x: Value, windows: Windows, outside: float) -> list[Value]:
    """For each tap of the windows the elements that all of them have there, and `outside` beyond the grid."""
    values = []
    for seen, positions in windows.taps():
        on_grid = np.zeros((*windows.output, 1), bool)
        on_grid[seen] = True
        there = F.pad(x[(slice(None), *positions)], around(seen, windows.output))
        values.append(F.where(on_grid, there, outside))
    return values
