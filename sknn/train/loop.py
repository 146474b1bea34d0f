"""The loop of epochs: when it stops, what it restores, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite, isinf, nan
from typing import Any, Protocol

import numpy as np

from ..autodiff.tape import Array
from ..nn.draws import Draws
from ..nn.init import Random
from ..schedules import Moment
from .plan import Plan
from .stages import Stage
from .state import Outcome, TrainingState, Verdict

VALIDATION = (1 << 32) - 1  # the phase of the draws of validation, which start the same in every epoch
BATCHES = (1 << 32) - 2  # that of the draws that make up a batch

Validate = Callable[[Any, Draws], Verdict]


class Observer(Protocol):
    """Who is told of a training while it runs, and may end it."""

    def begins(self, loop: FitLoop) -> Outcome | None:
        """All is ready for the first epoch of a loop.

        State, network and generator of the loop may be set to those of an earlier one. Returns how that one ended if
        it did, so that there is nothing left to do.
        """

    def epoch_begins(self) -> None:
        """An epoch, or an iteration of a search, begins."""

    def epoch_ends(self, loss: float) -> bool:
        """It has ended, with this loss; true if it is to be the last."""

    def ends(self, outcome: Outcome) -> None:
        """Training has ended; the network has the weights that it is to keep."""


class FitLoop:
    """Stages of epochs until one of the reasons to stop; a subclass says what an epoch is.

    Parameters
    ----------
    network : Network or Parts
        Changed in place.
    n_samples : int
        How many an epoch visits.
    stages : sequence of Stage
        One after the other.
    state : TrainingState
        Where to start from; changed in place.
    rng : RandomState or Generator
        Shuffles.
    validate : callable, default=None
        Called as ``validate(nets, draws)``; gives score and loss on held-out data. With `plan.early_stopping` the score
        instead of the training loss decides when to stop, and the best weights are restored.
    report : callable, default=None
        Told in words what happens.
    """

    stage: Stage
    plan: Plan
    stops_early: bool
    outcome: Outcome
    message = ""  # why a search stopped, in its own words

    def __init__(
        self,
        network: Any,
        n_samples: int,
        stages: Sequence[Stage],
        state: TrainingState,
        rng: Random,
        validate: Validate | None = None,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self.network, self.n_samples, self.stages, self.state, self.rng = network, n_samples, stages, state, rng
        self.validate, self.report = validate, report or _silent
        self.draws = Draws(state.seed, network.theta.dtype)
        self.nets = network.function(draws=self.draws)  # as validation sees them
        if state.raw_theta is not None:
            network.theta[:] = state.raw_theta
        state.order = np.arange(n_samples)
        state.epochs = state.stage_epochs = 0
        if state.stage:
            state.begin_stage(0)
        self.enter(0)

    def enter(self, number: int) -> None:
        """Be ready for a stage, with the state as it is."""
        self.stage = self.stages[number]
        self.plan = self.stage.plan
        self.stops_early = self.validate is not None and self.plan.early_stopping and not self.stage.searches

    def epoch(self) -> float:
        """One pass over the data; returns the mean loss while it was learning."""
        raise TypeError(f"{type(self).__name__} defines no epoch")

    @property
    def order(self) -> Array:
        """The samples in the order in which the last epoch took them."""
        assert self.state.order is not None
        return self.state.order

    def epochs(self, observer: Observer | None = None) -> Outcome:
        """All epochs of all stages; nobody observing costs nothing."""
        outcome = None if observer is None else observer.begins(self)
        while outcome is None:
            outcome = self.whole_stage(observer)
            last = self.state.stage + 1 == len(self.stages)
            if outcome in (Outcome.CONVERGED, Outcome.EPOCHS_DONE) and not last:
                self.state.begin_stage(self.state.stage + 1)
                self.enter(self.state.stage)
                outcome = None
        if observer is not None:
            observer.ends(outcome)
        return outcome

    def whole_stage(self, observer: Observer | None) -> Outcome:
        """All epochs of a stage; the best weights are restored at its end if the validation score decides."""
        try:
            outcome = self.all_epochs(observer)
        except KeyboardInterrupt:
            outcome = Outcome.INTERRUPTED
        self.keep_weights()
        return outcome

    def keep_weights(self) -> None:
        """Leave the weights to keep in the network, at the end of a stage."""
        self.state.raw_theta = self.network.theta.copy() if self.state.averages else None
        self.network.theta[:] = self.theta_to_keep()
        if self.stops_early and self.state.best_state is not None:
            self.network.state[:] = self.state.best_state

    @property
    def last_epoch(self) -> int:
        """How many epochs are done when those of the stage are."""
        return self.state.stage_epochs + (1 if self.plan.once else self.plan.max_epochs)

    def all_epochs(self, observer: Observer | None) -> Outcome:
        """Epochs until there is a reason to stop."""
        advance = self.advance if observer is None else partial(self.advance_observed, observer)
        last = self.last_epoch
        outcome = None
        while outcome is None and self.state.epochs < last:
            outcome = advance()
        return outcome or Outcome.EPOCHS_DONE

    def advance(self) -> Outcome | None:
        """One epoch and what follows from it: the reason to stop, if there is one."""
        return self.after(self.epoch())

    def after(self, loss: float) -> Outcome | None:
        """What follows from an epoch with this loss: the reason to stop, if there is one."""
        state = self.state
        state.epochs += 1
        state.samples += self.n_samples
        state.loss_curve.append(loss)
        self.report(f"Iteration {state.epochs}, loss = {loss:.8f}")
        if not self.judge(loss):
            return Outcome.DIVERGED
        if state.epochs_without_improvement > self.plan.n_iter_no_change and self.stop_or_slow_down():
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

    def moment(self, samples: int) -> Moment:
        """How far the stage has come after this many samples of the fit."""
        total = max(self.plan.max_epochs * self.n_samples, 1)
        return Moment(samples - self.state.stage_samples, total, self.state.stalls)

    def rate_at(self, samples: int) -> float:
        """The learning rate after this many samples."""
        return self.plan.schedule.rate(self.plan.learning_rate_init, self.moment(samples))

    # -- judging ---------------------------------------------------------------------------------------------------

    def judge(self, loss: float) -> bool:
        """Keep count of improvements; False if training has diverged."""
        finite = isfinite(loss) and self.network.is_finite
        verdict = self.look(finite)
        if self.validate is not None:
            self.report(f"Validation score: {verdict.score:f}")
        improved = self.judge_score(verdict.score) if self.stops_early else self.judge_loss(loss)
        self.state.epochs_without_improvement = 0 if improved else self.state.epochs_without_improvement + 1
        return finite and (isfinite(verdict.loss) or not self.stops_early)

    def look(self, finite: bool = True) -> Verdict:
        """What validation says, recorded; nothing (NaN) without it, or of a network that is not finite."""
        verdict = Verdict(nan, nan) if self.validate is None or not finite else self.verdict()
        if self.validate is not None:
            self.state.validation_scores.append(verdict.score)
            self.state.validation_losses.append(verdict.loss)
        return verdict

    def verdict(self) -> Verdict:
        """What validation says of the weights in use."""
        assert self.validate is not None
        network, theta = self.network, self.theta_in_use()
        self.draws.at(VALIDATION, 0)
        if theta is network.theta:
            return self.validate(self.nets, self.draws)
        raw = network.theta.copy()
        network.theta[:] = theta
        try:
            return self.validate(self.nets, self.draws)
        finally:
            network.theta[:] = raw

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
            state.best_theta, state.best_state = self.theta_in_use().copy(), self.network.state.copy()
        return improved

    def stop_or_slow_down(self) -> bool:
        """No improvement for too long: stop, unless the schedule slows down instead and can still do so."""
        state, plan = self.state, self.plan
        what = "Validation score" if self.stops_early else "Training loss"
        message = f"{what} did not improve more than tol={plan.tol:f} for {plan.n_iter_no_change} consecutive epochs."
        if self.rate_at(state.samples) <= plan.schedule.stop_at:
            reason = "" if isinf(plan.schedule.stop_at) else " Learning rate too small."
            self.report(f"{message}{reason} Stopping.")
            return True
        state.stalls += 1
        state.epochs_without_improvement = 0
        self.report(f"{message} Setting learning rate to {self.rate_at(state.samples):f}")
        return False

    # -- which weights ---------------------------------------------------------------------------------------------

    def theta_in_use(self) -> Array:
        """The parameters that are validated and predicted with: theta, averaged where a phase averages."""
        if not self.state.averages:
            return self.network.theta
        theta = self.network.theta.copy()
        for phase in self.stage.phases:
            if phase.averaging:
                theta[self.network.span(*phase.parts)] = self.state.averages[phase.name]
        return theta

    def theta_to_keep(self) -> Array:
        """The parameters to keep if training ended now: the best, or those in use."""
        best = self.state.best_theta if self.stops_early else None
        return self.theta_in_use() if best is None else best


def _silent(message: str) -> None:
    pass
