"""The shape of one sample: a table has none, signals, images and volumes have their axes and channels last."""

import re
from collections.abc import Iterable
from math import isqrt, prod
from typing import Any

import numpy as np

from .series import are_ragged

MOST_CHANNELS = 4  # grey, colour, and colour with transparency: as few values on the last axis are channels
LONGEST_IMAGE = 2  # the longer side of an image is at most twice the shorter one


def find_sample_shape(X: Any, sample_shape: Any = None) -> tuple[Any, ...] | None:
    """Find the shape of one sample, or check the one that was stated.

    The axes of ``X`` behind the first are those of a sample: one is a table, two are a signal or an image, three an
    image with channels, four a volume with channels. Of two axes (a, b), stated or those of X, it is an image without
    channels if b > 4 and the longer side is at most twice the shorter one, and otherwise a signal of a steps and
    b channels: (28, 28) is an image, (150, 1) and (1000, 12) are signals. Where that is wrong, name the channels:
    (100, 40, 1) is an image; a signal of 12 steps and 9 channels is an image of width one, (12, 1, 9).

    Series of different lengths have the shape (None, channels), images of different sizes (None, None, channels).

    A table is an image after all if all its columns are named like pixels in the order of the rows: ``pixel_0_0`` to
    ``pixel_7_7`` as scikit-learn does, or ``pixel1`` to ``pixel784`` with a square number of them.

    Parameters
    ----------
    X : ndarray, DataFrame or sparse matrix of shape (n_samples, ...)
        The inputs.
    sample_shape : tuple of int, default=None
        What was stated; the channels of a single-channel signal or image may be left out.

    Returns
    -------
    tuple of int or None
        The shape with the channels named: (length, channels), (height, width, channels) or (depth, height, width,
        channels); None for a table.

    Raises
    ------
    ValueError
        If the stated shape does not make up the features of X, or the channels of X seem to come first.

    Examples
    --------
    >>> import numpy as np
    >>> find_sample_shape(np.zeros((5, 784)), (28, 28))
    (28, 28, 1)
    >>> find_sample_shape(np.zeros((5, 150, 1)))
    (150, 1)
    >>> find_sample_shape(np.zeros((5, 784))) is None
    True
    """
    if are_ragged(X):
        if sample_shape is not None:
            what = "series of different lengths" if X[0].ndim == 2 else "images of different sizes"
            raise ValueError(f"sample_shape={sample_shape!r} was given, but X holds {what}")
        return (*[None] * (X[0].ndim - 1), X[0].shape[-1])
    if sample_shape is None:
        return _of_axes(X.shape[1:]) if len(X.shape) > 2 else _of_pixels(getattr(X, "columns", ()))
    n_features = prod(X.shape[1:])
    axes = _stated(sample_shape)
    if prod(axes) != n_features:
        raise ValueError(
            f"sample_shape={sample_shape!r} makes {prod(axes):,} features, but X has {n_features:,}; it must be the "
            "shape of one sample, such as (28, 28) for images of 784 pixels"
        )
    return _with_channels(axes)


def _of_axes(axes: tuple[int, ...]) -> tuple[int, ...]:
    if len(axes) > 2 and axes[0] <= MOST_CHANNELS < min(axes[1:]):
        raise ValueError(
            f"X has samples of shape {axes}, as if the channels came first; they must come last: use "
            f"np.moveaxis(X, 1, -1), or state sample_shape={axes} if they do"
        )
    return _with_channels(axes)


def _stated(sample_shape: Any) -> tuple[int, ...]:
    axes = tuple(sample_shape) if isinstance(sample_shape, Iterable) else (sample_shape,)
    whole = all(isinstance(axis, int | np.integer) and not isinstance(axis, bool) and axis > 0 for axis in axes)
    if not whole or not 1 <= len(axes) <= 4:
        raise ValueError(
            f"sample_shape={sample_shape!r} is not the shape of a sample; it must be one to four positive integers: "
            "(length, channels), (height, width, channels) or (depth, height, width, channels)"
        )
    return tuple(int(axis) for axis in axes)


def _with_channels(axes: tuple[int, ...]) -> tuple[int, ...]:
    if len(axes) == 1 or (len(axes) == 2 and _is_image(*axes)):
        return (*axes, 1)
    return axes


def _is_image(height: int, width: int) -> bool:
    return width > MOST_CHANNELS and max(height, width) <= LONGEST_IMAGE * min(height, width)


def _of_pixels(columns: Iterable[Any]) -> tuple[int, int, int] | None:
    names = [str(name) for name in columns]
    if len(names) < 4:
        return None
    if last := re.fullmatch(r"pixel_(\d+)_(\d+)", names[-1]):
        height, width = (int(number) + 1 for number in last.groups())
        grid = [f"pixel_{row}_{column}" for row in range(height) for column in range(width)]
        return (height, width, 1) if names == grid else None
    side = isqrt(len(names))
    counted = ([f"pixel{number + first}" for number in range(len(names))] for first in (0, 1))
    return (side, side, 1) if side**2 == len(names) and any(names == each for each in counted) else None
