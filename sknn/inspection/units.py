"""A network of dense layers as units and connections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np

from ..autodiff.tape import Array
from ..nn import Dense, Network
from .blocks import Block
from .common import DARK, LETTER_WIDTH, LINE_HEIGHT, PALE, letter_size, write

RADIUS = 0.32  # of a unit; units are one apart
LONGEST = 24  # letters of a name beside a unit


def is_dense(blocks: Sequence[Block]) -> bool:
    """Whether all layers are dense and take rows of features."""
    return all(type(block.layer) in (Dense, type(None)) and len(block.shape) == 1 for block in blocks)


@dataclass(frozen=True)
class UnitDrawing:
    """A column of units for the inputs and for each dense layer; of wide ones the first and the last units."""

    network: Network
    blocks: Sequence[Block]
    input_names: Sequence[str]
    output_names: Sequence[str]
    max_units: int

    @property
    def columns(self) -> list[list[int | None]]:
        """The units of each column from top to bottom; None: the dots that stand for the others."""
        return [_shown(block.shape[0], self.max_units) for block in self.blocks]

    @property
    def captions(self) -> list[list[str]]:
        """What is said below each column, line by line."""
        n_hidden = len(self.blocks) - 2
        hidden = [f"hidden {k + 1}" if n_hidden > 1 else "hidden" for k in range(n_hidden)]
        first, *others = self.blocks
        captions = [["input", _count(first.shape[0], "feature"), *first.remarks]]
        for name, block in zip([*hidden, "output"], others, strict=True):
            captions.append([name, _count(block.shape[0], "unit"), *block.remarks])
        return captions

    @property
    def pitch(self) -> float:
        """From one column to the next."""
        lines = [line for caption in self.captions for line in caption]
        return max(4.0, 0.45 * max(map(len, self.columns)), LETTER_WIDTH * max(map(len, lines)) + 0.8)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of the drawing, with room for all letters."""
        captions = self.captions
        halves = [LETTER_WIDTH * max(map(len, caption)) / 2 for caption in (captions[0], captions[-1])]
        left = max(halves[0], 0.7 + LETTER_WIDTH * _longest(self.input_names))
        right = max(halves[1], 0.7 + LETTER_WIDTH * _longest(self.output_names))
        tallest = max(map(len, self.columns))
        below = LINE_HEIGHT * max(map(len, captions)) + 0.6
        return -left, (len(captions) - 1) * self.pitch + right, -tallest / 2 - below, tallest / 2

    def centres(self, column: int) -> Array:
        """Of the units that are drawn, and of the dots, in a column (n, 2)."""
        n = len(self.columns[column])
        return np.stack([np.full(n, column * self.pitch), (n - 1) / 2 - np.arange(n)], axis=1)

    def draw(self, ax: Any, cmap: str) -> tuple[list[Any], list[Any]]:
        """Units and connections, column by column, with their names and captions."""
        weights = [self.network.parameters[str(block.position)]["weight"] for block in self.blocks[1:]]
        shown = [_part(W, *pair) for W, pair in zip(weights, pairwise(self.columns), strict=True)]
        limit = max(float(np.abs(W).max()) for W in shown) or 1.0
        connections = [self._draw_connections(ax, k, W, limit, cmap) for k, W in enumerate(shown)]
        units = [self._draw_units(ax, k) for k in range(len(self.columns))]
        self._draw_texts(ax)
        return units, connections

    def _draw_connections(self, ax: Any, column: int, weight: Array, limit: float, cmap: str) -> Any:
        """Lines from the units of a column to those of the next, the strongest on top."""
        from matplotlib.collections import LineCollection

        starts, ends = self._units(column), self._units(column + 1)
        order = np.argsort(np.abs(weight), axis=None)
        i, j = np.unravel_index(order, weight.shape)
        strength = weight[i, j]
        widths = 0.3 + 1.7 * np.abs(strength) / limit
        lines = LineCollection(list(np.stack([starts[i], ends[j]], axis=1)), cmap=cmap, linewidths=widths, zorder=1)
        lines.set(array=strength, clim=(-limit, limit))
        return ax.add_collection(lines)

    def _units(self, column: int) -> Array:
        drawn = [unit is not None for unit in self.columns[column]]
        return self.centres(column)[drawn]

    def _draw_units(self, ax: Any, column: int) -> Any:
        from matplotlib.collections import PatchCollection
        from matplotlib.patches import Circle

        for unit, centre in zip(self.columns[column], self.centres(column), strict=True):
            if unit is None:
                dots = [Circle((centre[0], centre[1] + shift), 0.06) for shift in (-0.25, 0.0, 0.25)]
                ax.add_collection(PatchCollection(dots, color=PALE, zorder=2))
        circles = [Circle(tuple(centre), RADIUS) for centre in self._units(column)]
        units = PatchCollection(circles, facecolor="white", edgecolor="0.35", linewidth=0.8, zorder=3)
        return ax.add_collection(units)

    def _draw_texts(self, ax: Any) -> None:
        size = letter_size(ax)
        for column, names, side, shift in (
            (0, self.input_names, "right", -0.55),
            (-1, self.output_names, "left", 0.55),
        ):
            units, centres = self.columns[column], self.centres(column % len(self.columns))
            for unit, (x, y) in zip(units, centres, strict=True):
                if names and unit is not None:
                    ax.text(x + shift, y, _short(names[unit]), ha=side, va="center", fontsize=size, color=DARK)
        for column, caption in enumerate(self.captions):
            y = -self.box[3] - 0.3 - LINE_HEIGHT
            write(ax, column * self.pitch, y, caption, [DARK, *[PALE] * (len(caption) - 1)])


def _shown(n: int, most: int) -> list[int | None]:
    if n <= most:
        return list(range(n))
    first, last = ceil((most - 1) / 2), (most - 1) // 2
    return [*range(first), None, *range(n - last, n)]


def _part(weight: Array, rows: list[int | None], columns: list[int | None]) -> Array:
    """The weights between the units that are drawn."""
    return weight[np.ix_([k for k in rows if k is not None], [k for k in columns if k is not None])]


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def _longest(names: Sequence[str]) -> int:
    return max((len(_short(name)) for name in names), default=0)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
