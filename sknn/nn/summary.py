"""A network told layer by layer: what it is, the shapes, the parameters, and what an output can see of the input."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from .inputs import Unflatten
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

    The receptive field is counted in positions of the grid along each axis: a window of span k over outputs that lie
    `jump` positions apart adds (k - 1) jump, up to the size of the grid, and its stride multiplies the jump. A layer
    that looks at all of its input sees all of the grid, None along an axis whose length is left open.
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
            Row(_label(layer), shape, _count(network, position, "weight"), _count(network, position), sight.field)
        )
        before = shape
    return rows


class Sight(NamedTuple):
    """What an output sees of the grid of the input: a field, and how far those of neighbours are apart."""

    grid: Shape
    field: Shape
    jump: Shape


def _first_sight(network: Network) -> Sight:
    """That of the inputs: each sees itself."""
    unfolded = next((k for k, layer in enumerate(network.layers) if isinstance(layer, Unflatten)), None)
    grid = (network.input_shape if unfolded is None else network.shapes[unfolded])[:-1]
    return Sight(grid, (1,) * len(grid), (1,) * len(grid))


def _after(sight: Sight, name: str, before: Shape, network: Network) -> Sight:
    """What the outputs of a layer see, given what its inputs, of shape `before`, see."""
    layer, shapes = network.layers_by_name[name], network.shapes_by_name
    inner = [path for path in network.layers_by_name if path.rpartition(".")[0] == name]
    if inner:  # what goes around sees less than what goes through
        for path in inner:
            sight, before = _after(sight, path, before, network), shapes[path]
        return sight
    windows = layer.windows(before[:-1])
    if windows is not None:
        reach = tuple(f + (span - 1) * j for f, span, j in zip(sight.field, windows.span, sight.jump, strict=True))
        jump = tuple(j * s for j, s in zip(sight.jump, windows.stride, strict=True))
        return Sight(sight.grid, tuple(map(_within, reach, sight.grid)), jump)
    if not layer.accompanies and len(shapes[name]) < len(sight.grid) + 1:
        return sight._replace(field=sight.grid)
    return sight


def _within(reach: int, size: int | None) -> int:
    """No farther than the grid; an axis of open length (None) has no end."""
    return reach if size is None else min(reach, size)


def _count(network: Network, position: int, kind: str = "") -> int:
    """The parameters of a layer and of all within it, or those of one kind, such as its weights without biases."""
    mine = (place for name, place in network.names.items() if name.startswith(f"{position}.") and name.endswith(kind))
    return sum(place.stop - place.start for place in mine)


NAMELESS = ("kind", "size")  # said whether chosen or not, and without their names
UNSAID = ("init", "bias_init", "gain")


def _label(layer: Layer) -> str:
    """The layer with what was chosen for it, without what says how it is initialised."""
    words = []
    for field in fields(layer):  # type: ignore[arg-type]
        value = getattr(layer, field.name)
        if isinstance(value, tuple) and value and value[0] in layer.inner:
            within = ", ".join(map(_label, value))
            words.append(within if field.default is MISSING else f"{field.name}={within}")
        elif field.default is MISSING or field.name in NAMELESS:
            words.append(str(value))
        elif field.name == "activation" and value != field.default:
            words.append(value)
        elif field.name not in UNSAID and value != field.default:
            words.append(f"{field.name}={value!r}")
    return f"{type(layer).__name__}({', '.join(words)})"
