"""The dense layer in one operation: matrix product, bias and activation."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from .activation import ACTIVATIONS
from .workspace import empty


@op
def dense(x: Array, W: Array, b: Array | None = None, *, activation: str = "identity") -> tuple[Array, Any]:
    """y = f(x W + b). x: (..., n_in), dense, or a sparse matrix (n, n_in); W: (n_in, n_out); b: (n_out,) or None."""
    if issparse(x):
        y = x @ W
    else:
        rows = _rows(x)
        y = np.matmul(rows, W, out=empty((len(rows), W.shape[1]), np.result_type(x, W)))
    if b is not None:
        y += b
    kept = ACTIVATIONS[activation].forward(y)
    return y.reshape(*x.shape[:-1], W.shape[1]), (x, W, y, activation, kept)


@dense.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    x, W, y, activation, kept = saved
    dz = ACTIVATIONS[activation].backward(g.reshape(y.shape), y, kept)
    to_x, to_W, to_b = out if len(out) == 3 else (*out, None)
    dW = db = dx = None
    if to_W is not None:
        dW = _into(to_W, x.T @ dz) if issparse(x) else np.matmul(_rows(x).T, dz, out=_place(to_W, W.shape, W.dtype))
    if to_b is not None:
        db = np.matmul(np.ones(len(dz), dz.dtype), dz, out=_place(to_b, W.shape[1:], W.dtype))  # a BLAS column sum
    if to_x is not None:
        dx = np.matmul(dz, W.T, out=empty((len(dz), W.shape[0]), W.dtype)).reshape(x.shape)
    return dx, dW, db


@dense.reference
def _(x: Value, W: Value, b: Value | None = None, *, activation: str = "identity") -> Value:
    z = F.matmul(x, W)
    return ACTIVATIONS[activation].reference(z if b is None else z + b)


def _rows(x: Array) -> Array:
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def _place(place: Any, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    return empty(shape, dtype) if place is ... else place


def _into(place: Any, value: Array) -> Array:
    if place is ...:
        return value
    place[...] = value
    return place
