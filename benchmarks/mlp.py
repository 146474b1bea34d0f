"""Fitting a multi-layer perceptron: the time of one training step, Adam, ReLU, log loss.

All contestants do the same work: the same data, layer sizes, batch size and number of epochs, starting from the same
weights, with the penalty of scikit-learn. scikit-learn computes in float64, which is all it offers as a default; the
others in float32. Of PyTorch's loops the faster counts.

That the work is the same is checked: without a penalty (the losses reported include it in scikit-learn and sknn alone),
on one batch, taken again and again, the losses of the first steps must agree. In the fits that are timed each shuffles
for itself, so their final losses agree but roughly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier as SklearnMLP

from sknn import MLPClassifier

from .common import (
    EPSILON,
    FIRST_STEPS,
    FUSED,
    PYTORCH,
    RATE,
    Fit,
    Parameters,
    Workload,
    installed,
    loss_curve,
    losses_apart,
    turns,
)
from .measure import Goal, Measurement, Turn


@dataclass(frozen=True)
class Case(Workload):
    """One network and one batch size; how strong the penalty is, and how Adam is set."""

    sizes: tuple[int, ...]
    alpha: float = 1e-4
    rate: float = 1e-3
    epsilon: float = 1e-8

    @property
    def name(self) -> str:
        return f"{'-'.join(map(str, self.sizes))} at {self.batch_size}"

    @property
    def multiply_adds(self) -> int:
        """Of a fit's products of matrices: outputs, gradients of weights, gradients of all inputs but the data."""
        products = [n_in * n_out for n_in, n_out in pairwise(self.sizes)]
        return self.epochs * self.n_samples * (3 * sum(products) - products[0])


def make_data(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Classes that depend on the inputs through a random linear map."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((case.n_samples, case.sizes[0]))
    scores = X @ rng.standard_normal((case.sizes[0], case.sizes[-1]))
    return X, scores.argmax(axis=1)


def settings(case: Case) -> dict[str, Any]:
    """The parameters of sknn's and scikit-learn's estimators, which are the same."""
    return {
        "hidden_layer_sizes": case.sizes[1:-1],
        "batch_size": case.batch_size,
        "max_iter": case.epochs,
        "n_iter_no_change": case.epochs,
        "alpha": case.alpha,
        "learning_rate_init": case.rate,
        "epsilon": case.epsilon,
        "random_state": 0,
    }


def initial_parameters(case: Case) -> Parameters:
    """Weight and bias of each layer as the classifier draws them: fitted at a rate that changes nothing."""
    X, y = make_data(case)
    fitted = MLPClassifier(**settings(replace(case, epochs=1, rate=1e-30)))
    loss_curve(fitted, X, y)
    return list(zip(fitted.coefs_, fitted.intercepts_, strict=True))


def fits(case: Case, start: Parameters) -> dict[str, Fit]:
    """The fit of each contestant, with its data at hand."""
    X, y = make_data(case)
    adam = {"lr": case.rate, "eps": case.epsilon, "weight_decay": case.alpha / case.batch_size}
    found: dict[str, Fit] = {
        "sknn": lambda: loss_curve(MLPClassifier(**settings(case)), X, y),
        "scikit-learn": lambda: loss_curve(SklearnMLP(**settings(case)), X, y),
    }
    if installed("torch"):
        from .pytorch import fit_mlp

        found[PYTORCH] = lambda: fit_mlp(X, y, case, start, **adam)
        found[FUSED] = lambda: fit_mlp(X, y, case, start, fused=True, **adam)
    if installed("skorch"):
        from .with_skorch import fit_mlp as skorch_mlp

        found["skorch"] = lambda: skorch_mlp(X, y, case, start, **adam)
    return found


def first_losses_apart(case: Case) -> float:
    """How far the losses of the first steps are apart, relatively, where each step takes the same batch."""
    settled = replace(case, n_samples=case.batch_size, epochs=FIRST_STEPS, alpha=0.0, rate=RATE, epsilon=EPSILON)
    return losses_apart(fits(settled, initial_parameters(settled)))


def microseconds_per_step(case: Case) -> dict[str, Turn]:
    """The turns of all contestants."""
    return turns(fits(case, initial_parameters(case)), 1e6 / case.steps)


def goals(compiled: tuple[float, float], numpy: tuple[float, float]) -> tuple[Goal, ...]:
    """Limits of the ratios to scikit-learn and to PyTorch; NumPy alone is held against the plain loop."""
    return (
        Goal(("scikit-learn",), compiled[0], kernels="compiled"),
        Goal((PYTORCH, FUSED), compiled[1], kernels="compiled"),
        Goal(("scikit-learn",), numpy[0], kernels="numpy"),
        Goal((PYTORCH,), numpy[1], kernels="numpy"),
    )


LARGEST = Case(256, 5_000, 2, sizes=(784, 1024, 1024, 10))
CASES = {
    Case(200, 10_000, 30, sizes=(20, 100, 5)): goals(compiled=(0.25, 0.30), numpy=(1 / 3, 1 / 3)),
    Case(32, 10_000, 6, sizes=(50, 100, 5)): goals(compiled=(0.25, 0.30), numpy=(1 / 3, 1 / 3)),
    Case(128, 10_000, 10, sizes=(50, 128, 128, 5)): goals(compiled=(0.25, 0.45), numpy=(1 / 2.5, 1 / 1.3)),
    Case(128, 5_000, 3, sizes=(784, 512, 256, 10)): goals(compiled=(0.25, 1.00), numpy=(1 / 2.5, 1 / 0.75)),
    LARGEST: goals(compiled=(0.25, 1.00), numpy=(1 / 2.5, 1 / 0.75)),
}
MEASUREMENTS = [
    Measurement("mlp", case.name, "µs per step", case, microseconds_per_step, held_to, check=first_losses_apart)
    for case, held_to in CASES.items()
]
