"""What a fit leaves behind in an estimator: its networks, and the history of its training."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from ..train import TrainingState
from .forward import Forward

if TYPE_CHECKING:
    from .fit import Fit

HISTORY = (
    "_state",
    "loss_curve_",
    "loss_curves_",
    "loss_",
    "best_loss_",
    "validation_scores_",
    "validation_loss_curve_",
    "best_validation_score_",
)


def keep_network(estimator: Any, network: Any) -> None:
    """Keep the networks and what the target shows of itself."""
    estimator.network_ = network
    estimator._forward = Forward(network, estimator.input_scaling_)
    if estimator._target is not None:
        vars(estimator).update(estimator._target.attributes)
        estimator.n_outputs_, estimator.out_activation_ = estimator._target.n_outputs, estimator._target.loss.link


def left_by_fit(estimator: Any, name: str) -> Any:
    """An attribute that fits leave; before the first an AttributeError, so that ``hasattr`` says no."""
    if name not in vars(estimator):
        raise AttributeError(f"this {type(estimator).__name__} is not fitted yet")
    return getattr(estimator, name)


def forget_history(estimator: Any) -> None:
    """Drop what an earlier fit, perhaps with another solver, has left."""
    for name in HISTORY:
        vars(estimator).pop(name, None)


def keep_history(estimator: Any, fit: Fit, state: TrainingState) -> None:
    estimator.n_iter_, estimator.t_ = state.epochs, state.samples
    estimator.loss_ = state.loss_curve[-1] if state.loss_curve else inf
    estimator.best_loss_ = None if fit.stops_early else state.best_loss
    if not fit.searches:
        estimator.loss_curve_ = list(state.loss_curve)
    if state.loss_curves:
        estimator.loss_curves_ = {name: list(curve) for name, curve in state.loss_curves.items()}
    latest = 0 if fit.held_out is None else state.epochs
    _keep_validation(estimator, list(state.validation_scores), list(state.validation_losses), latest)


def keep_untrained(fit: Fit) -> None:
    """Keep networks that have nothing to learn."""
    estimator = fit.estimator
    forget_history(estimator)
    keep_network(estimator, fit.network)
    estimator.n_iter_ = estimator.t_ = 0
    estimator.loss_ = estimator.best_loss_ = 0.0
    estimator.loss_curve_ = []
    _keep_validation(estimator, [], [], 0)


def earlier_validation(estimator: Any) -> tuple[list[float], list[float]]:
    """Copies of the curves of validation so far, of scores and of losses."""
    curves = (getattr(estimator, name, None) or [] for name in ("validation_scores_", "validation_loss_curve_"))
    scores, losses = map(list, curves)
    return scores, losses


def _keep_validation(estimator: Any, scores: list[float], losses: list[float], latest: int) -> None:
    """Keep the curves of validation; the best score is that of the latest so many."""
    estimator.validation_scores_, estimator.validation_loss_curve_ = scores or None, losses or None
    best = float(np.fmax.reduce(scores[-latest:])) if scores and latest else None
    estimator.best_validation_score_ = best
