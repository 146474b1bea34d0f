"""What is known of a sample, added to each of its channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..autodiff.tape import Value
from ..description import integer
from ..ops.dense import dense
from ..ops.shift import shift
from .dense import Dense
from .layer import Context, Layer, Shape, Store


@dataclass(frozen=True, repr=False)
class Shifted(Layer):
    """x + g W + b: what is given of a sample shifts each channel, by the same at all positions.

    Parameters
    ----------
    name : str
        By which it is given when the network is called: numbers g (n_samples, width).
    width : int
        How many they are.

    Raises
    ------
    ValueError
        When it is applied: if nothing is given by this name, or other than so many numbers of each sample.

    References
    ----------
    Ho, Jain, Abbeel (2020). Denoising diffusion probabilistic models. NeurIPS. arXiv:2006.11239. (There a time comes to
    every block of a U-net.)

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Network, Shifted
    >>> network = Network([Shifted("time", 1)], (3, 1), np.random.default_rng(0), "float64")
    >>> network.theta[:] = 2.0, 0.5
    >>> network(np.zeros((1, 3, 1)), time=np.array([[10.0]])).ravel()
    array([20.5, 20.5, 20.5])
    """

    name: str
    width: int = integer("[1, inf)")

    def build(self, shape: Shape, store: Store) -> Shape:
        Dense(shape[-1]).build((self.width,), store)
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        each = context.of_samples(self.name, self.width, self)
        by = dense(each, params["weight"], params["bias"])
        return shift(x, by, segments=None if context.sequences is None else context.sequences.segments)

    def caption(self, shape: Shape) -> str:
        return f"+ {self.name}"
