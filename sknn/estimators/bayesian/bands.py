"""What a regressor says of where y lies, before anything is calibrated, and how far it was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import TransformedTargetRegressor

from ...autodiff.tape import Array
from ...pipeline import end_of, last_step, mean_and_std, predict_quantiles, predicts_std

SMALLEST = np.finfo(np.float64).tiny  # unit; where nothing is uncertain an error is nearly infinitely many of them


class Band(NamedTuple):
    """From `low` to `high`, and the unit in which errors are counted; of the shape of y.

    The three kinds differ in nothing else: a prediction with units of 1, a prediction with units of its standard
    deviation, and a lower and an upper quantile with units of 1.
    """

    low: Array
    high: Array
    unit: Array

    def scores(self, y: Array) -> Array:
        """By how many units the band has to grow at either end to reach y; negative where it may shrink."""
        with np.errstate(over="ignore"):
            return np.maximum(self.low - y, y - self.high) / self.unit

    def widened(self, score: Array) -> tuple[Array, Array]:
        """The ends of the band, so many units farther out."""
        with np.errstate(over="ignore"):
            return self.low - score * self.unit, self.high + score * self.unit


def kind_of_band(normalize: str | None, estimator: Any) -> str | None:
    """What a parameter `normalize` means for an estimator, fitted or not.

    Raises
    ------
    ValueError
        If the estimator cannot do it.
    """
    name = type(end_of(estimator)).__name__
    if normalize == "auto":
        return "std" if predicts_std(end_of(estimator)) else "quantiles" if _has_quantiles(estimator) else None
    if normalize == "std" and not predicts_std(end_of(estimator)):
        raise ValueError(
            f'normalize="std" needs predict(X, return_std=True) or predict_std, which this {name} does not have; say '
            "None"
        )
    if normalize == "quantiles" and not _has_quantiles(estimator):
        raise ValueError(
            f'normalize="quantiles" needs predict_quantiles, which this {name} does not have; say None, or take '
            'MLPRegressor(loss="quantile", quantile=[0.05, 0.5, 0.95])'
        )
    return normalize


def check_units(largest: Sequence[Array]) -> None:
    """Raise ValueError if there is no uncertainty to go by: from the largest units of each output in all folds."""
    if (np.max(largest, axis=0) <= SMALLEST).any():
        raise ValueError(
            "the standard deviation that the estimator predicts is 0 for all samples that were set aside, so that no "
            "error can be counted in units of it; say normalize=None"
        )


def band(estimator: Any, X: Any, kind: str | None, confidence: float, shape: tuple[int, ...]) -> Band:
    """What a fitted estimator says of X, in double precision; `shape` is that of one y.

    Raises
    ------
    ValueError
        If what it says is NaN or has another shape, or there are not two quantiles.
    """
    if kind == "quantiles":
        return _between_quantiles(estimator, X, confidence, shape)
    if kind == "std":
        mean, std = mean_and_std(*last_step(estimator, X))
        unit = np.maximum(_checked(std, shape, "the standard deviation"), SMALLEST)
    else:
        mean, unit = estimator.predict(X), np.ones(1)
    mean = _checked(mean, shape, "predict")
    return Band(mean, mean, np.broadcast_to(unit, mean.shape))


def _between_quantiles(estimator: Any, X: Any, confidence: float, shape: tuple[int, ...]) -> Band:
    outer = None
    if "quantiles" in signature(_end_of_target(estimator).predict_quantiles).parameters:
        outer = [(1 - confidence) / 2, (1 + confidence) / 2]
    found = np.sort(predict_quantiles(estimator, X, outer), axis=-1)
    if found.shape[-1] < 2:
        raise ValueError(
            f'normalize="quantiles" needs a lower and an upper quantile, but {type(end_of(estimator)).__name__} gives '
            "one; say quantile=[0.05, 0.5, 0.95]"
        )
    low, high = (_checked(found[..., k], shape, "predict_quantiles") for k in (0, -1))
    return Band(low, high, np.ones(low.shape))


def _checked(found: Any, shape: tuple[int, ...], method: str) -> Array:
    found = np.asarray(found, np.float64)
    if found.shape[1:] != shape:
        raise ValueError(f"{method} of the estimator has shape {found.shape}, where (n_samples, *{shape}) was expected")
    if np.isnan(found).any():
        raise ValueError(f"{method} of the estimator is NaN for {np.isnan(found).sum()} sample(s)")
    return found


def _has_quantiles(estimator: Any) -> bool:
    return hasattr(_end_of_target(estimator), "predict_quantiles")


def _end_of_target(estimator: Any) -> Any:
    """The end of what learns a transformed target, or of anything else."""
    end = end_of(estimator)
    return _end_of_target(end.regressor) if isinstance(end, TransformedTargetRegressor) else end
