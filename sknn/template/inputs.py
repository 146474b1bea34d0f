"""What comes into a fit: its precision, its weights, and whether anything counts."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import _check_sample_weight, check_array, column_or_1d

from ..autodiff.tape import Array
from .samples import Samples
from .targets import in_numpy_dtypes

BLOCK = 1024  # samples scaled at once
DIVERGED = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


def checked_weight(sample_weight: Any, X: Any, allow_all_zero: bool) -> Array | None:
    """The weights as float64."""
    if sample_weight is None:
        return None
    return _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True, allow_all_zero_weights=allow_all_zero
    )


def given(estimator: Any, y: Any) -> Any:
    """The targets, or a ValueError in scikit-learn's words if there are none."""
    if y is None:
        name = type(estimator).__name__
        raise ValueError(f"This {name} estimator requires y to be passed, but the target y is None.")
    return y


def checked_y(estimator: Any, y: Any, numeric: bool) -> Any:
    """Targets as an array, of one column or several.

    Raises
    ------
    ValueError
        If there are none, or not such as scikit-learn takes.
    """
    y = check_array(
        in_numpy_dtypes(given(estimator, y)),
        accept_sparse="csr",
        ensure_2d=False,
        dtype=None,
        input_name="y",
        estimator=estimator,
    )
    if numeric and y.dtype.kind == "O":
        y = y.astype(np.float64)
    y = y.toarray() if issparse(y) else y
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def count_for_nothing(samples: Samples, refused: bool) -> bool:
    """Whether none is left that has an influence; raises ValueError if that is refused."""
    if refused and len(samples) == 0:
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return len(samples) == 0


def cast(x: Any, dtype: np.dtype, scaling: Callable[[Any], Any] | None = None) -> Any:
    """x, scaled, in the precision of the computation; the scaling is done in that of x.

    Raises
    ------
    ValueError
        If a value is too large for that precision.
    """
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
    for k in range(0, len(x), BLOCK):
        scaled[k : k + BLOCK] = scaling(x[k : k + BLOCK])
    return scaled


def is_mapped(X: Any) -> bool:
    while X is not None and not isinstance(X, np.memmap):
        X = getattr(X, "base", None)
    return X is not None


def flattened(X: Any, shape: tuple[int, ...], channel: int, order: str) -> Array:
    """Samples X (n, *shape) as rows of features; an axis for a single channel may be missing.

    Parameters
    ----------
    X : array-like of shape (n, ...)
        Samples of two axes or more.
    shape : tuple of int
        Of one sample.
    channel : int
        Which of its axes is that of the channels.
    order : str
        What the message of the error says about the order of the axes.

    Raises
    ------
    ValueError
        If the samples have another shape.
    """
    given = X.shape[1:]
    without = (*shape[:channel], *shape[channel + 1 :])
    if given != shape and not (shape[channel] == 1 and given == without):
        raise ValueError(
            f"X has samples of shape {given}, but input_shape is {shape}{order}: give it that shape, or flattened"
        )
    return np.asarray(X).reshape(len(X), prod(shape))
