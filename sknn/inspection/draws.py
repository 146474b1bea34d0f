"""Where true values lie among what a fitted model draws for the same samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import _num_samples, check_consistent_length, check_is_fitted

from ..autodiff.tape import Array
from ..description import checked_count
from ..pipeline import is_normal, last_step, sample_y_in_blocks
from .common import line_colors


def places(estimator: Any, X: Any, y: Any, n_draws: int, rng: np.random.RandomState) -> tuple[Array, Array]:
    """How many draws lie below each true value, and how many are equal to it; (n_samples, n_outputs) each."""
    n_draws = checked_count("n_draws", n_draws, 1)
    model, X = fitted_model(estimator, X)
    if not draws_y(model):
        raise TypeError(
            f"estimator={model!r} has no sample_y(X, n_samples, random_state) and no predict(X, return_std=True); give "
            "one that knows how y is distributed, such as FlowRegressor, GaussianProcessRegressor or BayesianRidge"
        )
    counts = [
        ((draws < values).sum(axis=-1), (draws == values).sum(axis=-1))
        for values, draws in _blocks(model, X, true_values(X, y), n_draws, rng)
    ]
    below, equal = map(np.concatenate, zip(*counts, strict=True))
    return below, equal


def fitted_model(estimator: Any, X: Any) -> tuple[Any, Any]:
    """The estimator inside of a pipeline or a search, and the samples as they come to it."""
    check_is_fitted(estimator)
    return last_step(estimator, X)


def _blocks(
    model: Any, X: Any, truth: Array, n_draws: int, rng: np.random.RandomState
) -> Iterator[tuple[Array, Array]]:
    """True values (rows, n_outputs, 1) and what is drawn for them (rows, n_outputs, n_draws), a few rows at a time."""
    n_outputs = truth.shape[1]
    for rows, drawn in sample_y_in_blocks(model, X, n_draws, n_outputs, rng):
        draws = drawn.reshape(len(rows), -1, n_draws)
        if draws.shape[1] != n_outputs:
            raise ValueError(f"y has {n_outputs} column(s), but the estimator draws {draws.shape[1]} for a sample")
        yield truth[rows, :, None], draws


def draws_y(model: Any) -> bool:
    """Whether there is a distribution of y to draw from."""
    return hasattr(model, "sample_y") or is_normal(model)


def true_values(X: Any, y: Any) -> Array:
    """The values y as columns (n_samples, n_outputs)."""
    truth = as_numbers("y", y)
    if truth.ndim not in (1, 2):
        raise ValueError(f"y must have shape (n_samples,) or (n_samples, n_outputs), got {truth.shape}")
    if not truth.size:
        raise ValueError("y holds no samples")
    if np.isnan(truth).any():
        raise ValueError("y contains NaN; leave out samples whose true value is not known")
    check_consistent_length(X, truth)
    return truth.reshape(_num_samples(X), -1)


def as_numbers(name: str, values: Any) -> Array:
    """An array of float64, or an error that names the argument."""
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers: {error}") from None


def as_columns(name: str, values: Any, low: float, high: float) -> Array:
    """One column of numbers for each output; ValueError if there are none, or some lie elsewhere."""
    found = as_numbers(name, values)
    if found.ndim not in (1, 2) or not found.size:
        raise ValueError(f"{name} must have shape (n_samples,) or (n_samples, n_outputs), got {found.shape}")
    if not ((found >= low) & (found <= high)).all():
        raise ValueError(f"{name} must lie between {low:g} and {high:g}, got {found.min():g} to {found.max():g}")
    return found.reshape(len(found), -1)


def output_names(y: Any, names: Sequence[str] | None) -> list[str] | None:
    """The names of the outputs: those given, or those of the columns of a table; None: they are numbered."""
    given = getattr(y, "columns", None) if names is None else names
    return None if given is None else [str(name) for name in given]


def draw_outputs(ax: Any, n_outputs: int, names: Sequence[str] | None, draw: Callable[..., Any]) -> dict[str, Any]:
    """What `draw(k, color, label)` draws for each output, by its name, and a legend if there are several."""
    titles = [f"y {k}" for k in range(n_outputs)] if names is None else list(names)
    if len(titles) != n_outputs:
        raise ValueError(f"names={names!r} must name {n_outputs} outputs")
    shades = line_colors(n_outputs)
    drawn = {title: draw(k, color=shades[k], label=title) for k, title in enumerate(titles)}
    if n_outputs > 1:
        ax.legend(frameon=False)
    return drawn
