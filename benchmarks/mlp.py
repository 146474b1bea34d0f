"""Fitting a multi-layer perceptron: the time of one training step, Adam, ReLU, log loss.

All contestants do the same work: the same data, layer sizes, batch size and number of epochs, with the penalty of
scikit-learn. scikit-learn computes in float64, which is all it offers as a default; sknn and PyTorch in float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier as SklearnMLP

from sknn import MLPClassifier

from .common import Fit, Workload, against_goal, loss_curve, timed


@dataclass(frozen=True)
class Case(Workload):
    """One network, one batch size, and how many times as fast as the others sknn is to be."""

    sizes: tuple[int, ...]
    goal_sklearn: float
    goal_torch: float

    @property
    def name(self) -> str:
        return f"{'-'.join(map(str, self.sizes))} at {self.batch_size}"


CASES = [
    Case(200, 10_000, 30, sizes=(20, 100, 5), goal_sklearn=3.0, goal_torch=3.0),
    Case(32, 10_000, 6, sizes=(50, 100, 5), goal_sklearn=3.0, goal_torch=3.0),
    Case(128, 10_000, 10, sizes=(50, 128, 128, 5), goal_sklearn=2.5, goal_torch=1.3),
    Case(128, 5_000, 3, sizes=(784, 512, 256, 10), goal_sklearn=2.5, goal_torch=0.75),
    Case(256, 5_000, 2, sizes=(784, 1024, 1024, 10), goal_sklearn=2.5, goal_torch=0.75),
]


def make_data(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Classes that depend on the inputs through a random linear map."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((case.n_samples, case.sizes[0]))
    scores = X @ rng.standard_normal((case.sizes[0], case.sizes[-1]))
    return X, scores.argmax(axis=1)


def contestants(case: Case) -> dict[str, Fit]:
    """The fit of each contestant, with its data at hand."""
    X, y = make_data(case)
    settings: dict[str, Any] = {
        "hidden_layer_sizes": case.sizes[1:-1],
        "batch_size": case.batch_size,
        "max_iter": case.epochs,
        "n_iter_no_change": case.epochs,
        "random_state": 0,
    }
    fits: dict[str, Fit] = {
        "sknn": lambda: loss_curve(MLPClassifier(**settings), X, y),
        "scikit-learn": lambda: loss_curve(SklearnMLP(**settings), X, y),
    }
    if find_spec("torch"):
        from .peers import torch_mlp

        fits["PyTorch"] = lambda: torch_mlp(X, y, case, case.sizes)
    return fits


def run(repeats: int = 7) -> None:
    """Print a table: microseconds per training step, how many times as fast sknn is, and the goal."""
    print(f"{'':22}{'microseconds per step':^38}{'times as fast as':^52}{'final loss':^30}")
    print(f"{'':22}{'sknn':>12}{'scikit-learn':>14}{'PyTorch':>12}{'scikit-learn (goal)':>26}{'PyTorch (goal)':>26}")
    for case in CASES:
        times, losses = timed(contestants(case), repeats)
        row = f"{case.name:22}"
        for name, width in (("sknn", 12), ("scikit-learn", 14), ("PyTorch", 12)):
            row += f"{1e6 * median(times[name]) / case.steps:{width}.0f}" if name in times else f"{'-':>{width}}"
        for name, goal in (("scikit-learn", case.goal_sklearn), ("PyTorch", case.goal_torch)):
            if name in times:
                row += f"{against_goal(times, name, goal):>26}"
        print(row + "    " + "  ".join(f"{name} {loss:.4f}" for name, loss in losses.items()), flush=True)
