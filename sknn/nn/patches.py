"""Patches of images and series, each of which becomes a token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

from ..autodiff.tape import Value
from ..description import choice, integer, integers
from ..ops.windows import Windows
from .conv import Conv
from .init import INITIALISERS
from .layer import Context, Layer, Shape, Store
from .ragged import Ragged


@dataclass(frozen=True, repr=False)
class Patches(Layer):
    """Cuts inputs (n, *grid, channels) into patches side by side, each of which becomes a token of so many channels.

    To the bit the :class:`Conv` whose kernel and stride are the size of a patch. The tokens of an image are an image
    (n, H / size, W / size, width) still: :class:`Positions` and convolutions see where they lie, and attention takes
    the positions of a grid as it takes the steps of a series.

    Parameters
    ----------
    size : int or sequence of int
        Of a patch, along all axes of the grid or along each.
    width : int
        The channels of a token.
    padding : {"same", "valid"}, default="same"
        What becomes of a grid that patches do not fill: zeros are added around it, the odd one behind, or what is left
        over is dropped.
    init : str, default="glorot_uniform"
        A name in :data:`sknn.nn.init.INITIALISERS`.

    Raises
    ------
    ValueError
        If a parameter is out of range, samples are no grids, or with "valid" smaller than a patch.

    References
    ----------
    Dosovitskiy et al. (2021). An image is worth 16x16 words. ICLR. arXiv:2010.11929.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Network, Patches
    >>> Network([Patches(4, 64)], (28, 28, 1), np.random.RandomState(0)).output_shape
    (7, 7, 64)
    """

    size: int | Sequence[int] = integers("[1, inf)")
    width: int = integer("[1, inf)")
    _: KW_ONLY
    padding: Literal["same", "valid"] = choice(("same", "valid"), default="same")
    init: str = choice(INITIALISERS, default="glorot_uniform")

    @property
    def needs_grid(self) -> bool:
        return True

    @property
    def _conv(self) -> Conv:
        return Conv(self.width, self.size, self.size, self.padding, init=self.init)

    def windows(self, grid: Shape) -> Windows:
        """Where the patches lie on a grid."""
        return self._conv.windows(grid)

    def follow(self, sequences: Any) -> Ragged:
        return self._conv.follow(sequences)

    def build(self, shape: Shape, store: Store) -> Shape:
        return self._conv.build(shape, store)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        return self._conv.apply(params, x, context)

    def caption(self, shape: Shape) -> str:
        return f"patches\n{'×'.join(map(str, self.windows(shape[:-1]).kernel))}"
