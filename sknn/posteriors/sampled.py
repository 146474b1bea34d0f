"""Networks that are drawn again in each call, from seeds: only what they are drawn from is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autodiff.tape import Array
from ..template.inputs import cast
from .posterior import Learnt, Outputs


@dataclass
class Sampled(Learnt):
    """The base of what draws networks; a subclass says how, by `network_drawn`.

    Attributes
    ----------
    seed : int
        Of the networks that are the same in each call.
    n_draws : int
        How many of them stand for all.
    """

    seed: int = 0
    n_draws: int = 1

    def network_drawn(self, seed: int, number: int) -> Callable[..., Any]:
        """A network as a function of a batch; the same numbers always give the same one."""
        raise TypeError(f"{type(self).__name__} defines no network_drawn")

    def outputs(self, X: Any) -> Outputs:
        return Outputs(self.members(X, self.n_draws))

    def members(self, X: Any, n_draws: int) -> Array:
        return self._drawn(X, n_draws, self.seed)

    def drawn(self, X: Any, n_draws: int, rng: np.random.RandomState) -> Array:
        return self._drawn(X, n_draws, int(rng.randint(1 << 31)))

    def _drawn(self, X: Any, n_draws: int, seed: int) -> Array:
        """Raw outputs (n_draws, n_samples, n_outputs), in double precision, in which no batch shows."""
        estimator, x = self.network, cast(self.network._inputs(X), np.dtype(np.float64))
        nets = [self.network_drawn(seed, number) for number in range(n_draws)]
        each = [estimator._forward(x, lambda _, *batch, net=net: estimator._outputs(net, *batch)) for net in nets]
        return np.stack(each) if each else np.empty((0, x.shape[0], estimator.n_outputs_))
