"""What a prediction computes: what networks make of validated samples, in the precision of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from ..autodiff import counting
from ..autodiff.tape import Array
from ..ops.memory import kept_memory
from ..ops.threads import threads_for
from .samples import Batch, blocks, joined, n_positions

OPENBLAS_THREADS = 2e6  # operations; below this the BLAS takes one thread by itself, and need not be told
ELEMENTS = 1 << 21  # values that an operation makes at once, so that memory stays bounded


def applied(nets: Any, batch: Batch, draws: None) -> Any:
    """What one network makes of a batch."""
    return nets(batch.x)


class Forward:
    """Networks as a function of validated x; how much work a sample is it finds out once.

    It computes in the precision of x, or in that of the networks if this is higher, and answers in that of x. So the
    answer for a sample in float64 does not depend, to 1e-15, on which other samples it is asked with: in float32 the
    BLAS rounds a row differently in a large matrix and in a small one.

    Parameters
    ----------
    network : Network or Parts
        Applied as it is at the time of the call.
    scaling : Scaling, default=None
        Of the inputs.
    """

    def __init__(self, network: Any, scaling: Any = None) -> None:
        self.network, self.scaling = network, scaling
        self.nets = network.function()
        self.dtype = network.theta.dtype
        # of a sample, and samples; of a position, and positions, where samples lie on grids: counted with the first
        self.operations, self.at_once = 0.0, 0

    def count(self, x: Any, compute: Callable[[], Any]) -> None:
        """Find out how much work a sample x is, which `compute` does, if that is not known yet."""
        if self.at_once:
            return
        with counting() as work, kept_memory():
            compute()
        size, inputs = extent(x), x.values.size if hasattr(x, "lengths") else prod(x.shape)
        self.operations = 2.0 * work.multiplications / size
        self.at_once = max(ELEMENTS * size // max(work.values, inputs), 1)

    def __call__(self, x: Any, outputs: Callable[[Any, Batch, None], Any] = applied, y: Array | None = None) -> Any:
        """What ``outputs(nets, batch, None)`` gives for x of shape (n, ...) and conditions y (n, ...), in blocks."""
        n, size = x.shape[0], extent(x)
        self.count_whole(x, outputs, y)
        if size <= self.at_once:
            return self.in_blocks(size, [slice(0, n)], lambda rows: self._part(x, outputs, y))
        return self.in_blocks(size, blocks(x, n, self.at_once), lambda rows: self._part(x[rows], outputs, y, rows))

    def count_whole(self, x: Any, outputs: Callable[[Any, Batch, None], Any], y: Array | None = None) -> None:
        """Find out how much work a sample is with the first of x."""
        if not self.at_once and x.shape[0]:
            first = x[:1]
            self.count(first, lambda: self._part(first, outputs, y, slice(0, 1)))

    def over(self, x: Any, part: Callable[[slice], Any]) -> Any:
        """``part(rows)`` for all rows of x, in blocks, joined; how much work one is, the first tells."""
        self.count(x[:1], lambda: part(slice(0, 1)))
        return self.in_blocks(extent(x), blocks(x, len(x), self.at_once), part)

    def in_blocks(self, size: int, slices: Iterable[slice], part: Callable[[slice], Any]) -> Any:
        """``part(rows)`` for slices of samples that have so many positions, one after the other, joined."""
        work = size * self.operations
        if work < OPENBLAS_THREADS:
            return joined([part(rows) for rows in slices])
        with threads_for(work), kept_memory():
            return joined([part(rows) for rows in slices])

    def _part(self, x: Any, outputs: Any, y: Array | None = None, rows: slice = slice(None)) -> Any:
        scaled = x if self.scaling is None else self.scaling(x)
        precision = np.promote_types(x.dtype, self.dtype)
        scaled = scaled if scaled.dtype == precision else scaled.astype(precision)
        raw = outputs(self.nets, Batch(scaled, None if y is None else y[rows].astype(precision, copy=False)), None)
        return raw if raw.dtype == x.dtype else raw.astype(x.dtype)

    def __reduce__(self) -> tuple[type[Forward], tuple[Any, Any]]:
        return Forward, (self.network, self.scaling)


def extent(x: Any) -> int:
    """How many samples there are, or positions where they lie on grids."""
    return len(x.values) if hasattr(x, "lengths") else x.shape[0] * n_positions(x)
