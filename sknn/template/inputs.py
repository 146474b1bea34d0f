"""What comes into a fit: its precision, its weights, and whether anything counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from ..autodiff.tape import Array
from .validation import Samples

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


def count_for_nothing(samples: Samples, refused: bool) -> bool:
    """Whether none is left that has an influence; raises ValueError if that is refused."""
    if refused and len(samples) == 0:
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return len(samples) == 0


def cast(X: Any, dtype: np.dtype) -> Any:
    """X in the precision of the computation; a file mapped into memory is left for the batches to convert.

    Raises
    ------
    ValueError
        If a value is too large for that precision.
    """
    if X.dtype == dtype or is_mapped(X):
        return X
    try:
        with np.errstate(over="raise"):
            return X.astype(dtype)
    except FloatingPointError:
        advice = f"Input X contains values too large for {dtype}; scale them, or use dtype='float64'"
        raise ValueError(f"{DIVERGED} {advice}") from None


def is_mapped(X: Any) -> bool:
    while X is not None and not isinstance(X, np.memmap):
        X = getattr(X, "base", None)
    return X is not None
