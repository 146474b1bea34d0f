"""The share of the machine's own speed that training reaches: of a large product of float32 matrices by NumPy's BLAS.

The speed of a fit is its multiplications and additions in products of matrices and convolutions, over the time of all
that it does. PyTorch's BLAS may be another; its speed stands beside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn import MLPClassifier

from . import cnn, mlp
from .common import PYTORCH, installed, loss_curve
from .measure import Goal, Measurement, Sample, Turn
from .timing import timed

NUMPY = "np.dot"


@dataclass(frozen=True)
class Share:
    """A network's case, the side of the square matrices, and how many products make up a turn."""

    case: Any  # of mlp or cnn
    side: int = 2_048
    products: int = 5


def gigaflops(work: Share) -> dict[str, Turn]:
    """The turns of the fit and of the products: 10⁹ multiplications and additions in a second."""
    is_mlp = isinstance(work.case, mlp.Case)
    X, y = (mlp if is_mlp else cnn).make_data(work.case)
    a, b = np.random.default_rng(0).standard_normal((2, work.side, work.side), dtype=np.float32)

    def fit() -> object:
        estimator = MLPClassifier(**mlp.settings(work.case)) if is_mlp else cnn.classifier(work.case)
        return loss_curve(estimator, X, y)

    def turn_of(task: Callable[[], object], times: int, multiply_adds: int) -> Turn:
        def turn() -> Sample:
            seconds, _ = timed(lambda: [task() for _ in range(times)])
            return Sample(2e-9 * times * multiply_adds / seconds)

        return turn

    found = {"sknn": turn_of(fit, 1, work.case.multiply_adds)}
    found[NUMPY] = turn_of(lambda: np.dot(a, b), work.products, work.side**3)
    if installed("torch"):
        from .pytorch import product_of

        found[f"{PYTORCH}'s mm"] = turn_of(product_of(a, b), work.products, work.side**3)
    return found


def goal(share: float) -> tuple[Goal, ...]:
    return (Goal((NUMPY,), share, ">=", kernels="compiled"),)


MEASUREMENTS = [
    Measurement("sgemm", case.name, "Gflop/s", Share(case), gigaflops, goal(share))
    for case, share in ((mlp.LARGEST, 0.85), (cnn.IMAGES, 0.60))
]
