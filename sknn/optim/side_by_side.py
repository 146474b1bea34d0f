"""The descents of members side by side: one call for the step of all."""

from __future__ import annotations

from collections.abc import Sequence

from .descent import Descent
from .groups import Vector


class Descents:
    """Descents of one optimizer on vectors of one layout, that take their steps together, each as if alone.

    Parameters
    ----------
    runs : sequence of Descent
        Of each member; until :meth:`part` their state lies in common arrays.
    theta, grad : ndarray of shape (members, n_parameters)
        Where the vectors of the members and their gradients are before each step.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.optim import SGD
    >>> theta = np.array([[1.0], [2.0]])
    >>> grad = 2 * theta
    >>> descents = Descents([SGD(momentum=0.0).start(row) for row in theta], theta, grad)
    >>> descents.step([0.25, 0.25], [0.0, 0.0])
    >>> theta
    array([[0.5],
           [1. ]])
    """

    def __init__(self, runs: Sequence[Descent], theta: Vector, grad: Vector) -> None:
        self.runs, self.theta, self.grad = runs, theta, grad
        common = {name: slot[None].repeat(len(runs), 0) for name, slot in runs[0].slots.items()}
        for member, run in enumerate(runs):
            run.live_in({name: slot[member] for name, slot in common.items()})
        in_step = len({run.steps for run in runs}) == 1
        self._fused = [
            (
                group,
                theta[:, group.where],
                grad[:, group.where],
                {k: slot[:, group.where] for k, slot in common.items()},
            )
            for group in runs[0]._fused_groups
            if in_step
        ]

    def step(self, rates: list[float], l2: list[float]) -> None:
        """One step of each, as :meth:`Descent.step` with its learning rate and penalty."""
        runs, rate, penalty = self.runs, rates[0], l2[0]
        if not self._fused or rates.count(rate) + l2.count(penalty) < 2 * len(runs):
            for run, *mine in zip(runs, self.theta, self.grad, rates, l2, strict=True):
                run.step(*mine)
            return
        for run in runs:
            run.steps += 1
        for (share, _, decaying, threads, _), theta, grad, slots in self._fused:
            runs[0].optimizer.fused(
                share * rate, runs[0].steps, theta, grad, decaying, penalty, None, 0.0, threads, **slots
            )

    def part(self) -> None:
        """Let each keep its state for itself again."""
        for run in self.runs:
            run.live_in({name: slot.copy() for name, slot in run.slots.items()})
