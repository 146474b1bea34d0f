"""One call of fit: what is trained, on what, and what is minimised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..autodiff.tape import Array, Tensor
from ..nn import Draws, Network
from ..nn.init import Random
from ..ops.loss import average
from ..train import ArrayData, TrainingState
from .targets import Target
from .validation import Samples


@dataclass
class Task:
    """One call of fit or partial_fit: what is trained, and on what."""

    network: Network
    target: Target
    rng: Random
    X: Any
    y: Array
    sample_weight: Array | None
    fresh: bool
    incremental: bool
    rows: Array | None = None  # of X, those of y; None: all
    held_out: Samples | None = None
    stops_early: bool = False

    def data(self) -> ArrayData:
        """The training data, encoded, in the precision of the network."""
        dtype = self.network.theta.dtype
        return ArrayData(self.X, self.target.encode(self.y, dtype), self.sample_weight, dtype, self.rows)


def mean_loss(task: Task, loss: Any, state: TrainingState | None = None) -> Callable[[Any, dict], Tensor]:
    """The weighted mean loss of a batch in training; what layers draw depends on the seed and the step of the state."""
    draws = Draws(0 if state is None else state.seed, task.network.theta.dtype)
    network = task.network.function(watched=True, training=True, draws=draws)

    def objective(_: Any, batch: dict) -> Tensor:
        draws.at(0, 0 if state is None else state.optimizer.steps)
        return average(loss(network(batch["x"]), batch["y"]), *_weight(batch))

    return objective


def _weight(batch: dict) -> tuple[Array, ...]:
    return (batch["weight"],) if "weight" in batch else ()


def curve_scale(task: Task) -> float:
    """What turns the loss into the one that loss curves show."""
    return 1.0 / task.target.n_outputs if task.target.loss().outputs_averaged else 1.0
