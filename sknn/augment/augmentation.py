"""What every augmentation is: a description of how samples are changed at random in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..autodiff.tape import Array
from ..description import Description

if TYPE_CHECKING:
    from ..nn.draws import Draws


@dataclass(frozen=True)
class Augmentation(Description):
    """The base of all augmentations; by default nothing is changed.

    Examples
    --------
    A whole augmentation, one that makes samples brighter or darker:

    >>> import numpy as np
    >>> from sknn.augment import Augmentation, augmented
    >>> from sknn.nn import Draws
    >>> class Brightness(Augmentation):
    ...     def changed(self, x, draws):
    ...         return x + draws.normal((len(x), *[1] * (x.ndim - 1)))
    >>> x = augmented(np.zeros((2, 3, 1), "float32"), Brightness(), Draws(0)).x
    >>> x.shape, bool((x == x[:, :1]).all()), bool(x[0, 0] == x[1, 0])
    ((2, 3, 1), True, False)
    """

    def placed(self, n: int, grid: tuple[int, ...], draws: Draws) -> tuple[Array | None, Array | None]:
        """Where each of n samples on a grid is looked up: position p of the result shows position M p + b.

        Positions are in pixels, from the middle of the grid.

        Parameters
        ----------
        n : int
            Number of samples.
        grid : tuple of int
            Positions along each axis.
        draws : Draws
            Random numbers.

        Returns
        -------
        matrix : ndarray of shape (n, n_axes, n_axes) or None
            The matrices M; None: 1.
        offset : ndarray of shape (n, n_axes) or None
            The vectors b; None: 0.
        """
        return None, None

    def changed(self, x: Array, draws: Draws) -> Array:
        """What becomes of the values of samples x (n, *grid, channels), which stays as it is."""
        return x
