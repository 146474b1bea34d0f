"""A network told layer by layer: what it is, the shapes, the parameters, and what an output can see of the input."""

from __future__ import annotations

from dataclasses import MISSING, fields
from math import prod
from typing import Any, NamedTuple

from .layer import Layer, Shape
from .network import Network


class Row(NamedTuple):
    """What :func:`describe` says of one layer."""

    layer: str
    output_shape: Shape
    n_weights: int
    n_parameters: int
    receptive_field: Shape


def describe(network: Any) -> list[Row]:
    """A row for each layer of a network, or of the networks among parts.

    The receptive field is counted in positions of the input's grid along each axis, none for rows of features unless
    they become a grid first: a window of span k over outputs that lie `jump` positions apart adds (k - 1) jump, up to
    the size of the grid, and its stride multiplies the jump. Of several ways through a layer the one that sees farthest
    counts. A layer that looks at all of its input sees all of the grid, None along an axis whose length is left open;
    so may a window over positions that were laid out anew, whose neighbours come from anywhere.
    """
    if network.parts:
        named = [(name, row) for name, part in network.parts.items() for row in describe(part)]
        return [row._replace(layer=f"{name}: {row.layer}") for name, row in named]
    if not hasattr(network, "layers"):  # numbers
        return []
    sight = _first_sight(network)
    rows, before = [], network.input_shape
    for position, (layer, shape) in enumerate(zip(network.layers, network.shapes, strict=True)):
        sight = _after(sight, str(position), before, network)
        rows.append(
            Row(label(layer), shape, _count(network, position, "weight"), _count(network, position), sight.field)
        )
        before = shape
    return rows


class Sight(NamedTuple):
    """What an output sees of the grid of the input: a field, and how far those of neighbours are apart.

    The latter is None once neighbours do not lie as they do in the input.
    """

    grid: Shape
    field: Shape
    jump: Shape | None

    @property
    def whole(self) -> Sight:
        """That of an output that sees all."""
        return Sight(self.grid, self.grid, None)


def _first_sight(network: Network) -> Sight:
    """That of the inputs: each sees itself, or there is no grid to see."""
    grid = network.input_shape[:-1] or _unfolded(network)
    each = (1,) * len(grid)
    return Sight(grid, each, each or None)


def _unfolded(network: Network) -> Shape:
    """The grid that rows of features become before anything looks at them, if they do."""
    for name, layer in network.layers_by_name.items():
        if not layer.accompanies and not layer.ways:
            return network.shapes_by_name[name][:-1]
    return ()


def _after(sight: Sight, name: str, before: Shape, network: Network) -> Sight:
    """What the outputs of a layer see, given what its inputs, of shape `before`, see."""
    layer, after = network.layers_by_name[name], network.shapes_by_name[name]
    if layer.ways and any(inner.startswith(f"{name}.") for inner in network.layers_by_name):
        return _joined([_along(sight, f"{name}.{way}".rstrip("."), before, network) for way in layer.ways])
    windows = layer.windows(before[:-1])
    if windows is not None:
        return _through(sight, windows.span, windows.stride)
    if layer.sees_all:
        return sight.whole
    if layer.accompanies or after[:-1] == before[:-1]:
        return sight
    if None in (*before, *after) or prod(after[:-1]) % prod(before[:-1]):
        return sight.whole
    is_first = before[:-1] == () and sight.jump is not None  # rows of features become the grid
    return sight if is_first else sight._replace(jump=None)


def _along(sight: Sight, way: str, before: Shape, network: Network) -> Sight:
    """What is seen after the layers whose names are positions below this one, in order."""
    for name in network.layers_by_name:
        if name.rpartition(".")[0] == way:
            sight, before = _after(sight, name, before, network), network.shapes_by_name[name]
    return sight


def _joined(ways: list[Sight]) -> Sight:
    """What is seen through any of several ways that end in the same places."""
    field = tuple(_farthest(reaches) for reaches in zip(*(way.field for way in ways), strict=True))
    return Sight(ways[0].grid, field, None if any(way.jump is None for way in ways) else ways[0].jump)  # type: ignore[arg-type]


def _through(sight: Sight, span: Shape, stride: Shape) -> Sight:
    if sight.jump is None:
        return sight if prod(span) == 1 else sight.whole
    reach = (None if f is None else f + (k - 1) * j for f, k, j in zip(sight.field, span, sight.jump, strict=True))
    jump = tuple(j * s for j, s in zip(sight.jump, stride, strict=True))
    return Sight(sight.grid, tuple(map(_within, reach, sight.grid)), jump)  # type: ignore[arg-type]


def _within(reach: int | None, size: int | None) -> int | None:
    """No farther than the grid; an axis of open length (None) has no end."""
    return reach if size is None or reach is None else min(reach, size)


def _farthest(reaches: tuple[int | None, ...]) -> int | None:
    """The farthest of several; None, all of an axis of open length, is farther than any."""
    return None if None in reaches else max(reaches)  # type: ignore[type-var]


def _count(network: Network, position: int, kind: str = "") -> int:
    """The parameters of a layer and of all within it, or those of one kind, such as its weights without biases."""
    mine = (place for name, place in network.names.items() if name.startswith(f"{position}.") and name.endswith(kind))
    return sum(place.stop - place.start for place in mine)


NAMELESS = ("kind", "size")  # said whether chosen or not, and without their names
UNSAID = ("init", "bias_init", "gain", "gain_init", "stay", "move", "which")


def label(layer: Layer) -> str:
    """The layer with what was chosen for it, without what says how it is initialised, or which columns it is about."""
    words = []
    for field in fields(layer):  # type: ignore[arg-type]
        value = getattr(layer, field.name)
        if field.name in UNSAID:
            continue
        if isinstance(value, tuple) and value and value[0] in layer.inner:
            within = ", ".join(map(label, value))
            words.append(within if field.default is MISSING else f"{field.name}={within}")
        elif field.default is MISSING or field.name in NAMELESS:
            words.append(str(value))
        elif field.name == "activation" and value != field.default:
            words.append(value)
        elif value != field.default:
            words.append(f"{field.name}={value!r}")
    return f"{type(layer).__name__}({', '.join(words)})"
