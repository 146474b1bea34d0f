"""What a prediction computes: a network's raw outputs for validated samples, in the precision of these."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tape import Array
from ..nn import Network
from ..nn.network import Chain
from ..ops.threads import threads_for

OPENBLAS_THREADS = 2e6  # operations; below this the BLAS takes one thread by itself, and need not be told
ELEMENTS = 1 << 21  # values per layer computed at once, so that memory stays bounded


class Forward:
    """A network, or its first layers, as a function of validated X; all that does not depend on X it finds out once.

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
        self.converted: Converted | None = None
        self.at_once = max(ELEMENTS // network.widest, 1)  # samples
        self.operations = 2.0 * network.multiplications

    def __call__(self, X: Any) -> Array:
        """The outputs for X of shape (n, n_features), shape (n, ...)."""
        work = X.shape[0] * self.operations
        if work < OPENBLAS_THREADS:
            return self._outputs(X)
        with threads_for(work):
            return self._outputs(X)

    def _outputs(self, X: Any) -> Array:
        dtype, own = X.dtype, self.network.theta.dtype
        precision = np.promote_types(dtype, own)
        forward = self.chain if precision == own else self._in(precision)
        if X.shape[0] <= self.at_once:
            return forward(X.astype(precision, copy=False)).astype(dtype, copy=False)
        starts = range(0, X.shape[0], self.at_once)
        parts = (forward(X[k : k + self.at_once].astype(precision, copy=False)) for k in starts)
        return np.concatenate([part.astype(dtype, copy=False) for part in parts])

    def _in(self, precision: np.dtype) -> Chain:
        """The layers with their parameters in another precision."""
        if self.converted is None:
            self.converted = Converted(self.network, self.n_layers, precision)
        return self.converted.chain_as_of_now()

    def __reduce__(self) -> tuple[type[Forward], tuple[Network, int | None]]:
        return Forward, (self.network, self.n_layers)


class Converted:
    """The layers of a network with parameters of their own in another precision, which follow those of the network.

    The values are written anew for each call, since the network's may have been changed in place; threads that predict
    side by side write the same. The memory is kept, as large arrays take longer to come by than to fill.
    """

    def __init__(self, network: Network, n_layers: int | None, dtype: np.dtype) -> None:
        self.pairs: list[tuple[Array, Array]] = []
        self.chain = Chain(network.layers[:n_layers], self._twins(network.parameters, dtype))

    def _twins(self, parameters: dict[str, Any], dtype: np.dtype) -> dict[str, Any]:
        """Nested parameters with an array of its own in place of each that has another precision."""
        twins = {}
        for name, value in parameters.items():
            twins[name] = self._twin(value, dtype) if isinstance(value, np.ndarray) else self._twins(value, dtype)
        return twins

    def _twin(self, array: Array, dtype: np.dtype) -> Array:
        if array.dtype == dtype:
            return array
        self.pairs.append((np.empty(array.shape, dtype), array))
        return self.pairs[-1][0]

    def chain_as_of_now(self) -> Chain:
        for twin, array in self.pairs:
            twin[...] = array
        return self.chain
