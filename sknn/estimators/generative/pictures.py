"""What X is for generative families: rows of features, or pictures where networks are convolutional.

A family says ``return read_pictures(self, X, fresh)`` in `_read_x`, declares `filters`, `input_shape` (the constant
here) and the fitted `_shape`, `_given_shape`; what it draws or reconstructs goes out through `as_given`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ...autodiff.tape import Array
from ...template.grids import read_grids
from ...template.inputs import in_rows, read_table, stated_shape
from ...template.parameters import parameter

INPUT_SHAPE: Sequence[int] | None = parameter(
    default=None,
    text="With `filters` the shape of one sample, (T, C), (H, W, C) or (D, H, W, C), channels last. X may have that "
    "shape, may leave out a single channel, or be flattened. None: 2-D X holds signals of one channel, 3-D signals "
    "(n, T, C), 4-D images (n, H, W, C), 5-D volumes.",
)


def read_pictures(estimator: Any, X: Any, fresh: bool) -> Array:
    """X as rows (n, n_features), or as grids (n, *grid, channels) for convolutional networks.

    Parameters
    ----------
    estimator : Estimator
        Its `filters` (None: rows) and `input_shape` say which. A first fit sets its `n_features_in_`, its `_shape`,
        that of a sample as networks see it, and its `_given_shape`, that of a sample as it was given.
    X : array-like
        As it was given.
    fresh : bool
        Whether this is a first fit.

    Returns
    -------
    x : ndarray
        Of float64 or float32 and finite.

    Raises
    ------
    ValueError
        If X has another number of axes or another shape than that of the fit, a value is not finite, or
        `input_shape` is given without `filters`.
    """
    if estimator.filters is None:
        if estimator.input_shape is not None:
            raise ValueError(
                f"input_shape={estimator.input_shape!r} is for convolutional networks: give filters, or leave it out"
            )
        x = read_table(estimator, X, fresh)
    elif estimator.input_shape is None:
        x = read_grids(estimator, X, fresh)
        if hasattr(x, "lengths"):
            raise ValueError("X holds samples of different sizes: give samples of one size")
    else:
        x = _as_stated(estimator, X, fresh)
    if fresh:
        estimator._shape = x.shape[1:]
        estimator._given_shape = x.shape[1:] if estimator.filters is None else np.shape(X)[1:]
    return x


def as_given(estimator: Any, x: Array) -> Array:
    """Samples in the shape in which those of the fit were given."""
    return x.reshape(len(x), *estimator._given_shape)


def _as_stated(estimator: Any, X: Any, fresh: bool) -> Array:
    """Samples of the shape that `input_shape` states."""
    shape = stated_shape(estimator, range(2, 5), "the shape of a sample, such as (28, 28, 1), channels last")
    if None in shape:
        raise ValueError(f"input_shape={estimator.input_shape!r} must say all sizes")
    rows = read_table(estimator, in_rows(X if hasattr(X, "shape") else np.asarray(X), shape), fresh)
    if rows.shape[1] != prod(shape):
        raise ValueError(f"X has {rows.shape[1]} features, but input_shape={estimator.input_shape!r} has {prod(shape)}")
    return rows.reshape(len(rows), *shape)
