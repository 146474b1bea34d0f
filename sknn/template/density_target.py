"""Targets of which the whole distribution is learnt."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tape import Array
from .targets import Target

FARTHEST = 1e15  # standard deviations: what lies beyond is as improbable, and has a log-density too


class DensityTarget(Target):
    """Real numbers y, one or several for each sample, as numbers z without bounds, of about unit scale.

    Parameters
    ----------
    scaling : PowerScaling
        z = scaling(y), which keeps densities: log p(y) = log p(z) + ``scaling.log_volume(y)``.
    shape : tuple of int
        That of the y of one sample: () or (n_outputs,).

    Attributes
    ----------
    n_outputs : int
        How many numbers there are for a sample.
    """

    loss = None  # nothing is compared with it: what is minimised is the negative log-density of z

    def __init__(self, scaling: Any, shape: tuple[int, ...]) -> None:
        self.scaling, self.shape = scaling, shape
        self.n_outputs = shape[0] if shape else 1
        self.attributes = {"n_outputs_": self.n_outputs}

    def check(self, y: Array, all_of_them: bool) -> None:
        """Raise ValueError if y has another number of outputs than the first fit, or lies beyond its bounds."""
        self.check_shape(y)
        if self.scaling.bounds is not None:
            self.scaling.bounds.check("y", columns(y))

    def check_shape(self, y: Array) -> None:
        """Raise ValueError if y has another number of outputs than the first fit."""
        if y.shape[1:] != self.shape:
            raise ValueError(f"y has shape {y.shape}, but the first fit had {self.n_outputs} output(s)")

    def encode(self, y: Array, dtype: np.dtype) -> Array:
        """z, shape (n, n_outputs)."""
        with np.errstate(over="ignore"):
            encoded = np.clip(self.scaling(columns(y)), -FARTHEST, FARTHEST)
        return encoded.astype(dtype)

    def decode(self, z: Array) -> Array:
        """y of z (n, n_outputs), in double precision: (n,) or (n, n_outputs)."""
        return self.scaling.inverse(z.astype(np.float64)).reshape(-1, *self.shape)

    def log_volume(self, y: Array) -> Array:
        """How much larger the logarithm of a density of y is than that of z, shape (n,)."""
        volume: Array = self.scaling.log_volume(columns(y))
        return volume


def columns(y: Array) -> Array:
    """In double precision, (n, n_outputs)."""
    return y.reshape(len(y), -1).astype(np.float64)
