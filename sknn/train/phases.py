"""A phase at work: its gradient on the slice of theta that it trains, its penalty, its curves."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from ..autodiff import counting
from ..autodiff.tape import Array, Tensor, backward
from ..ops.threads import SMALL_STEP, available_threads
from ..optim import clip_norm
from . import objectives
from .loop import BATCHES
from .stages import Phase

if TYPE_CHECKING:
    from .descent import GradientDescent


class Mean:
    """A weighted mean that is added up."""

    __slots__ = ("total", "weight")

    def __init__(self) -> None:
        self.total = self.weight = 0.0

    def mean(self) -> float:
        """NaN if nothing was added."""
        return self.total / self.weight if self.weight else nan


class RunningPhase:
    """A phase on the slice of theta that it trains: its gradient, its penalty, its curves."""

    def __init__(self, loop: GradientDescent, phase: Phase, number: int) -> None:
        network = loop.network
        self.objective, self.every, self.name = phase.objective, phase.every, phase.name
        self.draws, self.number, self.state, self.scale = loop.draws, number, loop.state, loop.curve_scale
        self.parts, self.decaying_norm = phase.parts, network.decaying_norm
        parts, span = phase.parts, network.span(*phase.parts)
        self.nets = network.function(trained=parts or None, watched=True, training=True, draws=loop.draws)
        self.leaves = network.leaves_of(*parts)
        self.groups = network.groups_of(*parts)
        self.theta, self.grad = network.theta[span], network.grad[span]
        self.alpha = loop.plan.alpha
        self.is_counted, self.take_threads = phase.name in loop.state.work, loop.take_threads
        self.forget()

    def forget(self) -> None:
        """Begin the curves of a new epoch."""
        self.curve = Mean()
        self.terms: dict[str, Mean] = {}

    def counted(self, batch: Any, n_rows: int) -> Any:
        """The objective in the first step, which counts its work."""
        with counting() as work:
            found = self.objective(self.nets, batch, self.draws)
        self.state.work[self.name] = work.multiplications / n_rows
        self.is_counted = True
        self.take_threads()
        return found

    def gradient(self, batch: Any, n_rows: int, progress: float) -> tuple[float, float]:
        """Leave the gradient of the mean loss in `grad`; the loss, and the weight of the batch."""
        self.nets.progress = progress
        found = self.objective(self.nets, batch, self.draws) if self.is_counted else self.counted(batch, n_rows)
        value, weight, terms = objectives.reduced(found, batch.weight)
        if not isinstance(value, Tensor):
            raise TypeError(f"an objective must depend on the networks that its phase trains, got {value!r}")
        backward(value, self.leaves)
        weight = float(n_rows) if weight is None else weight
        for name, term in terms.items():
            curve = self.terms.setdefault(name, Mean())
            curve.total += term * weight
            curve.weight += weight
        return value.value.item(), weight


class DescendingPhase(RunningPhase):
    """A phase that goes down the gradient, step by step."""

    def __init__(self, loop: GradientDescent, phase: Phase, number: int) -> None:
        super().__init__(loop, phase, number)
        self.clip_norm = loop.plan.clip_norm if phase.clip_norm is None else phase.clip_norm
        self.rate, self.averaging = phase.rate, phase.averaging
        runs, averages = loop.state.runs, loop.state.averages
        if phase.name not in runs:
            large = loop.operations() >= SMALL_STEP
            optimizer = phase.optimizer or loop.stage.solver
            runs[phase.name] = optimizer.start(self.theta, self.groups, available_threads() if large else 1)
            if phase.averaging:
                averages[phase.name] = self.theta.copy()
        self.run, self.average = runs[phase.name], averages.get(phase.name)

    def step(self, batch: Any, n_rows: int, rate: float, progress: float) -> None:
        """One update."""
        self.draws.at(self.number, self.state.steps)
        loss, weight = self.gradient(batch, n_rows, progress)
        if not weight:  # a batch in which nothing counts, such as one without a labelled position
            return
        penalty = 0.5 * self.alpha * self.decaying_norm(*self.parts) if self.alpha else 0.0
        if self.clip_norm is not None:
            clip_norm(self.grad, self.clip_norm)
        rate, l2 = rate * self.rate, self.alpha / weight
        if self.average is None:
            self.run.step(self.theta, self.grad, rate, l2)
        else:
            self.run.step(self.theta, self.grad, rate, l2, self.average, self.share())
        self.curve.total += loss * self.scale * weight + penalty
        self.curve.weight += weight

    def share(self) -> float:
        """How far the average goes towards theta in the step to come: farther in the first ones."""
        t = self.run.steps + 1
        return 1.0 - min(self.averaging, (1.0 + t) / (10.0 + t))


class SearchedPhase(RunningPhase):
    """A phase whose value and gradient a search asks for, over all samples, with the same draws in every evaluation."""

    def __init__(self, loop: GradientDescent, phase: Phase, number: int) -> None:
        super().__init__(loop, phase, number)
        self.data, self.n_rows = loop.data, loop.n_samples
        self.weight = 1.0

    def begin(self) -> None:
        """Take all samples."""
        self.draws.at(BATCHES, self.state.steps)
        self.batch = self.data.take(slice(0, self.n_rows), self.draws)

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """The mean loss with the penalty, and its gradient, at a theta."""
        self.theta[:] = theta
        self.forget()
        self.draws.at(self.number, self.state.steps)
        loss, self.weight = self.gradient(self.batch, self.n_rows, 1.0)
        l2 = self.alpha / self.weight
        for start, decay_stop, _, _ in self.groups:
            self.grad[start:decay_stop] += l2 * theta[start:decay_stop]
        return loss + 0.5 * l2 * self.decaying_norm(*self.parts), self.grad

    def shown(self, value: float) -> float:
        """The value at the present theta as loss curves show it, whose scale the penalty does not have."""
        penalty = 0.5 * self.alpha * self.decaying_norm(*self.parts) / self.weight
        return penalty + (value - penalty) * self.scale
