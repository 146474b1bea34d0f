"""A grid search on one process and on two, whose workers are warm: started and loaded by the turn that does not count.

Only the fits and scores of the search are measured, not the fit to all data at its end, which no second process helps.
The search takes seconds, lest joblib's clearing up decide: when the last fit is done, it may wait 0.1 s until it can
delete the file through which the processes share X.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from sknn import MLPClassifier

from . import mlp
from .measure import Goal, Measurement, Sample, Turn
from .timing import timed


@dataclass(frozen=True)
class Search:
    """A network, how many penalties are tried, and in how many folds."""

    case: mlp.Case
    n_penalties: int
    n_folds: int

    @property
    def name(self) -> str:
        return f"{self.case.name}, {self.n_penalties * self.n_folds} fits"


class Quiet(MLPClassifier):
    """A network that does not complain of too few epochs: workers do not know what the caller wants to hear."""

    def fit(self, X: Any, y: Any) -> Quiet:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return super().fit(X, y)


def seconds(work: Search) -> dict[str, Turn]:
    """The turns with one job and with two."""
    X, y = mlp.make_data(work.case)
    grid = {"alpha": np.logspace(-5, -1, work.n_penalties)}

    def turn_of(n_jobs: int) -> Turn:
        def turn() -> Sample:
            network = Quiet(**mlp.settings(work.case))
            search = GridSearchCV(network, grid, cv=work.n_folds, n_jobs=n_jobs, refit=False)
            elapsed, fitted = timed(lambda: search.fit(X, y))
            return Sample(elapsed, 1 - fitted.best_score_)

        return turn

    return {f"n_jobs={n_jobs}": turn_of(n_jobs) for n_jobs in (1, 2)}


SEARCH = Search(mlp.Case(200, 10_000, 30, sizes=(20, 100, 5)), n_penalties=20, n_folds=5)
MEASUREMENTS = [
    Measurement(
        "grid_search",
        SEARCH.name,
        "s per search",
        SEARCH,
        seconds,
        (Goal(("n_jobs=2",), 1.8, ">="),),
        subject="n_jobs=1",
    )
]
