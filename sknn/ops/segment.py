"""Rows summed up by segment: steps of a series, edges of a node, nodes of a graph.

Which rows belong together is said by :class:`Segments`, once for all operations on them: by lengths, where the rows of
a segment lie one after the other, or by an index, where they lie anywhere. The sum, the mean and the largest of no rows
are 0.
"""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op


class Segments:
    """Rows one after the other, so many in each segment.

    What operations need of it is worked out once and kept: who uses the same segments again hands over the same object.

    Parameters
    ----------
    lengths : array-like of int, of shape (n_segments,)
        How many rows each segment has.

    Raises
    ------
    ValueError
        If a length is negative, or they are no row of integers.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.ops.segment import Segments, segment_sum
    >>> x = np.array([[1.0], [2.0], [4.0]])
    >>> segment_sum(x, segments=Segments([2, 0, 1])).ravel()
    array([3., 0., 4.])
    >>> segment_sum(x, segments=Segments.by([1, 0, 1], 3)).ravel()
    array([2., 5., 0.])
    """

    def __init__(self, lengths: Any) -> None:
        self.lengths = _integers(lengths, "lengths")
        if (self.lengths < 0).any():
            raise ValueError(f"lengths must not be negative; got {self.lengths.min()}")
        self.order: Array | None = None  # the rows, segment by segment; None if they lie so

    @classmethod
    def by(cls, index: Any, n_segments: int) -> Segments:
        """The segments of rows that lie anywhere.

        Parameters
        ----------
        index : array-like of int, of shape (n_rows,)
            The number of the segment to which each row belongs.
        n_segments : int
            How many there are, those without rows included.

        Raises
        ------
        ValueError
            If a number is negative or not below `n_segments`, or they are no row of integers.
        """
        index = _integers(index, "index")
        if index.size and not 0 <= index.min() <= index.max() < n_segments:
            wrong = index.min() if index.min() < 0 else index.max()
            raise ValueError(f"index must hold numbers from 0 to n_segments - 1 = {n_segments - 1}; got {wrong}")
        segments = cls(np.bincount(index, minlength=n_segments))
        segments.of_row = index
        if (index[1:] < index[:-1]).any():
            segments.order = np.argsort(index, kind="stable")
        return segments

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def n_rows(self) -> int:
        """Of all segments together."""
        return int(self.lengths.sum())

    @cached_property
    def of_row(self) -> Array:
        """The number of the segment to which each row belongs."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @cached_property
    def filled(self) -> Array:
        """The numbers of the segments that have rows."""
        return np.flatnonzero(self.lengths)

    @cached_property
    def _memberships(self) -> dict[np.dtype, csr_array]:
        return {}

    def membership(self, dtype: np.dtype) -> csr_array:
        """1 where a row belongs to a segment. A product with it adds up one row after the other, as pooling does."""
        if dtype not in self._memberships:
            rows = np.arange(self.n_rows) if self.order is None else self.order
            ends = np.concatenate([[0], np.cumsum(self.lengths)])
            shape = (len(self), self.n_rows)
            self._memberships[dtype] = csr_array((np.ones(self.n_rows, dtype), rows, ends), shape)
        return self._memberships[dtype]

    def share(self, dtype: np.dtype) -> Array:
        """What a row contributes to the mean of its segment, in a column."""
        return np.reciprocal(np.maximum(self.lengths, 1)[:, None].astype(dtype))

    def flat(self, x: Value) -> Value:
        """The rows (n_rows, ...) in two axes; ValueError if they are not as many as the segments have."""
        shape = F.shape_of(x)
        if shape[:1] != (self.n_rows,):
            raise ValueError(f"x must have the {self.n_rows} rows of the segments; its shape is {shape}")
        return x if len(shape) == 2 else F.reshape(x, (self.n_rows, prod(shape[1:])))

    def shaped(self, y: Value, x: Value) -> Value:
        """What was computed for each segment, with the further axes of the rows x."""
        shape = F.shape_of(x)
        return y if len(shape) == 2 else F.reshape(y, (len(self), *shape[1:]))

    def handed_out(self, y: Array) -> Array:
        """To each row what was computed for its segment. y: (n_segments, channels)."""
        x = np.empty((self.n_rows, y.shape[1]), y.dtype)
        return np.take(y, self.of_row, axis=0, out=x, mode="clip")

    def largest(self, x: Array) -> Array:
        """Of each channel in each segment that has rows. x: (n_rows, channels).

        The larger rows of pairs, then those of pairs of these: reduceat takes far longer with several channels.
        """
        if not self._pairs:
            return self.ordered(x).copy()
        for firsts, seconds in self._pairs:
            left, right = np.take(x, firsts, axis=0), np.take(x, seconds, axis=0)
            x = np.maximum(left, right, out=left)
        return x

    @cached_property
    def _pairs(self) -> list[tuple[Array, Array]]:
        """Both rows of the pairs, round by round until each segment has one; the last of an odd number with itself."""
        lengths = self.lengths[self.filled]
        pairs: list[tuple[Array, Array]] = []
        while (lengths > 1).any():
            halves, ends = (lengths + 1) // 2, np.cumsum(lengths)
            skipped = ends - lengths - 2 * (np.cumsum(halves) - halves)
            firsts = np.repeat(skipped, halves) + 2 * np.arange(halves.sum())
            seconds = np.minimum(firsts + 1, np.repeat(ends - 1, halves))
            pairs.append((firsts, seconds) if pairs else (self._rows(firsts), self._rows(seconds)))
            lengths = halves
        return pairs

    def ordered(self, x: Array) -> Array:
        """The rows segment by segment."""
        return x if self.order is None else np.take(x, self.order, axis=0)

    def _rows(self, ordered: Array) -> Array:
        """The numbers of rows that are numbered segment by segment."""
        return ordered if self.order is None else self.order[ordered]

    def completed(self, y: Value) -> Value:
        """What was computed for segments that have rows, and 0 for the others."""
        n_filled, n_channels = F.shape_of(y)
        return y if n_filled == len(self) else F.put(y, self.filled, (len(self), n_channels))

    def first_largest(self, x: Array, largest: Array) -> Array:
        """Which element of x, counted row by row, is the largest: the first of those as large, or the first NaN."""
        n_channels = x.shape[1]
        of_row = np.repeat(np.arange(len(self.filled)), self.lengths[self.filled])
        ordered = self.ordered(x)
        rows, channels = np.nonzero((ordered == np.take(largest, of_row, axis=0)) | np.isnan(ordered))
        places = of_row[rows] * n_channels + channels
        first = np.empty(largest.size, np.intp)
        first[places[::-1]] = self._rows(rows)[::-1]  # the last written stays
        return first * n_channels + np.arange(largest.size) % n_channels


def _integers(numbers: Any, name: str) -> Array:
    found = np.asarray(numbers)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise ValueError(f"{name} must be integers in one axis; they are {found.dtype} of shape {found.shape}")
    return found.astype(np.intp, copy=False)


@op
def segment_sum(x: Array, *, segments: Segments) -> tuple[Array, Any]:
    """y_k = sum of the rows of segment k. x: (n_rows, ...), y: (n_segments, ...)."""
    y = segments.membership(x.dtype) @ segments.flat(x)
    return segments.shaped(y, x), (segments, x.shape)


@segment_sum.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    segments, shape = saved
    return (segments.handed_out(g.reshape(len(segments), prod(shape[1:]))).reshape(shape),)


@segment_sum.reference
def _(x: Value, *, segments: Segments) -> Value:
    return segments.shaped(F.matmul(segments.membership(x.dtype), segments.flat(x)), x)


@op
def segment_mean(x: Array, *, segments: Segments) -> tuple[Array, Any]:
    """y_k = mean of the rows of segment k. Shapes as of :func:`segment_sum`."""
    y = (segments.membership(x.dtype) @ segments.flat(x)) * segments.share(x.dtype)
    return segments.shaped(y, x), (segments, x.shape)


@segment_mean.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    segments, shape = saved
    shares = g.reshape(len(segments), prod(shape[1:])) * segments.share(g.dtype)
    return (segments.handed_out(shares).reshape(shape),)


@segment_mean.reference
def _(x: Value, *, segments: Segments) -> Value:
    total = F.matmul(segments.membership(x.dtype), segments.flat(x))
    return segments.shaped(total * segments.share(x.dtype), x)


@op
def segment_max(x: Array, *, segments: Segments) -> tuple[Array, Any]:
    """y_k = max over the rows of segment k, of each entry for itself. Shapes as of :func:`segment_sum`.

    In a tie the gradient goes to the first row; NaN is larger than any number.
    """
    rows = segments.flat(x)
    largest = segments.largest(rows)
    return segments.shaped(segments.completed(largest), x), (segments, x.shape, rows, largest)


@segment_max.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    segments, shape, rows, largest = saved
    dx = np.zeros(rows.shape, g.dtype)
    passed = g.reshape(len(segments), rows.shape[1])
    if len(largest) < len(segments):
        passed = passed[segments.filled]
    dx.reshape(-1)[segments.first_largest(rows, largest)] = passed.reshape(-1)
    return (dx.reshape(shape),)


@segment_max.reference
def _(x: Value, *, segments: Segments) -> Value:
    rows = segments.flat(x)
    plain = F.plain(rows)
    largest = segments.largest(plain)
    first = F.take(F.reshape(rows, (-1,)), segments.first_largest(plain, largest))
    return segments.shaped(segments.completed(F.reshape(first, largest.shape)), x)


@op
def segment_softmax(x: Array, *, segments: Segments) -> tuple[Array, Any]:
    """y_i = exp(x_i) / sum of exp(x_j) over the rows j of the segment of row i. x, y: (n_rows, ...)."""
    rows = segments.flat(x)
    y = segments.handed_out(segments.completed(segments.largest(rows)))
    np.exp(np.subtract(rows, y, out=y), out=y)
    y /= segments.handed_out(segments.membership(x.dtype) @ y)
    return y.reshape(x.shape), (segments, y)


@segment_softmax.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    segments, y = saved
    passed = g.reshape(y.shape)
    product = passed * y
    dx = segments.handed_out(segments.membership(y.dtype) @ product)
    np.multiply(np.subtract(passed, dx, out=dx), y, out=dx)
    return (dx.reshape(g.shape),)


@segment_softmax.reference
def _(x: Value, *, segments: Segments) -> Value:
    rows = segments.flat(x)
    plain = F.plain(rows)
    peaks = np.take(segments.completed(segments.largest(plain)), segments.of_row, axis=0)
    exps = F.exp(rows - peaks)
    totals = F.matmul(segments.membership(x.dtype), exps)
    return F.reshape(exps / F.take(totals, segments.of_row), F.shape_of(x))
