"""Buffers that a running fit or predict uses again at every step.

A step asks for the same arrays in the same order each time, so the n-th request of a step gets the n-th
buffer: no layer and no network owns memory, and one may be applied twice, or by two threads, without harm.
A buffer that anything outside still refers to is never handed out again: whoever keeps a result of a step keeps its
memory with it, and the step gets a new one in its place. So results may be kept, for a replay or a list of blocks,
without a copy and without a thought. Small arrays come from NumPy, whose allocator is as fast as a look-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod
from sys import getrefcount
from threading import local
from typing import TypeVar

import numpy as np

T = TypeVar("T")

SMALL = 1 << 16  # elements; below this a fresh array costs no page faults

_current: ContextVar[Workspace | None] = ContextVar("workspace", default=None)
_alone = [np.empty(0)]
UNUSED = getrefcount(_alone[0])  # what is counted, by the same expression, of an array to which only its list refers


class Workspace:
    """Buffers in the order in which a step asks for them; after :meth:`rewind` those that nobody kept come again."""

    def __init__(self) -> None:
        self._buffers: list[np.ndarray] = []
        self._position = 0

    def rewind(self) -> None:
        """A new step begins: hand out the first buffer again."""
        self._position = 0

    def in_turn(self, parts: Iterable[T]) -> Iterator[T]:
        """The parts, each of which begins with the buffer that the first began with."""
        start = self._position
        for part in parts:
            self._position = start
            yield part

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """The next buffer, as an uninitialised array of this shape and dtype."""
        n_bytes = prod(shape) * dtype.itemsize
        buffers, position = self._buffers, self._position
        self._position += 1
        if position == len(buffers):
            buffers.append(np.empty(n_bytes, np.uint8))
        elif buffers[position].nbytes < n_bytes or getrefcount(buffers[position]) != UNUSED:
            buffers[position] = np.empty(n_bytes, np.uint8)
        return buffers[position][:n_bytes].view(dtype).reshape(shape)  # however it is viewed, its base is the buffer


@contextmanager
def workspace() -> Iterator[Workspace]:
    """Operations within this context, in this thread, take their large arrays from one Workspace."""
    made = Workspace()
    token = _current.set(made)
    try:
        yield made
    finally:
        _current.reset(token)


def in_turn(parts: Iterable[T]) -> Iterator[T]:
    """The parts of a large computation, each to be computed in the memory of the one before it, where a workspace runs.

    What is kept of a part stays, as anything does that is kept.
    """
    current = _current.get()
    return iter(parts) if current is None else current.in_turn(parts)


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
