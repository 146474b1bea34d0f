"""Images y beside images X, of their size or so many times as large."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autodiff.tape import Array
from ...nn import Context, Upsample
from ...template.values import rows
from .crops import sizes_of


def enlargement(x: Any, y: Any) -> tuple[int, ...]:
    """How many times as large as images x the images y are, along each axis.

    Raises
    ------
    ValueError
        If that is no whole number, or not the same for all images.
    """
    sizes = sizes_of(x)
    first = np.shape(y[0])[: sizes.shape[1]]
    factors = tuple(int(max(n // m, 1)) for n, m in zip(first, sizes[0].tolist(), strict=False))
    _check_sizes(sizes * factors if len(factors) == sizes.shape[1] else sizes, y)
    return factors


def enlarged(x: Any, factors: tuple[int, ...]) -> Any:
    """Images so many times as large, linearly between their pixels."""
    if max(factors) == 1:
        return x
    layer = Upsample(factors, "linear")
    if not hasattr(x, "lengths"):
        return layer.apply({}, x, Context())
    return layer.follow(x).like(x.applied(layer, {}, x.values, Context(sequences=x)))


def pixel_values(x: Any, y: Any) -> Any:
    """Images y in the form of those x: an array, or rows of pixels where they differ in size.

    Raises
    ------
    ValueError
        If one has other sizes than its x, or they differ in their channels.
    """
    _check_sizes(sizes_of(x), y)
    if not hasattr(x, "lengths"):
        return y if isinstance(y, np.ndarray) else np.stack(y)
    n_axes = x.shapes.shape[1]
    return x.like(np.concatenate([image.reshape(-1, *image.shape[n_axes:]) for image in y]))


def _check_sizes(sizes: Array, y: Any) -> None:
    n_axes = sizes.shape[1]
    for k, (size, image) in enumerate(zip(sizes.tolist(), y, strict=True)):
        grid, channels = image.shape[:n_axes], image.shape[n_axes:]
        if list(grid) != size or channels != y[0].shape[n_axes:] or len(channels) > 1:
            raise ValueError(
                f"image {k} of y has shape {image.shape}, but that of X has {'x'.join(map(str, size))} positions: y "
                "has the size of X, or that times a whole number, the same for all images, and may have channels "
                "behind it"
            )


def numbers_at_pixels(y: Any) -> Any:
    """Images y in floating point: an array, or a list of arrays of different sizes.

    Raises
    ------
    ValueError
        If they are no numbers, infinite, or masked.
    """
    y = rows("y", y)
    is_array = getattr(y, "dtype", np.dtype(object)).kind != "O"
    try:
        images: Any = np.asarray(y, np.float64) if is_array else [np.asarray(image, np.float64) for image in y]
    except (ValueError, TypeError) as error:
        raise ValueError(f"y must hold numbers, an image for each sample: {error}") from error
    for k, image in enumerate(images):
        if np.isinf(image).any():
            raise ValueError(f"image {k} of y contains infinity")
    return images
