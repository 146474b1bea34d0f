"""A network told layer by layer: what it is, the shapes, the parameters, and what an output can see of the input."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import NamedTuple

from .conv import Conv, Pool
from .inputs import Standardise, Unflatten
from .layer import Layer, Shape
from .network import Network


class Row(NamedTuple):
    """What :func:`describe` says of one layer."""

    layer: str
    output_shape: Shape
    n_parameters: int
    receptive_field: Shape


def describe(network: Network) -> list[Row]:
    """A row for each layer of the network.

    The receptive field is counted in positions of the grid along each axis: a window of span k over outputs that lie
    `jump` positions apart adds (k - 1) jump, up to the size of the grid, and its stride multiplies the jump. A layer
    that looks at all of its input sees all of the grid.
    """
    grid, *after = _grid(network)
    field, jump = (1,) * len(grid), (1,) * len(grid)
    rows = []
    for position, (layer, shape) in enumerate(zip(network.layers, network.shapes, strict=True)):
        before = after[position]
        if isinstance(layer, Conv | Pool):
            windows = layer.windows(before)
            reach = tuple(f + (span - 1) * j for f, span, j in zip(field, windows.span, jump, strict=True))
            field = tuple(map(min, reach, grid))
            jump = tuple(j * s for j, s in zip(jump, windows.stride, strict=True))
        elif not isinstance(layer, Unflatten | Standardise) and len(shape) < len(grid) + 1:
            field = grid
        rows.append(Row(_label(layer), shape, _count(network, position), field))
    return rows


def _grid(network: Network) -> list[Shape]:
    """The grid of the input, and that before each layer."""
    shapes = [network.input_shape, *network.shapes]
    first = next((k + 1 for k, layer in enumerate(network.layers) if isinstance(layer, Unflatten)), 0)
    return [shapes[first][:-1], *(shape[:-1] for shape in shapes[:-1])]


def _count(network: Network, position: int) -> int:
    mine = f"{position}."
    return sum(place.stop - place.start for name, place in network.names.items() if name.startswith(mine))


NAMELESS = ("kind", "size")  # said whether chosen or not, and without their names
UNSAID = ("init", "bias_init", "gain")


def _label(layer: Layer) -> str:
    """The layer with what was chosen for it, without what says how it is initialised."""
    words = []
    for field in fields(layer):  # type: ignore[arg-type]
        value = getattr(layer, field.name)
        if field.default is MISSING or field.name in NAMELESS:
            words.append(str(value))
        elif field.name not in UNSAID and value != field.default:
            words.append(f"{field.name}={value!r}")
    return f"{type(layer).__name__}({', '.join(words)})"
