"""What is known of a sample beside its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Value
from ..description import integer
from .layer import Context, Layer, Shape, Store


@dataclass(frozen=True, repr=False)
class Beside(Layer):
    """[x, g]: what is given of a sample stands beside each of its steps, on the last axis.

    Parameters
    ----------
    name : str
        By which it is given when the network is called: numbers (n_samples, width).
    width : int
        How many they are.

    Raises
    ------
    ValueError
        When it is applied: if nothing is given by this name, or other than so many numbers of each sample.

    References
    ----------
    Cho, van Merrienboer, Gulcehre, Bahdanau, Bougares, Schwenk, Bengio (2014). Learning phrase representations using
    RNN encoder-decoder for statistical machine translation. EMNLP. arXiv:1406.1078. (There a summary of the input
    comes to every step of the output.)

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Beside, Network, Sequences
    >>> network = Network([Beside("summary", 1)], (None, 1), None, "float64")
    >>> x = Sequences.of([[[1.0], [2.0]], [[3.0]]])
    >>> network(x, summary=np.array([[7.0], [8.0]])).values
    array([[1., 7.],
           [2., 7.],
           [3., 8.]])
    """

    name: str
    width: int = integer("[1, inf)")

    def build(self, shape: Shape, store: Store) -> Shape:
        return (*shape[:-1], shape[-1] + self.width)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        each = context.of_samples(self.name, self.width, self)
        if context.sequences is not None:
            return F.concatenate([x, F.take(each, context.sequences.sample)], axis=-1)
        n, *grid = x.shape[:-1]
        spread = F.reshape(each, (n, *[1] * len(grid), self.width)) + np.zeros((*x.shape[:-1], 1), each.dtype)
        return F.concatenate([x, spread], axis=-1)
