"""Values between bounds as values without any."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from ..autodiff.tape import Array

TINY = float(np.finfo(np.float64).tiny)


class Bounds:
    """log((x - low) / (high - x)) between two bounds, log(x - low) above one, -log(high - x) below one.

    That of a value on its bound would be infinite: it counts as half as far off as the nearest of the samples that
    :meth:`beside` was shown.

    Parameters
    ----------
    low, high : float or ndarray of the shape of a sample
        The bounds; -inf and inf where there are none, and x stays as it is.

    Raises
    ------
    ValueError
        If a bound is no number, or one is not below the other.

    Examples
    --------
    >>> bounds = Bounds(0.0, np.array([1.0, np.inf]))
    >>> z = bounds(np.array([[0.5, 1.0]]))
    >>> z, bounds.inverse(z), bounds.log_slopes(np.array([[0.5, 1.0]])).round(3)
    (array([[0., 0.]]), array([[0.5, 1. ]]), array([[1.386, 0.   ]]))
    """

    def __init__(self, low: Any, high: Any) -> None:
        self.low, self.high = np.broadcast_arrays(np.asarray(low, np.float64), np.asarray(high, np.float64))
        if not (self.low < self.high).all():
            raise ValueError(f"bounds=({low!r}, {high!r}) must be numbers, each low one below its high one")
        self.has_low, self.has_high = np.isfinite(self.low), np.isfinite(self.high)
        self.room = np.where(self.has_low & self.has_high, self.high - self.low, 1.0)
        self.nearest: tuple[Any, Any] = (TINY, TINY)

    def beside(self, x: Array) -> Bounds:
        """The same bounds, with values that lie on them half as far off as the nearest of these samples."""
        bounds = Bounds(self.low, self.high)
        bounds.nearest = (_half_the_least(x - self.low), _half_the_least(self.high - x))
        return bounds

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bounds) and bool(np.all(self.low == other.low) and np.all(self.high == other.high))

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, x: Array) -> Array:
        """x without bounds; what lies beyond them counts as just within."""
        above, below = self._distances(x)
        return np.where(self.has_low | self.has_high, np.log(above) - np.log(below), x)

    def inverse(self, z: Array) -> Array:
        """x of what has no bounds."""
        with np.errstate(over="ignore", invalid="ignore"):  # in the branches that are not taken
            between = np.where(self.has_high, self.low + self.room * expit(z), self.low + np.exp(z))
            below = np.where(self.has_high, self.high - np.exp(-z), z)
            return np.clip(np.where(self.has_low, between, below), self.low, self.high)

    def log_slopes(self, x: Array) -> Array:
        """log |dz / dx|; -inf beyond the bounds."""
        above, below = self._distances(x)
        two = self.has_low & self.has_high
        slopes = np.where(two, np.log(self.room), 0.0) - np.log(above) - np.log(below)
        return np.where(self.hold(x), slopes, -np.inf)

    def hold(self, x: Array) -> Array:
        """Which of the values lie between the bounds, or on them."""
        return (x >= self.low) & (x <= self.high)

    def check(self, name: str, x: Array) -> None:
        """Raise ValueError if values of rows (n, d) lie beyond the bounds."""
        beyond = ~self.hold(x)
        if beyond.any():
            row, column = np.argwhere(beyond)[0]
            low, high = (np.broadcast_to(each, x.shape[1:])[column] for each in (self.low, self.high))
            raise ValueError(
                f"{name} has the value {x[row, column]:g} in column {column}, beyond its bounds, {low:g} and {high:g}"
            )

    def _distances(self, x: Array) -> tuple[Array, Array]:
        """From the bounds, none of them 0; 1 from one that is not there."""
        above, below = x - self.low, self.high - x
        above = np.where(self.has_low, np.where(above > 0, above, self.nearest[0]), 1.0)
        return above, np.where(self.has_high, np.where(below > 0, below, self.nearest[1]), 1.0)


def _half_the_least(distances: Array) -> Array:
    least = np.where(distances > 0, distances, np.inf).min(axis=0)
    return np.where(np.isfinite(least), 0.5 * least, TINY)


def read_bounds(bounds: Any, shape: tuple[int, ...]) -> Bounds | None:
    """The bounds that a parameter states, for samples of a shape; None if there are none.

    Parameters
    ----------
    bounds : None, "unit" or pair
        "unit" is (0, 1); a pair holds low and high, each a number or an array of this shape.
    shape : tuple of int
        That of a sample.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if bounds is None:
        return None
    if isinstance(bounds, str) and bounds == "unit":
        bounds = (0.0, 1.0)
    if isinstance(bounds, str) or not hasattr(bounds, "__len__") or len(bounds) != 2:
        raise ValueError(f"bounds={bounds!r} must be None, 'unit' or a pair (low, high)")
    try:
        low, high = (np.broadcast_to(np.asarray(each, np.float64), shape) for each in bounds)
    except (TypeError, ValueError):
        raise ValueError(
            f"bounds={bounds!r} must be two numbers, or two arrays of the shape {shape} of a sample"
        ) from None
    if not (low < high).all():
        raise ValueError(
            f"bounds={bounds!r} must be numbers, each low one below its high one; -inf and inf where there is none"
        )
    return Bounds(low, high)
