"""A network as a row of blocks, one for each layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, log, sqrt
from typing import Any

from ..nn import Conv, Dense, GlobalPool, Layer, Network, Pool, Unflatten
from ..nn.layer import Shape
from .common import DARK, LETTER_WIDTH, LINE_HEIGHT, PALE, write

COLORS = {type(None): "0.85", Conv: "#8fb8de", Pool: "#f0b67f", GlobalPool: "#f0b67f", Dense: "#9ccc9c"}
OTHER = "#c9bbdc"
IN_A_ROW = 10
TALLEST, DEEPEST, WIDEST = 3.6, 1.4, 1.4  # of blocks, in units
REACH = (TALLEST + DEEPEST / 2) / 2  # upwards and downwards from their centres


@dataclass(frozen=True)
class Block:
    """A layer as it is drawn, with those that accompany it."""

    layer: Layer | None  # None: the inputs
    shape: Shape
    position: int = -1  # in the network
    n_parameters: int = 0
    remarks: tuple[str, ...] = ()


def blocks_of(network: Network, out_activation: str = "identity") -> list[Block]:
    """The inputs and each layer that makes something new of them; the others are remarks on the one before."""
    blocks = [Block(None, network.input_shape)]
    for position, (layer, shape) in enumerate(zip(network.layers, network.shapes, strict=True)):
        mine = [place for name, place in network.names.items() if name.split(".")[0] == str(position)]
        count = sum(place.stop - place.start for place in mine)
        last = blocks[-1]
        if isinstance(layer, Unflatten):
            blocks[-1] = replace(last, shape=shape)
        elif layer.accompanies:
            remarks = (*last.remarks, *layer.caption(last.shape).split("\n"))
            blocks[-1] = replace(last, n_parameters=last.n_parameters + count, remarks=remarks)
        else:
            blocks.append(Block(layer, shape, position, count, _own_remarks(layer, last.shape)))
    if out_activation != "identity":
        blocks[-1] = replace(blocks[-1], remarks=(*blocks[-1].remarks, out_activation))
    return blocks


def _own_remarks(layer: Layer, before: Shape) -> tuple[str, ...]:
    """The layer's activation function, and what the layers within it are."""
    remarks = [] if getattr(layer, "activation", "identity") == "identity" else [layer.activation]  # type: ignore[attr-defined]
    for inner in layer.inner:
        remarks.append(inner.caption(before).replace("\n", " "))
        remarks += () if inner.accompanies else _own_remarks(inner, before)
    return tuple(remarks)


def _caption(layer: Layer | None, before: Shape) -> str:
    return "input" if layer is None else layer.caption(before)


def times(sizes: Shape) -> str:
    return "×".join("any" if size is None else str(size) for size in sizes)


