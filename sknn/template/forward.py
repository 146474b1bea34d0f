"""What a prediction computes: a network's raw outputs for validated samples, in the precision of these."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..autodiff import counting
from ..autodiff.tape import Array
from ..nn import Network
from ..nn.network import Chain
from ..ops.threads import threads_for
from ..ops.workspace import in_turn, workspace

OPENBLAS_THREADS = 2e6  # operations; below this the BLAS takes one thread by itself, and need not be told
ELEMENTS = 1 << 21  # values that an operation makes at once, so that memory stays bounded


class Forward:
    """A network, or its first layers, as a function of validated X; how much work a sample is it finds out once.

    It computes in the precision of X, or in that of the network if this is higher, and answers in that of X. So the
    answer for a sample in float64 does not depend, to 1e-15, on which other samples it is asked with: in float32 the
    BLAS rounds a row differently in a large matrix and in a small one.

    Parameters
    ----------
    network : Network
        Applied as it is at the time of the call.
    n_layers : int, default=None
        How many of its layers; None: all.
    """

    def __init__(self, network: Network, n_layers: int | None = None) -> None:
        self.network, self.n_layers = network, n_layers
        self.chain = Chain(network.layers[:n_layers], network.parameters)
        self.operations, self.at_once = 0.0, 0  # of a sample, and samples: counted with the first one that comes

    def __call__(self, X: Any) -> Array:
        """The outputs for X of shape (n, n_features), shape (n, ...)."""
        if not self.at_once and X.shape[0]:
            self._count(X[:1])
        work = X.shape[0] * self.operations
        if work < OPENBLAS_THREADS:
            return self._outputs(X)
        with threads_for(work):
            return self._outputs(X)

    def _outputs(self, X: Any) -> Array:
        if X.shape[0] <= self.at_once:
            return self._part(X)
        starts = in_turn(range(0, X.shape[0], self.at_once))
        return np.concatenate([self._part(X[k : k + self.at_once]) for k in starts])

    def _count(self, sample: Any) -> None:
        """Find out how much work a sample is: for the whole network, so that its first layers are rounded alike whether
        the others follow or not."""
        with counting() as work, workspace():
            self.network(sample)
        self.operations = 2.0 * work.multiplications
        self.at_once = max(ELEMENTS // max(work.values, prod(sample.shape)), 1)

    def _part(self, X: Any) -> Array:
        precision = np.promote_types(X.dtype, self.network.theta.dtype)
        return self.chain(X.astype(precision, copy=False)).astype(X.dtype, copy=False)

    def __reduce__(self) -> tuple[type[Forward], tuple[Network, int | None]]:
        return Forward, (self.network, self.n_layers)
