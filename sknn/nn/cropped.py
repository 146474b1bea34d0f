"""Layers whose output is cut to the grid of their input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value
from .containers import Sequential, follow, of_many_sizes, run
from .layer import Context, Shape, Store


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
        made, grid = super().build(shape, store), shape[:-1]
        if not grid or len(made) != len(shape) or not all(map(_no_smaller, made, grid)):
            raise ValueError(f"layers of Cropped make {made} of {shape}: they must make a grid that is no smaller")
        if None in grid:
            self._check_sizes(grid)
        return (*grid, made[-1])

    def _check_sizes(self, grid: Shape) -> None:
        """Raise ValueError if samples are made smaller whose sizes a shape leaves open."""
        given = of_many_sizes(grid)
        smaller = np.flatnonzero((follow(self.layers, given).shapes < given.shapes).any(axis=1))
        if len(smaller):
            made, size = (_x(each.shapes[smaller[0]]) for each in (follow(self.layers, given), given))
            raise ValueError(f"layers of Cropped make {made} positions of {size}: they must make no fewer")

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        y, after = run(self.layers, params, x, context)
        if context.sequences is not None:
            return _first_ones(y, after.sequences.shapes, context.sequences.shapes)
        grid = x.shape[1:-1]
        return y if y.shape[1:-1] == grid else y[(slice(None), *map(slice, grid))]

    def follow(self, sequences: Any) -> Any:
        return sequences


def _no_smaller(made: int | None, size: int | None) -> bool:
    return made is None or size is None or made >= size


def _first_ones(y: Value, made: Array, wanted: Array) -> Value:
    """Of the rows of each sample, which is of one size, those that lie within another."""
    if np.array_equal(made, wanted):
        return y
    kept = []
    for sizes, fewer in zip(made, wanted, strict=True):
        inside = np.zeros(sizes, bool)
        inside[tuple(map(slice, fewer))] = True
        kept.append(inside.ravel())
    return F.take(y, np.flatnonzero(np.concatenate(kept)))


def _x(sizes: Array) -> str:
    return "x".join(map(str, sizes))
