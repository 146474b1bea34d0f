"""Standardising inputs that are larger than memory: from one memory-mapped file to another, part by part."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from .rows import is_mapped, rows_at_once, write_mapped


class MappedScaler(StandardScaler):
    """Standardise features, without ever holding a memory-mapped X whole.

    A mapped X of shape (n_samples, n_features) is read in parts, and what ``transform`` returns is a mapped array, too:
    in a temporary file as of ``take_rows``, as large as X in float32 or float64. Any other X is treated as by
    ``StandardScaler``, and means and deviations are the same up to rounding.

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
        scale = super().transform
        parts = (scale(np.array(X[rows]), copy) for rows in _parts(X))  # copies, which it may change
        return write_mapped(parts, X.dtype if X.dtype.kind == "f" else float, X.shape)


def _parts(X: np.ndarray) -> Iterator[slice]:
    step = rows_at_once(X)
    return (slice(start, start + step) for start in range(0, len(X), step))
