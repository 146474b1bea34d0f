"""Pages that a step touches for the first time: to map one takes longer than the arithmetic on its values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from sknn.autodiff import jet
from sknn.autodiff import primitives as F
from sknn.nn import Conv, Dense, GlobalPool, Layer, Network, value_and_grad
from sknn.ops.memory import kept_memory

from ..measure import Goal, Measurement, Sample, Turn
from .rows import Task, Work, contestants, row

FRESH, NONE = "sknn, fresh memory", "no page"
STEPS = 5


@dataclass(frozen=True)
class Step(Work):
    """The mean square of what layers make of random inputs, and its gradient."""

    layers: Sequence[Layer]
    shape: tuple[int, ...]
    n_samples: int

    def sknn(self) -> Task:
        network = Network(self.layers, self.shape, np.random.RandomState(0))
        x = np.random.default_rng(0).standard_normal((self.n_samples, *self.shape), dtype=np.float32)
        return gradient_of(network, lambda net: F.mean(F.square(net(x))))


@dataclass(frozen=True)
class Equation(Work):
    """The mean square by which a network misses u_t + u u_x = u_xx / 100, and its gradient."""

    widths: tuple[int, ...] = (20,) * 8
    n_points: int = 10_000

    def network(self) -> Network:
        layers = [*(Dense(width, activation="tanh") for width in self.widths), Dense(1)]
        return Network(layers, (2,), np.random.RandomState(0), "float64")

    def points(self) -> np.ndarray:
        return np.random.default_rng(0).random((self.n_points, 2))

    def sknn(self) -> Task:
        points = self.points()
        along_x, along_t = (np.tile(direction, (self.n_points, 1)) for direction in np.eye(2))

        def missed(net: Any) -> Any:
            u, u_x, u_xx = jet(net, points, along_x)
            _, u_t = jet(net, points, along_t, order=1)
            return F.mean(F.square(u_t + u * u_x - 0.01 * u_xx))

        return gradient_of(self.network(), missed)

    def pytorch(self, torch: Any) -> Task:
        network, points = self.network(), torch.from_numpy(self.points()).requires_grad_()
        parameters = {
            name: torch.from_numpy(network.theta[place.start : place.stop].reshape(place.shape).copy()).requires_grad_()
            for name, place in network.names.items()
        }

        def by_points(y: Any) -> Any:
            return torch.autograd.grad(y.sum(), points, create_graph=True)[0]

        def step() -> Sequence[Any]:
            u = points
            for k in range(len(network.layers)):
                z = u @ parameters[f"{k}.weight"] + parameters[f"{k}.bias"]
                u = z if k == len(self.widths) else torch.tanh(z)
            slopes = by_points(u)
            u_x, u_t = slopes[:, :1], slopes[:, 1:]
            value = (u_t + u * u_x - 0.01 * by_points(u_x)[:, :1]).square().mean()
            gradients = torch.autograd.grad(value, list(parameters.values()), allow_unused=True)
            return [torch.cat([torch.zeros(1) if each is None else each.ravel() for each in gradients])]

        return step


def gradient_of(network: Network, objective: Callable[[Any], Any]) -> Task:
    return lambda: value_and_grad(objective, [network])[1]


def page_faults(work: Work) -> dict[str, Turn]:
    """The turns of all, and of sknn without the memory of a fit; none where the system does not tell."""
    if sys.platform == "win32":
        return {}
    turns: dict[str, Turn] = {name: partial(faults_of, task, kept_memory) for name, task in contestants(work).items()}
    return turns | {FRESH: partial(faults_of, work.sknn(), nullcontext), NONE: lambda: Sample(1.0)}


def faults_of(task: Task, memory: Callable[[], AbstractContextManager]) -> Sample:
    """Of a step after the first in this memory."""
    import resource

    with memory():
        task()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(STEPS):
            task()
        return Sample(1 + (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / STEPS)


def pages(name: str, work: Work) -> Measurement:
    goal = Goal((NONE,), 3.0, kernels="compiled")  # two pages a step
    return Measurement("core", f"pages of {name}", "1 + page faults", work, page_faults, (goal,))


PERCEPTRON = Step((Dense(1024, activation="tanh"), Dense(1024, activation="tanh"), Dense(10)), (784,), 2048)
CONVOLUTIONS = Step((Conv(32, 3, activation="relu"), Conv(32, 3, activation="relu"), GlobalPool()), (28, 28, 1), 256)
MEASUREMENTS = [
    pages("MLP 784-1024-1024-10 at 2,048", PERCEPTRON),
    pages("CNN 28x28x1: 32 32 at 256", CONVOLUTIONS),
    pages("an equation, 8 x 20 at 10,000", Equation()),
    row("an equation, 8 x 20 at 10,000", Equation()),
]
