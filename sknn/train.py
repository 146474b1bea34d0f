"""The fit loop: batches, epochs, early stopping and the history of all that.

``train`` walks down a gradient batch by batch, ``train_full`` minimises over all data at once with L-BFGS. What is
minimised is an objective, a function of a watched network and a batch. Whatever a later call needs to go on where
this one stopped lies in one :class:`TrainingState`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from math import inf, isfinite, nan
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.sparse import issparse

from .autodiff import counting
from .autodiff.tape import Array, Tensor
from .nn.init import Random
from .nn.network import Network, value_and_grad
from .ops.threads import SMALL_STEP, Threads, available_threads
from .ops.workspace import Workspace, workspace
from .optim import Minimum, Optimizer, clip_norm, minimize_lbfgs
from .schedules import SCHEDULES, Moment

Batch = dict[str, Any]
Objective = Callable[..., Tensor]


class Data(Protocol):
    """What the loop needs to know of data: how many samples, and a batch of some of them.

    A batch is a dict of whatever the objective reads; its "weight", where there is one, holds sample weights.
    """

    def __len__(self) -> int: ...

    def take(self, index: slice | Array) -> Batch: ...


class ArrayData:
    """Inputs, targets and sample weights in memory, or inputs mapped from a file.

    Parameters
    ----------
    x : ndarray or sparse matrix of shape (n_samples, ...)
        Converted batch by batch if it is not of `dtype` already.
    y : ndarray of shape (n_samples, ...)
        Encoded targets.
    weight : ndarray of shape (n_samples,), default=None
        Sample weights.
    dtype : dtype, default=float32
        The precision of the computation.
    rows : ndarray of int, default=None
        Which rows of x belong to y, so that a part of x can be learnt from without a copy; None: all of them.
    """

    def __init__(
        self, x: Any, y: Array, weight: Array | None = None, dtype: Any = np.float32, rows: Array | None = None
    ) -> None:
        self.x, self.y, self.weight, self.dtype, self.rows = x, y, weight, np.dtype(dtype), rows
        self._is_sparse = issparse(x)

    def __len__(self) -> int:
        return len(self.y)

    def take(self, index: slice | Array) -> Batch:
        """The rows of a slice (views where possible) or of an array of integers."""
        of_x = index if self.rows is None else self.rows[index]
        x = self.x[of_x] if self._is_sparse else _rows(self.x, of_x)
        batch = {"x": x if x.dtype == self.dtype else x.astype(self.dtype), "y": _rows(self.y, index)}
        if self.weight is not None:
            batch["weight"] = self.weight[index]
        return batch


def _rows(values: Array, index: slice | Array) -> Array:
    # three times as fast as values[index] for an array of integers
    return values[index] if isinstance(index, slice) else values.take(index, axis=0)


@dataclass(frozen=True)
class Plan:
    """How to train: the settings of one call, none of which changes while it runs.

    Parameters
    ----------
    batch_size : int
        Samples in a batch; the last of an epoch may be smaller.
    max_epochs : int
        How often to go through the data at most.
    learning_rate_init : float, default=0.001
        The learning rate that the schedule starts from.
    schedule : str, default="constant"
        A name in :data:`sknn.schedules.SCHEDULES`.
    power_t : float, default=0.5
        The exponent of "invscaling".
    alpha : float, default=0.0
        The strength of the L2 penalty, alpha / 2 times the sum of squared weights over the weight of a batch.
    clip_norm : float, default=None
        The largest norm of the gradient of the mean loss (without the penalty); longer ones are scaled down.
    shuffle : bool, default=True
        Take the samples in a new order in each epoch.
    tol : float, default=1e-4
        By less than this is no improvement.
    patience : float, default=10
        Stop (or slow down) after more epochs than this without improvement.
    once : bool, default=False
        Go through the data once in this call, as one of many; `max_epochs` is then only what schedules count with.
    early_stopping : bool, default=True
        Let the validation score, where there is one, decide when to stop, and restore the best weights; otherwise the
        training loss decides, and what validation says is only recorded.
    """

    batch_size: int
    max_epochs: int
    learning_rate_init: float = 1e-3
    schedule: str = "constant"
    power_t: float = 0.5
    alpha: float = 0.0
    clip_norm: float | None = None
    shuffle: bool = True
    tol: float = 1e-4
    patience: float = 10
    once: bool = False
    early_stopping: bool = True


class Verdict(NamedTuple):
    """What validation says of the network after an epoch: a score, larger is better, and the loss."""

    score: float
    loss: float


@dataclass
class TrainingState:
    """All that training needs, besides the network, to go on where it stopped."""

    optimizer: Optimizer
    epochs: int = 0
    samples: int = 0
    stalls: int = 0
    epochs_without_improvement: int = 0
    best_loss: float = inf
    best_score: float = -inf
    best_theta: Array | None = None
    best_state: Array | None = None
    order: Array | None = None  # of the samples, shuffled again by each epoch
    loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    multiplications: float | None = None  # of the objective, for a sample: counted in the first step


class Outcome(Enum):
    """Why training ended."""

    CONVERGED = "converged"
    EPOCHS_DONE = "all epochs done"
    DIVERGED = "diverged"
    STOPPED = "stopped by the observer"
    INTERRUPTED = "interrupted"


class Observer(Protocol):
    """Who is told of a training while it runs, and may end it."""

    def begins(self, loop: FitLoop | None) -> Outcome | None:
        """All is ready for the first epoch of a loop, or for L-BFGS (None).

        State, network and generator of the loop may be set to those of an earlier one. Returns how that one ended if
        it did, so that there is nothing left to do.
        """

    def epoch_begins(self) -> None:
        """An epoch of the loop, or an iteration of L-BFGS, begins."""

    def epoch_ends(self, loss: float) -> bool:
        """It has ended, with this loss; true if it is to be the last."""

    def ends(self, outcome: Outcome) -> None:
        """Training has ended; the network has the weights that it is to keep."""


def train(
    network: Network,
    objective: Objective,
    data: Data,
    plan: Plan,
    state: TrainingState,
    rng: Random,
    *,
    validate: Callable[[], Verdict] | None = None,
    curve_scale: float = 1.0,
    report: Callable[[str], None] | None = None,
    observer: Observer | None = None,
) -> Outcome:
    """Minimise the mean of an objective over the data by stochastic gradient descent.

    Parameters
    ----------
    network : Network
        Changed in place.
    objective : callable
        Called as ``objective(watched_network, batch)``; a scalar Tensor, the weighted mean loss of the batch.
    data : Data
        What to learn from.
    plan : Plan
        How.
    state : TrainingState
        Where to start from; changed in place.
    rng : RandomState or Generator
        Shuffles.
    validate : callable, default=None
        Gives score and loss on held-out data. With `plan.early_stopping` the score instead of the training loss decides
        when to stop, and the best weights are restored.
    curve_scale : float, default=1.0
        A factor on the mean loss, not on the penalty, in the loss curve.
    report : callable, default=None
        Told in words what happens.
    observer : Observer, default=None
        Told of every epoch, and may end the training.

    Returns
    -------
    Outcome
        Why training ended. If it diverged without a validated state to restore, the network holds non-finite or
        useless weights.
    """
    with (
        np.errstate(over="ignore", invalid="ignore", divide="ignore"),
        Threads(operations(network, plan.batch_size)) as threads,
        workspace() as buffers,
    ):
        return GradientDescent(
            network, objective, data, plan, state, rng, validate, curve_scale, report, buffers, threads
        ).epochs(observer)


class FitLoop:
    """Epochs until one of the reasons to stop; a subclass says what an epoch is.

    Parameters
    ----------
    network, n_samples, plan, state, rng, validate, report
        See :func:`train`; `n_samples` is how many an epoch visits.
    """

    def __init__(
        self,
        network: Network,
        n_samples: int,
        plan: Plan,
        state: TrainingState,
        rng: Random,
        validate: Callable[[], Verdict] | None = None,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self.network, self.n_samples, self.plan, self.state, self.rng = network, n_samples, plan, state, rng
        self.validate, self.report = validate, report or _silent
        self.stops_early = validate is not None and plan.early_stopping
        self.schedule = SCHEDULES[plan.schedule]
        state.order = np.arange(n_samples)

    def epoch(self) -> float:
        """One pass over the data; returns the mean loss while it was learning."""
        raise TypeError(f"{type(self).__name__} defines no epoch")

    @property
    def order(self) -> Array:
        """The samples in the order in which the last epoch took them."""
        assert self.state.order is not None
        return self.state.order

    def epochs(self, observer: Observer | None = None) -> Outcome:
        """All epochs; the best weights are restored at the end if the validation score decides."""
        self.state.epochs = 0
        try:
            outcome = self.all_epochs(observer)
        except KeyboardInterrupt:
            outcome = Outcome.INTERRUPTED
        if self.stops_early:
            self.restore_best()
        if observer is not None:
            observer.ends(outcome)
        return outcome

    def all_epochs(self, observer: Observer | None) -> Outcome:
        """Epochs until there is a reason to stop; nobody observing costs nothing."""
        outcome = None if observer is None else observer.begins(self)
        advance = self.advance if observer is None else partial(self.advance_observed, observer)
        last = 1 if self.plan.once else self.plan.max_epochs
        while outcome is None and self.state.epochs < last:
            outcome = advance()
        return outcome or Outcome.EPOCHS_DONE

    def advance(self) -> Outcome | None:
        """One epoch and what follows from it: the reason to stop, if there is one."""
        state = self.state
        loss = self.epoch()
        state.epochs += 1
        state.samples += self.n_samples
        state.loss_curve.append(loss)
        self.report(f"Iteration {state.epochs}, loss = {loss:.8f}")
        if not self.judge(loss):
            return Outcome.DIVERGED
        if state.epochs_without_improvement > self.plan.patience and self.stop_or_slow_down():
            return Outcome.CONVERGED
        return None

    def advance_observed(self, observer: Observer) -> Outcome | None:
        """One epoch of which the observer is told; weights that diverged are nothing to look at."""
        observer.epoch_begins()
        outcome = self.advance()
        if outcome is Outcome.DIVERGED:
            return outcome
        enough = observer.epoch_ends(self.state.loss_curve[-1])
        return outcome or (Outcome.STOPPED if enough else None)

    def shuffle(self) -> None:
        """Put the samples in a new order."""
        self.state.order = self.order[self.rng.permutation(self.n_samples)]

    def rate_at(self, samples: int) -> float:
        """The learning rate after this many samples."""
        plan, state = self.plan, self.state
        total = max(plan.max_epochs * self.n_samples, 1)
        return self.schedule.rate(plan.learning_rate_init, Moment(samples, total, state.stalls), plan.power_t)

    def judge(self, loss: float) -> bool:
        """Keep count of improvements; False if training has diverged."""
        finite = isfinite(loss) and self.network.is_finite
        verdict = self.look(finite)
        improved = self.judge_score(verdict.score) if self.stops_early else self.judge_loss(loss)
        self.state.epochs_without_improvement = 0 if improved else self.state.epochs_without_improvement + 1
        return finite and (isfinite(verdict.loss) or not self.stops_early)

    def look(self, finite: bool) -> Verdict:
        """What validation says, recorded; nothing (NaN) without it, or of a network that is not finite."""
        verdict = Verdict(nan, nan) if self.validate is None or not finite else self.validate()
        if self.validate is not None:
            self.state.validation_scores.append(verdict.score)
            self.state.validation_losses.append(verdict.loss)
            self.report(f"Validation score: {verdict.score:f}")
        return verdict

    def judge_loss(self, loss: float) -> bool:
        """Is the loss lower than the best by the tolerance?"""
        state = self.state
        improved = loss <= state.best_loss - self.plan.tol
        if loss < state.best_loss:
            state.best_loss = loss
        return improved

    def judge_score(self, score: float) -> bool:
        """Is the score higher than the best by the tolerance? The best weights are kept."""
        state = self.state
        improved = score >= state.best_score + self.plan.tol
        if score > state.best_score:
            state.best_score = score
            state.best_theta, state.best_state = self.network.theta.copy(), self.network.state.copy()
        return improved

    def stop_or_slow_down(self) -> bool:
        """No improvement for too long: stop, unless the schedule slows down instead and can still do so."""
        state, plan = self.state, self.plan
        what = "Validation score" if self.stops_early else "Training loss"
        message = f"{what} did not improve more than tol={plan.tol:f} for {plan.patience} consecutive epochs."
        if self.rate_at(state.samples) <= self.schedule.stop_at:
            reason = " Learning rate too small." if isfinite(self.schedule.stop_at) else ""
            self.report(f"{message}{reason} Stopping.")
            return True
        state.stalls += 1
        state.epochs_without_improvement = 0
        self.report(f"{message} Setting learning rate to {self.rate_at(state.samples):f}")
        return False

    def restore_best(self) -> None:
        """Go back to the weights of the best validation score."""
        if self.state.best_theta is not None:
            self.network.theta[:] = self.state.best_theta
            self.network.state[:] = self.state.best_state


class GradientDescent(FitLoop):
    """Epochs of mini-batches, each a step of the optimizer."""

    def __init__(
        self,
        network: Network,
        objective: Objective,
        data: Data,
        plan: Plan,
        state: TrainingState,
        rng: Random,
        validate: Callable[[], Verdict] | None,
        curve_scale: float,
        report: Callable[[str], None] | None,
        buffers: Workspace,
        threads: Threads,
    ) -> None:
        super().__init__(network, len(data), plan, state, rng, validate, report)
        self.objective, self.data, self.curve_scale = objective, data, curve_scale
        self.buffers, self.threads = buffers, threads

    def epoch(self) -> float:
        self.take_threads()
        total, total_weight, seen = 0.0, 0.0, 0
        rate = self.rate_at(self.state.samples)
        for index in self.batches():
            batch = self.data.take(index)
            weight = batch.get("weight")
            n_rows = index.stop - index.start if isinstance(index, slice) else len(index)
            batch_weight = float(n_rows) if weight is None else float(weight.sum())
            if self.schedule.per == "batch":
                rate = self.rate_at(self.state.samples + seen)
            total += self.step(batch, batch_weight, rate)
            total_weight += batch_weight
            seen += n_rows
        return total / total_weight

    def batches(self) -> Iterator[slice | Array]:
        """The rows of each batch; where one batch holds all rows they are taken in order."""
        n, size = self.n_samples, self.plan.batch_size
        if self.plan.shuffle:
            self.shuffle()
        shuffled = self.plan.shuffle and size < n
        for start in range(0, n, size):
            stop = min(start + size, n)
            yield self.order[start:stop] if shuffled else slice(start, stop)

    def step(self, batch: Batch, batch_weight: float, rate: float) -> float:
        """One update; returns the loss of the batch, penalty included, times its weight."""
        network, plan = self.network, self.plan
        self.buffers.rewind()
        objective = self.counted if self.state.multiplications is None else self.objective
        loss, _ = value_and_grad(objective, [network], batch)
        penalty = 0.5 * plan.alpha * network.decaying_norm() if plan.alpha else 0.0
        if plan.clip_norm is not None:
            clip_norm(network.grad, plan.clip_norm)
        self.state.optimizer.step(network.theta, network.grad, rate, plan.alpha / batch_weight)
        return loss * self.curve_scale * batch_weight + penalty

    def counted(self, network: Any, batch: Batch) -> Tensor:
        """The objective in the first step, which counts its work."""
        with counting() as work:
            value = self.objective(network, batch)
        self.state.multiplications = work.multiplications / min(self.plan.batch_size, self.n_samples)
        self.take_threads()
        return value

    def take_threads(self) -> None:
        """As many as the work of a step is worth, once it was counted, here or in a fit that this one continues."""
        if self.state.multiplications is not None:
            self.threads.follow(STEP * self.plan.batch_size * self.state.multiplications)


def _silent(message: str) -> None:
    pass


def start_state(network: Network, optimizer: Optimizer, batch_size: int) -> TrainingState:
    """The state before the first step of an optimizer on a network; large steps get all threads there are."""
    workers = 1 if operations(network, batch_size) < SMALL_STEP else available_threads()
    return TrainingState(optimizer.start(network.theta, network.groups, workers))


STEP = 6.0  # operations for each multiplication of the forward pass: it and an addition, forward and twice back


def operations(network: Network, batch_size: int) -> float:
    """The floating-point operations of a training step, as far as the layers of the network say."""
    return STEP * batch_size * network.multiplications


def train_full(
    network: Network,
    objective: Objective,
    data: Data,
    plan: Plan,
    *,
    max_fun: int,
    after_iteration: Callable[[], None] | None = None,
    observer: Observer | None = None,
) -> Minimum:
    """Minimise over all data at once with L-BFGS; the network, of float64, is left at the minimum.

    After each iteration `after_iteration` is called, with the network where the search has got to; then `observer` is
    told.
    """
    batch = data.take(slice(0, len(data)))
    weight = batch.get("weight")
    total_weight = float(len(data)) if weight is None else float(weight.sum())
    l2 = plan.alpha / total_weight

    def counted(network: Any, batch: Batch) -> Tensor:
        with counting() as work:
            value = objective(network, batch)
        threads.follow(STEP * work.multiplications)
        return value

    def value_and_gradient(theta: Array) -> tuple[float, Array]:
        network.theta[:] = theta
        buffers.rewind()
        value, (gradient,) = value_and_grad(counted, [network], batch)
        for start, decay_stop, _, _ in network.groups:
            gradient[start:decay_stop] += l2 * theta[start:decay_stop]
        return value + 0.5 * l2 * network.decaying_norm(), gradient

    search = None if observer is None else ObservedSearch(value_and_gradient, observer)

    def report(theta: Array, value: float) -> None:
        network.theta[:] = theta
        if after_iteration is not None:
            after_iteration()
        if search is not None:
            search.iteration_ends(value)

    with (
        np.errstate(over="ignore", invalid="ignore"),
        Threads(operations(network, len(data))) as threads,
        workspace() as buffers,
    ):
        minimum = minimize_lbfgs(
            value_and_gradient if search is None else search.evaluate,
            network.theta,
            max_iter=plan.max_epochs,
            max_fun=max_fun,
            tol=plan.tol,
            callback=report,
        )
    network.theta[:] = minimum.theta
    if search is not None:
        search.ends(minimum.converged)
    return minimum


class ObservedSearch:
    """L-BFGS with an observer: an iteration begins with the first evaluation after the last one has ended."""

    def __init__(self, value_and_gradient: Callable[[Array], tuple[float, Array]], observer: Observer) -> None:
        self.value_and_gradient, self.observer = value_and_gradient, observer
        self.inside = self.stopped = False
        observer.begins(None)

    def evaluate(self, theta: Array) -> tuple[float, Array]:
        if not self.inside:
            self.inside = True
            self.observer.epoch_begins()
        return self.value_and_gradient(theta)

    def iteration_ends(self, value: float) -> None:
        self.inside = False
        self.stopped = self.observer.epoch_ends(value)
        if self.stopped:
            raise StopIteration

    def ends(self, converged: bool) -> None:
        done = Outcome.CONVERGED if converged else Outcome.EPOCHS_DONE
        self.observer.ends(Outcome.STOPPED if self.stopped else done)
