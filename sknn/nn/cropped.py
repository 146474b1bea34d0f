"""Layers whose output is cut to the grid of their input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Value
from .containers import LENGTHS, Sequential, follow, run
from .layer import Context, Shape, Store
from .sequences import Sequences


@dataclass(frozen=True, repr=False)
class Cropped(Sequential):
    """Layers applied in order, as one; of what they make the positions behind the grid of the input are cut off.

    So a way down to a coarser grid and up again ends where it began, on a grid of any size: pooling makes 4 of 7
    positions, a transposed convolution 8 of these, of which the first 7 stay.

    Parameters
    ----------
    layers : sequence of Layer
        Their parameters are named by their positions: "0.weight" within. They may not make a grid smaller.

    Raises
    ------
    ValueError
        When it is built for samples that are no grids, or of whose grid the layers make a smaller one.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import ConvTranspose, Cropped, Network, Pool
    >>> there_and_back = Cropped([Pool(), ConvTranspose(1, kernel_size=2, stride=2, init="ones")])
    >>> Network([there_and_back], (3, 1), None)(np.array([[[1.0], [3.0], [5.0]]])).ravel()
    array([3., 3., 5.])
    """

    def build(self, shape: Shape, store: Store) -> Shape:
        made = super().build(shape, store)
        grid = shape[:-1]
        if (
            len(made) != len(shape)
            or not grid
            or any(n is not None and m < n for n, m in zip(grid, made, strict=False))
        ):
            raise ValueError(f"layers of Cropped make {made} of {shape}: they must make a grid that is no smaller")
        if None in grid and len(grid) == 1:
            self._check_lengths()
        return (*grid, made[-1])

    def _check_lengths(self) -> None:
        """Raise ValueError if series, whose lengths a shape leaves open, are made shorter."""
        series = Sequences(np.empty((LENGTHS.sum(), 0)), LENGTHS)
        made = follow(self.layers, series)
        if made is None or (made.lengths < LENGTHS).any():
            what = "one row" if made is None else f"{made.lengths[0]} steps"
            raise ValueError(f"layers of Cropped make {what} of {LENGTHS[0]} steps: they must make no fewer")

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        y, after = run(self.layers, params, x, context)
        if context.sequences is not None:
            return _first_steps(y, after.sequences, context.sequences)
        grid = x.shape[1:-1]
        return y if y.shape[1:-1] == grid else y[(slice(None), *map(slice, grid))]

    def follow(self, sequences: Sequences) -> Sequences:
        return sequences


def _first_steps(y: Value, made: Any, wanted: Sequences) -> Value:
    """Of the rows of each sample as many as are wanted."""
    kept = made.step < made.at_positions(wanted.lengths)
    return y if kept.all() else F.take(y, np.flatnonzero(kept))
