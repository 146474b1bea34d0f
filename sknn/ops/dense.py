"""The dense layer in one operation: matrix product, bias and activation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from . import compiled
from .activation import ACTIVATIONS
from .convolution import recorded_gradients
from .precision import widened_for_now
from .threads import SMALL_WORK, share_rows


@op
def dense(x: Array, W: Array, b: Array | None = None, *, activation: str = "identity") -> tuple[Array, Any]:
    """y = f(x W + b). x: (..., n_in), dense, or a sparse matrix (n, n_in); W: (n_in, n_out); b: (n_out,) or None.

    Or members side by side, each with what it would give alone: x (members, ..., n_in), W (members, n_in, n_out), b
    (members, n_out) or None.
    """
    rows = x if x.ndim == 2 else _rows(x, W)
    y, kept = _forward(rows, W, b, activation)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], W.shape[-1]), (x.shape, rows, W, y, activation, kept)


@dense.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    shape, rows, W, y, activation, kept = saved
    to_x, to_W, to_b = out if len(out) == 3 else (*out, None)
    g = g if g.ndim == 2 else g.reshape(y.shape)
    is_relu = activation == "relu"
    if not is_relu and activation != "identity":
        g = ACTIVATIONS[activation].backward(g, y, kept)
    found = None
    if isinstance(rows, np.ndarray):
        found = compiled.dense_back(g, rows, W, y, is_relu, (to_x, to_W, to_b))
    if found is None:
        backward = _backward if W.ndim == 2 else _backward_of_members
        found = backward(g, rows, W, y, is_relu, (to_x, to_W, to_b))
    dx, dW, db = found
    return dx if dx is None or len(shape) == 2 else dx.reshape(shape), dW, db


@dense.each
def _(g: Array, saved: tuple) -> tuple[Array, Array]:
    shape, rows, _, y, activation, kept = saved
    dz = ACTIVATIONS[activation].backward(g.reshape(y.shape), y, kept)
    inputs = rows if isinstance(rows, np.ndarray) else rows.toarray()
    return inputs.reshape(shape), dz.reshape(*shape[:-1], -1)


@dense.reference
def _(x: Value, W: Value, b: Value | None = None, *, activation: str = "identity") -> Value:
    if len(F.shape_of(W)) == 3:
        rows = F.matmul(F.reshape(x, _row_shape(F.shape_of(x), W)), W)
        rows = rows if b is None else rows + F.expand_dims(b, 1)
        z = F.reshape(rows, (*F.shape_of(x)[:-1], F.shape_of(W)[-1]))
    else:
        z = F.matmul(x, W)
        z = z if b is None else z + b
    return ACTIVATIONS[activation].reference(z)


@dense.recorded
def _(g: Value, y: Array, wanted: Sequence[bool], x: Value, W: Value, *b: Value, activation: str = "identity") -> Any:
    if not len(F.shape_of(x)) == len(F.shape_of(W)) == 2 or issparse(x):
        return None
    return recorded_gradients(
        g, y, wanted, lambda dz: dz @ F.transpose(W), lambda dz: F.transpose(x) @ dz, b, activation
    )


@dense.takes
def _(y: Array, x: Array, W: Array, b: Array | None = None, *, activation: str = "identity") -> tuple[int, int]:
    n_in, n_out = W.shape[-2:]
    return y.size // n_out * (n_in * n_out + (0 if b is None else n_out)), y.size


def _rows(x: Array, W: Array) -> Array:
    """x as a matrix, or one for each member."""
    return x if x.ndim == W.ndim else x.reshape(_row_shape(x.shape, W))


def _row_shape(shape: tuple[int, ...], W: Value) -> tuple[int, ...]:
    *members, n_in, _ = F.shape_of(W)
    return *members, prod(shape[len(members) : -1]), n_in


def _forward(rows: Array, W: Array, b: Array | None, activation: str) -> tuple[Array, Any]:
    """f(rows W + b), and what the slope of f needs besides."""
    is_relu = activation == "relu"
    if W.ndim == 3:
        y = compiled.dense_of_members(rows, W, b, is_relu)
    else:
        y = compiled.dense(rows, W, b, is_relu) if isinstance(rows, np.ndarray) else None
    if y is not None:
        return y, None if is_relu else ACTIVATIONS[activation].forward(y)
    y = _affine(rows, W, b) if W.ndim == 2 else _affine_of_members(rows, W, b)
    return y, ACTIVATIONS[activation].forward(y)


def _affine(rows: Array, W: Array, b: Array | None) -> Array:
    y = _product(rows, W, ...)
    if b is not None:
        y += b
    return y


def _affine_of_members(rows: Array, W: Array, b: Array | None) -> Array:
    """One after the other: a product of all at once, or a sum over another axis, may round otherwise."""
    y = np.empty((*rows.shape[:2], W.shape[2]), np.result_type(rows, W))
    for k, mine in enumerate(y):
        mine[...] = _affine(rows[k], W[k], None if b is None else b[k])
    return y


def _backward(g: Array, rows: Array, W: Array, y: Array, is_relu: bool, out: tuple) -> tuple:
    """The gradients of rows, W and b where they are wanted, from that of y or, but for ReLU, of what lies before f."""
    to_x, to_W, to_b = out
    dz = ACTIVATIONS["relu"].backward(g, y, None) if is_relu else g
    dx = dW = db = None
    if to_b is not None:  # the BLAS adds up faster than NumPy
        db = np.dot(_ones(len(dz), dz.dtype), dz, out=None if to_b is ... else to_b)
    if to_W is not None:
        dW = _product(rows.T, dz, to_W)
    if to_x is not None:
        dx = _product(dz, W.T, ...)
    return dx, dW, db


def _backward_of_members(g: Array, rows: Array, W: Array, y: Array, is_relu: bool, out: tuple) -> tuple:
    """As :func:`_backward` for each member."""
    out = (None if out[0] is None else ..., *out[1:])
    found = []
    for k in range(len(W)):
        places = tuple(place[k] if isinstance(place, np.ndarray) else place for place in out)
        found.append(_backward(g[k], rows[k], W[k], y[k], is_relu, places))
    each = zip(out, zip(*found, strict=True), strict=True)
    return tuple(np.stack(parts) if place is ... else place for place, parts in each)


def _product(a: Array, b: Array, out: Any) -> Array:
    """a b, by all threads where it is large, written to `out` unless that is "..."; a may be sparse."""
    if not isinstance(a, np.ndarray):
        return a @ b
    b = widened_for_now(b, a.dtype)  # once for all shares
    product = None if out is ... else out
    multiplications = len(a) * b.size
    if multiplications < SMALL_WORK:
        return np.dot(a, b, out=product)
    if product is None:
        product = np.empty((len(a), b.shape[1]), np.result_type(a, b))
    share_rows(lambda rows: np.dot(a[rows], b, out=product[rows]), len(a), multiplications)
    return product


@lru_cache(maxsize=16)
def _ones(n: int, dtype: np.dtype) -> Array:
    ones = np.ones(n, dtype)
    ones.flags.writeable = False
    return ones
