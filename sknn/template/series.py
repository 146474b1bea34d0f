"""Series of different lengths as they come: lists, columns of tables, arrays that end in NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tape import Array
from ..nn import Sequences


def is_ragged(X: Any) -> bool:
    """Whether X holds samples of different lengths: arrays as its elements, or steps at the end that are missing.

    A list of 2-D arrays is series, whatever their lengths; lists in lists of equal lengths are an array.
    """
    if isinstance(X, list | tuple):
        return _holds_series(X)
    if hasattr(X, "lengths"):
        return True
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if _has_object_dtype(X) and (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)):
        first = np.asarray(X).ravel()[:1]
        return bool(len(first)) and np.ndim(first[0]) > 0
    return len(shape) == 3 and X.dtype.kind == "f" and bool(np.isnan(X[:, -1]).all(axis=-1).any())


def _holds_series(X: list | tuple) -> bool:
    first = X[0] if len(X) else 0.0
    if np.ndim(first) not in (1, 2):
        return False
    return len(set(map(_n_steps, X))) > 1 or (np.ndim(first) == 2 and hasattr(first, "shape"))


def _n_steps(sample: Any) -> int | None:
    try:
        return len(sample)
    except TypeError:  # None among series, say, which is refused where its place can be told
        return None


def _of_one_length(X: Any) -> bool:
    """Whether a list of arrays is an array as well."""
    return isinstance(X, list | tuple) and len({np.shape(sample) for sample in X}) == 1


def _has_object_dtype(X: Any) -> bool:
    dtypes = list(X.dtypes) if hasattr(X, "columns") else [getattr(X, "dtype", None)]
    return all(getattr(dtype, "kind", "") == "O" for dtype in dtypes)


def read_series(estimator: Any, X: Any, fresh: bool) -> Sequences:
    """X as rows without padding, with channels; sets n_features_in_ to their number in a first fit.

    Raises
    ------
    ValueError
        If a value is not finite, or there are not as many channels as in the fit.
    """
    series = Sequences.of(X)
    values: Array = series.values
    if values.ndim == 1:
        values = values[:, None]
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    _check_finite(series, values)
    if fresh:
        estimator.n_features_in_ = values.shape[1]
        vars(estimator).pop("feature_names_in_", None)
    elif values.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {values.shape[1]} channels, but {type(estimator).__name__} is expecting {estimator.n_features_in_} "
            "channels as input"
        )
    return series.like(values)


def _check_finite(series: Sequences, values: Array) -> None:
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        position = int(np.argmax(bad))
        sample = int(series.sample[position])
        what = "NaN" if np.isnan(values[position]).any() else "infinity"
        raise ValueError(
            f"Input X contains {what}: sample {sample}, step {position - series.starts[sample]} (counted from 0). "
            "Steps that are NaN as a whole are left out only at the end of a sample"
        )


def lies_in_series(estimator: Any, X: Any, fresh: bool) -> bool:
    """Whether a network that takes grids is to read X as rows without padding.

    In a first fit X decides, or an `input_shape` whose length is left open, (None, channels); later the first fit does.

    Raises
    ------
    ValueError
        If samples differ in length, but the network was made, or is to be made, for one length.
    """
    stated = estimator.input_shape
    if not fresh:
        if estimator._shape[0] is not None and is_ragged(X) and not _of_one_length(X):
            raise ValueError(
                f"X holds series of different lengths, but this {type(estimator).__name__} was fitted to samples of "
                f"shape {estimator._shape}; fit it with input_shape=(None, {estimator._shape[-1]})"
            )
        return estimator._shape[0] is None
    if stated is not None and len(stated) == 2 and stated[0] is None:
        return True
    if not is_ragged(X) or (stated is not None and _of_one_length(X)):
        return False
    if stated is not None and getattr(X, "ndim", 1) != 3:
        raise ValueError(
            f"X holds series of different lengths, but input_shape={stated!r} states one; say (None, channels)"
        )
    return True
