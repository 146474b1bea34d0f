"""Dropout as a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..autodiff.primitives import shape_of
from ..autodiff.tape import Value
from ..description import number
from ..ops.dropout import drop
from .layer import Context, Layer, Shape, Store


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """In training each element becomes 0 with probability `rate`, and the others are divided by 1 - rate; y = x
    otherwise.

    Parameters
    ----------
    rate : float, default=0.5
        The share that is dropped, 0 <= rate < 1.

    Raises
    ------
    ValueError
        If `rate` is out of range, or the layer is applied in training without draws.

    References
    ----------
    Srivastava et al. (2014), Dropout: a simple way to prevent neural networks from overfitting.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Draws, Dropout, Network
    >>> network = Network([Dropout(0.5)], (5,), None)
    >>> network(np.ones((1, 5)))
    array([[1., 1., 1., 1., 1.]])
    >>> network(np.ones((1, 5)), training=True, draws=Draws(0))
    array([[0., 0., 2., 0., 0.]])
    """

    rate: float = number("[0, 1)", default=0.5)

    @property
    def is_random(self) -> bool:
        return self.rate > 0

    @property
    def members(self) -> bool:
        return True

    @property
    def accompanies(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        if not context.training or self.rate == 0:
            return x
        if context.draws is None:
            raise ValueError("draws=None: Dropout draws in training; pass draws=Draws(seed) along with training")
        kept = context.draws.uniform(shape_of(x)) >= self.rate
        return drop(x, kept, rate=float(self.rate))

    def caption(self, shape: Shape) -> str:
        return f"dropout {self.rate:g}"
