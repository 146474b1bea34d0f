"""A chain of weights, each moved from the one before, whose scales and noise are drawn in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from ..autodiff.tape import Array
from .leapfrog import point, transition
from .likelihood import applied
from .scales import Scales
from .step_size import DualAveraging, first_step

SEARCHES, STEPS_OF_SEARCH = 5, 300  # before the first move, with scales and noise drawn after each search
JITTER = 0.2  # of the step, so that no trajectory closes upon itself
STEP_ONLY, SECOND, LAST = 0.15, 0.35, 0.7  # parts of the warm-up: masses are measured at the ends of the middle ones


class Chain(NamedTuple):
    """What a chain has seen after its warm-up.

    Attributes
    ----------
    draws : ndarray of shape (n_kept, n_free)
        Weights, evenly spaced along the chain.
    seen : ndarray of shape (n_moves, n_rows, n_outputs)
        Predictions for some samples, after each move: means in scaled targets, or probabilities.
    noise : ndarray of shape (n_moves, n_outputs)
        The standard deviation of the noise, in scaled targets.
    spread : ndarray of shape (n_moves,)
        That of the weights, as :attr:`Scales.spread` has it.
    acceptance : float
        The mean probability that a proposal was accepted.
    """

    draws: Array
    seen: Array
    noise: Array
    spread: Array
    acceptance: float


@dataclass
class Sampler:
    """Moves weights by trajectories of one length, and draws scales and noise after each.

    Parameters
    ----------
    scales : Scales
    n_steps : int
        Leapfrog steps of a trajectory.
    acceptance : float
        Which share of proposals is to be accepted.
    rng : RandomState

    Attributes
    ----------
    point : Point
        Where it is.
    variance : ndarray of shape (n_free,)
        The inverse of the masses.
    adapted : DualAveraging
        The step.
    """

    scales: Scales
    n_steps: int
    acceptance: float
    rng: np.random.RandomState

    def begin(self, theta: Array) -> None:
        """Start from weights."""
        self.variance = np.ones(len(theta))
        self.point = point(self.scales.energy, theta)
        self.adapted = DualAveraging(self._first_step(), self.acceptance)

    def search(self, theta: Array) -> Array:
        """Weights downhill from these, where a chain need not wander far to where most of the probability lies."""
        for _ in range(SEARCHES):
            options = {"maxiter": STEPS_OF_SEARCH}
            theta = minimize(self.scales.energy, theta, jac=True, method="L-BFGS-B", options=options).x
            self.scales.draw(theta, self.rng)
        return theta

    def move(self, step: float) -> float:
        """One trajectory, then scales and noise; with which probability its end was accepted."""
        length = step * self.rng.uniform(1.0 - JITTER, 1.0 + JITTER)
        energy = self.scales.energy
        moved, acceptance = transition(energy, self.point, length, self.n_steps, self.variance, self.rng)
        self.scales.draw(moved.position, self.rng)
        self.point = moved if self._all_known else point(energy, moved.position)
        return acceptance

    def warm_up(self, n_moves: int) -> None:
        """Find the step, and the variance of each group of weights, from which masses follow."""
        first, second, last = (round(part * n_moves) for part in (STEP_ONLY, SECOND, LAST))
        seen: list[Array] = []
        for moves in range(1, n_moves + 1):
            self.adapted.update(self.move(self.adapted.step))
            if first < moves <= last:
                seen.append(self.point.position)
            if moves in (second, last) and len(seen) > 1:
                self._weigh(np.stack(seen))
                seen = []

    def _weigh(self, seen: Array) -> None:
        """Masses from the weights of some moves: the same within a group, which holds what few moves tell of each."""
        groups = self.scales.groups
        measured = np.bincount(groups, seen.var(axis=0)) / self.scales.sizes
        if measured.all():
            self.variance = (measured / np.average(measured, weights=self.scales.sizes))[groups]
            self.adapted.restart(self._first_step())

    def _first_step(self) -> float:
        return first_step(self.scales.energy, self.point, self.variance, self.rng)

    @property
    def _all_known(self) -> bool:
        return self.scales.weights_known and self.scales.noise_known

    def sample(self, n_moves: int, n_kept: int, x: Any) -> Chain:
        """The chain from here on, and its predictions for x."""
        likelihood = self.scales.likelihood
        kept = {n_moves * (k + 1) // n_kept - 1 for k in range(n_kept)}
        step = self.adapted.averaged
        draws: list[Array] = []
        seen, noise, spread, accepted = [], [], [], []
        for moves in range(n_moves):
            accepted.append(self.move(step))
            self.scales.move(self.point.position)
            seen.append(likelihood.loss.predict(applied(likelihood.estimator, likelihood.network.function(), x)))
            noise.append(likelihood.units.copy())
            spread.append(self.scales.spread)
            if moves in kept:
                draws.append(self.point.position)
        kept_draws = np.array(draws).reshape(n_kept, len(self.point.position))
        return Chain(kept_draws, np.stack(seen), np.stack(noise), np.array(spread), float(np.mean(accepted)))
