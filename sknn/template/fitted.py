"""What a fit leaves behind in an estimator: its network, and the history of its training."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ..nn import Network
from ..train import TrainingState, Verdict
from .forward import Forward
from .task import Task, curve_scale


def keep_network(estimator: Any, network: Network, loss: Any) -> None:
    """Keep a network, and how its outputs are decoded."""
    estimator.network_, estimator._forward = network, Forward(network)
    vars(estimator).update(estimator._target.attributes)
    estimator.n_outputs_ = network.output_shape[-1]
    estimator.out_activation_ = loss.link


def forget_history(estimator: Any) -> None:
    """Drop what an earlier fit, perhaps with another solver, has left."""
    losses = ("loss_curve_", "loss_", "best_loss_")
    for name in ("_state", *losses, "validation_scores_", "validation_loss_curve_", "best_validation_score_"):
        vars(estimator).pop(name, None)


def keep_history(estimator: Any, task: Task, state: TrainingState) -> None:
    """Keep what was seen in a descent."""
    estimator.n_iter_, estimator.t_ = state.epochs, state.samples
    estimator.loss_curve_ = list(state.loss_curve)
    estimator.loss_ = state.loss_curve[-1] if state.loss_curve else inf
    estimator.best_loss_ = None if task.stops_early else state.best_loss
    latest = 0 if task.held_out is None else state.epochs
    _keep_validation(estimator, list(state.validation_scores), list(state.validation_losses), latest)


def keep_untrained(estimator: Any, task: Task) -> None:
    """Keep a network that has nothing to learn."""
    forget_history(estimator)
    keep_network(estimator, task.network, task.target.loss())
    estimator.n_iter_ = estimator.t_ = 0
    estimator.loss_ = estimator.best_loss_ = 0.0
    estimator.loss_curve_ = []
    _keep_validation(estimator, [], [], 0)


def keep_minimum(
    estimator: Any,
    task: Task,
    n_iter: int,
    value: float,
    earlier: tuple[list[float], list[float]],
    verdicts: list[Verdict],
) -> None:
    """Keep what was seen in a search by L-BFGS; the curves of validation go on from the earlier ones."""
    estimator.n_iter_, estimator.t_ = n_iter, 0
    estimator.loss_ = estimator.best_loss_ = _shown(estimator, task, value)
    scores = earlier[0] + [verdict.score for verdict in verdicts]
    losses = earlier[1] + [verdict.loss for verdict in verdicts]
    _keep_validation(estimator, scores, losses, len(verdicts))


def _shown(estimator: Any, task: Task, value: float) -> float:
    """The value of the objective with the mean instead of the sum over outputs, as the loss curves show it."""
    weight = len(task.y) if task.sample_weight is None else task.sample_weight.sum()
    penalty = 0.5 * estimator.alpha * task.network.decaying_norm() / float(weight)
    return penalty + (value - penalty) * curve_scale(task)


def _keep_validation(estimator: Any, scores: list[float], losses: list[float], latest: int) -> None:
    """Keep the curves of validation; the best score is that of the latest so many."""
    estimator.validation_scores_, estimator.validation_loss_curve_ = scores or None, losses or None
    estimator.best_validation_score_ = float(np.fmax.reduce(scores[-latest:])) if scores and latest else None


def earlier_validation(estimator: Any) -> tuple[list[float], list[float]]:
    """Copies of the curves of validation so far, of scores and of losses."""
    curves = (getattr(estimator, name, None) or [] for name in ("validation_scores_", "validation_loss_curve_"))
    scores, losses = map(list, curves)
    return scores, losses
