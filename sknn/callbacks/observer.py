"""Telling callbacks of a fit, and what those of sknn see of it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from math import nan
from typing import Any
from uuid import UUID

from ..nn.init import Random
from ..nn.network import Network
from ..train import FitLoop, Outcome, Verdict

Key = tuple[UUID, tuple[int, ...]]  # of a task: which tree it is in, and the way from there


def key_of(context: Any) -> Key:
    """The place of a task in its tree, the same in all contexts of a fit."""
    path = []
    node = context
    while node is not None:
        path.append(node.task_id)
        node = node.parent
    return context.root_uuid, tuple(reversed(path))


@dataclass
class Training:
    """What the callbacks of sknn see of a fit.

    Attributes
    ----------
    network : Network
        As it is now.
    rng : RandomState or Generator
        Draws whatever is random in the training.
    estimator : estimator
        Whose fit it is.
    attributes : callable
        Gives the attributes that the estimator would have if training ended now.
    identity : dict
        All that decides what comes out, besides the estimator's parameters and the network.
    verdict : callable, default=None
        Gives what validation says of the last epoch; None without validation samples.
    by_gradient : bool, default=True
        False for rules that are not told of their loss and keep no state.
    loop : FitLoop or None
        The loop of epochs; None for the perceptron rule, and before it begins.
    losses : list of float
        That of each epoch, or iteration, of which callbacks were told.
    """

    network: Network
    rng: Random
    estimator: Any
    attributes: Callable[[], dict[str, Any]]
    identity: dict[str, Any]
    verdict: Callable[[], Verdict] | None = None
    by_gradient: bool = True
    loop: FitLoop | None = None
    losses: list[float] = field(default_factory=list)

    @property
    def last_loss(self) -> float:
        """That of the last epoch."""
        return self.losses[-1] if self.losses else nan

    def fitted_estimator(self) -> Any:
        """A copy of the estimator as it would be if training ended now."""
        twin = copy(self.estimator)
        vars(twin).update(self.attributes())
        return twin

    def network_to_keep(self) -> Network:
        """A copy of the network with the weights that it would keep if training ended now."""
        network = self.network.copy()
        if self.loop is not None:
            network.theta[:] = self.loop.theta_to_keep()
            if self.loop.stops_early and self.loop.state.best_state is not None:
                network.state[:] = self.loop.state.best_state
        return network


class FitObserver:
    """Tells an estimator's callbacks of a fit, and of each of its epochs as a subtask.

    Parameters
    ----------
    estimator : estimator
        Whose callbacks are told.
    context : CallbackContext
        Of the fit.
    X, y, sample_weight : array-like
        What the fit was given.
    """

    def __init__(self, estimator: Any, context: Any, X: Any, y: Any, sample_weight: Any) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.context = self.epoch = context
        self.given = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        # by what they do and not by their class, which another import of sknn would make anew
        self.own = [callback for callback in estimator._skl_callbacks if hasattr(callback, "training_begins")]
        self.training: Training
        self.stopped = False

    def fit_begins(self) -> None:
        """Tell of the beginning of the fit, before anything is known of it."""
        self.context.call_on_fit_task_begin(**self.given)

    def fit_ends(self, attributes: Callable[[], dict[str, Any]] = dict) -> None:
        """Tell of its end; the estimator is fitted, or `attributes` gives what it would need for that."""
        self.context.call_on_fit_task_end(**self.given, reconstruction_attributes=attributes)

    def begins(self, loop: FitLoop | None) -> Outcome | None:
        """Tell those that look into the training; how it ended, if one of them knows, otherwise None."""
        self.training.loop = loop
        key = key_of(self.context)
        for callback in self.own:
            callback.training_begins(key, self.training)
        outcomes = [callback.resume(key) for callback in self.own]
        for _ in range(0 if loop is None else loop.state.epochs):
            self.context.subcontext("epoch")  # those done before, so that all others keep their numbers
        return next((outcome for outcome in outcomes if outcome is not None), None)

    def epoch_begins(self) -> None:
        for callback in self.own:
            callback.epoch_comes(key_of(self.context))
        self.epoch = self.context.subcontext("epoch")
        self.epoch.call_on_fit_task_begin(**self.given, reconstruction_attributes=self.training.attributes)

    def epoch_ends(self, loss: float) -> bool:
        self.training.losses.append(loss)
        stop = self.epoch.call_on_fit_task_end(**self.given, reconstruction_attributes=self.training.attributes)
        self.stopped = self.stopped or bool(stop)
        return bool(stop)

    def ends(self, outcome: Outcome) -> None:
        for callback in self.own:
            callback.training_ends(key_of(self.context), outcome)

    def unit(self, number: int, max_subtasks: int) -> FitObserver:
        """The observer of one of several trainings, all parts of this fit."""
        twin = copy(self)
        twin.context = self.context.subcontext("unit", number, max_subtasks)
        return twin
