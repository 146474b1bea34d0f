"""Augmentation that changes values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..autodiff.tape import Array
from ..description import number
from .augmentation import Augmentation

if TYPE_CHECKING:
    from ..nn.draws import Draws


@dataclass(frozen=True)
class Noise(Augmentation):
    """Normal noise on every value, drawn for each alone.

    Parameters
    ----------
    std : float >= 0, default=0.1
        Its standard deviation; estimators add it to inputs that they have scaled.

    References
    ----------
    Bishop (1995). Training with noise is equivalent to Tikhonov regularization. Neural Computation 7.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.augment import Noise, augmented
    >>> from sknn.nn import Draws
    >>> float(augmented(np.ones((100, 50, 2), "float32"), Noise(0.5), Draws(0)).x.std().round(2))
    0.5
    """

    std: float = number("[0, inf)", default=0.1)

    def changed(self, x: Array, draws: Draws) -> Array:
        noise = draws.normal(x.shape).astype(x.dtype, copy=False)
        noise *= self.std
        noise += x
        return noise
