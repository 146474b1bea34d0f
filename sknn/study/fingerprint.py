"""Fingerprints of data: the same content has the same one, in any process and on any machine."""

import pickle
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy import sparse

CHUNK_BYTES = 2**20  # what is read at once: an array on disk is never held whole


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


def fingerprint(parts: Iterable[Any]) -> str:
    """Digest arrays, tables and plain values into one text.

    Every part is preceded by what tells its bytes apart from those of another: kind, dtype, shape and column names.
    Memory layout does not count, nor whether an array is in memory or on disk, nor the index of a table.

    Parameters
    ----------
    parts : iterable of ndarray, memmap, DataFrame, sparse matrix or plain values
        The content in order.

    Returns
    -------
    str
        64 hexadecimal digits of SHA-256.

    Examples
    --------
    >>> import numpy as np
    >>> fingerprint([np.arange(3), None]) == fingerprint([np.arange(3), None])
    True
    >>> fingerprint([np.arange(3), None]) == fingerprint([np.arange(3.0), None])
    False
    """
    digest = sha256()
    for part in parts:
        _add(digest, part)
    return digest.hexdigest()


def _add(digest: _Hash, part: Any) -> None:
    if isinstance(part, pd.DataFrame):
        _head(digest, "table", part.shape)
        for position, name in enumerate(part.columns):
            _head(digest, "column", name)
            _add_column(digest, part.iloc[:, position])
    elif sparse.issparse(part):
        rows = part.tocsr(copy=True)
        rows.sum_duplicates()
        _head(digest, "sparse", rows.shape)
        for array in (rows.data, rows.indices.astype(np.int64), rows.indptr.astype(np.int64)):
            _add_array(digest, array)
    elif isinstance(part, np.ndarray):
        _add_array(digest, part)
    else:
        _head(digest, "value", part)


def _add_column(digest: _Hash, column: pd.Series) -> None:
    _head(digest, str(column.dtype))
    if isinstance(column.dtype, pd.CategoricalDtype):
        _head(digest, column.dtype.ordered)
        _add_array(digest, column.cat.categories.to_numpy())
        _add_array(digest, column.cat.codes.to_numpy())
    elif isinstance(column.dtype, np.dtype):
        _add_array(digest, column.to_numpy())
    else:
        _add_array(digest, column.to_numpy(dtype=object))


def _add_array(digest: _Hash, array: np.ndarray) -> None:
    _head(digest, "array", array.dtype.str, array.shape)
    for rows in _chunks(array):
        digest.update(_objects(rows) if array.dtype.hasobject else np.ascontiguousarray(rows).tobytes())


def _chunks(array: np.ndarray) -> Iterator[np.ndarray]:
    array = np.atleast_1d(array)
    step = max(1, CHUNK_BYTES * len(array) // max(1, array.nbytes))
    return (array[start : start + step] for start in range(0, len(array), step))


def _head(digest: _Hash, *values: Any) -> None:
    digest.update(b"".join(_value(each) for each in values))


def _objects(array: np.ndarray) -> bytes:
    return b"".join(_value(each) for each in array.ravel().tolist())


def _value(value: Any) -> bytes:
    if isinstance(value, tuple):
        content = b"".join(_value(each) for each in value)
    elif isinstance(value, str):
        content = value.encode("utf-8", "surrogatepass")
    elif value is None or isinstance(value, bool | int | float):
        content = repr(value).encode()
    elif isinstance(value, np.ndarray):  # a series
        content = _value((value.dtype.str, value.shape)) + np.ascontiguousarray(value).tobytes()
    else:
        content = pickle.dumps(value, protocol=5)
    # The length keeps neighbours apart: "ab", "c" is not "a", "bc".
    return f"{type(value).__name__}:{len(content)}:".encode() + content
