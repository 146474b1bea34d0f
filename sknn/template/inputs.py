"""What comes into a fit: its shape, precision and scale, its weights, and whether anything counts."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import _check_sample_weight

from ..autodiff.tape import Array
from ..nn import Standardise
from .task import Task
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


def learn_scales(task: Task) -> None:
    """Teach layers that standardise the means and spreads of their inputs; only those of the first fit."""
    for position, layer in enumerate(task.network.layers):
        if task.fresh and isinstance(layer, Standardise):
            _standardise(task, position, layer)


def _standardise(task: Task, position: int, scaling: Standardise) -> None:
    if issparse(task.X):
        raise ValueError("input_scaling='standard' would make sparse X dense; use StandardScaler(with_mean=False)")
    before = task.network.first(position)
    rows = np.arange(task.X.shape[0]) if task.rows is None else task.rows
    parts = [slice(k, k + 256) for k in range(0, len(rows), 256)]
    weight = task.sample_weight
    scaling.learn(
        task.network.parameters[str(position)],
        ((before(task.X[rows[part]]), None if weight is None else weight[part]) for part in parts),
    )
