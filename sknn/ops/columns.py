"""Some columns of a state: taken out, or moved on by what others say. Its last column is the log-volume gained so far.

A state (n, d + 1) goes through a normalizing flow as one array, so that a layer is few operations and the gradients of
values and volume gather in one buffer.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Fused, Value, op

Columns = slice | tuple[int, ...]  # none of them twice


@op
def columns(state: Array, *, which: Columns, limit: float = inf) -> tuple[Array, Any]:
    """y = state[:, which], kept between -limit and limit. state: (n, d + 1); y: (n, as many as named)."""
    y = _taken(state, which)
    if limit == inf:
        return y, (state.shape, which, None)
    inside = np.abs(y) <= limit
    return np.clip(y, -limit, limit, out=y), (state.shape, which, inside)


@columns.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    shape, which, inside = saved
    whole = np.zeros(shape, g.dtype)
    whole[:, _index(which)] = g if inside is None else g * inside
    return (whole,)


@columns.reference
def _(state: Value, *, which: Columns, limit: float = inf) -> Value:
    y = F.take(state, (slice(None), _index(which)))
    return y if limit == inf else F.clip(y, -limit, limit)


@op
def moved(
    state: Array, raw: Array, *, which: Columns, move: Fused, inverse: bool = False, **options: Any
) -> tuple[Array, Any]:
    """The state in which y = move(x, raw) takes the place of the columns x, and log |dy / dx| is added to the last.

    state: (n, d + 1); raw: (n, m n_numbers), what `move` wants for each of the m columns `which`. `move` is
    :func:`sknn.ops.affine.affine` or :func:`sknn.ops.spline.spline`, to which options and `inverse` are handed on.
    """
    x = _taken(state, which)
    found, kept = move.forward(x, raw.reshape(*x.shape, -1), inverse=inverse, **options)
    y = state.astype(found.dtype)
    y[:, _index(which)] = found[0]
    y[:, -1] += found[1].sum(axis=1)
    return y, (found.shape, raw.shape, which, move, kept)


@moved.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    shape, raw_shape, which, move, kept = saved
    index = _index(which)
    slopes = np.empty(shape, g.dtype)
    slopes[0] = g[:, index]
    slopes[1] = g[:, -1:]
    dx, draw = move.pull_kept(slopes, kept, [..., ...])
    dstate = g.copy()
    dstate[:, index] = dx
    return dstate, draw.reshape(raw_shape)


@moved.reference
def _(state: Value, raw: Value, *, which: Columns, move: Fused, inverse: bool = False, **options: Any) -> Value:
    index = (slice(None), _index(which))
    x, shape = F.take(state, index), F.shape_of(state)
    found = move.refer(x, F.reshape(raw, (*F.shape_of(x), -1)), inverse=inverse, **options)
    last = (slice(None), slice(shape[1] - 1, shape[1]))
    return (
        state * _others(which, shape[1])
        + F.put(found[0], index, shape)
        + F.put(F.sum(found[1], axis=1, keepdims=True), last, shape)
    )


@moved.takes
def _(y: Array, state: Array, raw: Array, **options: Any) -> tuple[int, int]:
    return y.size + 10 * raw.size, y.size + 2 * raw.size


def _taken(state: Array, which: Columns) -> Array:
    """The columns as an array of their own, for kernels that want rows without gaps."""
    if isinstance(which, slice):
        return state[:, which].copy()
    return state.take(which, axis=1)  # both are copies, which may be written to


def _index(which: Columns) -> Any:
    return which if isinstance(which, slice) else list(which)


@op
def placed(state: Array, x: Array, volume: Array, *, which: Columns) -> tuple[Array, Any]:
    """The state with x in the place of the columns `which`, and with `volume` added to its last column.

    state: (n, d + 1); x: (n, as many as named); volume: (1,), the same for all samples.
    """
    y = state.astype(np.result_type(state, x))
    y[:, _index(which)] = x
    y[:, -1] += volume
    return y, which


@placed.backward
def _(g: Array, which: Columns, out: list) -> tuple:
    index = _index(which)
    dstate = g.copy()
    dstate[:, index] = 0
    return dstate, g[:, index], g[:, -1:].sum(axis=0)


@placed.reference
def _(state: Value, x: Value, volume: Value, *, which: Columns) -> Value:
    shape, index = F.shape_of(state), (slice(None), _index(which))
    is_last = np.arange(shape[1]) == shape[1] - 1
    return state * _others(which, shape[1]) + F.put(x, index, shape) + volume * is_last


def _others(which: Columns, n: int) -> Array:
    """Which of n columns are not named."""
    others = np.ones(n, bool)
    others[_index(which)] = False
    return others
