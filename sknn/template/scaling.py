"""Standardising inputs, in the precision in which they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse

from ..autodiff.tape import Array

SPARSE = "input_scaling='standard' would make sparse X dense; use StandardScaler(with_mean=False)"
EPS = float(np.finfo(np.float64).eps)


def is_constant(spread: Array, mean: Array, n: int) -> Array:
    """Whether a standard deviation that was computed from n values is one of rounding errors alone.

    The bound is that of Chan, Golub & LeVeque (1983), which grows with n.
    """
    return spread <= max(n, 10) * EPS * np.abs(mean)


def _unit(values: Array, together: bool) -> Any:
    """Powers of two by which features are multiplied so that no square overflows or vanishes."""
    largest = np.abs(values).max(axis=None if together else 0)
    return np.where(largest > 1e100, 2.0**-700, np.where((largest > 0) & (largest < 1e-100), 2.0**700, 1.0))


class Scaling:
    """(x - mean) / scale, with mean and standard deviation of the samples that it was made from.

    It is computed in the precision of x, before that is rounded to the network's: the dates of one night, in days since
    4713 BC, have no digits left in single precision.

    Parameters
    ----------
    batches : iterable of (ndarray of shape (n, ...), ndarray of shape (n,) or None)
        Samples and their weights. Batches are merged by the update of Chan, Golub & LeVeque (1983), which loses no
        digits to a large mean.
    channels : ndarray of int, default=None
        The channel of each feature, for features that are one quantity at many positions: these have one mean and one
        scale. None: each is a quantity of its own.

    Attributes
    ----------
    mean, scale : ndarray of the shape of a sample
        A feature that is constant but for rounding errors is only shifted: its scale is 1.

    Examples
    --------
    >>> scaling = Scaling([(np.array([[1.0], [3.0]]), None)])
    >>> scaling(np.array([[5.0]]))
    array([[3.]])
    """

    kind: ClassVar[str | None] = "standard"  # the `input_scaling` that it is

    def __init__(self, batches: Iterable[tuple[Array, Array | None]], channels: Array | None = None) -> None:
        n, total, mean, squares = 0, 0.0, np.zeros(()), np.zeros(())
        unit: Any = None
        for x, weight in batches:
            if issparse(x):
                raise ValueError(SPARSE)
            values = x.astype(np.float64, order="C")  # sums are added up in the order of memory
            unit = _unit(values, channels is not None) if unit is None else unit
            values *= unit
            n += len(x)
            share = np.ones(len(x)) if weight is None else weight
            batch_mean = np.average(values, axis=0, weights=share)
            difference, batch_total = batch_mean - mean, share.sum()
            squares = squares + np.tensordot(share, np.square(values - batch_mean), axes=1)
            squares += difference**2 * (total * batch_total / (total + batch_total))
            total += batch_total
            mean = mean + difference * (batch_total / total)
        variance = squares / total
        if channels is not None:
            n_positions = np.bincount(channels)
            of_channel = np.bincount(channels, mean) / n_positions
            variance = np.bincount(channels, variance + (mean - of_channel[channels]) ** 2) / n_positions
            mean, variance = of_channel[channels], variance[channels]
        mean, spread = mean / unit, np.sqrt(variance) / unit
        self.mean, self.scale = mean, np.where(is_constant(spread, mean, n), 1.0, spread)
        finest, largest = np.finfo(np.float32).tiny, np.finfo(np.float32).max
        self.fits_single = bool(((self.scale > finest) & (self.scale < largest) & (np.abs(mean) < largest)).all())

    def __call__(self, x: Any) -> Any:
        """Standardised x, in its precision."""
        if hasattr(x, "lengths"):
            return x.like(self(x.values))
        if issparse(x):
            raise ValueError(SPARSE)
        if x.dtype == np.float32 and not self.fits_single:
            return self(x.astype(np.float64)).astype(np.float32)
        centred = np.subtract(x, self.mean.astype(x.dtype), order="C")  # whatever the order of x: the BLAS sees one
        return np.divide(centred, self.scale.astype(x.dtype), out=centred)

    def inverse(self, z: Any) -> Any:
        """x of standardised z, in double precision."""
        return z * self.scale + self.mean

    def log_volume(self, x: Any) -> Array:
        """How much larger the logarithm of a density of each sample is than that of the standardised one."""
        return np.full(len(x), -np.log(np.broadcast_to(self.scale, x.shape[1:])).sum())


class GlobalScaling(Scaling):
    """One mean and one scale for all features; data in [0, 1], such as pixels, are left as they are.

    Features that are measured in one unit keep their proportions: where each is standardised by itself, those that
    hardly vary count as much as the others, and an autoencoder spends its code on them.

    Parameters
    ----------
    batches : iterable of (ndarray of shape (n, ...), ndarray of shape (n,) or None)
        Samples and their weights.

    Examples
    --------
    >>> scaling = GlobalScaling([(np.array([[0.0, 4.0], [0.0, 4.0]]), None)])
    >>> scaling(np.array([[0.0, 6.0]]))
    array([[-1.,  2.]])
    >>> GlobalScaling([(np.array([[0.0, 0.4], [1.0, 0.2]]), None)])(np.array([[0.0, 0.5]]))
    array([[0. , 0.5]])
    """

    kind = "global"

    def __init__(self, batches: Iterable[tuple[Array, Array | None]]) -> None:
        bounds, shape = [0.0, 1.0], ()

        def rows_of_all() -> Iterator[tuple[Array, Array | None]]:
            nonlocal shape
            for x, weight in batches:
                shape = x.shape[1:]
                bounds[:] = min(bounds[0], float(x.min())), max(bounds[1], float(x.max()))
                yield x.reshape(len(x), -1), weight

        parts = rows_of_all()
        first, weight = next(parts)
        super().__init__(chain([(first, weight)], parts), np.zeros(first.shape[1], int))
        is_unit = bounds == [0.0, 1.0]
        self.mean, self.scale = (
            np.zeros(shape) if is_unit else self.mean.reshape(shape),
            (np.ones(shape) if is_unit else self.scale.reshape(shape)),
        )
