"""Elementary operations, operations on segments of rows, and products with sparse matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from sknn.autodiff import Tensor, grad
from sknn.autodiff import primitives as F
from sknn.ops.segment import Segments, segment_max, segment_mean, segment_softmax, segment_sum

from ..measure import Goal
from .rows import Task, Work, beside_pytorch, row


@dataclass(frozen=True)
class Put(Work):
    """Rows added up at the places that an index names, some often: the gradient of an embedding."""

    n_rows: int = 10_000
    n_places: int = 1_000
    n_channels: int = 64

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.n_rows, self.n_channels), dtype=np.float32)
        return x, rng.integers(self.n_places, size=self.n_rows)

    def sknn(self) -> Task:
        x, index = self.data()
        return lambda: [F.put(x, index, (self.n_places, self.n_channels))]

    def others(self) -> dict[str, Task]:
        x, index = self.data()

        def add_at() -> Sequence[Any]:
            y = np.zeros((self.n_places, self.n_channels), np.float32)
            np.add.at(y, index, x)
            return [y]

        return {"np.add.at": add_at}

    def pytorch(self, torch: Any) -> Task:
        x, index = map(torch.from_numpy, self.data())
        return lambda: [torch.zeros(self.n_places, self.n_channels).index_add_(0, index, x)]


@dataclass(frozen=True)
class PackedGRU(Work):
    """The loss and gradients of a gated recurrence over steps packed one below the other, each a slice of one tensor.

    It is made of elementary operations in both: a step in Python for each step in time.
    """

    n_steps: int = 200
    n_series: int = 64
    n_units: int = 64

    def data(self) -> list[np.ndarray]:
        """What the steps take from their inputs, and the weights of the state, of both gates and of candidates."""
        rng = np.random.default_rng(0)
        rows = rng.standard_normal((self.n_steps * self.n_series, 3 * self.n_units), dtype=np.float32)
        weights = rng.standard_normal((self.n_units, 3 * self.n_units), dtype=np.float32) / self.n_units**0.5
        return [rows, weights[:, : 2 * self.n_units].copy(), weights[:, 2 * self.n_units :].copy()]

    def loss(self, rows: Any, of_gates: Any, of_candidates: Any, sigmoid: Any, tanh: Any, state: Any) -> Any:
        n, units = self.n_series, self.n_units
        total = 0.0
        for step in range(self.n_steps):
            x = rows[step * n : (step + 1) * n]
            gates = sigmoid(x[:, : 2 * units] + state @ of_gates)
            reset, update = gates[:, :units], gates[:, units:]
            candidate = tanh(x[:, 2 * units :] + (reset * state) @ of_candidates)
            state = candidate + update * (state - candidate)
            total = total + (state * state).sum()
        return total

    def sknn(self) -> Task:
        data, state = self.data(), np.zeros((self.n_series, self.n_units), np.float32)

        def gradients() -> Sequence[Any]:
            leaves = rows, of_gates, of_candidates = [Tensor(each) for each in data]
            return grad(self.loss(rows, of_gates, of_candidates, F.sigmoid, F.tanh, state), leaves)

        return gradients

    def pytorch(self, torch: Any) -> Task:
        leaves = rows, of_gates, of_candidates = [torch.from_numpy(each).requires_grad_() for each in self.data()]
        state = torch.zeros(self.n_series, self.n_units)
        return lambda: torch.autograd.grad(
            self.loss(rows, of_gates, of_candidates, torch.sigmoid, torch.tanh, state), leaves
        )


@dataclass(frozen=True)
class BySegment(Work):
    """Rows summed up by segment, and the gradient: messages along the edges of a graph. PyTorch scatters them."""

    kind: str
    n_rows: int = 50_000
    n_segments: int = 5_000
    n_channels: int = 32

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.n_rows, self.n_channels), dtype=np.float32)
        return x, rng.integers(self.n_segments, size=self.n_rows)

    def sknn(self) -> Task:
        operation = {"sum": segment_sum, "mean": segment_mean, "max": segment_max, "softmax": segment_softmax}[
            self.kind
        ]
        x, index = self.data()
        segments = Segments.by(index, self.n_segments)

        def both() -> Sequence[Any]:
            leaf = Tensor(x)
            y = operation(leaf, segments=segments)
            return [y.value, grad(y, leaf, seed=y.value)]

        return both

    def pytorch(self, torch: Any) -> Task:
        x, index = map(torch.from_numpy, self.data())
        x.requires_grad_()
        shape = (self.n_segments, self.n_channels)
        everywhere = index[:, None].expand(-1, self.n_channels)

        def reduced(values: Any, by: str) -> Any:
            return torch.zeros(shape).scatter_reduce(0, everywhere, values, by, include_self=False)

        def softmax() -> Any:
            exps = torch.exp(x - reduced(x.detach(), "amax")[index])
            return exps / torch.zeros(shape).index_add(0, index, exps)[index]

        forward = {
            "sum": lambda: torch.zeros(shape).index_add(0, index, x),
            "mean": lambda: reduced(x, "mean"),
            "max": lambda: reduced(x, "amax"),
            "softmax": softmax,
        }[self.kind]

        def both() -> Sequence[Any]:
            y = forward()
            return [y.detach(), *torch.autograd.grad(y, x, y.detach())]

        return both


@dataclass(frozen=True)
class SparseProduct(Work):
    """A constant sparse matrix times rows, and the gradient: a graph convolution. PyTorch's is a COO tensor."""

    n_rows: int = 10_000
    n_channels: int = 64
    filled: float = 1e-3

    def data(self) -> tuple[sparse.csr_array, np.ndarray]:
        rng = np.random.default_rng(0)
        shape = (self.n_rows, self.n_rows)
        matrix = sparse.random_array(shape, density=self.filled, rng=rng, format="csr", dtype=np.float32)
        return matrix, rng.standard_normal((self.n_rows, self.n_channels), dtype=np.float32)

    def sknn(self) -> Task:
        matrix, x = self.data()

        def both() -> Sequence[Any]:
            leaf = Tensor(x)
            y = matrix @ leaf
            return [y.value, grad(y, leaf, seed=y.value)]

        return both

    def pytorch(self, torch: Any) -> Task:
        matrix, x = self.data()
        entries = matrix.tocoo()
        places = torch.from_numpy(np.stack([entries.row, entries.col]).astype(np.int64))
        theirs = torch.sparse_coo_tensor(
            places, torch.from_numpy(entries.data), matrix.shape, check_invariants=True
        ).coalesce()
        leaf = torch.from_numpy(x).requires_grad_()

        def both() -> Sequence[Any]:
            y = torch.sparse.mm(theirs, leaf)
            return [y.detach(), *torch.autograd.grad(y, leaf, y.detach())]

        return both


MEASUREMENTS = [
    row("put", Put(), Goal(("np.add.at",), 0.1), beside_pytorch(1.0)),
    row("GRU of primitives, 200 steps", PackedGRU(), beside_pytorch(1.0)),
    *(row(f"segment {kind}", BySegment(kind), beside_pytorch(1.0)) for kind in ("sum", "mean", "max", "softmax")),
    row("sparse product", SparseProduct(), beside_pytorch(1.0)),
]
