"""Trainings side by side: members of an ensemble take each step together, and each leaves the bits it leaves alone.

The time of a small step goes in what surrounds its arithmetic. Members with networks that are alike and as many samples
share that: one batch for all of them (members, n, ...), one application of the layers, one value for each, one step of
the optimizer. Everything else is a member's own: the order of its samples, its draws, validation, history, and when it
stops. One that has stopped is taken out, so that it costs nothing and nothing moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..autodiff import counting
from ..autodiff.tape import backward
from ..nn.init import Random
from ..nn.members import Members, alike
from ..ops.loss import average
from ..ops.memory import kept_memory
from ..ops.threads import Threads
from ..optim import Descents, clip_norm
from .descent import Data, GradientDescent
from .loop import Validate
from .phases import DescendingPhase
from .stages import Stage
from .state import Outcome, TrainingState

AT_ONCE = 1 << 18  # values of a member that are put in order at a time


@dataclass
class Training:
    """One training among several: what :func:`train` is told of it."""

    network: Any
    data: Data
    stages: Sequence[Stage]
    state: TrainingState
    rng: Random
    validate: Validate | None = None
    curve_scale: float = 1.0
    report: Callable[[str], None] | None = None

    def loop(self) -> GradientDescent:
        """The loop that is to train it."""
        return GradientDescent(
            self.network,
            self.data,
            self.stages,
            self.state,
            self.rng,
            self.validate,
            self.curve_scale,
            self.report,
        )


def go_side_by_side(trainings: Sequence[Training]) -> bool:
    """Whether these can take their steps together: :func:`train_side_by_side` takes no others.

    Their networks have to be alike and their layers to take members; their objective has to say ``members = True``,
    which means that it gives values (members, n) for a batch with an axis of members in front; their data have to say
    ``by_rows = True``: batches are named tuples of arrays x, y and weight, which hold for each row the same whatever
    else is in the batch. There is one stage with one phase, which descends, without averaging. Rates, penalties and
    limits may differ, but not the number of samples, the batches or the optimizer.
    """
    return alike([training.network for training in trainings]) and len(set(map(_layout, trainings))) == 1


def _layout(training: Training) -> Any:
    """What has to be the same; something that is like nothing else where there is more than one phase to train."""
    stage, data = training.stages[0], training.data
    simple = len(training.stages) == 1 and len(stage.phases) == 1 and not stage.searches and len(data) > 0
    phase = stage.phases[0]
    if not simple or phase.parts or phase.averaging or training.state.averages:
        return training.network, object()
    if not (getattr(phase.objective, "members", False) and getattr(data, "by_rows", False)):
        return training.network, object()
    batch = data.take(slice(0, 1), None)  # type: ignore[arg-type]
    rows = tuple(None if each is None else (each.shape, each.dtype) for each in (batch.x, batch.y, batch.weight))
    arrays = all(isinstance(each, np.ndarray | None) for each in (batch.x, batch.y, batch.weight))
    optimizer = phase.optimizer or stage.solver
    return len(data), stage.plan.batch_size, stage.plan.shuffle, repr(optimizer), rows, arrays or object()


def train_side_by_side(trainings: Sequence[Training]) -> list[GradientDescent]:
    """Minimise the objective of each of several trainings, as :func:`train` does one after the other, but faster.

    Parameters
    ----------
    trainings : sequence of Training
        Such as :func:`go_side_by_side`. Nobody observes them.

    Returns
    -------
    loops : list of GradientDescent
        As :func:`train` gives them. After an interruption the outcome of all that had not ended is INTERRUPTED.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"), kept_memory():
        loops = [training.loop() for training in trainings]
        running = loops
        with Threads(loops[0].operations()) as threads:
            for loop in loops:
                loop.threads = threads
            try:
                while len(running) > 1:
                    running = _until_one_ends(running)
                for loop in running:
                    _end(loop, loop.all_epochs(None))
            except KeyboardInterrupt:
                for loop in loops:
                    if not hasattr(loop, "outcome"):
                        _end(loop, Outcome.INTERRUPTED)
    return loops


def _until_one_ends(loops: list[GradientDescent]) -> list[GradientDescent]:
    """Epochs of all, until one or more of them have ended; those that have not."""
    together = SideBySide(loops)
    outcomes: list[Outcome | None] = [None]
    try:
        while not any(outcomes):
            losses = together.epoch()
            outcomes = [_after(loop, loss) for loop, loss in zip(loops, losses, strict=True)]
    finally:
        together.part()
    for loop, outcome in zip(loops, outcomes, strict=True):
        if outcome:
            _end(loop, outcome)
    return [loop for loop, outcome in zip(loops, outcomes, strict=True) if not outcome]


def _after(loop: GradientDescent, loss: float) -> Outcome | None:
    """The reason to stop after an epoch with this loss, if there is one."""
    return loop.after(loss) or (None if loop.state.epochs < loop.last_epoch else Outcome.EPOCHS_DONE)


