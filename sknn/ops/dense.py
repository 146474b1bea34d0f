"""The dense layer in one operation: matrix product, bias and activation."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from . import compiled
from .activation import ACTIVATIONS
from .threads import SMALL_WORK, share_rows
from .workspace import large


@op
def dense(x: Array, W: Array, b: Array | None = None, *, activation: str = "identity") -> tuple[Array, Any]:
    """y = f(x W + b). x: (..., n_in), dense, or a sparse matrix (n, n_in); W: (n_in, n_out); b: (n_out,) or None."""
    rows = x if x.ndim == 2 else x.reshape(-1, W.shape[0])
    y, kept = _forward(rows, W, b, activation)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], -1), (x.shape, rows, W, y, activation, kept)


@dense.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    shape, rows, W, y, activation, kept = saved
    to_x, to_W, *to_b = out
    g = g if g.ndim == 2 else g.reshape(y.shape)
    dz, db = _slope(g, y, activation, kept, to_b[0] if to_b else None)
    dx = dW = None
    if to_W is not None:
        dW = _product(rows.T, dz, None if to_W is ... else to_W) if isinstance(rows, np.ndarray) else rows.T @ dz
    if to_x is not None:
        dx = _product(dz, W.T, large((len(dz), W.shape[0]), dz, W))
        dx = dx if len(shape) == 2 else dx.reshape(shape)
    return dx, dW, db


def _forward(rows: Array, W: Array, b: Array | None, activation: str) -> tuple[Array, Any]:
    """f(rows W + b), and what the slope of f needs besides."""
    function = ACTIVATIONS[activation]
    is_relu = activation == "relu"
    if isinstance(rows, np.ndarray):
        out = large((len(rows), W.shape[1]), rows, W)
        y = compiled.product(rows, W, b, is_relu, out)
        if y is not None:
            return y, None if is_relu else function.forward(y)
        y = _blas_product(rows, W, out)
    else:
        y = rows @ W
    if b is not None:
        y += b
    return y, function.forward(y)


def _slope(g: Array, y: Array, activation: str, kept: Any, to_b: Any) -> tuple[Array, Array | None]:
    """The gradient in front of the activation, and its column sums if these are wanted."""
    db = None
    if to_b is not None:
        db = np.empty(y.shape[1], y.dtype) if to_b is ... else to_b
    if activation == "relu" and (dz := compiled.relu_slope(g, y, db)) is not None:
        return dz, db
    dz = ACTIVATIONS[activation].backward(g, y, kept)
    if db is not None:  # the BLAS adds up faster than NumPy
        np.dot(_ones(len(dz), dz.dtype), dz, out=db)
    return dz, db


@dense.reference
def _(x: Value, W: Value, b: Value | None = None, *, activation: str = "identity") -> Value:
    z = F.matmul(x, W)
    return ACTIVATIONS[activation].reference(z if b is None else z + b)


def _product(a: Array, b: Array, out: Array | None) -> Array:
    """a b, by all threads where it is large, written to `out` if there is one."""
    product = compiled.product(a, b, None, False, out)
    return _blas_product(a, b, out) if product is None else product


def _blas_product(a: Array, b: Array, out: Array | None) -> Array:
    multiplications = len(a) * b.size
    if multiplications < SMALL_WORK:
        return np.dot(a, b, out=out)
    product = np.empty((len(a), b.shape[1]), np.result_type(a, b)) if out is None else out
    share_rows(lambda rows: np.dot(a[rows], b, out=product[rows]), len(a), multiplications)
    return product


@lru_cache(maxsize=16)
def _ones(n: int, dtype: np.dtype) -> Array:
    ones = np.ones(n, dtype)
    ones.flags.writeable = False
    return ones
