"""Standardising inputs that are larger than memory: from one memory-mapped file to another, part by part."""

import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from sklearn.preprocessing import StandardScaler

NUMBERS_AT_ONCE = 2**18


def is_mapped(X: Any) -> bool:
    """Tell whether an array lies in a memory-mapped file.

    Parameters
    ----------
    X : object
        Anything; a view of a mapped array is mapped as well.

    Returns
    -------
    bool
        Whether it does.

    Examples
    --------
    >>> is_mapped(np.zeros(3))
    False
    """
    while X is not None and not isinstance(X, np.memmap):
        X = getattr(X, "base", None)
    return X is not None


class MappedScaler(StandardScaler):
    """Standardise features, without ever holding a memory-mapped X whole.

    A mapped X of shape (n_samples, n_features) is read in parts, and what ``transform`` returns is a mapped array, too:
    a temporary ``.npy`` file in the directory for such (``TMPDIR``), removed with the last reference to the array. It
    takes as much room there as X in float32 or float64. Any other X is treated as by ``StandardScaler``, and means and
    deviations are the same up to rounding.

    Examples
    --------
    >>> MappedScaler().fit_transform([[1.0], [3.0]])
    array([[-1.],
           [ 1.]])
    """

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> "MappedScaler":
        """Learn means and deviations.

        Parameters
        ----------
        X : array-like or memory-mapped array of shape (n_samples, n_features)
            The training inputs.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        MappedScaler
            Itself.
        """
        if not is_mapped(X):
            return super().fit(X, y, sample_weight)
        self._reset()
        for rows in _parts(X):
            self.partial_fit(X[rows], None, None if sample_weight is None else sample_weight[rows])
        return self

    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """Standardise inputs.

        Parameters
        ----------
        X : array-like or memory-mapped array of shape (n_samples, n_features)
            The inputs.
        copy : bool or None, default=None
            As of ``StandardScaler``; a mapped X is never changed.

        Returns
        -------
        ndarray or memmap of shape (n_samples, n_features)
            The standardised inputs, memory-mapped if X is.
        """
        if not is_mapped(X):
            return super().transform(X, copy)
        parts = ((rows, super(MappedScaler, self).transform(np.array(X[rows]), copy)) for rows in _parts(X))
        first_rows, first = next(parts)
        scaled = _temporary(X.shape, first.dtype)
        scaled[first_rows] = first
        for rows, part in parts:
            scaled[rows] = part
        return scaled


def _parts(X: Any) -> Iterator[slice]:
    n_rows = max(1, NUMBERS_AT_ONCE // X.shape[1])
    return (slice(start, start + n_rows) for start in range(0, X.shape[0], n_rows))


def _temporary(shape: tuple[int, ...], dtype: np.dtype) -> np.memmap:
    handle, path = tempfile.mkstemp(prefix="sknn-scaled-", suffix=".npy")
    os.close(handle)
    mapped = open_memmap(path, "w+", dtype, shape)
    weakref.finalize(mapped, _remove, path)
    return mapped


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
