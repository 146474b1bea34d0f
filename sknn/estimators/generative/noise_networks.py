"""The networks of diffusion models: what they are shown of noisy samples, and of which layers they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ...autodiff.tape import Array, Value
from ...nn import Dense, Layer
from ...nn.blocks import noise_unet
from ...ops.upsample import upsample
from .parts import Plans

N_FREQUENCIES = 16
FREQUENCIES = np.geomspace(1.0, 30.0, N_FREQUENCIES)  # in radians over the time from data to noise
TIME_UNITS = 64  # of the layer through which a U-net is told the time
COARSEST = 4  # positions along an axis: a grid is not halved to fewer
MOST_HALVINGS = 2


class Seen(NamedTuple):
    """What a network is shown of some samples.

    Attributes
    ----------
    x : ndarray of shape (n, ...)
        Noisy values; known ones as they are.
    time : ndarray of shape (n,)
        From 0 to 1, see :mod:`.samplers`.
    roles : ndarray of shape (n, ...), default=None
        Of each value, for models that impute: 1 where it is known, 0 where it is noisy, -1 where there is none.
    condition : ndarray of shape (n, ...), default=None
        Encoded conditions, 0 where they are not told.
    told : ndarray of shape (n,), default=None
        1 where the condition is told, 0 where it is not.
    """

    x: Array
    time: Array
    roles: Array | None = None
    condition: Array | None = None
    told: Array | None = None


def time_features(time: Array) -> Array:
    """Sines and cosines of times (n,) at rising frequencies: (n, 32) (Vaswani et al. 2017).

    Examples
    --------
    >>> time_features(np.zeros(1))[0, [0, -1]]
    array([0., 1.])
    """
    angle = time[:, None] * FREQUENCIES.astype(time.dtype)
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)


class Sizes(NamedTuple):
    """What networks are built for."""

    sample: tuple[int, ...]
    condition: tuple[int, ...] | None  # of one sample, encoded
    has_roles: bool

    @property
    def told(self) -> int:
        """Numbers that tell time and condition, where this is no picture."""
        times = 2 * N_FREQUENCIES
        if self.condition is None:
            return times
        return times + 1 + (0 if len(self.condition) > 1 else self.condition[0])


@dataclass(frozen=True)
class DenseNoise:
    """Dense layers on noisy values, time and condition side by side."""

    units: Sequence[int]
    activation: str

    def networks(self, sizes: Sizes) -> Plans:
        """The layers of each part, and the shape of a sample that it is given."""
        n_values = prod(sizes.sample)
        n_inputs = n_values * (1 + sizes.has_roles) + sizes.told
        if sizes.condition is not None and len(sizes.condition) > 1:
            n_inputs += prod(sizes.condition)
        hidden: list[Layer] = [Dense(n, activation=self.activation, init="he_uniform") for n in self.units]
        return {"noise": ([*hidden, Dense(n_values)], (n_inputs,))}


@dataclass(frozen=True)
class UNetNoise:
    """A U-net on noisy grids, told time and condition at each level; a condition that is a grid is one more channel."""

    filters: int

    def networks(self, sizes: Sizes) -> Plans:
        """The layers of each part, and the shape of a sample that it is given."""
        *grid, channels = sizes.sample
        shown = channels * (1 + sizes.has_roles)
        if sizes.condition is not None and len(sizes.condition) > 1:
            shown += sizes.condition[-1]
        layers = noise_unet(self.filters, halvings(grid), channels=channels, width=TIME_UNITS)
        return {
            "time": ([Dense(TIME_UNITS, activation="silu")], (sizes.told,)),
            "noise": (layers, (*grid, shown)),
        }


def predicted(nets: Any, seen: Seen) -> Value:
    """The raw output for each value of rows or grids."""
    return _of_rows(nets, seen) if seen.x.ndim == 2 else _of_grids(nets, seen)


def _of_rows(nets: Any, seen: Seen) -> Value:
    inputs = [seen.x, time_features(seen.time)]
    inputs += [each for each in (seen.roles, seen.condition, seen.told) if each is not None]
    return nets.noise(np.concatenate([each.reshape(len(seen.x), -1) for each in inputs], axis=1))


def _of_grids(nets: Any, seen: Seen) -> Value:
    shown = [each for each in (seen.x, seen.roles) if each is not None]
    told = [time_features(seen.time)]
    if seen.condition is not None and seen.told is not None:
        if seen.condition.ndim > 2:
            factors = enlargement(seen.condition.shape[1:-1], seen.x.shape[1:-1])
            shown.append(upsample(seen.condition, factors=factors, linear=True))
        else:
            told.append(seen.condition)
        told.append(seen.told[:, None])
    return nets.noise(np.concatenate(shown, axis=-1), time=nets.time(np.concatenate(told, axis=1)))


def halvings(grid: Sequence[int]) -> int:
    """How often a grid is halved.

    Examples
    --------
    >>> halvings((28, 28)), halvings((8, 8)), halvings((6, 40))
    (2, 1, 0)
    """
    return min(MOST_HALVINGS, max(0, (min(grid) // COARSEST).bit_length() - 1))


def enlargement(small: Sequence[int], grid: Sequence[int]) -> tuple[int, ...]:
    """How many times as large as a small grid another is, along each axis.

    Raises
    ------
    ValueError
        If that is no whole number.
    """
    if len(small) != len(grid) or any(n % m for m, n in zip(small, grid, strict=True)):
        shapes = ("x".join(map(str, each)) for each in (small, grid))
        raise ValueError(
            "y has pictures of {}, but those of X are {}: they have to be that, or so many times as large".format(
                *shapes
            )
        )
    return tuple(n // m for m, n in zip(small, grid, strict=True))
