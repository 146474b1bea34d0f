"""What a fit warns of: digits that are lost, weights that do not count, an end that is none."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..train import FitLoop, Outcome, Stage
from .inputs import DIVERGED
from .scaling import is_constant

if TYPE_CHECKING:
    from .fit import Fit

SOME = 512  # rows, evenly spaced, tell how much a column spreads


def warn_of_rounding(estimator: Any, x: Any, dtype: np.dtype) -> None:
    """Tell which columns lose their digits when x is rounded as it is, not standardised."""
    values = getattr(x, "values", x)  # of series the steps
    if not isinstance(values, np.ndarray) or values.dtype.itemsize <= dtype.itemsize:  # of sparse x the zeros spread
        return
    some = np.asarray(values[:: max(1, len(values) // SOME)], np.float64)
    some = some if some.ndim == 2 else some.reshape(-1, some.shape[-1])  # of grids the channels
    mean, spread, error = some.mean(axis=0), some.std(axis=0), np.abs(some).max(axis=0) * np.finfo(dtype).eps / 2
    lost = np.flatnonzero((error > 1e-3 * spread) & ~is_constant(spread, mean, len(some)))
    if len(lost):
        names = getattr(estimator, "feature_names_in_", np.arange(spread.size))
        warnings.warn(
            f"Rounding X to {dtype} costs more than a thousandth of the spread of column(s) "
            f"{', '.join(map(str, names[lost[:5]]))}{', ...' * (len(lost) > 5)}; standardise X, as "
            "input_scaling='standard' does before it is rounded, or use dtype='float64'.",
            stacklevel=2,
        )


def warn_of_small_weights(fit: Fit, stage: Stage) -> None:
    """Tell if the penalty outweighs the loss only because the weights of samples are small."""
    mean, plan = fit.mean_weight(), stage.plan
    if mean >= 1.0 or _too_small_to_count(fit):  # which is an error
        return
    rows = len(fit.samples) if stage.searches else plan.batch_size
    penalty = 0.5 * plan.alpha * fit.network.decaying_norm() / rows  # a mean loss is about 1 before it learns
    if penalty <= 1.0 < penalty / mean:
        warnings.warn(
            f"sample_weight has a mean of {mean:.3g}, and the penalty (alpha={plan.alpha:g}), which does not shrink "
            "with it, outweighs the loss; divide sample_weight by its mean, or take a smaller alpha.",
            stacklevel=2,
        )


def _too_small_to_count(fit: Fit) -> str:
    """What to add to an error if the sum of the weights vanishes in the precision of the fit."""
    mean = fit.mean_weight()
    if mean >= np.finfo(fit.dtype).tiny:
        return ""
    return f" sample_weight has a mean of {mean:.3g}, which is zero in {fit.dtype}: divide it by its mean."


def warn_of_the_end(fit: Fit, loop: FitLoop) -> None:
    """Tell how training ended, or raise if there is nothing to keep."""
    weights = _too_small_to_count(fit)
    outcome, state, plan = loop.outcome, loop.state, loop.plan
    diverged, unfinished = outcome is Outcome.DIVERGED, outcome is Outcome.EPOCHS_DONE
    if diverged and loop.stage.searches:
        raise ValueError(DIVERGED + weights)
    if diverged and state.best_theta is None:
        raise ValueError(
            f"{DIVERGED} It diverged in epoch {state.epochs}; a smaller learning rate may help too.{weights}"
        )
    if diverged:
        message = (
            f"Training diverged in epoch {state.epochs}; the weights of the best epoch are restored. Try a smaller "
            "learning rate, or scale the data."
        )
    elif unfinished and loop.stage.searches:
        message = (
            f"lbfgs failed to converge after {state.epochs - state.stage_epochs} iteration(s): {loop.message}\n\n"
            "Increase the number of iterations to improve the convergence (max_iter), or scale the data."
        )
    elif unfinished and not fit.incremental and not plan.schedule.to_the_end:
        message = (
            f"Stochastic Optimizer: Maximum iterations ({plan.max_epochs}) reached and the optimization hasn't "
            "converged yet."
        )
    else:
        return
    warnings.warn(message, ConvergenceWarning, stacklevel=2)
