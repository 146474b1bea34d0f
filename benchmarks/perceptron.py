"""Fitting a perceptron by Rosenblatt's rule, beside scikit-learn's loop in C; both in float64, sample by sample.

That the work is the same is checked: both shuffle alike, so their weights must agree. In place of a loss stands the
share of the samples that are classified wrongly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import Perceptron

from sknn import PerceptronClassifier

from .measure import Goal, Measurement, Sample, Turn
from .timing import timed

TOLERANCE = 1e-9
CONTESTANTS: dict[str, Callable[..., Any]] = {"sknn": PerceptronClassifier, "scikit-learn": Perceptron}


@dataclass(frozen=True)
class Problem:
    """Two classes that a plane divides, but for some noise, which makes the rule go on for several epochs."""

    n_samples: int
    n_features: int

    @property
    def name(self) -> str:
        return f"{self.n_samples} x {self.n_features}"

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.RandomState(0)
        X = rng.standard_normal((self.n_samples, self.n_features))
        odds = X @ rng.standard_normal(self.n_features) + rng.standard_normal(self.n_samples)
        return X, (odds > 0).astype(int)


def weights_apart(problem: Problem) -> float:
    """How far the weights are apart, relatively to the largest."""
    X, y = problem.data()
    ours, theirs = (make(random_state=0).fit(X, y).coef_ for make in CONTESTANTS.values())
    apart = float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))
    if apart > TOLERANCE:
        raise RuntimeError(f"the perceptrons do different work: their weights are {apart:.0e} apart")
    return apart


def milliseconds(problem: Problem) -> dict[str, Turn]:
    """The turns of both."""
    X, y = problem.data()

    def turn_of(make: Callable[..., Any]) -> Turn:
        def turn() -> Sample:
            seconds, fitted = timed(lambda: make(random_state=0).fit(X, y))
            return Sample(1e3 * seconds, 1 - fitted.score(X, y))

        return turn

    return {name: turn_of(make) for name, make in CONTESTANTS.items()}


PROBLEM = Problem(20_000, 50)
MEASUREMENTS = [
    Measurement(
        "perceptron",
        PROBLEM.name,
        "ms per fit",
        PROBLEM,
        milliseconds,
        (Goal(("scikit-learn",), 1.0, kernels="compiled"),),
        check=weights_apart,
    )
]
