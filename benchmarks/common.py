"""What the suites share: the size of a contest, fits with their times and losses, and how a ratio is printed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .timing import Contest, interleaved, ratio

Fit = Callable[[], list[float]]  # returns the mean loss of each epoch
Parameters = list[tuple[np.ndarray, np.ndarray]]  # weight and bias of each layer, as sknn keeps them


@dataclass(frozen=True)
class Workload:
    """How much each contestant learns from, and how often."""

    batch_size: int
    n_samples: int
    epochs: int

    @property
    def steps(self) -> int:
        return self.epochs * ceil(self.n_samples / self.batch_size)


def loss_curve(estimator: Any, X: np.ndarray, y: np.ndarray) -> list[float]:
    """Fit for as many epochs as the estimator is told, converged or not; returns the mean loss of each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(X, y).loss_curve_


def timed(fits: dict[str, Fit], repeats: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """The times of the contestants' fits, and their final losses."""
    losses: dict[str, float] = {}

    def turn_of(name: str) -> Callable[[], None]:
        def turn() -> None:
            losses[name] = fits[name]()[-1]

        return turn

    contest: Contest = {name: turn_of(name) for name in fits}
    return interleaved(contest, repeats), losses


def against_goal(times: dict[str, list[float]], name: str, goal: float) -> str:
    """How many times as fast as another sknn is: median, smallest and largest, and what it is to be."""
    middle, low, high = ratio(times, name, "sknn")
    return f"{middle:.2f} [{low:.2f}, {high:.2f}] ({goal})"
