"""A gate on what comes around a level of a U-net, opened by what comes through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..autodiff import primitives as F
from ..autodiff.tape import Value
from ..description import integer
from .dense import Dense
from .layer import Context, Layer, Shape, Store


@dataclass(frozen=True, repr=False)
class AttentionGate(Layer):
    """[x, g] to [a x, g]: at each position a share a of the first channels x is let through, which all of them decide.

    With the raw output of a level of a U-net in x and what comes from the coarser levels in g, side by side as
    :class:`Concat` puts them, a = sigmoid(v . relu(x U + g W + b) + c) lets through what matters for what is seen at
    large: additive attention.

    Parameters
    ----------
    gated : int
        How many channels x has.
    units : int, default=None
        Of the hidden layer. None: half as many as x has channels, at least one.

    Raises
    ------
    ValueError
        If a parameter is out of range, or there are no more channels than those that are gated.

    References
    ----------
    Oktay et al. (2018). Attention U-Net: learning where to look for the pancreas. MIDL. arXiv:1804.03999.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import AttentionGate, Network
    >>> network = Network([AttentionGate(2)], (3,), np.random.RandomState(0), "float64")
    >>> network.theta[:] = 0.0  # a gate that is half open
    >>> network(np.array([[2.0, 4.0, 6.0]]))
    array([[1., 2., 6.]])
    """

    gated: int = integer("[1, inf)")
    units: int | None = integer("[1, inf)", default=None)

    @property
    def _layers(self) -> dict[str, Dense]:
        """Those that make the share, by name."""
        units = self.units or max(self.gated // 2, 1)
        return {"seen": Dense(units, activation="relu", init="he_uniform"), "share": Dense(1, activation="logistic")}

    def build(self, shape: Shape, store: Store) -> Shape:
        if shape[-1] <= self.gated:
            raise ValueError(f"gated={self.gated!r} channels leave none of {shape[-1]} to open the gate")
        inside = shape
        for name, layer in self._layers.items():
            inside = layer.build(inside, store.inside(name))
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        share = x
        for name, layer in self._layers.items():
            share = layer.apply(params[name], share, context)
        return F.concatenate([share * x[..., : self.gated], x[..., self.gated :]], axis=-1)

    def caption(self, shape: Shape) -> str:
        return "gate"
