"""Compiled kernels that families lean on: layer norm, dense layers narrow and usual, averages of weights."""

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

from ..measure import Goal, Measurement, Sample, Turn
from ..timing import timed
from .rows import Task, Work, beside_pytorch, row, steps

WITHOUT, NARROWER = "without averaging", "a little narrower"

NORMED = ((64, 8), (1_000, 16), (1_000, 64), (12_800, 64), (2_000, 256), (1_000, 1_024))  # rows and channels

NARROW = ((12_800, 16), (12_800, 32), (12_800, 64))

WIDTHS = (  # powers of two, and the others
    ((256, 512), (256, 500)),
    ((256, 1_024), (256, 1_000)),
    ((512, 512), (500, 500)),
    ((1_024, 1_024), (1_000, 1_000)),
)


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
class Widths:
    """A dense layer, forward and back, whose widths are powers of two, and one that is a little narrower."""

    n_rows: int
    usual: tuple[int, int]  # inputs and outputs: rows lie a multiple of 1, 2 or 4 KB apart
    narrower: tuple[int, int]

    def data(self, n_in: int, n_out: int) -> list[np.ndarray]:
        rng, shapes = np.random.default_rng(0), ((self.n_rows, n_in), (n_in, n_out), (self.n_rows, n_out))
        return [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]


def three_products(x: np.ndarray, w: np.ndarray, g: np.ndarray) -> list[np.ndarray]:
    leaves = Tensor(x), Tensor(w)
    y = dense(*leaves)
    return [y.value, *grad(y, leaves, seed=g)]


def picoseconds(work: Widths) -> dict[str, Turn]:
    """The turns of both layers, per multiplication."""

    def turn_of(n_in: int, n_out: int) -> Turn:
        data, multiplications = work.data(n_in, n_out), 3 * work.n_rows * n_in * n_out
        calls = max(1, round(0.01 / timed(lambda: three_products(*data))[0]))

        def turn() -> Sample:
            seconds, _ = timed(lambda: steps(lambda: three_products(*data), calls))
            return Sample(1e12 * seconds / calls / multiplications)

        return turn

    return {"sknn": turn_of(*work.usual), NARROWER: turn_of(*work.narrower)}


def apart_from_numpy(work: Widths) -> float:
    """How far the products of the usual widths are from those of NumPy, relatively to the largest entry."""
    x, w, g = work.data(*work.usual)
    pairs = zip(three_products(x, w, g), (x @ w, g @ w.T, x.T @ g), strict=True)
    return max(float(np.abs(one - other).max() / np.abs(other).max()) for one, other in pairs)


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


def widths(usual: tuple[int, int], narrower: tuple[int, int]) -> Measurement:
    name = "dense, 128x{:,}x{:,}".format(*usual)
    goal = Goal((NARROWER,), 1.05, kernels="compiled")
    return Measurement(
        "core", name, "ps a multiplication", Widths(128, usual, narrower), picoseconds, (goal,), check=apart_from_numpy
    )


MEASUREMENTS = [
    row("averaging, 1,001,000 parameters", Averaging(), Goal((WITHOUT,), 1.1, kernels="compiled")),
    *(row(f"layer norm back, {n:,}x{d}", RowsBack(n, d), beside_pytorch(1.0)) for n, d in NORMED),
    *(row(f"dense back, {n:,}x{d}", NarrowBack(n, d), beside_pytorch(1.0)) for n, d in NARROW),
    *(widths(usual, narrower) for usual, narrower in WIDTHS),
]
