"""Pooling: the largest or the mean element of each window."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
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
    for axis in range(windows.n_axes):
        x = reduce(F.maximum, _taps(x, windows, axis, outside=-np.inf))  # in a tie the first one wins
    return x


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
    for axis in range(windows.n_axes):
        sizes = _aligned(window_sizes(windows, axis).astype(x.dtype), windows, axis)
        x = reduce(F.add, _taps(x, windows, axis, outside=0.0)) / sizes
    return x


def _taps(x: Value, windows: Windows, axis: int, outside: float) -> list[Value]:
    """For each tap along an axis the elements that all windows have there, and `outside` beyond the grid."""
    values = []
    for seen, positions in windows.along[axis]:
        on_grid = np.zeros((windows.output[axis], 1), bool)
        on_grid[seen] = True
        there = x[(slice(None),) * (axis + 1) + (positions,)]
        around = [(0, 0)] * len(x.shape)
        around[axis + 1] = (seen.start, windows.output[axis] - seen.stop)
        values.append(F.where(_aligned(on_grid, windows, axis), F.pad(there, around), outside))
    return values


def _aligned(along: Array, windows: Windows, axis: int) -> Array:
    """Values (windows, 1) along an axis, to be broadcast over the grid that begins there."""
    return along.reshape(len(along), *(1,) * (windows.n_axes - axis))
