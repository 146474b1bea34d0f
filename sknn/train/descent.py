"""Stochastic gradient descent: what a step is, and which samples are in a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from ..autodiff.tape import Array
from ..nn.draws import Draws
from ..nn.init import Random
from ..nn.layer import Still
from ..ops.memory import kept_memory
from ..ops.threads import Threads
from .loop import BATCHES, FitLoop, Observer, Validate
from .phases import DescendingPhase, SearchedPhase
from .search import refuse_what_changes, search
from .stages import Stage
from .state import Outcome, TrainingState


class Data(Protocol):
    """What the loop needs to know of data: how many samples, and a batch of some of them.

    A batch is whatever the objective reads; its `weight` holds the weights of its values, or None.
    """

    def __len__(self) -> int: ...

    def take(self, index: slice | Array, draws: Draws) -> Any: ...


def train(
    network: Any,
    data: Data,
    stages: Sequence[Stage],
    state: TrainingState,
    rng: Random,
    *,
    validate: Validate | None = None,
    curve_scale: float = 1.0,
    report: Callable[[str], None] | None = None,
    observer: Observer | None = None,
) -> GradientDescent:
    """Minimise the objectives of all stages over the data.

    Parameters
    ----------
    network, stages, state, rng, validate, report
        See :class:`FitLoop`.
    data : Data
        What to learn from.
    curve_scale : float, default=1.0
        A factor on the mean loss, not on the penalty, in the loss curve.
    observer : Observer, default=None
        Told of every epoch, and may end the training.

    Returns
    -------
    loop : GradientDescent
        Its `outcome` says why training ended. If it diverged without a validated state to restore, the network holds
        non-finite or useless weights.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"), kept_memory():
        loop = GradientDescent(network, data, stages, state, rng, validate, curve_scale, report)
        loop.outcome = loop.epochs(observer)
    return loop


class GradientDescent(FitLoop):
    """Epochs of mini-batches, each a step of every phase; or a search over all samples at once."""

    def __init__(
        self,
        network: Any,
        data: Data,
        stages: Sequence[Stage],
        state: TrainingState,
        rng: Random,
        validate: Validate | None,
        curve_scale: float,
        report: Callable[[str], None] | None,
    ) -> None:
        self.data, self.curve_scale = data, curve_scale
        moving = (layer for layer, parameters in network.walk() if not isinstance(parameters, Still))
        self.needs_batch = next((layer for layer in moving if layer.needs_batch), None)
        for stage in stages:
            if stage.searches:
                refuse_what_changes(network)
            elif self.needs_batch is not None and stage.plan.batch_size == 1:
                raise ValueError(
                    f"{self.needs_batch!r} does not apply with batches of one sample, which has no spread to be "
                    "normalised by; take a batch_size of at least 2, and give at least 2 samples"
                )
        super().__init__(network, len(data), stages, state, rng, validate, report)

    def enter(self, number: int) -> None:
        super().enter(number)
        earlier = sum(len(stage.phases) for stage in self.stages[:number])
        running: Any = SearchedPhase if self.stage.searches else DescendingPhase
        self.phases: list[Any] = [running(self, phase, earlier + k) for k, phase in enumerate(self.stage.phases)]

    def all_epochs(self, observer: Observer | None) -> Outcome:
        with Threads(self.operations()) as self.threads:
            return search(self, observer) if self.stage.searches else super().all_epochs(observer)

    def operations(self) -> float:
        """Those of a step in floating point: for each multiplication it and an addition, forward and twice back.

        What the layers declare holds until the first step has counted.
        """
        size = self.n_samples if self.stage.searches else self.plan.batch_size
        return 6.0 * size * max(self.state.work.values(), default=self.network.multiplications)

    def take_threads(self) -> None:
        """As many as the work of a step is worth."""
        self.threads.follow(self.operations())

    def epoch(self) -> float:
        state, schedule, samples = self.state, self.plan.schedule, self.state.samples
        moment = self.moment(samples)
        rate = self.rate_at(samples)
        for index in self.batches():
            self.draws.at(BATCHES, state.steps)
            batch = self.data.take(index, self.draws)
            n_rows = index.stop - index.start if isinstance(index, slice) else len(index)
            if schedule.per == "batch":
                rate = self.rate_at(samples)
            state.steps += 1
            for phase in self.phases:
                if state.steps % phase.every == 0:
                    phase.step(batch, n_rows, rate, (samples - state.stage_samples) / moment.total)
            samples += n_rows
        return self.record()

    def record(self) -> float:
        """The mean loss of the first phase while it was learning; all curves by name, where there are several."""
        for phase in self.phases:
            named = {phase.name: phase.curve} if len(self.phases) > 1 else {}
            for name, curve in {**named, **phase.terms}.items():
                self.state.loss_curves.setdefault(name, []).append(curve.mean())
        loss = self.phases[0].curve.mean()
        for phase in self.phases:
            phase.forget()
        return loss

    def batches(self) -> Iterator[slice | Array]:
        """The rows of each batch, in a new order."""
        if self.plan.shuffle:
            self.shuffle()
        for stretch in self.stretches():
            yield self.rows_of(stretch)

    def stretches(self) -> Iterator[slice]:
        """Where each batch lies in the order of the samples."""
        n, size = self.n_samples, self.plan.batch_size
        lone = n % size == 1 and self.needs_batch is not None  # the last row joins those before it
        last = n - 1 if lone else n
        for start in range(0, last, size):
            yield slice(start, start + size if start + size < last else n)

    def rows_of(self, stretch: slice) -> slice | Array:
        """The rows that lie there; where one batch holds all rows they are taken in order."""
        return self.order[stretch] if self.plan.shuffle and self.plan.batch_size < self.n_samples else stretch