@dataclass(frozen=True)
class BlockDrawing:
    """Blocks in rows from left to right: cuboids for grids with channels, bars for rows of features."""

    blocks: Sequence[Block]

    @property
    def heads(self) -> list[list[str]]:
        """What is said above each block, line by line."""
        shapes = [(), *(block.shape for block in self.blocks)]
        pairs = zip(self.blocks, shapes, strict=False)
        return [[*_caption(block.layer, before).split("\n"), *block.remarks] for block, before in pairs]

    @property
    def pitch(self) -> float:
        """From one block to the next."""
        lines = [line for head in self.heads for line in head] + [times(block.shape) for block in self.blocks]
        return max(3.2, LETTER_WIDTH * max(map(len, lines)) + 0.4)

    @property
    def row(self) -> float:
        """From one row to the next."""
        return 2 * REACH + LINE_HEIGHT * (max(map(len, self.heads)) + 2) + 1.4

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of the drawing; a row of blocks is centred on 0, -row, ..."""
        n_columns, n_rows = min(len(self.blocks), IN_A_ROW), ceil(len(self.blocks) / IN_A_ROW)
        top = REACH + LINE_HEIGHT * max(map(len, self.heads)) + 0.3
        left = -self.pitch / 2 - LETTER_WIDTH * len("parameters")
        return left, (n_columns - 0.5) * self.pitch, top - n_rows * self.row + 0.6, top

    def centre(self, k: int) -> tuple[float, float]:
        """Of a block."""
        row, column = divmod(k, IN_A_ROW)
        return column * self.pitch, -row * self.row

    def draw(self, ax: Any) -> list[Any]:
        """The blocks as collections of faces, with texts and arrows."""
        drawn = [self._draw_block(ax, k) for k in range(len(self.blocks))]
        for k in range(1, len(self.blocks)):
            self._draw_arrow(ax, k)
        self._draw_texts(ax)
        return drawn

    def size(self, block: Block) -> tuple[float, float, float]:
        """Width, height and depth of a block: areas grow with the grid, widths with the logarithm of the channels."""
        *grid, channels = block.shape
        with_grid = len(grid) > 0
        most = max(each.shape[-1] for each in self.blocks if (len(each.shape) > 1) == with_grid)
        share = log(1 + channels) / log(1 + most)
        if not with_grid:
            return 0.25, 0.6 + (TALLEST - 1.2) * share, 0.0
        longest = max((size for each in self.blocks for size in each.shape[:-1] if size is not None), default=1)
        grid = [longest if size is None else size for size in grid]
        depth = DEEPEST * sqrt(grid[-1] / longest) if len(grid) > 1 else 0.0
        return 0.2 + (WIDEST - 0.2) * share, TALLEST * sqrt(grid[-2 if len(grid) > 1 else -1] / longest), depth

    def _draw_block(self, ax: Any, k: int) -> Any:
        from matplotlib.collections import PolyCollection
        from matplotlib.colors import to_rgb

        (x, y), (width, height, depth) = self.centre(k), self.size(self.blocks[k])
        x, y, over = x - (width + depth / 2) / 2, y - (height + depth / 2) / 2, depth / 2
        front = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        top = [front[3], front[2], (x + width + over, y + height + over), (x + over, y + height + over)]
        side = [front[1], (x + width + over, y + over), top[2], front[2]]
        color = to_rgb(COLORS.get(type(self.blocks[k].layer), OTHER))
        light, dark = ([share * part + end for part in color] for share, end in ((0.6, 0.4), (0.85, 0.0)))
        faces = [(front, color), (top, light), (side, dark)] if depth else [(front, color)]
        polygons, colors = zip(*faces, strict=True)
        block = PolyCollection(polygons, facecolors=colors, edgecolors="0.35", linewidths=0.6, zorder=2)
        return ax.add_collection(block)

    def _draw_arrow(self, ax: Any, k: int) -> None:
        """Into a block; into the first one of a row from the margin."""
        (x, y), (width, _, depth) = self.centre(k), self.size(self.blocks[k])
        before, _, depth_before = self.size(self.blocks[k - 1])
        start = x - self.pitch + (before + depth_before / 2) / 2 if k % IN_A_ROW else x - self.pitch / 2
        ends = (start + 0.15, y), (x - (width + depth / 2) / 2 - 0.1, y)
        arrow = {"arrowstyle": "-|>,head_width=0.15,head_length=0.3", "color": PALE, "linewidth": 0.8}
        ax.annotate("", ends[1], ends[0], arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0})

    def _draw_texts(self, ax: Any) -> None:
        below = -REACH - 0.2 - LINE_HEIGHT
        for k, (block, head) in enumerate(zip(self.blocks, self.heads, strict=True)):
            x, y = self.centre(k)
            write(ax, x, y + REACH + 0.35 + LINE_HEIGHT * (len(head) - 1), head, [DARK, *[PALE] * (len(head) - 1)])
            count = f"{block.n_parameters:,}" if block.n_parameters else ""
            write(ax, x, y + below, [times(block.shape), count], [DARK, PALE])
        for k in range(0, len(self.blocks), IN_A_ROW):
            x, y = self.centre(k)
            x -= (self.pitch + LETTER_WIDTH * len("parameters")) / 2
            write(ax, x, y + below, ["shape", "parameters"], [PALE, PALE])