def _end(loop: GradientDescent, outcome: Outcome) -> None:
    loop.outcome = outcome
    loop.keep_weights()


class SideBySide:
    """Members that go through their epochs together.

    Parameters
    ----------
    loops : sequence of GradientDescent
        Of each member, at the end of the same number of steps of an epoch: none.
    """

    def __init__(self, loops: Sequence[GradientDescent]) -> None:
        self.loops, self.first = loops, loops[0]
        self.phases: list[DescendingPhase] = [loop.phases[0] for loop in loops]
        self.members = Members([loop.network for loop in loops])
        self.descents = Descents([phase.run for phase in self.phases], self.members.theta, self.members.grad)
        self.nets = self.members.function([loop.draws for loop in loops])
        self.alphas = [phase.alpha for phase in self.phases]
        self.clipped = any(phase.clip_norm is not None for phase in self.phases)

    def part(self) -> None:
        """Give each member what is its own, as it is now."""
        self.members.hand_back()
        self.descents.part()

    def epoch(self) -> list[float]:
        """An epoch of all; the loss of each. Networks have their weights, as after an epoch of their own."""
        loops = self.loops
        for loop in loops:
            if loop.plan.shuffle:
                loop.shuffle()
        samples = self.first.state.samples
        start, total = samples - self.first.state.stage_samples, self.first.moment(samples).total
        done = 0
        by_batch = any(loop.plan.schedule.per == "batch" for loop in loops)
        rates = self.rates(done)
        for batch, n_rows in self.batches():
            if by_batch:
                rates = self.rates(done)
            self.step(batch, n_rows, rates, (start + done) / total)
            done += n_rows
        self.members.hand_back()
        return [loop.record() for loop in loops]

    def rates(self, done: int) -> list[float]:
        """The learning rate of each after so many samples of the epoch, where its schedule asks for them."""
        rates = []
        for loop, phase in zip(self.loops, self.phases, strict=True):
            since = done if loop.plan.schedule.per == "batch" else 0
            rates.append(loop.rate_at(loop.state.samples + since) * phase.rate)
        return rates

    def batches(self) -> Iterator[tuple[Any, int]]:
        """The batches of all members, with how many samples each has: pieces of a stretch that is put in order."""
        width = prod(self.first.data.take(slice(0, 1), self.first.draws).x.shape)
        at_once = max(AT_ONCE // max(width, 1), 1)
        stretches = list(self.first.stretches())
        while stretches:
            start = stretches[0].start
            few = [each for each in stretches if each.stop <= start + at_once] or stretches[:1]
            stretches = stretches[len(few) :]
            whole = slice(start, few[-1].stop)
            parts = [loop.data.take(loop.rows_of(whole), loop.draws) for loop in self.loops]
            x, y, weight = (_stacked([getattr(part, name) for part in parts]) for name in ("x", "y", "weight"))
            for piece in few:
                here = slice(piece.start - start, piece.stop - start)
                batch = parts[0]._replace(
                    x=x[:, here],
                    y=None if y is None else y[:, here],
                    weight=None if weight is None else weight[:, here],
                )
                yield batch, piece.stop - piece.start

    def step(self, batch: Any, n_rows: int, rates: list[float], progress: float) -> None:
        """One update of each, as :meth:`DescendingPhase.step` makes it."""
        phases, members = self.phases, self.members
        for phase in phases:
            state = phase.state
            state.steps += 1
            phase.draws.at(phase.number, state.steps)
        self.nets.progress = progress
        values = average(self.values(batch, n_rows), batch.weight)
        backward(values, members.leaves)
        weights = [float(n_rows)] * len(phases) if batch.weight is None else batch.weight.sum(axis=1).tolist()
        norms = members.decaying_norms() if any(self.alphas) else self.alphas
        if self.clipped:
            for phase, grad in zip(phases, members.grad, strict=True):
                if phase.clip_norm is not None:
                    clip_norm(grad, phase.clip_norm)
        self.descents.step(rates, [alpha / weight for alpha, weight in zip(self.alphas, weights, strict=True)])
        losses = values.value.tolist()
        for phase, loss, weight, alpha, norm in zip(phases, losses, weights, self.alphas, norms, strict=True):
            curve = phase.curve
            curve.total += loss * phase.scale * weight + (0.5 * alpha * norm if alpha else 0.0)
            curve.weight += weight

    def values(self, batch: Any, n_rows: int) -> Any:
        """The loss of each sample of each member; the first time, what it takes is counted."""
        first = self.phases[0]
        if first.is_counted:
            return first.objective(self.nets, batch, self.nets.context.draws)
        with counting() as work:
            found = first.objective(self.nets, batch, self.nets.context.draws)
        for phase in self.phases:
            phase.state.work[phase.name] = work.multiplications / (len(self.phases) * n_rows)
            phase.is_counted = True
        self.first.take_threads()
        return found


def _stacked(parts: list[Any]) -> Any:
    return None if parts[0] is None else np.stack(parts)
