"""Derivatives of networks by their parameters and inputs: products, jets, and the gradients of each sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn.autodiff import ggn, hvp, jet, jvp
from sknn.autodiff import primitives as F
from sknn.nn import Dense, Network, per_sample_gradients, value_and_grad
from sknn.ops.loss import squared_error

from ..measure import Goal
from .rows import Task, Work, beside_pytorch, row


@dataclass(frozen=True)
class Derivative(Work):
    """Of a network with tanh between its layers, by its parameters, theta; at some rows, along a vector v."""

    sizes: tuple[int, ...] = (8, 50, 2)
    n_rows: int = 300

    def network(self) -> Network:
        *hidden, last = self.sizes[1:]
        layers = [*(Dense(size, activation="tanh") for size in hidden), Dense(last)]
        return Network(layers, self.sizes[:1], np.random.RandomState(0))

    def data(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, targets and v."""
        rng = np.random.default_rng(0)
        shapes = (self.n_rows, self.sizes[0]), (self.n_rows, self.sizes[-1]), (self.network().n_parameters,)
        return tuple(rng.standard_normal(shape, dtype=np.float32) for shape in shapes)  # type: ignore[return-value]

    def in_pytorch(self, torch: Any) -> tuple[Any, Callable, Any, Any, Any]:
        """Theta, the outputs as a function of theta and rows, and the data."""
        network = self.network()
        places = [[network.names[f"{k}.{own}"] for own in ("weight", "bias")] for k in range(len(network.layers))]

        def outputs(theta: Any, x: Any) -> Any:
            for k, (weight, bias) in enumerate(places):
                x = x @ theta[weight.start : weight.stop].reshape(weight.shape) + theta[bias.start : bias.stop]
                x = torch.tanh(x) if k < len(places) - 1 else x
            return x

        return torch.from_numpy(network.theta), outputs, *map(torch.from_numpy, self.data())


class PerSample(Derivative):
    """The gradient of each row's squared error: 552 parameters, 300 rows."""

    def sknn(self) -> Task:
        network, (x, y, _) = self.network(), self.data()
        return lambda: per_sample_gradients(lambda net, x, y: squared_error(net(x), y), network, x, y)[1:]

    def others(self) -> dict[str, Task]:
        network, (x, y, _) = self.network(), self.data()

        def row_by_row() -> Sequence[Any]:
            gradients = np.empty((len(x), network.n_parameters), np.float32)
            for i in range(len(x)):
                value_and_grad(lambda net, *row: F.sum(squared_error(net(row[0]), row[1])), [network], x[i, None], y[i])
                gradients[i] = network.grad
            return [gradients]

        return {"row by row": row_by_row}

    def pytorch(self, torch: Any) -> Task:
        theta, outputs, x, y, _ = self.in_pytorch(torch)
        gradient = torch.func.grad(lambda theta, x, y: 0.5 * (outputs(theta, x) - y).square().sum())
        each = torch.func.vmap(gradient, (None, 0, 0))
        return lambda: [each(theta, x, y)]


class JVP(Derivative):
    """The derivative of the outputs along v."""

    def sknn(self) -> Task:
        network, (x, _, v) = self.network(), self.data()
        return lambda: jvp(lambda theta: network.at(theta)(x), network.theta, v)

    def pytorch(self, torch: Any) -> Task:
        theta, outputs, x, _, v = self.in_pytorch(torch)
        return lambda: torch.func.jvp(lambda theta: outputs(theta, x), (theta,), (v,))


class HVP(Derivative):
    """The Hessian of the squared error times v."""

    def sknn(self) -> Task:
        network, (x, y, v) = self.network(), self.data()
        return lambda: [hvp(lambda theta: F.sum(squared_error(network.at(theta)(x), y)), network.theta, v)]

    def pytorch(self, torch: Any) -> Task:
        theta, outputs, x, y, v = self.in_pytorch(torch)
        gradient = torch.func.grad(lambda theta: 0.5 * (outputs(theta, x) - y).square().sum())
        return lambda: [torch.func.jvp(gradient, (theta,), (v,))[1]]


class GGN(Derivative):
    """The Gauss-Newton matrix of the squared error times v."""

    def sknn(self) -> Task:
        network, (x, y, v) = self.network(), self.data()

        def loss(raw: Any) -> Any:
            return F.sum(squared_error(raw, y))

        return lambda: [ggn(lambda theta: network.at(theta)(x), loss, network.theta, v)]

    def pytorch(self, torch: Any) -> Task:
        theta, outputs, x, _, v = self.in_pytorch(torch)

        def product() -> Sequence[Any]:
            _, slope = torch.func.jvp(lambda theta: outputs(theta, x), (theta,), (v,))
            _, back = torch.func.vjp(lambda theta: outputs(theta, x), theta)
            return back(slope)  # the curvature of the squared error is one

        return product


@dataclass(frozen=True)
class Jets(Derivative):
    """All derivatives of the outputs up to an order, along the first input."""

    sizes: tuple[int, ...] = (2, *(20,) * 8, 1)
    n_rows: int = 250
    order: int = 2

    def along(self) -> np.ndarray:
        return np.eye(1, self.sizes[0], dtype=np.float32).repeat(self.n_rows, axis=0)

    def sknn(self) -> Task:
        network, (x, *_) = self.network(), self.data()
        return lambda: jet(network, x, self.along(), self.order)

    def pytorch(self, torch: Any) -> Task:
        theta, outputs, x, *_ = self.in_pytorch(torch)
        along = torch.from_numpy(self.along())

        def derivatives(x: Any, order: int) -> tuple:
            if order == 0:
                return (outputs(theta, x),)
            lower, slopes = torch.func.jvp(lambda x: derivatives(x, order - 1), (x,), (along,))
            return (*lower, slopes[-1])

        return lambda: derivatives(x, self.order)


MEASUREMENTS = [
    row("per sample", PerSample(), Goal(("row by row",), 0.1), beside_pytorch(1.0)),
    row("jvp", JVP(), beside_pytorch(1.0)),
    row("hvp", HVP(), beside_pytorch(1.0)),
    row("ggn", GGN(), beside_pytorch(1.0)),
    row("jet 2", Jets(), beside_pytorch(1.0)),
    row("jet 4", Jets(order=4), beside_pytorch(1.0)),
]
