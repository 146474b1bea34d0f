"""Channels that are weighed by what is in the whole of a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..autodiff.tape import Value
from ..description import choice, number
from ..ops.activation import ACTIVATIONS
from ..ops.dense import dense
from ..ops.gate import gate
from .conv import GlobalPool
from .dense import Dense
from .layer import Context, Layer, Shape, Store

MEANS = GlobalPool("average")


@dataclass(frozen=True, repr=False)
class SqueezeExcite(Layer):
    """y = s x, with a factor for each channel: s = sigmoid(f(m W + b) W' + b'), from the means m of all channels.

    The means are taken over the positions of a sample (squeeze); a small network with a bottleneck makes of them how
    much of each channel there is to be, at all of its positions (excite). Inputs are (n, *grid, channels).

    Parameters
    ----------
    ratio : float, default=0.25
        The units of the bottleneck, for each channel of the input.
    activation : str, default="relu"
        A name in :data:`sknn.ops.ACTIVATIONS`: of the bottleneck.

    Raises
    ------
    ValueError
        If a parameter is out of range, or samples are no grids.

    References
    ----------
    Hu, Shen, Albanie, Sun, Wu (2018). Squeeze-and-excitation networks. CVPR. arXiv:1709.01507.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Network, SqueezeExcite
    >>> network = Network([SqueezeExcite(0.5)], (3, 2), np.random.RandomState(0), dtype="float64")
    >>> network.theta[:] = 0  # the sigmoid of 0 is a half
    >>> network(np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])).tolist()
    [[[0.5, 1.0], [1.5, 2.0], [2.5, 3.0]]]
    """

    ratio: float = number("(0, inf)", default=0.25)
    activation: str = choice(ACTIVATIONS, default="relu")

    @property
    def sees_all(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        (channels,) = MEANS.build(shape, store)
        units = max(1, round(self.ratio * channels))
        Dense(units, init="he_uniform").build((channels,), store.inside("squeeze"))
        Dense(channels).build((units,), store.inside("excite"))
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        squeeze, excite = params["squeeze"], params["excite"]
        means = MEANS.apply({}, x, context)
        inner = dense(means, squeeze["weight"], squeeze["bias"], activation=self.activation)
        factor = dense(inner, excite["weight"], excite["bias"], activation="logistic")
        return gate(x, factor, segments=None if context.sequences is None else context.sequences.segments)

    def caption(self, shape: Shape) -> str:
        return "squeeze and excite"
