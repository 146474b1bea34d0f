"""The most probable weights of a network that was trained otherwise, where all pairs of weights are too many."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from ..autodiff.tape import Array
from .evidence import Evidence
from .likelihood import Likelihood

ROUNDS = 6
STEPS = 60  # of each
SETTLED = 0.05  # change of the logarithms of the precisions


def settle(likelihood: Likelihood, structure: Any, alpha: float | None, beta: float | None) -> list[float]:
    r"""Move a trained network to the minimum of :math:`\beta E(\theta) + \alpha \lVert\theta\rVert^2 / 2`.

    A network that was stopped early is no maximum of any posterior: initial weights that training hardly moved would
    be taken for a wide prior, and what it had not learnt yet for noise. So some steps of L-BFGS and the precisions with
    the largest evidence follow each other, until these change little.

    Parameters
    ----------
    likelihood : Likelihood
        Its network is moved.
    structure : callable
        What is kept of the Gauss-Newton matrix, by its `eigenvalues`.
    alpha, beta : float or None
        Precisions of the prior and of the noise; None: those with the largest evidence.

    Returns
    -------
    curve : list of float
        The error after each round.
    """
    before, curve = np.full(2, np.inf), []
    for _ in range(ROUNDS):
        evidence = Evidence.of(likelihood, structure(likelihood).eigenvalues)
        curve.append(evidence.error)
        precisions = np.log(evidence.best(alpha, beta))
        if np.abs(precisions - before).max() < SETTLED:
            break
        _descend(likelihood, *np.exp(precisions).tolist())
        before = precisions
    return curve


def _descend(likelihood: Likelihood, alpha: float, beta: float) -> None:
    """Some steps downhill."""
    network, free = likelihood.network, likelihood.free
    start = network.theta[free].copy()

    def value_and_slope(theta: Array) -> tuple[float, Array]:
        network.theta[free] = theta
        error, slope = likelihood.slope()
        return beta * error + 0.5 * alpha * float(theta @ theta), beta * slope + alpha * theta

    network.theta[free] = minimize(value_and_slope, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
