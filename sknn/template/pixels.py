"""Amounts at pixels: images as targets."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from sklearn.metrics import r2_score

from ..autodiff.tape import Array
from .positions import PositionLoss, in_a_row
from .targets import RealTarget, Target


class PixelTarget(Target):
    """Real numbers at the pixels of images, one or several at each; those that are NaN are not known.

    Parameters
    ----------
    y : ndarray of shape (n_samples, *grid) or (n_samples, *grid, n_outputs), or Sequences or Grids
        Images.
    weight : ndarray of shape (n_samples,) or None
        Sample weights, which hold for all pixels of an image.
    n_axes : int
        Of the grid.
    make : callable
        Called as ``make(y, weight)`` with the known pixels in a row; the target for them.

    Raises
    ------
    ValueError
        If no pixel is known.

    Examples
    --------
    >>> from sknn.losses import SquaredError
    >>> y = np.array([[1.0, 3.0], [5.0, np.nan]])  # two signals
    >>> target = PixelTarget(y, None, 1, lambda y, weight: RealTarget(y, weight, SquaredError(), False))
    >>> target.encode(y, np.float64)[..., 0].tolist(), target.weights(y, None).tolist()
    ([[1.0, 3.0], [5.0, 3.0]], [[1.0, 1.0], [1.0, 0.0]])
    """

    per_position = True

    def __init__(
        self, y: Any, weight: Array | None, n_axes: int, make: Callable[[Array, Array | None], RealTarget]
    ) -> None:
        self.n_axes = n_axes
        self.has_channels = in_a_row(y).ndim > len(self._positions(y))
        pixels, known = self._pixels(y)
        if not known.any():
            raise ValueError("y has no pixel that is known: all are NaN")
        self.inner = make(pixels[known], None if weight is None else self._of_samples(weight, y)[known])
        self.usual = pixels[known].mean(axis=0)
        self.loss, self.n_outputs = PositionLoss(self.inner.loss), self.inner.n_outputs
        self.attributes = self.inner.attributes

    def check(self, y: Any, all_of_them: bool) -> None:
        """Raise ValueError if pixels have another number of outputs than in the first fit; none need be known."""
        pixels, known = self._pixels(y)
        self.inner.check(pixels[known] if known.any() else pixels, all_of_them)

    def encode(self, y: Any, dtype: np.dtype) -> Any:
        """As the loss takes them; pixels that are not known are encoded as the mean."""
        pixels, known = self._pixels(y)
        return self._like(y, self.inner.encode(np.where(known[:, None], pixels, self.usual), dtype))

    def weights(self, y: Any, weight: Array | None) -> Any:
        """Those of all pixels: of its image, 0 where it is not known."""
        _, known = self._pixels(y)
        found = known.astype(np.float64)
        return self._like(y, found if weight is None else found * self._of_samples(weight, y))

    def decode(self, raw: Any) -> Any:
        """Images of the kind of y; an object array where they differ in size."""
        rows = in_a_row(raw)
        found = self.inner.decode(rows.reshape(-1, rows.shape[-1]))
        found = found.reshape(*rows.shape[:-1], *([self.n_outputs] if self.has_channels else []))
        return np.asarray(raw.like(found)) if hasattr(raw, "lengths") else found

    def score(self, y: Any, predicted: Any, weight: Array | None) -> float:
        """R2 of all pixels that are known."""
        truth, found = (_in_one_row(images, self.n_outputs) for images in (y, predicted))
        sizes = [np.size(image) // self.n_outputs for image in y]
        each = np.ones(len(truth)) if weight is None else np.repeat(np.asarray(weight, np.float64), sizes)
        known = ~np.isnan(truth).any(axis=1)
        return float(r2_score(truth[known], found[known], sample_weight=each[known]))

    def _positions(self, y: Any) -> tuple[int, ...]:
        return (len(y.values),) if hasattr(y, "lengths") else y.shape[: 1 + self.n_axes]

    def _pixels(self, y: Any) -> tuple[Array, Array]:
        """All pixels (n_positions, n_outputs), and which of them are known."""
        pixels = in_a_row(y).reshape(prod(self._positions(y)), -1)
        return pixels, ~np.isnan(pixels).any(axis=1)

    def _of_samples(self, each: Array, y: Any) -> Array:
        """What belongs to each image, at all of its pixels in a row."""
        return y.at_positions(each) if hasattr(y, "lengths") else np.repeat(each, prod(self._positions(y)[1:]))

    def _like(self, y: Any, values: Array) -> Any:
        """Values at all pixels, in the form of y."""
        return y.like(values) if hasattr(y, "lengths") else values.reshape(*self._positions(y), *values.shape[1:])


def _in_one_row(images: Any, n_outputs: int) -> Array:
    return np.concatenate([np.asarray(image, np.float64).reshape(-1, n_outputs) for image in images])
