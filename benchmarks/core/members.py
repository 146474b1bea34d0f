"""Members of an ensemble side by side, beside one after the other."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPRegressor
from sknn.template.side_by_side import fit_side_by_side

from ..measure import Goal
from .rows import Task, Work, beside_pytorch, row

IN_TURN = "in turn"


@dataclass(frozen=True)
class Members(Work):
    """Fits of an ensemble: members side by side and one after the other, which leave the same bits.

    PyTorch goes through as many steps of each member in turn.
    """

    n_members: int = 5
    hidden: int = 50
    n_features: int = 8
    activation: str = "relu"
    batch_size: int = 32
    n_samples: int = 3_200
    n_epochs: int = 10

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        x = np.random.default_rng(0).standard_normal((self.n_samples, self.n_features), dtype=np.float32)
        return x, np.sin(x[:, 0])

    def estimators(self) -> list[MLPRegressor]:
        settings = {"batch_size": self.batch_size, "max_iter": self.n_epochs, "tol": 0.0, "n_iter_no_change": np.inf}
        return [MLPRegressor(self.hidden, self.activation, random_state=k, **settings) for k in range(self.n_members)]

    def sknn(self) -> Task:
        return quietly(lambda: losses_of(fit_side_by_side(self.estimators(), *self.data())))

    def others(self) -> dict[str, Task]:
        in_turn = quietly(lambda: losses_of([estimator.fit(*self.data()) for estimator in self.estimators()]))
        return {IN_TURN: in_turn}

    def pytorch(self, torch: Any) -> Task:
        def train(seed: int) -> None:
            torch.manual_seed(seed)
            x, y = map(torch.from_numpy, self.data())
            activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[self.activation]()
            model = torch.nn.Sequential(
                torch.nn.Linear(self.n_features, self.hidden), activation, torch.nn.Linear(self.hidden, 1)
            )
            optimizer = torch.optim.Adam(model.parameters(), fused=True)
            for _ in range(self.n_epochs):
                for rows in torch.randperm(len(x)).split(self.batch_size):
                    optimizer.zero_grad()
                    torch.nn.functional.mse_loss(model(x[rows])[:, 0], y[rows]).backward()
                    optimizer.step()

        def task() -> Sequence[Any]:
            for seed in range(self.n_members):
                train(seed)
            return []  # its initial weights and orders are others: nothing to compare

        return task


def quietly(task: Task) -> Task:
    """Without the warnings that training was not at its end."""

    def silent() -> Sequence[Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return task()

    return silent


def bits_apart(work: Members) -> float:
    """0, or an error where members side by side and in turn differ in a bit."""
    if work.sknn()() != work.others()[IN_TURN]():
        raise RuntimeError("members side by side learn something else than in turn")
    return 0.0


def losses_of(estimators: Sequence[MLPRegressor]) -> Sequence[Any]:
    return [estimator.loss_curve_ for estimator in estimators]


MEASUREMENTS = [
    replace(
        row("five members of 8-50-1", Members(), Goal((IN_TURN,), 0.4, kernels="compiled"), beside_pytorch(0.25)),
        check=bits_apart,
    ),
]
