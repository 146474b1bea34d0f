"""Blocks that some samples do without in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autodiff.tape import Array, Value
from ..description import number
from .layer import Context, Layer, Shape, Store


@dataclass(frozen=True, repr=False)
class StochasticDepth(Layer):
    """In training all of a sample becomes 0 with probability `rate`, and the others are divided by 1 - rate; y = x
    otherwise.

    As the last of the layers within a :class:`Residual` it makes samples skip the block, so that in training networks
    of many depths are trained at once.

    Parameters
    ----------
    rate : float, default=0.1
        The share of samples that are dropped, 0 <= rate < 1.

    Raises
    ------
    ValueError
        If `rate` is out of range, or the layer is applied in training without draws.

    References
    ----------
    Huang, Sun, Liu, Sedra, Weinberger (2016). Deep networks with stochastic depth. ECCV. arXiv:1603.09382.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Draws, Network, StochasticDepth
    >>> network = Network([StochasticDepth(0.5)], (2,), None)
    >>> network(np.ones((3, 2)), training=True, draws=Draws(0)).tolist()
    [[0.0, 0.0], [0.0, 0.0], [2.0, 2.0]]
    """

    rate: float = number("[0, 1)", default=0.1)

    @property
    def is_random(self) -> bool:
        return self.rate > 0

    @property
    def accompanies(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        if not context.training or self.rate == 0:
            return x
        if context.draws is None:
            raise ValueError(
                "draws=None: StochasticDepth draws in training; pass draws=Draws(seed) along with training"
            )
        n_samples = x.shape[0] if context.sequences is None else len(context.sequences)
        factor = (context.draws.uniform((n_samples,)) >= self.rate) / (1.0 - self.rate)
        return x * _meeting(factor.astype(x.dtype), x, context)

    def caption(self, shape: Shape) -> str:
        return f"stochastic depth {self.rate:g}"


def _meeting(each: Array, x: Value, context: Context) -> Array:
    """A number for each sample, shaped so that it meets all of the sample."""
    if context.sequences is not None:
        each = context.sequences.at_positions(each)
    return np.reshape(each, (-1, *[1] * (len(x.shape) - 1)))
