"""Fingerprints: the SHA-256 of anything, by content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .generators import random_state


def fingerprint(value: Any) -> str:
    """The SHA-256 of numbers, strings, arrays, containers, functions and objects, by content.

    Parameters
    ----------
    value : object
        Functions count by their name, other objects by their class and what a pickle keeps of them. It may hold
        itself.

    Returns
    -------
    digest : str
        64 hexadecimal digits.

    Examples
    --------
    >>> fingerprint({"a": np.zeros(3), "b": 1}) == fingerprint({"b": 1, "a": np.zeros(3)})
    True
    >>> fingerprint(np.zeros(3)) == fingerprint(np.zeros(3, np.float32))
    False
    """
    digest = sha256()
    for part in _bytes_of(value):
        digest.update(part)
    return digest.hexdigest()


def _bytes_of(value: Any, within: tuple[int, ...] = ()) -> Iterator[Any]:
    """Bytes that tell the value from all others, whatever comes before and after them.

    `within` are the ids of what holds the value, from the outermost on: what holds itself is told by how far out it is.
    """
    if isinstance(value, np.ndarray) and value.dtype != object:
        yield f"array {value.dtype} {value.shape} ".encode()
        rows = np.atleast_1d(value)
        step = max(1, len(rows) * (1 << 20) // max(value.nbytes, 1))  # about a megabyte: the array may lie in a file
        for k in range(0, len(rows), step):
            yield rows[k : k + step].tobytes()
    elif value is None or isinstance(value, bool | int | float | complex | str | bytes | np.generic):
        text = repr(value)
        yield f"{type(value).__name__} {len(text)} {text}".encode()
    elif id(value) in within:
        yield f"the one {len(within) - within.index(id(value))} out ".encode()
    else:
        name, parts = _parts_of(value)
        yield f"{name} {len(parts)} ".encode()
        for part in parts:
            yield from _bytes_of(part, (*within, id(value)))


def _parts_of(value: Any) -> tuple[str, Sequence[Any]]:
    """The name of the kind of a value, and what it is made of."""
    kind = type(value).__qualname__
    if isinstance(value, dict):
        return kind, [part for item in sorted(value.items(), key=lambda item: str(item[0])) for part in item]
    if isinstance(value, list | tuple):
        return kind, value
    if isinstance(value, set | frozenset):
        return kind, sorted(value, key=str)
    if isinstance(value, np.ndarray):
        return f"{kind} {value.shape}", value.ravel().tolist()
    if issparse(value):
        rows = value.tocsr()
        return kind, [rows.shape, rows.data, rows.indices, rows.indptr]
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return kind, [random_state(value)]
    if isinstance(value, partial):
        return kind, [value.func, value.args, value.keywords]
    if hasattr(value, "__qualname__"):
        return kind, [value.__module__, value.__qualname__]
    if hasattr(value, "__dict__"):
        return kind, [type(value).__module__, value.__getstate__()]
    return kind, [repr(value)]
