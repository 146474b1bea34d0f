"""Recurrent layers: the last states of series, their mean square, its gradient, and a step of Adam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sknn.autodiff import primitives as F
from sknn.nn import Network, Recurrent, Sequences, value_and_grad
from sknn.optim import Adam

from ..core.rows import ONE_THREAD, TOLERANCE, Task, Work, beside_pytorch, row
from ..measure import Goal, Measurement
from .kept_pages import beside_kept_pages

RATE = 1e-6  # of learning: next to none, since with one and two threads PyTorch trains the same network
ALIKE = "series of one length"


@dataclass(frozen=True)
class Step(Work):
    """A step of training: the states that it gives and the gradients by weights are compared."""

    cell: str = "gru"
    units: int = 64
    n_steps: int = 100
    both: bool = False
    n_samples: int = 64
    n_channels: int = 8

    def data(self) -> np.ndarray:
        shape = (self.n_samples, self.n_steps, self.n_channels)
        return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)

    def network(self) -> Network:
        layer = Recurrent(self.units, self.cell, bidirectional=self.both, sequences=False)  # type: ignore[arg-type]
        return Network([layer], (None, self.n_channels), np.random.RandomState(0))

    def sknn(self) -> Task:
        return self.step_on(self.data())

    def step_on(self, x: Any) -> Task:
        network = self.network()
        places = [network.names[f"0.{own}"] for own in ("weight", "recurrent_weight")]
        descent = Adam().start(network.theta, network.groups)

        def step() -> Sequence[Any]:
            outputs: list[Any] = []

            def loss(net: Any) -> Any:
                outputs.append(net(x))
                return F.mean(F.square(outputs[0]))

            value_and_grad(loss, [network])
            gradients = [network.grad[place.start : place.stop].reshape(place.shape) for place in places]
            results = [outputs[0].value, *map(np.copy, gradients)]
            descent.step(network.theta, network.grad, RATE)
            return results

        return step

    def pytorch(self, torch: Any) -> Task:
        kind = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}[self.cell]
        layer = kind(self.n_channels, self.units, batch_first=True, bidirectional=self.both)
        ours = self.network().parameters["0"]
        with torch.no_grad():
            for end, own in [("", ours), ("_reverse", ours.get("back"))][: 1 + self.both]:
                bias = own["bias"][: own["weight"].shape[1]]
                getattr(layer, f"weight_ih_l0{end}").copy_(torch.from_numpy(own["weight"].T.copy()))
                getattr(layer, f"weight_hh_l0{end}").copy_(torch.from_numpy(own["recurrent_weight"].T.copy()))
                getattr(layer, f"bias_ih_l0{end}").copy_(torch.from_numpy(bias))
                getattr(layer, f"bias_hh_l0{end}").zero_()
        x, optimizer = torch.from_numpy(self.data()), torch.optim.Adam(layer.parameters(), RATE, fused=True)

        def step() -> Sequence[Any]:
            optimizer.zero_grad()
            states = layer(x)[0]
            last = states[:, -1]
            if self.both:
                last = torch.cat([last[:, : self.units], states[:, 0, self.units :]], dim=1)
            last.square().mean().backward()
            optimizer.step()
            return [last.detach(), layer.weight_ih_l0.grad.T, layer.weight_hh_l0.grad.T]

        return step


@dataclass(frozen=True)
class Ragged(Step):
    """The same on series of other lengths, from half to one and a half times as long, of as many steps together."""

    def series(self) -> Sequences:
        spread = np.random.default_rng(1).permutation(self.n_samples) / (self.n_samples - 1) - 0.5
        lengths = np.round(self.n_steps * (1.0 + spread)).astype(int)
        lengths[0] += self.n_samples * self.n_steps - lengths.sum()
        return Sequences(self.data().reshape(-1, self.n_channels), lengths)

    def sknn(self) -> Task:
        return self.step_on(self.series())

    def others(self) -> dict[str, Task]:
        return {ALIKE: super().sknn()}

    def pytorch(self, torch: Any) -> None:
        return None


def apart_from_alone(work: Ragged) -> float:
    """How far, relatively, states are from those that the network gives for each series alone; an error if too far."""
    network, series = work.network(), work.series()
    alone = np.concatenate([network(sample[None]) for sample in series])
    farthest = float(np.abs(network(series) - alone).max() / np.abs(alone).max())
    if not farthest <= TOLERANCE:
        raise RuntimeError(f"states are {farthest:.0e} apart from those of each series alone")
    return farthest


def trained(work: Step, *goals: Goal) -> Measurement:
    both = ", both directions" if work.both else ""
    name = f"{work.cell} {work.units}{both}, T {work.n_steps}"
    return replace(row(name, work, *goals), suite="sequences")


def rows_of(cell: str, limit: float, on_numpy: float) -> list[Measurement]:
    """One cell in all sizes; on NumPy alone against PyTorch's single thread."""
    sizes = [(units, n_steps, False) for units in (64, 128) for n_steps in (50, 100, 200)] + [(64, 100, True)]
    goals = [beside_pytorch(limit), Goal((ONE_THREAD,), on_numpy, kernels="numpy")]
    return [replace(trained(Step(cell, *size), *goals), contest=beside_kept_pages) for size in sizes]


MEASUREMENTS = [
    *rows_of("gru", 0.4, 1.0),
    *rows_of("lstm", 0.85, 2.0),
    *rows_of("rnn", 1.0, 2.0)[1:2],
    *(
        replace(trained(Ragged(cell), Goal((ALIKE,), 1.1)), name=f"{cell} 64, ragged", check=apart_from_alone)
        for cell in ("gru", "lstm")
    ),
]
