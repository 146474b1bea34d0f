"""A learned vector for each token."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value
from ..description import integer, number
from ..ops.embedding import embed
from .layer import Context, Layer, Shape, Store


@dataclass(frozen=True, repr=False)
class Embedding(Layer):
    """Integers 0, ..., n_tokens - 1 become vectors: (n, T) or (n, T, 1) to (n, T, width).

    Where the precision of a network has made them fractions, they have to be whole all the same: an estimator around
    it must not scale its inputs.

    Parameters
    ----------
    n_tokens : int
        How many different ones there are.
    width : int
        Of a vector.
    gain : float, default=1.0
        The standard deviation of their initial values, which are normal.

    Raises
    ------
    ValueError
        If a parameter is out of range, samples have several channels, or a value is no such integer.

    References
    ----------
    Bengio, Ducharme, Vincent, Jauvin (2003). A neural probabilistic language model. JMLR 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Embedding, Network, Sequences
    >>> network = Network([Embedding(65, 8)], (None,), np.random.RandomState(0))
    >>> network(Sequences.of([[1, 5, 2], [64]]))
    Sequences(2 samples of 1 to 3 steps, 8 channels, float32)
    """

    n_tokens: int = integer("[1, inf)")
    width: int = integer("[1, inf)")
    _: KW_ONLY
    gain: float = number("[0, inf)", default=1.0)

    def build(self, shape: Shape, store: Store) -> Shape:
        if len(shape) > 2 or (len(shape) == 2 and shape[-1] != 1):
            raise ValueError(
                f"{self!r} works on tokens, samples of shape (T,) or (T, 1), but they are of shape {shape}"
            )
        store.parameter("weight", (self.n_tokens, self.width), "lecun_normal", gain=self.gain, decay=False)
        return (*shape[:1], self.width)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        tokens = _whole(F.plain(x))
        samples = 1 if context.sequences is None else 0  # axes
        if tokens.ndim > 1 + samples:
            tokens = tokens[..., 0]
        return embed(params["weight"], tokens)

    def caption(self, shape: Shape) -> str:
        return f"embedding\n{self.n_tokens} tokens"


def _whole(x: Array) -> Array:
    if x.dtype.kind in "iu":
        return x
    tokens = x.astype(np.intp)
    if not (tokens == x).all():
        raise ValueError(f"tokens must be whole numbers; got {x[tokens != x][0]}. Inputs must not be scaled")
    return tokens
