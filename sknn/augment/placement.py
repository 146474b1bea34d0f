"""Where the positions of a batch of grids are looked up, and what is found there."""

from __future__ import annotations

from functools import cached_property
from itertools import product
from math import prod

import numpy as np

from ..autodiff.tape import Array


class Placement:
    """An affine map for each sample: position p of the result shows position M p + b of what is given.

    All that is done to a sample is one map, so that it is interpolated once. Outside of the grid its border goes on.

    Parameters
    ----------
    n : int
        Number of samples.
    grid : tuple of int
        Positions along each axis. They are counted in pixels, from the middle.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.augment import Placement
    >>> placement = Placement(1, (3,)).then(None, np.array([[0.75]]))
    >>> placement.interpolated(np.array([[[1.0], [2.0], [4.0]]])).ravel()
    array([1.75, 3.5 , 4.  ])
    >>> placement.inside
    array([[ True,  True, False]])
    """

    def __init__(self, n: int, grid: tuple[int, ...]) -> None:
        self.n, self.grid = n, tuple(grid)
        self.matrix: Array | None = None  # 1
        self.offset: Array | None = None  # 0

    def then(self, matrix: Array | None, offset: Array | None) -> Placement:
        """With another map behind this one, of matrices (n, n_axes, n_axes) and offsets (n, n_axes); None: 1 and 0."""
        both = Placement(self.n, self.grid)
        both.matrix, both.offset = self.matrix, self.offset
        if offset is not None:
            moved = offset if self.matrix is None else np.einsum("nij,nj->ni", self.matrix, offset)
            both.offset = moved if self.offset is None else self.offset + moved
        if matrix is not None:
            both.matrix = matrix if self.matrix is None else self.matrix @ matrix
        return both

    @property
    def moves(self) -> bool:
        """Whether it is more than the identity."""
        return self.matrix is not None or self.offset is not None

    def interpolated(self, x: Array) -> Array:
        """The values of x (n, *grid, channels) there, between positions linearly; an integer number of steps is exact.

        The precision is that of x.
        """
        below, share = zip(*map(self._neighbours, range(len(self.grid))), strict=True)
        found: Array | None = None
        for corner in product(*[(0,) if part is None else (0, 1) for part in share]):
            value = self._taken(x, [first + side for first, side in zip(below, corner, strict=True)])
            for side, part in zip(corner, share, strict=True):
                if part is not None:
                    weight = (part if side else 1.0 - part).astype(x.dtype)[..., None]
                    value = value * weight
            found = value if found is None else np.add(found, value, out=found)
        assert found is not None
        return found

    def nearest(self, labels: Array) -> Array:
        """The labels (n, *grid, ...) of the positions that lie nearest."""
        last = [size - 1 for size in self.grid]
        return self._taken(labels, [np.clip(at, 0, end) for at, end in zip(self._nearest, last, strict=True)])

    @property
    def inside(self) -> Array:
        """Which positions (n, *grid) show something of what is given, and not its border going on."""
        within = np.ones((self.n, *self.grid), bool)
        for at, size in zip(self._nearest, self.grid, strict=True):
            within &= (at >= 0) & (at < size)
        return within

    @cached_property
    def _nearest(self) -> list[Array]:
        return [np.rint(at).astype(np.intp) for at in self._positions]

    @cached_property
    def _positions(self) -> list[Array]:
        """The coordinates along each axis that are looked up, of a shape that goes with (n, *grid)."""
        d = len(self.grid)
        axes = [np.arange(size) - (size - 1) / 2 for size in self.grid]
        steps = [axis.reshape(-1, *[1] * (d - 1 - k)) for k, axis in enumerate(axes)]
        each = (self.n, *[1] * d)
        positions = []
        for k, size in enumerate(self.grid):
            at = np.full(each, (size - 1) / 2)
            if self.offset is not None:
                at = at + self.offset[:, k].reshape(each)
            for j, step in enumerate(steps):
                if self.matrix is None:
                    at = at + step if j == k else at
                elif (factor := self.matrix[:, k, j]).any():
                    at = at + factor.reshape(each) * step
            positions.append(at)
        return positions

    def _neighbours(self, axis: int) -> tuple[Array, Array | None]:
        """The positions below along an axis, and how far it is from there; None where that is nothing."""
        last = self.grid[axis] - 1
        at = np.clip(self._positions[axis], 0, last)
        below = np.floor(at)
        share = at - below
        if not share.any():
            return below.astype(np.intp), None
        below = np.minimum(below, last - 1)  # the last position has a neighbour too, on the other side
        return below.astype(np.intp), at - below

    def _taken(self, values: Array, where: list[Array]) -> Array:
        """The values at whole coordinates along each axis."""
        row = np.arange(self.n).reshape(-1, *[1] * len(self.grid))
        for at, size in zip(where, self.grid, strict=True):
            row = row * size + at
        row = np.broadcast_to(row, (self.n, *self.grid))
        rest = values.shape[1 + len(self.grid) :]
        return values.reshape(self.n * prod(self.grid), *rest).take(row, 0)
