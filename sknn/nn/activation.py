"""An activation function as a layer of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..autodiff.tape import Value
from ..description import choice
from ..ops.activation import ACTIVATIONS, activate
from .layer import Context, Layer, Shape, Store


@dataclass(frozen=True, repr=False)
class Activation(Layer):
    """y = f(x), elementwise (softmax: over the last axis).

    Parameters
    ----------
    activation : str, default="relu"
        A name in :data:`sknn.ops.ACTIVATIONS`.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Activation, Network
    >>> Network([Activation("relu")], (2,), None)(np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """

    activation: str = choice(ACTIVATIONS, default="relu")

    @property
    def members(self) -> bool:
        return True

    @property
    def accompanies(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        return activate(x, activation=self.activation)

    def caption(self, shape: Shape) -> str:
        return self.activation
