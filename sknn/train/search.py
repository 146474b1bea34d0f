"""A search for the minimum over all samples at once, as a stage of the loop of epochs."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from ..autodiff.tape import Array
from ..nn.layer import Still
from ..optim import Minimum
from .loop import Observer
from .state import Outcome

if TYPE_CHECKING:
    from .descent import GradientDescent


def search(loop: GradientDescent, observer: Observer | None) -> Outcome:
    """Search until the minimum is found or a limit is met; an iteration counts as an epoch.

    The networks, of float64, are left at the minimum, or after an interruption where the last iteration ended.
    """
    loop.phases[0].begin()
    iterations = Iterations(loop, observer)
    plan = loop.plan
    try:
        minimum = loop.stage.solver.minimize(
            iterations.evaluate, iterations.reached, max_iter=plan.max_epochs, tol=plan.tol, callback=iterations.ends
        )
    except KeyboardInterrupt:
        loop.phases[0].theta[:] = iterations.reached
        raise
    loop.message = minimum.message
    return iterations.conclude(minimum)


def refuse_what_changes(network: Any) -> None:
    """Raise ValueError if a layer is random or needs the batch: then there is no function that has a minimum."""
    for layer, own in network.walk():
        if layer.is_random or (layer.needs_batch and not isinstance(own, Still)):
            raise ValueError(
                f"{layer!r} does not apply with solver='lbfgs', which needs the same function of the weights at every "
                "step"
            )


class Iterations:
    """Those of a search; one begins with the first evaluation after the last one has ended."""

    def __init__(self, loop: GradientDescent, observer: Observer | None) -> None:
        self.loop, self.observer, self.phase = loop, observer, loop.phases[0]
        self.reached = self.phase.theta.copy()
        self.inside = self.stopped = False

    def evaluate(self, theta: Array) -> tuple[float, Array]:
        if not self.inside and self.observer is not None:
            self.observer.epoch_begins()
        self.inside = True
        return self.phase.value_and_gradient(theta)

    def ends(self, theta: Array, value: float) -> None:
        """An iteration has ended here: record and tell; StopIteration ends the search."""
        self.inside = False
        self.phase.theta[:] = self.reached = theta.copy()
        state = self.loop.state
        state.epochs += 1
        state.loss_curve.append(self.phase.shown(value))
        for name, curve in self.phase.terms.items():
            state.loss_curves.setdefault(name, []).append(curve.mean())
        self.loop.look()
        self.stopped = self.observer is not None and self.observer.epoch_ends(value)
        if self.stopped:
            raise StopIteration

    def conclude(self, minimum: Minimum) -> Outcome:
        """Leave the networks at the minimum."""
        state = self.loop.state
        self.phase.theta[:] = minimum.theta
        state.epochs = state.stage_epochs + minimum.n_iter
        loss = self.phase.shown(minimum.value)
        state.loss_curve[-1:], state.best_loss = [loss], loss
        if not (isfinite(minimum.value) and self.loop.network.is_finite):
            return Outcome.DIVERGED
        if self.stopped:
            return Outcome.STOPPED
        return Outcome.CONVERGED if minimum.converged else Outcome.EPOCHS_DONE
