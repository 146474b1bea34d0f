"""Hamiltonian dynamics on vectors, and the proposals that they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..autodiff.tape import Array

DIVERGED = 1000.0  # nats of energy that no step of a useful length gains


class Point(NamedTuple):
    """A position, minus the log-density there, and the gradient of that."""

    position: Array
    value: float
    slope: Array


Energy = Callable[[Array], tuple[float, Array]]  # of a position: minus the log-density, and its gradient


def point(energy: Energy, position: Array) -> Point:
    """The point at a position."""
    return Point(position, *energy(position))


def leapfrog(
    energy: Energy, start: Point, momentum: Array, step: float, n_steps: int, variance: Array | float = 1.0
) -> tuple[Point, Array]:
    r"""Follow Hamilton's equations, half a step of the momentum before and after each step of the position.

    .. math:: p \leftarrow p - \tfrac{\epsilon}{2} \nabla U(q), \quad q \leftarrow q + \epsilon\, M^{-1} p, \quad
        p \leftarrow p - \tfrac{\epsilon}{2} \nabla U(q)

    Reversible and volume-preserving; over a given time the error of the energy is of second order in the step.

    Parameters
    ----------
    energy : callable
        Of a position (p,): U and its gradient. Gradients must be arrays that later calls leave alone.
    start : Point
    momentum : ndarray of shape (p,)
    step : float
        The length of a step.
    n_steps : int
        How many; fewer where the energy has grown beyond use.
    variance : ndarray of shape (p,) or float, default=1.0
        The diagonal of the inverse of the mass: best about the variance of each coordinate.

    Returns
    -------
    end : Point
    momentum : ndarray of shape (p,)

    References
    ----------
    Neal (2011). MCMC using Hamiltonian dynamics. Handbook of Markov Chain Monte Carlo.

    Examples
    --------
    >>> import numpy as np
    >>> normal = lambda q: (0.5 * float(q @ q), q.copy())
    >>> start = point(normal, np.array([1.0]))
    >>> end, momentum = leapfrog(normal, start, np.zeros(1), 0.01, 157)
    >>> end.position.round(2), momentum.round(2)  # a quarter of a turn
    (array([0.]), array([-1.]))
    """
    end = start
    for _ in range(n_steps):
        half = momentum - 0.5 * step * end.slope
        end = point(energy, end.position + step * (variance * half))
        momentum = half - 0.5 * step * end.slope
        if not end.value < start.value + DIVERGED:
            break
    return end, momentum


def kinetic(momentum: Array, variance: Array | float = 1.0) -> float:
    """The energy of a momentum."""
    return 0.5 * float(momentum @ (variance * momentum))


def transition(
    energy: Energy,
    start: Point,
    step: float,
    n_steps: int,
    variance: Array | float,
    rng: np.random.RandomState,
) -> tuple[Point, float]:
    """A move that leaves the density as it is: a momentum drawn anew, a trajectory, and whether to accept its end.

    Returns
    -------
    end : Point
        The start where the proposal is rejected.
    acceptance : float
        With which probability it was accepted (Metropolis et al. 1953).
    """
    momentum = rng.standard_normal(len(start.position)) / np.sqrt(variance)
    end, arrived = leapfrog(energy, start, momentum, step, n_steps, variance)
    loss = end.value + kinetic(arrived, variance) - start.value - kinetic(momentum, variance)
    acceptance = float(np.exp(-max(loss, 0.0))) if np.isfinite(loss) else 0.0
    return (end if rng.uniform() < acceptance else start), acceptance
