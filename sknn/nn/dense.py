"""The dense (fully connected) layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..autodiff import primitives as F
from ..autodiff.tape import Value
from ..description import choice, flag, integer, number
from ..ops.activation import ACTIVATIONS, activate
from ..ops.dense import dense
from .init import INITIALISERS
from .layer import Context, Layer, Shape, Spread, Store

SMALLEST_VARIANCE = 1e-20  # of outputs that are drawn: where all inputs are 0 there is none, but a square root


@dataclass(frozen=True, repr=False)
class Dense(Layer):
    """y = f(x W + b) on the last axis.

    Parameters
    ----------
    units : int
        The number of outputs.
    activation : str, default="identity"
        A name in :data:`sknn.ops.ACTIVATIONS`.
    init, bias_init : str, default="glorot_uniform", "zeros"
        Names in :data:`sknn.nn.init.INITIALISERS`.
    gain : float, default=1.0
        The factor on the spread of the initial values.
    use_bias : bool, default=True
        Whether there is a b.

    Raises
    ------
    ValueError
        If `units` is no positive integer, `gain` no number, `use_bias` no truth value, or a name unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Dense, Network
    >>> network = Network([Dense(3, activation="tanh"), Dense(1)], (2,), np.random.RandomState(0))
    >>> network(np.zeros((4, 2), "float32")).shape
    (4, 1)
    >>> list(network.names)
    ['0.weight', '1.weight', '0.bias', '1.bias']
    """

    units: int = integer("[1, inf)")
    activation: str = choice(ACTIVATIONS, default="identity")
    init: str = choice(INITIALISERS, default="glorot_uniform")
    bias_init: str = choice(INITIALISERS, default="zeros")
    gain: float = number("(-inf, inf)", default=1.0)
    use_bias: bool = flag(default=True)

    @property
    def members(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        fans = (shape[-1], self.units)
        store.parameter("weight", fans, self.init, fans=fans, gain=self.gain)
        if self.use_bias:
            store.parameter("bias", (self.units,), self.bias_init, fans=fans, gain=self.gain, decay=False)
        return (*shape[:-1], self.units)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        if isinstance(params, Spread):
            if x.ndim == 2 and context.sequences is None:
                return self._drawn(params, x, context)
            params = params.drawn(context.draws)  # which positions have in common
        if self.use_bias:
            return dense(x, params["weight"], params["bias"], activation=self.activation)
        return dense(x, params["weight"], activation=self.activation)

    def _drawn(self, params: Spread, x: Value, context: Context) -> Value:
        """Of each sample by itself x W + b, which is normal, and then f (Kingma, Salimans & Welling 2015)."""
        variances = {name: F.square(std) for name, std in params.std.items()}
        mean = dense(x, params["weight"], params.get("bias"))
        variance = dense(F.square(x), variances["weight"], variances.get("bias"))
        draws: Any = context.draws
        z = mean + F.sqrt(variance + SMALLEST_VARIANCE) * draws.normal(mean.shape)
        return activate(z, activation=self.activation)
