"""What comes into a fit: grids and series as rows, its precision, its weights, and whether anything counts."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from numbers import Real
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import _check_sample_weight, check_array, column_or_1d, validate_data

from ..autodiff.tape import Array
from ..description import is_integer
from .samples import Samples, blocks
from .series import read_series
from .targets import complete, in_numpy_dtypes
from .values import numbers, rows, why_no_numbers

BLOCK = 1024  # samples scaled at once
POSITIONS = 1 << 17  # of grids
DIVERGED = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


def checked_weight(sample_weight: Any, X: Any, allow_all_zero: bool) -> Array | None:
    """The weights as float64."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):  # one for all, which scikit-learn does not check
        sample_weight = np.full(X.shape[0], sample_weight)
    sample_weight = rows("sample_weight", sample_weight)
    if getattr(sample_weight, "ndim", 1) > 2:
        raise ValueError(f"sample_weight must be one number for each sample, but has shape {sample_weight.shape}")
    return _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True, allow_all_zero_weights=allow_all_zero
    )


def given(estimator: Any, y: Any) -> Any:
    """The targets, or a ValueError in scikit-learn's words if there are none."""
    if y is None:
        name = type(estimator).__name__
        raise ValueError(f"This {name} estimator requires y to be passed, but the target y is None.")
    return y


def array_of_targets(estimator: Any, y: Any, numeric: bool) -> Any:
    """Targets as an array, of any number of axes; ValueError on such as scikit-learn does not take."""
    y = complete(in_numpy_dtypes(numbers("y", y) if numeric else rows("y", y)))
    return check_array(
        y, accept_sparse="csr", ensure_2d=False, allow_nd=True, dtype=None, input_name="y", estimator=estimator
    )


def checked_y(estimator: Any, y: Any, numeric: bool) -> Any:
    """Targets as an array, of one column or several."""
    y = array_of_targets(estimator, given(estimator, y), numeric)
    if y.ndim > 2:
        raise ValueError(
            f"y has shape {y.shape}, but {type(estimator).__name__} takes one target for each sample, (n,), or "
            "several, (n, n_outputs); labels at positions are for a segmenter, images for UNetRegressor"
        )
    if numeric and y.dtype.kind in "OSU":
        y = _as_floats(y)
    y = y.toarray() if issparse(y) else y
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def _as_floats(y: Array) -> Array:
    try:
        return y.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(f"y must be numbers for a regressor: {error}") from error


def read_table(estimator: Any, X: Any, fresh: bool, by_features: bool = True) -> Any:
    """X as validated rows of numbers; `fresh` sets n_features_in_.

    Where columns are not the features of the fit (`by_features`), as steps of a signal may be, their number is free.
    """
    allowed: dict[str, Any] = {
        "accept_sparse": estimator._accepted_sparse,
        "dtype": (np.float64, np.float32),
        "ensure_all_finite": "allow-nan" if estimator._accepts_nan else True,
    }
    try:
        if by_features:
            return validate_data(estimator, X, reset=fresh, **allowed)
        return check_array(X, estimator=estimator, input_name="X", **allowed)
    except ValueError as error:
        if why := why_no_numbers("X", X, error):
            raise ValueError(why) from error
        raise


def count_for_nothing(samples: Samples, refused: bool) -> bool:
    """Whether none is left that has an influence; raises ValueError if that is refused."""
    if refused and len(samples) == 0:
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return len(samples) == 0


def cast(x: Any, dtype: np.dtype, scaling: Callable[[Any], Any] | None = None) -> Any:
    """x, scaled in its own precision, in that of the computation; ValueError if a value is too large for that."""
    if scaling is None and x.dtype == dtype:
        return x
    try:
        with np.errstate(over="raise"):
            return x.astype(dtype) if scaling is None else _scaled(x, dtype, scaling)
    except FloatingPointError:
        advice = f"Input X contains values too large for {dtype}; scale them, or use dtype='float64'"
        raise ValueError(f"{DIVERGED} {advice}") from None


def _scaled(x: Array, dtype: np.dtype, scaling: Callable[[Any], Any]) -> Array:
    """Block by block, so that no other copy of all is made."""
    if hasattr(x, "lengths") or issparse(x):  # which a scaling refuses
        return scaling(x).astype(dtype)
    scaled = np.empty(x.shape, dtype)
    for part in blocks(x, len(x), at_once(x)):
        scaled[part] = scaling(x[part])
    return scaled


def at_once(x: Any) -> int:
    """How many samples, or positions of grids, are scaled at once."""
    return POSITIONS if x.ndim > 2 else BLOCK


def is_mapped(X: Any) -> bool:
    while X is not None and not isinstance(X, np.memmap):
        X = getattr(X, "base", None)
    return X is not None


def as_series(estimator: Any, X: Any, fresh: bool) -> Any:
    """X as rows without padding; a first fit sets `_shape`, that of a sample: (None, channels)."""
    series = read_series(estimator, X, fresh)
    if fresh:
        estimator._shape = (None, *estimator._read_shape((len(series), *series.sample_shape))[1:])
    return series


def as_rows(estimator: Any, X: Any, fresh: bool, data_format: str = "") -> Any:
    """Grids as rows of features; an axis for a single channel may be missing. A first fit sets the `_shape` of one."""
    X = X if hasattr(X, "shape") else np.asarray(X)
    if fresh:
        estimator._shape = estimator._read_shape(X.shape)
    return in_rows(X, estimator._shape, data_format)


def in_rows(X: Any, shape: tuple[int, ...], data_format: str = "") -> Any:
    """Samples of a shape, or without its axis for a single channel, as rows of features; rows as they are."""
    if issparse(X) or len(X.shape) <= 2:
        return X
    given = X.shape[1:]
    channel, without = (0, shape[1:]) if data_format == "channels_first" else (-1, shape[:-1])
    if given != shape and not (shape[channel] == 1 and given == without):
        order = f" ({data_format})" if data_format else ""
        raise ValueError(
            f"X has samples of shape {given}, but input_shape is {shape}{order}: give it that shape, or flattened"
        )
    return np.asarray(X).reshape(len(X), prod(shape))


def stated_shape(estimator: Any, n_axes: range, wanted: str) -> tuple[Any, ...]:
    """The `input_shape` of an estimator, or a ValueError if it is none of so many axes; only channels must be known."""
    shape = tuple(estimator.input_shape)
    sizes = [n for n in shape[:-1] if n is not None] + list(shape[-1:])
    if len(shape) not in n_axes or any(not is_integer(size) or size < 1 for size in sizes):
        raise ValueError(f"input_shape={estimator.input_shape!r} must be {wanted}")
    return tuple(None if size is None else int(size) for size in shape)
