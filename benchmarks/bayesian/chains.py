"""What a chain of Hamiltonian Monte Carlo does all day: the log-density of all targets and its gradient, in float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from sknn import MLPRegressor
from sknn.ops.threads import single_thread
from sknn.posteriors import Task as Posed
from sknn.posteriors.likelihood import Likelihood
from sknn.posteriors.shown import Shown

from ..core.rows import Task, Work, apart, beside_pytorch, milliseconds
from ..measure import Goal, Measurement

BY_HAND = "NumPy by hand"


@dataclass(frozen=True)
class LogLikelihood(Work):
    """Of a network with one layer of tanh units; others compute the same from the same weights."""

    n_samples: int = 927
    n_features: int = 8
    hidden: int = 50

    @cache  # noqa: B019 - works are few, and as long-lived as the process
    def likelihood(self) -> Likelihood:
        rng = np.random.RandomState(0)
        x = rng.standard_normal((self.n_samples, self.n_features))
        network = MLPRegressor(self.hidden, "tanh", target_scaling=None, input_scaling=None, random_state=0)
        shown: Any = Shown.of(Posed(network, x, np.sin(x[:, 0]), None, "constant", "auto", 1, rng))
        return shown.likelihood()

    def arrays(self) -> list[np.ndarray]:
        """Inputs, targets, and the weights in the order of theta."""
        likelihood = self.likelihood()
        network = likelihood.network
        parts = {name: network.theta[start:stop].reshape(shape) for name, (start, stop, shape) in network.names.items()}
        return [likelihood.x, likelihood.y, *parts.values()]

    def sknn(self) -> Task:
        likelihood = self.likelihood()

        def task() -> Sequence[Any]:
            with single_thread():
                return likelihood.slope()

        return task

    def others(self) -> dict[str, Task]:
        x, y, W, V, b, c = self.arrays()

        def by_hand() -> Sequence[Any]:
            with single_thread():
                hidden = np.tanh(x @ W + b)
                error = hidden @ V + c - y
                slope = (error @ V.T) * (1.0 - hidden * hidden)
                pieces = (x.T @ slope, hidden.T @ error, slope.sum(axis=0), error.sum(axis=0))
                return 0.5 * float(np.vdot(error, error)), np.concatenate([piece.ravel() for piece in pieces])

        return {BY_HAND: by_hand}

    def pytorch(self, torch: Any) -> Task:
        x, y, *weights = map(torch.from_numpy, self.arrays())
        W, V, b, c = leaves = [weight.clone().requires_grad_() for weight in weights]

        def task() -> Sequence[Any]:
            error = torch.tanh(x @ W + b) @ V + c - y
            value = 0.5 * (error * error).sum()
            gradient = torch.autograd.grad(value, leaves)
            return value.item(), torch.cat([piece.flatten() for piece in gradient]).numpy()

        return task


MEASUREMENTS = [
    Measurement(
        "bayesian",
        "gradient of a chain, 8-50-1 x 927",
        "ms",
        LogLikelihood(),
        milliseconds,
        (Goal((BY_HAND,), 1.1, kernels="compiled"), beside_pytorch(1.0)),
        check=apart,
    )
]
