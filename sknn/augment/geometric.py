"""Augmentations that move: where the positions of a sample are looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, radians
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..autodiff.tape import Array
from ..description import in_order, integers, number, numbers
from .augmentation import Augmentation

if TYPE_CHECKING:
    from ..nn.draws import Draws


@dataclass(frozen=True)
class Shift(Augmentation):
    """Moved by whole pixels along each axis, each way alike.

    Parameters
    ----------
    by : float or sequence of float, in [0, 1), default=0.1
        How far at most, as a share of each axis (rounded to pixels), or one share for each axis.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.augment import Shift, augmented
    >>> from sknn.nn import Draws
    >>> x = np.arange(5.0).reshape(1, 5, 1).repeat(3, axis=0)
    >>> augmented(x, Shift(0.4), Draws(1)).x[..., 0]
    array([[0., 1., 2., 3., 4.],
           [0., 0., 1., 2., 3.],
           [1., 2., 3., 4., 4.]])
    """

    by: float | Sequence[float] = numbers("[0, 1)", default=0.1)

    def placed(self, n: int, grid: tuple[int, ...], draws: Draws) -> tuple[Array | None, Array | None]:
        shares: Any = self.by if in_order(self.by) else (self.by,) * len(grid)
        if len(shares) != len(grid):
            raise ValueError(f"by={self.by!r} of Shift must have a share for each of {len(grid)} axes")
        furthest = [round(share * size) for share, size in zip(shares, grid, strict=True)]
        steps = [draws.integers(2 * most + 1, (n,)) - most for most in furthest]
        return None, np.stack(steps, axis=1).astype(np.float64)


@dataclass(frozen=True)
class Flip(Augmentation):
    """Reversed along an axis, with probability 1/2 for each axis.

    Parameters
    ----------
    axes : int, sequence of int or "all", default=-1
        Along which axes of the grid, the last ones counted from -1: left and right of images.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.augment import Flip, augmented
    >>> from sknn.nn import Draws
    >>> x = np.arange(3.0).reshape(1, 3, 1).repeat(2, axis=0)
    >>> augmented(x, "flip", Draws(5)).x[..., 0]
    array([[0., 1., 2.],
           [2., 1., 0.]])
    """

    axes: int | Sequence[int] | Literal["all"] = integers("(-inf, inf)", default=-1, words=("all",))

    def placed(self, n: int, grid: tuple[int, ...], draws: Draws) -> tuple[Array | None, Array | None]:
        d = len(grid)
        axes: Any = range(d) if self.axes == "all" else self.axes if in_order(self.axes) else [self.axes]
        matrix = np.broadcast_to(np.eye(d), (n, d, d)).copy()
        for axis in axes:
            k = _axis(self, axis, d)
            matrix[:, k, k] = 1.0 - 2.0 * draws.integers(2, (n,))
        return matrix, None


@dataclass(frozen=True)
class Rotate(Augmentation):
    """Turned in a plane about the middle, each way alike.

    Parameters
    ----------
    degrees : float in [0, 180], default=15.0
        The largest angle.
    axes : sequence of two int, default=(-2, -1)
        The axes of the grid that span the plane; the last ones are counted from -1.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.augment import Rotate, augmented
    >>> from sknn.nn import Draws
    >>> x = np.zeros((1, 3, 3, 1))
    >>> x[0, 1] = 1.0
    >>> augmented(x, Rotate(45), Draws(5)).x[0, ..., 0].round(2)
    array([[0.55, 0.1 , 0.  ],
           [0.56, 1.  , 0.56],
           [0.  , 0.1 , 0.55]])
    """

    degrees: float = number("[0, 180]", default=15.0)
    axes: Sequence[int] = integers("(-inf, inf)", default=(-2, -1), alone=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.axes) != 2:
            raise ValueError(f"axes={self.axes!r} of Rotate must be the two axes of a plane")

    def placed(self, n: int, grid: tuple[int, ...], draws: Draws) -> tuple[Array | None, Array | None]:
        d = len(grid)
        one, other = (_axis(self, axis, d) for axis in self.axes)
        if one == other:
            raise ValueError(f"axes={self.axes!r} of Rotate are one axis of {d}, and no plane")
        angle = radians(self.degrees) * (2.0 * draws.uniform((n,)) - 1.0).astype(np.float64)
        matrix = np.broadcast_to(np.eye(d), (n, d, d)).copy()
        matrix[:, one, one] = matrix[:, other, other] = np.cos(angle)
        matrix[:, one, other], matrix[:, other, one] = np.sin(angle), -np.sin(angle)
        return matrix, None


@dataclass(frozen=True)
class Zoom(Augmentation):
    """Made larger or smaller about the middle, along all axes alike; the logarithm of the factor is uniform.

    Parameters
    ----------
    by : float > 0, default=0.1
        The largest factor is 1 + by, the smallest its inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.augment import Zoom, augmented
    >>> from sknn.nn import Draws
    >>> x = np.arange(5.0).reshape(1, 5, 1).repeat(2, axis=0)
    >>> augmented(x, Zoom(1.0), Draws(5)).x[..., 0].round(2)
    array([[0.  , 0.5 , 2.  , 3.5 , 4.  ],
           [0.55, 1.28, 2.  , 2.72, 3.45]])
    """

    by: float = number("[0, inf)", default=0.1)

    def placed(self, n: int, grid: tuple[int, ...], draws: Draws) -> tuple[Array | None, Array | None]:
        factor = np.exp(log(1.0 + self.by) * (2.0 * draws.uniform((n,)) - 1.0).astype(np.float64))
        return np.eye(len(grid)) / factor[:, None, None], None


def _axis(description: Augmentation, axis: int, n_axes: int) -> int:
    """The number of an axis, counted from the first."""
    if not -n_axes <= axis < n_axes:
        raise ValueError(f"{description!r} needs an axis {axis}, but the samples have a grid of {n_axes}")
    return axis % n_axes
