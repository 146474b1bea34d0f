"""A grid made so many times as large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Value
from ..description import choice, integers
from ..ops.upsample import between, upsample
from ..ops.windows import per_axis
from .conv import _check_grid
from .layer import Context, Layer, Shape, Store
from .sequences import Sequences


@dataclass(frozen=True, repr=False)
class Upsample(Layer):
    """Inputs (n, *grid, channels) on a grid so many times as large, without anything to learn.

    Position i of an axis shows what lies at (i + 1/2) / factor - 1/2 on the old one: the nearest value, or linearly
    between two. Beyond the edges the values there go on.

    Parameters
    ----------
    factor : int or sequence of int, default=2
        For all axes of the grid or for each.
    kind : {"nearest", "linear"}, default="nearest"
        Which value.

    Raises
    ------
    ValueError
        If a parameter is out of range, or samples are no grids.

    References
    ----------
    Odena, Dumoulin, Olah (2016). Deconvolution and checkerboard artifacts. Distill. (Which a convolution behind it does
    not make.)

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Network, Upsample
    >>> x = np.array([[[0.0], [4.0]]])
    >>> Network([Upsample()], (2, 1), None)(x).ravel(), Network([Upsample(kind="linear")], (2, 1), None)(x).ravel()
    (array([0., 0., 4., 4.]), array([0., 1., 3., 4.]))
    """

    factor: int | Sequence[int] = integers("[1, inf)", default=2)
    kind: Literal["nearest", "linear"] = choice(("nearest", "linear"), default="nearest")

    @property
    def needs_grid(self) -> bool:
        return True

    def _factors(self, n_axes: int) -> tuple[int, ...]:
        return per_axis("factor", self.factor, n_axes, least=1)

    def follow(self, sequences: Any) -> Any:
        return sequences.of_shapes(sequences.shapes * self._factors(sequences.shapes.shape[1]))

    def build(self, shape: Shape, store: Store) -> Shape:
        _check_grid(self, shape)
        *grid, channels = shape
        sizes = zip(grid, self._factors(len(grid)), strict=True)
        return (*(None if size is None else size * factor for size, factor in sizes), channels)  # type: ignore[return-value]

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        if context.sequences is not None:
            return self._of_rows(x, context.sequences)
        return upsample(x, factors=self._factors(len(x.shape) - 2), linear=self.kind == "linear")

    def _of_rows(self, x: Value, series: Sequences) -> Value:
        ways = [between(n, self._factors(1)[0], self.kind == "linear", x.dtype) for n in series.lengths.tolist()]
        starts = self.follow(series).at_positions(series.starts)
        nearest, second, share = (np.concatenate(each) for each in zip(*ways, strict=True))
        share = share.reshape(-1, *[1] * (len(x.shape) - 1))
        return (1.0 - share) * F.take(x, starts + nearest) + share * F.take(x, starts + second)

    def caption(self, shape: Shape) -> str:
        return f"{self.kind}\n×{'×'.join(map(str, self._factors(len(shape) - 1)))}"
