"""Series of different lengths as inputs of a study: an object array of arrays (T_i, channels)."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sknn.series import is_ragged, ragged

from .rows import is_mapped


def are_ragged(X: Any) -> bool:
    """Tell whether inputs are held one by one, as series of different lengths and images of different sizes are.

    Parameters
    ----------
    X : object
        The inputs of a data set.

    Returns
    -------
    bool
        Whether they are an object array of one axis: of arrays (T_i, channels), or (height_i, width_i, channels).
    """
    return isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1


def are_series(X: Any) -> bool:
    """Tell whether inputs are what `as_series` makes.

    Parameters
    ----------
    X : object
        The inputs of a data set.

    Returns
    -------
    bool
        Whether they are an object array of arrays (T_i, channels).
    """
    return are_ragged(X) and X[0].ndim == 2


def may_be_series(X: Any) -> bool:
    """Tell whether inputs as they were given hold series of different lengths.

    Parameters
    ----------
    X : object
        A list or column of arrays that are not all of one shape, or an array (n, T, channels) that ends in NaN.

    Returns
    -------
    bool
        Whether `as_series` should read them. Arrays of one shape may be images.
    """
    if is_mapped(X) or not is_ragged(X):
        return False
    return not isinstance(X, list | tuple) or len({np.shape(sample) for sample in X}) > 1


def as_series(X: Any) -> np.ndarray:
    """Read series of different lengths.

    Parameters
    ----------
    X : list, object array, DataFrame with one column of arrays, or array of shape (n_samples, T, channels)
        Arrays (T_i,) or (T_i, channels); steps that are NaN as a whole at the end of a 3-D array are none.

    Returns
    -------
    ndarray of object of shape (n_samples,)
        Arrays of floats (T_i, channels).

    Raises
    ------
    ValueError
        If a sample has no steps, other channels than the first, or is none of numbers.

    Examples
    --------
    >>> [series.shape for series in as_series([[1, 2, 3], [4, 5]])]
    [(3, 1), (2, 1)]
    """
    if getattr(X, "ndim", 1) == 3:
        X = [sample[: np.flatnonzero(~np.isnan(sample).all(axis=1)).max(initial=-1) + 1] for sample in X]
    elif isinstance(X, pd.DataFrame):
        X = X.iloc[:, 0]
    samples = [_with_channels(sample, number) for number, sample in enumerate(ragged(X))]
    for number, sample in enumerate(samples):
        if not len(sample):
            raise ValueError(f"sample {number} of X has no steps")
        if sample.shape[1] != samples[0].shape[1]:
            raise ValueError(f"sample {number} of X has {sample.shape[1]} channels, but sample 0 {samples[0].shape[1]}")
    return ragged(samples)


def _with_channels(sample: np.ndarray, number: int) -> np.ndarray:
    if sample.ndim > 2 or sample.dtype.kind not in "biuf":
        raise ValueError(
            f"sample {number} of X is of shape {sample.shape} and {sample.dtype}; a series is numbers, (T,) or "
            "(T, channels)"
        )
    numbers = sample.astype(sample.dtype if sample.dtype.kind == "f" else float)
    return numbers[:, None] if numbers.ndim == 1 else numbers


def steps_of(X: Iterable[np.ndarray]) -> np.ndarray:
    """All steps of all series, or all pixels of all images, one below the other, (n_steps, channels)."""
    return np.concatenate([sample.reshape(-1, sample.shape[-1]) for sample in X])


class PaddedRows(TransformerMixin, BaseEstimator):
    """Make a row of features of each series, with zeros behind its end.

    Rows are as long as the longest series of the training fold; what a later series has beyond that is left out.

    Attributes
    ----------
    n_steps_ : int
        How many steps a row has.

    Examples
    --------
    >>> PaddedRows().fit_transform(as_series([[1, 2, 3], [4, 5]]))
    array([[1., 2., 3.],
           [4., 5., 0.]])
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn how long the longest series is.

        Parameters
        ----------
        X : ndarray of object of shape (n_samples,)
            Series.
        y : None
            Ignored.

        Returns
        -------
        PaddedRows
            Itself.
        """
        self.n_steps_ = max(map(len, X))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Make rows.

        Parameters
        ----------
        X : ndarray of object of shape (n_samples,)
            Series.

        Returns
        -------
        ndarray of shape (n_samples, n_steps * channels)
            A row for each, step after step.
        """
        check_is_fitted(self)
        rows = np.zeros((len(X), self.n_steps_, X[0].shape[1]), X[0].dtype)
        for row, series in zip(rows, X, strict=True):
            part = series[: self.n_steps_]
            row[: len(part)] = part
        return rows.reshape(len(X), -1)


class SeriesFiller(TransformerMixin, BaseEstimator):
    """Put the mean of a channel over all steps of the training fold where a value is missing within a series.

    So it does with the pixels of images, also of those of one size.

    Attributes
    ----------
    mean_ : ndarray of shape (n_channels,)
        Of each channel; 0 where all of it is missing.

    Examples
    --------
    >>> SeriesFiller().fit_transform(as_series([[1.0, np.nan, 3.0], [5.0]]))[0].ravel()
    array([1., 3., 3.])
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the means.

        Parameters
        ----------
        X : ndarray of object of shape (n_samples,)
            Series.
        y : None
            Ignored.

        Returns
        -------
        SeriesFiller
            Itself.
        """
        steps = steps_of(X)
        known = ~np.isnan(steps)
        self.mean_ = steps.sum(axis=0, where=known) / np.maximum(known.sum(axis=0), 1)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Fill gaps.

        Parameters
        ----------
        X : ndarray of object of shape (n_samples,)
            Series.

        Returns
        -------
        ndarray of object of shape (n_samples,)
            Series without gaps.
        """
        check_is_fitted(self)
        return ragged(np.where(np.isnan(series), self.mean_, series) for series in X)
