"""Rows summed up by sample: the largest or the mean of each channel over the steps of a series."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from .workspace import space


@op
def segment_max(x: Array, *, lengths: Array) -> tuple[Array, Any]:
    """y_k = max over the rows of segment k. x: (sum of lengths, channels), y: (segments, channels)."""
    y = np.maximum.reduceat(x, _starts(lengths), axis=0)
    return y, (x, y, lengths)


@segment_max.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    x, y, lengths = saved
    dx = space(x.shape, x)
    dx.fill(0)
    dx[_first_largest(x, y, lengths), np.arange(x.shape[1])] = g
    return (dx,)


@segment_max.reference
def _(x: Value, *, lengths: Array) -> Value:
    plain = F.plain(x)
    first = _first_largest(plain, np.maximum.reduceat(plain, _starts(lengths), axis=0), lengths)
    return F.take(x, (first, np.arange(plain.shape[1])))


@op
def segment_mean(x: Array, *, lengths: Array) -> tuple[Array, Any]:
    """y_k = mean over the rows of segment k. Shapes as of :func:`segment_max`."""
    return (_membership(lengths, x.dtype) @ x) * _share(lengths, x.dtype), lengths


@segment_mean.backward
def _(g: Array, lengths: Array, out: list) -> tuple:
    dx = space((lengths.sum(), g.shape[1]), g)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return (np.take(g * _share(lengths, g.dtype), rows, axis=0, out=dx, mode="clip"),)


@segment_mean.reference
def _(x: Value, *, lengths: Array) -> Value:
    return F.matmul(_membership(lengths, x.dtype), x) * _share(lengths, x.dtype)


def _starts(lengths: Array) -> Array:
    return np.cumsum(lengths) - lengths


def _share(lengths: Array, dtype: np.dtype) -> Array:
    return np.reciprocal(lengths[:, None].astype(dtype))


def _membership(lengths: Array, dtype: np.dtype) -> csr_array:
    """1 where a row belongs to a segment. A product with it adds up one row after the other, as pooling does."""
    n_rows = lengths.sum()
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return csr_array((np.ones(n_rows, dtype), np.arange(n_rows), ends), (len(lengths), n_rows))


def _first_largest(x: Array, y: Array, lengths: Array) -> Array:
    """The row in which each channel of a segment is largest, (segments, channels): the first, or the first NaN."""
    n_rows = len(x)
    hits = (x == np.repeat(y, lengths, axis=0)) | np.isnan(x)
    rows = np.where(hits, np.arange(n_rows)[:, None], n_rows)
    return np.minimum.reduceat(rows, _starts(lengths), axis=0)
