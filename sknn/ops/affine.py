"""Numbers shifted and stretched by others, with the logarithm of the stretch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op

LARGEST = 2.0  # no stretch goes beyond exp(2) either way, so that no chain of them runs away (Dinh et al. 2017)


@op
def affine(x: Array, raw: Array, *, inverse: bool = False) -> tuple[Array, Any]:
    """y = x exp(s) + t with t, r = raw and s = 2 tanh(r / 2), beside s; or x = (y - t) exp(-s) beside -s.

    x: (n, m); raw: (n, m, 2); the result: (2, n, m), in [0] the values and in [1] the logarithm of their slope. With
    raw = 0 nothing changes.
    """
    shift, stretch = raw[..., 0], np.tanh(raw[..., 1] * (1.0 / LARGEST)) * LARGEST
    y = np.empty((2, *x.shape), np.result_type(x, raw))
    if inverse:
        np.negative(stretch, out=y[1])
        factor = np.exp(y[1])
        np.multiply(x - shift, factor, out=y[0])
    else:
        y[1] = stretch
        factor = np.exp(stretch)
        np.multiply(x, factor, out=y[0])
        y[0] += shift
    return y, (x, y, factor, inverse)


@affine.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    x, y, factor, inverse = saved
    to_y, to_log = g
    dx = to_y * factor
    draw = np.empty((*x.shape, 2), dx.dtype)
    if inverse:
        np.negative(dx, out=draw[..., 0])
        to_stretch = -(to_y * y[0] + to_log)
    else:
        draw[..., 0] = to_y
        to_stretch = dx * x + to_log
    slope = y[1] * (1.0 / LARGEST)
    np.multiply(to_stretch, 1.0 - slope * slope, out=draw[..., 1])
    return dx, draw


@affine.reference
def _(x: Value, raw: Value, *, inverse: bool = False) -> Value:
    shift, stretch = raw[..., 0], F.tanh(raw[..., 1] * (1.0 / LARGEST)) * LARGEST
    if inverse:
        return F.stack([(x - shift) * F.exp(-stretch), -stretch])
    return F.stack([x * F.exp(stretch) + shift, stretch])


@affine.takes
def _(y: Array, x: Array, raw: Array, **options: Any) -> tuple[int, int]:
    return 10 * x.size, 4 * x.size
