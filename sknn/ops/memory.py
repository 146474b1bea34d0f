"""Memory that is used again: what an array of one step leaves, an array of the next one gets.

Fresh memory has to be mapped page by page as it is first touched, which takes longer than the arithmetic of large
elementwise operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from threading import local

import numpy as np

from ._kernels import native


@contextmanager
def kept_memory() -> Iterator[None]:
    """Large arrays that nothing refers to any more leave their memory to later ones, in this context and thread.

    Never more is held than the arrays took that there were at the same time. Arrays that outlive the context keep what
    is theirs; all other memory is given back at its end. Without the compiled kernels NumPy goes on as always.
    """
    if native is None:
        yield
        return
    kept = native.keep_memory()
    try:
        yield
    finally:
        native.release_memory(kept)


_mine = local()


def scratch(use: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An uninitialised array of this thread, valid until the thread asks for the same use again.

    For what a kernel needs within one block of work, on threads that are in no context.
    """
    n_bytes = prod(shape) * dtype.itemsize
    buffer = getattr(_mine, use, None)
    if buffer is None or buffer.nbytes < n_bytes:
        buffer = np.empty(n_bytes, np.uint8)
        setattr(_mine, use, buffer)
    return buffer[:n_bytes].view(dtype).reshape(shape)
