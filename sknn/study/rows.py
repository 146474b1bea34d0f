"""Rows of data: of arrays, tables and sparse matrices in memory, and of arrays on disk without reading them in."""

import os
import tempfile
import weakref
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from sklearn.utils import _safe_indexing

from .fingerprint import CHUNK_BYTES
from .place import mapping_of


def is_mapped(X: Any) -> bool:
    """Tell whether an array lies on disk and is mapped into memory.

    Parameters
    ----------
    X : object
        Anything.

    Returns
    -------
    bool
        True for a ``numpy.memmap`` and for views of one.
    """
    return mapping_of(X) is not None


def in_memory(X: Any) -> Any:
    """Take a mapped array for one in memory, without copying it.

    Parameters
    ----------
    X : object
        Anything; what is no mapped array comes back as it is.

    Returns
    -------
    object
        An array that `is_mapped` denies.

    Examples
    --------
    >>> in_memory([1, 2])
    [1, 2]
    """
    return np.asarray(memoryview(X)) if is_mapped(X) else X


def take_rows(X: Any, rows: Any) -> Any:
    """Return some rows of the data, as the kind of container that the data are in.

    Rows of a memory-mapped array are not read into memory: neighbouring ones are a read-only view, others are copied
    piece by piece into a temporary file, which is mapped in turn and deleted with the last reference to it. The file is
    in ``tempfile.gettempdir()``, which the environment variable ``TMPDIR`` sets.

    Parameters
    ----------
    X : ndarray, memmap, DataFrame or sparse matrix
        The data.
    rows : ndarray of int or bool, or slice
        Which rows.

    Returns
    -------
    ndarray, memmap, DataFrame or sparse matrix
        The rows.

    Examples
    --------
    >>> import numpy as np
    >>> take_rows(np.arange(6).reshape(3, 2), [0, 2]).tolist()
    [[0, 1], [4, 5]]
    """
    if not is_mapped(X):
        return _safe_indexing(X, rows)
    rows = _neighbours(rows, len(X))
    if not isinstance(rows, slice):
        return _copy_on_disk(X, rows)
    view = X[rows]
    view.flags.writeable = False
    return view


def _neighbours(rows: Any, n_rows: int) -> slice | np.ndarray:
    if isinstance(rows, slice):
        return rows
    rows = np.asarray(rows)
    rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.intp)
    rows = np.where(rows < 0, rows + n_rows, rows)
    if len(rows) and (np.diff(rows) == 1).all():
        return slice(rows[0], rows[-1] + 1)
    return rows


def _copy_on_disk(X: np.ndarray, rows: np.ndarray) -> np.memmap:
    step = rows_at_once(X)
    parts = (X[rows[start : start + step]] for start in range(0, len(rows), step))
    return write_mapped(parts, X.dtype, (len(rows), *X.shape[1:]))


def rows_at_once(X: np.ndarray) -> int:
    """Tell how many rows of an array on disk are read into memory at a time.

    Parameters
    ----------
    X : ndarray
        The array.

    Returns
    -------
    int
        At least 1.
    """
    return max(1, CHUNK_BYTES * len(X) // max(1, X.nbytes))


def write_mapped(parts: Iterable[np.ndarray], dtype: Any, shape: tuple[int, ...]) -> np.memmap:
    """Write an array piece by piece into a temporary file, and map it.

    Parameters
    ----------
    parts : iterable of ndarray
        Neighbouring rows, one piece after the other.
    dtype : dtype
        Of the array.
    shape : tuple of int
        Of the array; its first axis is as long as all parts together.

    Returns
    -------
    memmap
        Read-only; the file is deleted with the last reference to it.
    """
    handle, path = tempfile.mkstemp(prefix="sknn-", suffix=".npy")
    os.close(handle)
    try:
        copy = open_memmap(path, mode="w+", dtype=dtype, shape=shape)
        start = 0
        for part in parts:
            copy[start : start + len(part)] = part
            start += len(part)
        copy.flush()
        mapped = open_memmap(path, mode="r")
    except BaseException:
        _delete(path)
        raise
    weakref.finalize(mapped, _delete, path)
    return mapped


def _delete(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
