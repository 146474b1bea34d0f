"""The dense layer in one operation: matrix product, bias and activation."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from .activation import ACTIVATIONS
from .threads import SMALL_WORK, share_rows
from .workspace import large


@op
def dense(x: Array, W: Array, b: Array | None = None, *, activation: str = "identity") -> tuple[Array, Any]:
    """y = f(x W + b). x: (..., n_in), dense, or a sparse matrix (n, n_in); W: (n_in, n_out); b: (n_out,) or None."""
    n_in, n_out = W.shape
    if isinstance(x, np.ndarray):
        rows = x if x.ndim == 2 else x.reshape(-1, n_in)
        y = _product(rows, W, large((len(rows), n_out), x, W))
    else:
        rows, y = x, x @ W
    if b is not None:
        y += b
    function = ACTIVATIONS[activation]
    kept = function.forward(y)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], n_out), (x.shape, rows, W, y, function, kept)


@dense.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    shape, rows, W, y, function, kept = saved
    dz = function.backward(g if g.ndim == 2 else g.reshape(y.shape), y, kept)
    to_x, to_W, *to_b = out
    dx = dW = db = None
    if to_W is not None:
        dW = _product(rows.T, dz, None if to_W is ... else to_W) if isinstance(rows, np.ndarray) else rows.T @ dz
    if to_b and to_b[0] is not None:  # a column sum, which the BLAS adds up faster than NumPy
        db = np.dot(_ones(len(dz), dz.dtype), dz, out=None if to_b[0] is ... else to_b[0])
    if to_x is not None:
        dx = _product(dz, W.T, large((len(dz), W.shape[0]), dz, W))
        dx = dx if len(shape) == 2 else dx.reshape(shape)
    return dx, dW, db


@dense.reference
def _(x: Value, W: Value, b: Value | None = None, *, activation: str = "identity") -> Value:
    z = F.matmul(x, W)
    return ACTIVATIONS[activation].reference(z if b is None else z + b)


def _product(a: Array, b: Array, out: Array | None) -> Array:
    """a b, by all threads where it is large, written to `out` if there is one."""
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
