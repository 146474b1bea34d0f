"""Whether layers give what they promised: samples of the shapes that a network was built for."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tape import Value
from .layer import Context, Layer, Shape
from .network import Network


def check_shapes(network: Network, x: Any) -> None:
    """Apply a network to a few samples, layer by layer, and refuse a layer that gives another shape than it promised.

    Parameters
    ----------
    network : Network
        As it was built.
    x : array of shape (n, *input_shape), Sequences or Grids
        A few samples.

    Raises
    ------
    ValueError
        If the output of a layer's ``apply`` has not the shape that its ``build`` returned. What comes after it would
        fail for no reason of its own, or be broadcast in silence.
    """
    context = Context(moves=False)
    if hasattr(x, "lengths"):
        context, x = context._replace(sequences=x), x.values
    with np.errstate(all="ignore"):  # the samples are not scaled
        _check(network, "", x, context)


def _check(network: Network, path: str, x: Value, context: Context) -> None:
    position = 0
    while (name := f"{path}{position}") in network.layers_by_name:
        layer = network.layers_by_name[name]
        for way in layer.ways:
            _check(network, f"{name}.{way}." if way else f"{name}.", x, context)
        params, lying, n_samples = network.parameters_of(name), context.sequences, x.shape[0]
        if lying is None:
            y = layer.apply(params, x, context)
        else:
            y, n_samples = lying.applied(layer, params, x, context), len(lying)
            context = context._replace(sequences=layer.follow(lying))
        promised, after = network.shapes_by_name[name], context.sequences
        in_rows: Any = None if after is None else (None, *promised[after.shapes.shape[1] :])  # of as many positions
        _compare(name, layer, in_rows or (n_samples, *promised), x.shape, y.shape)
        x, position = y, position + 1


def _compare(name: str, layer: Layer, promised: tuple[int | None, ...], given: Shape, found: Shape) -> None:
    if len(found) != len(promised) or any(n not in (None, m) for m, n in zip(found, promised, strict=True)):
        raise ValueError(
            f"layer {name}, {layer!r}, promises {_shown(promised)} by its build for a batch of shape {given}, but its "
            f"apply gave {found}"
        )


def _shown(shape: tuple[int | None, ...]) -> str:
    """A shape in which the number of steps is left open."""
    return str(shape).replace("None", "n_steps")
