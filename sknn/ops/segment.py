"""Rows summed up by sample: the largest or the mean of each channel over the steps of a series."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op


@op
def segment_max(x: Array, *, lengths: Array) -> tuple[Array, Any]:
    """y_k = max over the rows of segment k. x: (sum of lengths, channels), y: (segments, channels)."""
    y = np.maximum.reduceat(x, _starts(lengths), axis=0)
    return y, (x, y, lengths)


@segment_max.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    x, y, lengths = saved
    dx = np.empty(x.shape, x.dtype)
    dx.fill(0)
    dx.reshape(-1)[_first_largest(x, y, lengths)] = g.reshape(-1)
    return (dx,)


@segment_max.reference
def _(x: Value, *, lengths: Array) -> Value:
    plain = F.plain(x)
    largest = np.maximum.reduceat(plain, _starts(lengths), axis=0)
    first = F.take(F.reshape(x, (-1,)), _first_largest(plain, largest, lengths))
    return F.reshape(first, largest.shape)


@op
def segment_mean(x: Array, *, lengths: Array) -> tuple[Array, Any]:
    """y_k = mean over the rows of segment k. Shapes as of :func:`segment_max`."""
    return (_membership(lengths, x.dtype) @ x) * _share(lengths, x.dtype), lengths


@segment_mean.backward
def _(g: Array, lengths: Array, out: list) -> tuple:
    dx = np.empty((lengths.sum(), g.shape[1]), g.dtype)
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
    """Which element of x, counted row by row, is that of each in y: the first of those as large, or the first NaN."""
    n_channels = x.shape[1]
    of_row = np.repeat(np.arange(len(lengths)), lengths)
    hits = np.flatnonzero((x == np.take(y, of_row, axis=0)) | np.isnan(x))
    first = np.empty(y.size, np.intp)
    first[(of_row[hits // n_channels] * n_channels + hits % n_channels)[::-1]] = hits[::-1]  # the last written stays
    return first
