"""A grid made so many times as large, by repetition or by linear interpolation, one axis after the other."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..autodiff.tape import Array, Value, op
from . import compiled


@op
def upsample(x: Array, *, factors: tuple[int, ...], linear: bool = False) -> tuple[Array, Any]:
    """y at position i of an axis is x at (i + 1/2) / factor - 1/2: that of the nearest position, or between two.

    Where there is no second position, beyond the edges, the one at the edge stands for it. x: (n, *grid, channels), y:
    (n, *(grid * factors), channels).
    """
    found = None if linear else compiled.repeat(x, factors)
    return _enlarged(x, factors, linear) if found is None else found, (factors, linear)


@upsample.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    factors, linear = saved
    found = None if linear else compiled.repeat_back(g, factors)
    return (_reduced(g, factors, linear) if found is None else found,)


@upsample.reference
def _(x: Value, *, factors: tuple[int, ...], linear: bool = False) -> Value:
    for axis, factor in enumerate(factors, 1):
        before = (slice(None),) * axis
        nearest, second, share = between(x.shape[axis], factor, linear, x.dtype)
        share = share.reshape(-1, *[1] * (len(x.shape) - axis - 1))
        x = (1.0 - share) * x[(*before, nearest)] + share * x[(*before, second)]
    return x


@upsample.takes
def _(y: Array, x: Array, *, factors: tuple[int, ...], linear: bool = False) -> tuple[int, int]:
    return 2 * y.size if linear else 0, y.size


def between(size: int, factor: int, linear: bool, dtype: Any) -> tuple[Array, Array, Array]:
    """For each position of an axis of `size` made longer: the nearest one before, the second, and the second's share.

    Examples
    --------
    >>> nearest, second, share = between(3, 2, True, float)
    >>> nearest.tolist(), second.tolist(), share.tolist()
    ([0, 0, 1, 1, 2, 2], [0, 1, 0, 2, 1, 2], [0.25, 0.25, 0.25, 0.25, 0.25, 0.25])
    """
    position, offset = np.divmod(np.arange(size * factor), factor)
    away = _away(factor, linear)[offset]
    second = np.clip(position + np.sign(away).astype(np.intp), 0, size - 1)
    return position, second, np.abs(away).astype(dtype)


def _away(factor: int, linear: bool) -> Array:
    """How far the new positions around each old one lie from it, in old positions; 0 where only that one counts."""
    return ((np.arange(factor) + 0.5) / factor - 0.5) * linear


def _enlarged(x: Array, factors: tuple[int, ...], linear: bool) -> Array:
    for axis, factor in enumerate(factors, 1):
        if factor > 1:
            x = _longer(x, axis, factor, linear)
    return x


def _reduced(g: Array, factors: tuple[int, ...], linear: bool) -> Array:
    """The transpose of :func:`_enlarged`."""
    for axis, factor in enumerate(factors, 1):
        if factor > 1:
            g = _shorter(g, axis, factor, linear)
    return g


def _longer(x: Array, axis: int, factor: int, linear: bool) -> Array:
    outer, size, inner = prod(x.shape[:axis]), x.shape[axis], prod(x.shape[axis + 1 :])
    x_rows = x.reshape(outer, size, inner)
    y = np.empty((outer, size, factor, inner), x.dtype)
    for k, away in enumerate(_away(factor, linear).tolist()):
        if away == 0:
            y[:, :, k] = x_rows
        else:
            np.multiply(x_rows, 1.0 - abs(away), out=y[:, :, k])
            for to, second in _seconds(away):
                y[:, to, k] += abs(away) * x_rows[:, second]
    return y.reshape(*x.shape[:axis], size * factor, *x.shape[axis + 1 :])


def _shorter(g: Array, axis: int, factor: int, linear: bool) -> Array:
    """The transpose of :func:`_longer`."""
    outer, size, inner = prod(g.shape[:axis]), g.shape[axis] // factor, prod(g.shape[axis + 1 :])
    g_rows = g.reshape(outer, size, factor, inner)
    x = np.zeros((outer, size, inner), g.dtype)
    for k, away in enumerate(_away(factor, linear).tolist()):
        if away == 0:
            x += g_rows[:, :, k]
        else:
            x += (1.0 - abs(away)) * g_rows[:, :, k]
            for to, second in _seconds(away):
                x[:, second] += abs(away) * g_rows[:, to, k]
    return x.reshape(*g.shape[:axis], size, *g.shape[axis + 1 :])


def _seconds(away: float) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Which positions have which as their second: the neighbour on that side, and at the edge themselves."""
    if away > 0:
        return (slice(None, -1), slice(1, None)), (slice(-1, None), slice(-1, None))
    return (slice(1, None), slice(None, -1)), (slice(None, 1), slice(None, 1))
