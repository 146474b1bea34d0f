"""Layers with a connection around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..autodiff.tape import Value
from .layer import Context, Layer, Shape, Store


@dataclass(frozen=True, repr=False)
class Residual(Layer):
    """y = x + f(x), with f the layers within, applied in order.

    Nothing lies on the way around them, neither a weight nor an activation function, so that the gradient comes through
    any number of such layers undiminished.

    Parameters
    ----------
    layers : sequence of Layer
        What the connection goes around; they must give back the shape that they are given. Their parameters are named
        by their positions: "0.weight" within.

    Raises
    ------
    ValueError
        If there are no layers, or when they are built for a shape that they change.

    References
    ----------
    He, Zhang, Ren, Sun (2016). Identity mappings in deep residual networks. ECCV. arXiv:1603.05027.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Dense, Network, Residual
    >>> network = Network([Residual([Dense(2, init="ones"), Dense(2, init="ones")])], (2,), None)
    >>> network(np.array([[1.0, 2.0]], "float32"))
    array([[7., 8.]], dtype=float32)
    >>> list(network.names)
    ['0.0.weight', '0.1.weight', '0.0.bias', '0.1.bias']
    """

    layers: Sequence[Layer]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise ValueError("layers=() is empty: Residual needs at least one layer to go around")

    @property
    def inner(self) -> tuple[Layer, ...]:
        return tuple(self.layers)

    def build(self, shape: Shape, store: Store) -> Shape:
        after = store.chain(self.inner, shape)
        if after != shape:
            raise ValueError(f"layers of Residual must keep the shape of their input, {shape}, but make it {after}")
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        y = x
        for position, layer in enumerate(self.inner):
            y = layer.apply(params.get(str(position), {}), y, context)
        return x + y
