"""Fitting as a user would: every estimator at its defaults, until it stops by itself, with a random forest for scale.

In place of a loss stands the share of the test samples that are classified wrongly.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as SklearnMLP

from sknn import MLPClassifier

from .measure import Measurement, Sample, Turn
from .timing import timed


@dataclass(frozen=True)
class Problem:
    """A classification of rows of features, of which half inform; as many again are kept for the test."""

    n_samples: int
    n_features: int
    n_classes: int

    @property
    def name(self) -> str:
        return f"{self.n_samples} x {self.n_features}, {self.n_classes} classes"


def seconds(problem: Problem) -> dict[str, Turn]:
    """The turns of both networks and the forest."""
    X, y = make_classification(
        2 * problem.n_samples,
        problem.n_features,
        n_informative=problem.n_features // 2,
        n_classes=problem.n_classes,
        random_state=0,
    )
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, random_state=0)

    def turn_of(make: Callable[..., Any]) -> Turn:
        def turn() -> Sample:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                elapsed, fitted = timed(lambda: make(random_state=0).fit(X, y))
            return Sample(elapsed, 1 - fitted.score(X_test, y_test))

        return turn

    makers = {"sknn": MLPClassifier, "scikit-learn": SklearnMLP, "random forest": RandomForestClassifier}
    return {name: turn_of(make) for name, make in makers.items()}


PROBLEMS = [Problem(2_000, 20, 5)]
MEASUREMENTS = [
    Measurement("defaults", problem.name, "s per fit", problem, seconds, most_repeats=5) for problem in PROBLEMS
]
