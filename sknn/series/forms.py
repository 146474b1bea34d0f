"""The forms in which series come and go: arrays of one length, and object arrays of arrays of different lengths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from ..autodiff.tape import Array
from ..nn import Sequences
from ..template.series import is_ragged


def ragged(samples: Iterable[Any]) -> Array:
    """Samples of different lengths as an object array, which scikit-learn splits as it splits any other.

    ``np.array(samples, dtype=object)`` becomes an array of more axes where all samples happen to be of one length, as
    in one fold of many; this never does.

    Parameters
    ----------
    samples : iterable of array-like
        Series of shape (T_i,) or (T_i, channels), labels of their steps, lists of tokens: each with steps.

    Returns
    -------
    samples : ndarray of object, of shape (n_samples,)
        Each an array.

    Raises
    ------
    ValueError
        If a sample has no steps to count: a number, or a string.

    Examples
    --------
    >>> from sknn.series import ragged
    >>> ragged([[1.0, 2.0], [3.0, 4.0]]).shape
    (2,)
    """
    arrays = [np.asarray(sample) for sample in samples]
    for number, array in enumerate(arrays):
        if not array.ndim:
            raise ValueError(f"sample {number} is {array[()]!r}: each must be an array or a list of steps")
    filled = np.empty(len(arrays), object)
    for number, array in enumerate(arrays):  # all at once, NumPy would make one array of samples of equal lengths
        filled[number] = array
    return filled


def is_grid(X: Any) -> bool:
    """Whether series are one array, (n_samples, T) or (n_samples, T, channels), rather than one array each.

    Arrays in a list stay one each where they happen to be of one length; lists in a list are then an array.
    """
    if isinstance(X, list | tuple) and len(X) and len(getattr(X[0], "shape", ())):
        return False
    return not is_ragged(X) or len(getattr(X, "shape", ())) == 3


def as_grid(estimator: Any, X: Any, fresh: bool) -> Array:
    """Series of one length as (n_samples, T, channels); 2-D X is one channel, and fixes T as it does features."""
    X = X if hasattr(X, "shape") else np.asarray(X)
    if len(X.shape) != 3:
        X = validate_data(
            estimator, X, reset=fresh, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan", ensure_2d=True
        )
        X = X[:, :, None]
        _count_channels(estimator, X, fresh)
        return X
    X = _as_floats(np.asarray(X))
    _set_features(estimator, X, fresh)
    return X


def as_sequences(estimator: Any, X: Any, fresh: bool) -> Sequences:
    """Series in any form as rows without padding, with channels; NaN in between stays.

    A first fit sets `n_features_in_`: T of 2-D X, of all others the number of channels.

    Raises
    ------
    ValueError
        If a value is infinite, or there are not as many channels as in the fit.
    """
    if is_grid(X):
        series = Sequences.of(as_grid(estimator, X, fresh))
    else:
        series = Sequences.of(X)
        series = series.like(_as_floats(series.values))
        series = series if series.values.ndim == 2 else series.like(series.values[:, None])
        _set_features(estimator, series.values, fresh)
    infinite = np.isinf(series.values).any(axis=1)
    if infinite.any():
        position = int(np.argmax(infinite))
        number = int(series.sample[position])
        raise ValueError(f"Input X contains infinity: sample {number}, step {position - series.starts[number]}")
    return series


def _as_floats(x: Array) -> Array:
    if x.dtype.kind not in "biuf":
        raise ValueError(f"X has dtype {x.dtype}: it must hold real numbers")
    return x if x.dtype in (np.float32, np.float64) else x.astype(np.float64)


def _count_channels(estimator: Any, x: Array, fresh: bool) -> None:
    found = x.shape[-1]
    if fresh:
        estimator._n_channels = found
    elif found != estimator._n_channels:
        raise ValueError(
            f"X has {found} channels, but {type(estimator).__name__} is expecting {estimator._n_channels} channels as "
            "input"
        )


def _set_features(estimator: Any, x: Array, fresh: bool) -> None:
    _count_channels(estimator, x, fresh)
    if fresh:
        estimator.n_features_in_ = estimator._n_channels
        vars(estimator).pop("feature_names_in_", None)


def checked_channel(name: str, channel: int | None, n: int) -> int | None:
    """The number of a channel counted from the first; ValueError if there is none of that number."""
    if channel is not None and not -n <= channel < n:
        raise ValueError(f"{name}={channel} is not there: the series have {n} channel(s), counted from 0")
    return None if channel is None else channel % n


def in_form_of(X: Any, samples: Sequence[Array]) -> Array:
    """Samples (T_i, channels) in the form in which X has them: an array of its shape, or an object array."""
    if is_grid(X):
        return np.stack(samples).reshape(np.asarray(X).shape)
    without_axis = Sequences.of(X).values.ndim == 1
    return ragged(sample[:, 0] if without_axis else sample for sample in samples)
