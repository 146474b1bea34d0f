"""Buffers that a running fit or predict uses again at every step.

A step asks for the same arrays in the same order each time, so the n-th request of a step gets the n-th
buffer: no layer and no network owns memory, and one may be applied twice, or by two threads, without harm.
Small arrays come from NumPy, whose allocator is as fast as a look-up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod
from threading import local

import numpy as np

SMALL = 1 << 16  # elements; below this a fresh array costs no page faults

_current: ContextVar[Workspace | None] = ContextVar("workspace", default=None)


class Workspace:
    """Buffers in the order in which a step asks for them.

    What a step got is overwritten after :meth:`rewind`: only copies may outlive the step.
    """

    def __init__(self) -> None:
        self._buffers: list[np.ndarray] = []
        self._position = 0

    def rewind(self) -> None:
        """A new step begins: hand out the first buffer again."""
        self._position = 0

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """The next buffer, as an uninitialised array of this shape and dtype."""
        n_bytes = prod(shape) * dtype.itemsize
        position = self._position
        self._position += 1
        if position == len(self._buffers):
            self._buffers.append(np.empty(n_bytes, np.uint8))
        elif self._buffers[position].nbytes < n_bytes:
            self._buffers[position] = np.empty(n_bytes, np.uint8)
        return self._buffers[position][:n_bytes].view(dtype).reshape(shape)


@contextmanager
def workspace() -> Iterator[Workspace]:
    """Operations within this context, in this thread, take their large arrays from one Workspace."""
    made = Workspace()
    token = _current.set(made)
    try:
        yield made
    finally:
        _current.reset(token)


def large(shape: tuple[int, ...], *operands: np.ndarray) -> np.ndarray | None:
    """Where to put a result computed from the operands: a buffer of the running workspace; None, for NumPy to allocate,
    where no workspace is running or the result is small."""
    current = _current.get()
    if current is None or prod(shape) < SMALL:
        return None
    return current.empty(shape, np.result_type(*operands))


def space(shape: tuple[int, ...], *operands: np.ndarray) -> np.ndarray:
    """An uninitialised array for a result computed from the operands: a buffer as of :func:`large`, or a fresh one."""
    buffer = large(shape, *operands)
    return np.empty(shape, np.result_type(*operands)) if buffer is None else buffer


_mine = local()


def scratch(use: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An uninitialised array of this thread, valid until the thread asks for the same use again.

    For what a kernel needs within one block of work: fresh memory would be faulted in anew each time.
    """
    n_bytes = prod(shape) * dtype.itemsize
    buffer = getattr(_mine, use, None)
    if buffer is None or buffer.nbytes < n_bytes:
        buffer = np.empty(n_bytes, np.uint8)
        setattr(_mine, use, buffer)
    return buffer[:n_bytes].view(dtype).reshape(shape)
