"""Queries and keys turned by angles that grow with their place: their products know how far they are apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op


@op
def rotate(x: Array, *, cos: Array, sin: Array, turned: int) -> tuple[Array, Any]:
    """(a, b) becomes (a cos - b sin, a sin + b cos), with a and b the halves of a head (Su et al. 2021).

    x: (n_rows, width), of which the first `turned` columns are heads side by side and turned, the others stay; cos,
    sin: (n_rows, d / 2), of the angles, alike for all heads.
    """
    return _turned(x, cos, sin, turned), (cos, sin, turned)


@rotate.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    cos, sin, turned = saved
    return (_turned(g, cos, -sin, turned),)


@rotate.reference
def _(x: Value, *, cos: Array, sin: Array, turned: int) -> Value:
    n_rows, half = cos.shape
    cos, sin = (each[:, None].astype(x.dtype, copy=False) for each in (cos, sin))
    halves = F.reshape(x[:, :turned], (n_rows, -1, 2, half))
    a, b = halves[:, :, 0], halves[:, :, 1]
    both = F.stack([a * cos - b * sin, a * sin + b * cos], 2)
    return F.concatenate([F.reshape(both, (n_rows, turned)), x[:, turned:]], 1)


def _turned(x: Array, cos: Array, sin: Array, turned: int) -> Array:
    n_rows, half = cos.shape
    cos, sin = (each[:, None].astype(x.dtype, copy=False) for each in (cos, sin))
    y = np.array(x, order="C")
    before = x[:, :turned].reshape(n_rows, -1, 2, half)
    after = y[:, :turned].reshape(n_rows, -1, 2, half)  # a view: y lies row by row
    a, b = before[:, :, 0], before[:, :, 1]
    np.subtract(a * cos, b * sin, out=after[:, :, 0])
    np.add(a * sin, b * cos, out=after[:, :, 1])
    return y
