"""Compiled kernels that families lean on: layer norm, narrow dense layers, averages of weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn.autodiff import Tensor, grad
from sknn.autodiff import primitives as F
from sknn.nn import Dense, Network, value_and_grad
from sknn.ops.dense import dense
from sknn.ops.norm import layer_norm
from sknn.ops.threads import available_threads
from sknn.optim import Adam

from ..measure import Goal
from .rows import Task, Work, beside_pytorch, row

WITHOUT = "without averaging"

NORMED = ((64, 8), (1_000, 16), (1_000, 64), (12_800, 64), (2_000, 256), (1_000, 1_024))  # rows and channels

NARROW = ((12_800, 16), (12_800, 32), (12_800, 64))


@dataclass(frozen=True)
class RowsBack(Work):
    """The gradients of an operation on rows, such as the steps of series, from that of its result."""

    n_rows: int
    n_channels: int

    def shapes(self) -> list[tuple[int, ...]]:
        """Of the parameters."""
        return [(self.n_channels,), (self.n_channels,)]

    def operation(self, x: Any, *parameters: Any) -> Any:
        return layer_norm(x, *parameters)

    def data(self) -> list[np.ndarray]:
        """The rows, the parameters, and the gradient of the result, of the shape of the rows."""
        rng, shape = np.random.default_rng(0), (self.n_rows, self.n_channels)
        return [rng.standard_normal(size, dtype=np.float32) for size in (shape, *self.shapes(), shape)]

    def sknn(self) -> Task:
        *inputs, g = self.data()
        leaves = [Tensor(each) for each in inputs]
        y = self.operation(*leaves)
        return lambda: grad(y, leaves, seed=g)

    def pytorch(self, torch: Any) -> Task:
        *leaves, g = map(torch.from_numpy, self.data())
        y = self.theirs(torch, *(leaf.requires_grad_() for leaf in leaves))
        return lambda: torch.autograd.grad(y, leaves, g, retain_graph=True)

    def theirs(self, torch: Any, x: Any, *parameters: Any) -> Any:
        return torch.nn.functional.layer_norm(x, (self.n_channels,), *parameters)


@dataclass(frozen=True)
class NarrowBack(RowsBack):
    """Those of a dense layer with as many outputs as inputs."""

    def shapes(self) -> list[tuple[int, ...]]:
        return [(self.n_channels, self.n_channels), (self.n_channels,)]

    def operation(self, x: Any, *parameters: Any) -> Any:
        return dense(x, *parameters)

    def theirs(self, torch: Any, x: Any, *parameters: Any) -> Any:
        weight, bias = parameters
        return torch.addmm(bias, x, weight)


@dataclass(frozen=True)
class Averaging(Work):
    """A step of a network with Adam, whose parameters are averaged over the steps, and without that."""

    width: int = 1_000
    batch_size: int = 32

    def step(self, share: float) -> Task:
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.batch_size, self.width), dtype=np.float32)
        network = Network([Dense(self.width)], (self.width,), rng, dtype="float32")
        theta, average = network.theta, network.theta.copy() if share else None
        run = Adam().start(theta, workers=available_threads())

        def step() -> Sequence[Any]:
            _, (slope,) = value_and_grad(lambda net, x: F.square(net(x)).mean(), [network], x)
            run.step(theta, slope, 1e-4, 0.0, average, share)
            return [theta]

        return step

    def sknn(self) -> Task:
        return self.step(0.01)

    def others(self) -> dict[str, Task]:
        return {WITHOUT: self.step(0.0)}


MEASUREMENTS = [
    row("averaging, 1,001,000 parameters", Averaging(), Goal((WITHOUT,), 1.1, kernels="compiled")),
    *(row(f"layer norm back, {n:,}x{d}", RowsBack(n, d), beside_pytorch(1.0)) for n, d in NORMED),
    *(row(f"dense back, {n:,}x{d}", NarrowBack(n, d), beside_pytorch(1.0)) for n, d in NARROW),
]
