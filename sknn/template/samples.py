"""The data of a fit, said once: what a fit, a validation split and the loop of training share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ..autodiff.tape import Array

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Batch(NamedTuple):
    """Some samples, as an objective reads them.

    Attributes
    ----------
    x : ndarray, sparse matrix, Sequences or Grids
        Inputs in the precision of the network.
    y : ndarray or None
        Encoded targets; one value for each position where samples have several.
    weight : ndarray or None
        Of the values of the loss, and of their shape; None: all are one.
    given : mapping
        Whatever else the network must know of the batch, by name.
    rows : slice or ndarray of int
        Which of the samples given to fit these are.
    """

    x: Any
    y: Any = None
    weight: Array | None = None
    given: Mapping[str, Any] = NOTHING
    rows: Any = slice(None)


@dataclass(frozen=True)
class Samples:
    """Samples, their targets, and how much they count.

    All arrays have a row for each sample that was given; `rows` says which of them are meant, so that parts are made
    without a copy.

    Parameters
    ----------
    x : ndarray, sparse matrix, Sequences or Grids
        Validated inputs; as they are stored, a file mapped into memory among them.
    y : ndarray, default=None
        Validated targets, as they were given.
    weight : ndarray, default=None
        What the loss is weighted with: weights of samples, classes and positions. None: all are one.
    score_weight : ndarray of shape (n_samples,), default=None
        Weights as they were given: what a score is weighted with.
    encoded : ndarray, default=None
        Targets as the loss takes them.
    rows : ndarray of int, default=None
        Which samples; None: all.
    prepare : callable, default=None
        What is done to the inputs of a batch, such as scaling; None: nothing.
    dtype : dtype, default=None
        The precision of a batch's inputs; None: as they are stored.
    """

    x: Any
    y: Any = None
    weight: Any = None
    score_weight: Array | None = None
    encoded: Any = None
    rows: Array | None = None
    prepare: Callable[[Any], Any] | None = None
    dtype: np.dtype | None = None

    def __len__(self) -> int:
        return self.x.shape[0] if self.rows is None else len(self.rows)

    def part(self, rows: Array) -> Samples:
        """Some of the samples."""
        return replace(self, rows=rows if self.rows is None else self.rows[rows])

    def of(self, values: Any) -> Any:
        """Those of some values, one for each sample given, that belong to these samples."""
        return values if values is None or self.rows is None else taken(values, self.rows)

    def blocks(self, at_once: int) -> Iterable[slice]:
        """Slices that make up all samples, each of so many of them at most, or of so many positions of grids."""
        x = self.x.without_values(self.rows) if hasattr(self.x, "lengths") else self.x
        return blocks(x, len(self), at_once)

    @property
    def extent(self) -> int:
        """How many samples there are, or positions of those that lie on grids."""
        if hasattr(self.x, "lengths"):
            return int(self.of(self.x.lengths).sum())
        return len(self) * n_positions(self.x)

    def take(self, index: slice | Array) -> Batch:
        """A batch: the rows of a slice (views where possible) or of an array of integers."""
        rows = index if self.rows is None else self.rows[index]
        x = taken(self.x, rows)
        if self.prepare is not None:
            x = self.prepare(x)
        if x.dtype is not self.dtype and self.dtype is not None and x.dtype != self.dtype:
            x = x.astype(self.dtype)
        y = None if self.encoded is None else taken(self.encoded, rows)
        weight = None if self.weight is None else taken(self.weight, rows)
        if hasattr(y, "lengths"):
            y, weight = flat(y), weight if weight is None else flat(weight)
        return Batch(x, y, weight, NOTHING, rows)

    def influential(self) -> Samples:
        """Without those of weight zero; None for weights that are all one, so that both give the same bits."""
        counts = None if self.weight is None else _counting(self.of(self.weight))
        kept = self if counts is None or counts.all() else self.part(np.flatnonzero(counts))
        return replace(kept, weight=_unless_one(kept, kept.weight), score_weight=_unless_one(kept, kept.score_weight))

    def times(self, factors: Array) -> Samples:
        """With factors on the weights in the loss, one for each sample given."""
        return replace(self, weight=factors if self.weight is None else factors * self.weight)


def taken(values: Any, index: slice | Array) -> Any:
    """Some rows: views for a slice."""
    if not isinstance(index, slice) and isinstance(values, np.ndarray):
        return values.take(index, 0)  # three times as fast as values[index]
    return values[index]


def blocks(x: Any, n: int, at_once: int) -> Iterable[slice]:
    """Slices that make up n rows x, each of so many at most, or of so many positions where samples lie on grids."""
    if hasattr(x, "lengths"):
        return x.blocks(at_once)
    at_once = max(at_once // n_positions(x), 1)
    return (slice(k, min(k + at_once, n)) for k in range(0, n, at_once))


def n_positions(x: Any) -> int:
    """How many positions a sample of an array (n, *grid, channels) has; a row of features has one."""
    return prod(x.shape[1:-1])


def joined(parts: Sequence[Any]) -> Any:
    """Blocks of samples, one after the other."""
    if len(parts) == 1:
        return parts[0]
    values = np.concatenate([flat(part) for part in parts])
    first = parts[0]
    return first.joined(parts, values) if hasattr(first, "lengths") else values


def flat(values: Any) -> Any:
    """One value for each position: rows without padding are those already."""
    return values if type(values) is np.ndarray else values.values


def _counting(weight: Any) -> Array:
    """Which samples have a position that counts."""
    counts = flat(weight) != 0
    if hasattr(weight, "lengths"):
        return np.logical_or.reduceat(counts, weight.starts)
    return counts.reshape(len(counts), -1).any(axis=1)


def _unless_one(samples: Samples, weight: Any) -> Any:
    return None if weight is None or np.all(flat(samples.of(weight)) == 1) else weight
