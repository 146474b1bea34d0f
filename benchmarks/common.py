"""What the suites share: the names of the contestants, the size of a contest, and fits with their times and losses."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .measure import Sample, Turn
from .timing import timed

PYTORCH, FUSED = "PyTorch", "PyTorch fused"  # the optimizer's update in one pass
NHWC, NHWC_FUSED = "PyTorch NHWC", "PyTorch NHWC fused"  # the channels last
PEERS = {"torch": "PyTorch", "skorch": "skorch", "zuko": "zuko"}  # by the module that has to be there

FIRST_STEPS = 5
TOLERANCE = 1e-4  # relative; float32 rounds to 1e-7, and every step makes more of it
RATE = 1e-4  # of learning: ten times smaller than usual, so that the first steps make little more of it
EPSILON = 1e-12  # next to nothing, since sknn, like scikit-learn, adds it before Adam's bias correction, PyTorch after

Fit = Callable[[], list[float]]  # returns the mean loss of each epoch
Parameters = list[tuple[np.ndarray, np.ndarray]]  # weight and bias of each layer, as sknn keeps them


def installed(module: str) -> bool:
    return find_spec(module) is not None


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


def turns(fits: dict[str, Fit], scale: float) -> dict[str, Turn]:
    """Timed fits: a turn's value is its seconds times a scale, its loss that of the last epoch."""

    def turn_of(fit: Fit) -> Turn:
        def turn() -> Sample:
            seconds, curve = timed(fit)
            return Sample(scale * seconds, curve[-1])

        return turn

    return {name: turn_of(fit) for name, fit in fits.items()}


def losses_apart(fits: dict[str, Fit]) -> float:
    """How far the losses of the contestants are apart, relatively; an error where they do different work."""
    curves = np.array([fit() for fit in fits.values()])
    apart = float(np.max(np.abs(curves / curves[0] - 1)))
    if apart > TOLERANCE:
        raise RuntimeError(f"{', '.join(fits)} do different work, their first losses are\n{curves}")
    return apart
