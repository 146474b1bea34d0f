"""Large images in pieces: tiles that see enough around themselves that nobody finds their edges again."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ...autodiff.tape import Array
from ...nn import Grids, Sequences
from .crops import sizes_of


class Tile(NamedTuple):
    """A piece of an image: what a network is shown, and what of it is kept.

    Attributes
    ----------
    image : int
        Its number.
    shown, kept : tuple of slice
        Positions of the image along each axis; what is kept lies within what is shown.
    """

    image: int
    shown: tuple[slice, ...]
    kept: tuple[slice, ...]


def tiles_of(sizes: Array, side: int, margin: int, step: int) -> list[Tile]:
    """Tiles that cover images of these sizes (n_images, n_axes), those kept without overlap.

    Parameters
    ----------
    sizes : ndarray of int
        Of the images.
    side : int
        Of what is kept of a tile, at most.
    margin : int
        How far beyond it a tile shows the image, where there is more.
    step : int
        Tiles begin at multiples of this, as pooling windows of the whole image do.

    Examples
    --------
    >>> for _, shown, kept in tiles_of(np.array([[10]]), side=4, margin=1, step=2):
    ...     print(shown, kept)
    (slice(0, 6, None),) (slice(0, 4, None),)
    (slice(2, 10, None),) (slice(4, 8, None),)
    (slice(6, 10, None),) (slice(8, 10, None),)
    """
    side, margin = _rounded_up(side, step), _rounded_up(margin, step)
    found = []
    for image, size in enumerate(sizes.tolist()):
        for starts in product(*(range(0, n, side) for n in size)):
            kept = [slice(a, min(a + side, n)) for a, n in zip(starts, size, strict=True)]
            shown = [slice(max(k.start - margin, 0), min(k.stop + margin, n)) for k, n in zip(kept, size, strict=True)]
            found.append(Tile(image, tuple(shown), tuple(kept)))
    return found


def _rounded_up(n: int, step: int) -> int:
    return -(-n // step) * step


def in_rows(pieces: Any) -> Any:
    """Images (*grid, channels) as rows of pixels, which may be of different sizes."""
    return Grids.of(pieces) if pieces[0].ndim > 2 else Sequences.of(pieces)


def joined(tiles: list[Tile], outputs: Any, x: Any) -> Any:
    """What a network makes of tiles, put together: in rows of pixels, those of the images x."""
    sizes = sizes_of(x)
    whole = [np.empty((*size, outputs.values.shape[-1]), outputs.dtype) for size in sizes.tolist()]
    for tile, output in zip(tiles, outputs, strict=True):
        inner = (slice(k.start - s.start, k.stop - s.start) for k, s in zip(tile.kept, tile.shown, strict=True))
        whole[tile.image][tile.kept] = output[tuple(inner)]
    return in_rows(whole)
