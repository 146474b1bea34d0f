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
    target = estimator._target
    if target is not None:
        vars(estimator).update(target.attributes)
        if target.loss is not None:
            estimator.n_outputs_, estimator.out_activation_ = target.n_outputs, target.loss.link


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
    """Keep the history of this call; that of partial_fit continues the curves, at a cost that does not grow."""
    earlier = dict(vars(estimator)) if fit.incremental and not fit.fresh else {}
    forget_history(estimator)
    estimator.n_iter_, estimator.t_ = state.epochs, state.samples
    estimator.loss_ = state.loss_curve[-1] if state.loss_curve else inf
    estimator.best_loss_ = None if fit.stops_early else state.best_loss
    if not fit.searches:
        estimator.loss_curve_ = _continued(earlier.get("loss_curve_"), state.loss_curve)
    terms = earlier.get("loss_curves_", {})
    if curves := {**terms, **{name: _continued(terms.get(name), curve) for name, curve in state.loss_curves.items()}}:
        estimator.loss_curves_ = curves
    scores = _continued(earlier.get("validation_scores_"), state.validation_scores)
    losses = _continued(earlier.get("validation_loss_curve_"), state.validation_losses)
    estimator.validation_scores_, estimator.validation_loss_curve_ = scores or None, losses or None
    latest = scores[-state.epochs :] if fit.held_out is not None and state.epochs else ()
    estimator.best_validation_score_ = float(np.fmax.reduce(latest)) if latest else None


def _continued(curve: list[float] | None, more: list[float]) -> list[float]:
    """A curve with more at its end; a new one if there is none yet."""
    curve = [] if curve is None else curve
    curve += more
    return curve
