"""The most probable weights of a small network, with a prior and a noise that suit them."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_solve, lapack

from ..autodiff.tape import Array
from .evidence import SMALLEST_NOISE, STRONGEST, WEAKEST
from .likelihood import Likelihood

SHORTEST = 30  # times that a step is shortened before there is none
HELD = 10  # steps before the precisions follow, in one of two trials
TRIAL = 40  # steps of each
QUIET = 3  # steps in a row that gain next to nothing


class Found(NamedTuple):
    """Where a search has come to: the precisions, what was minimised after each step, and the evidence there."""

    alpha: float
    beta: float
    curve: list[float]
    evidence: float
    converged: bool


def most_probable(likelihood: Likelihood, alpha: float | None, beta: float | None, max_iter: int, tol: float) -> Found:
    r"""Move a network to the minimum of :math:`\beta E(\theta) + \alpha \lVert\theta\rVert^2 / 2`.

    Each step solves :math:`(\beta G + \alpha I + \mu I)\, \delta = -\nabla`, with the Gauss-Newton matrix G and a
    :math:`\mu` that grows until the step leads down (Levenberg 1944, Marquardt 1963). What is not given of the
    precisions follows after each step from the number of weights that the data decide,
    :math:`\gamma = p - \alpha\, \mathrm{tr}\, H^{-1}`: :math:`\alpha = \gamma / \lVert\theta\rVert^2`,
    :math:`\beta = (N - \gamma) / 2 E` (MacKay 1992; Foresee & Hagan 1997).

    There may be two such places: one where much is called noise, and one where the network follows the data closely.
    Precisions that follow at once tend to the first, those that are held for some steps to the second. Both are tried,
    and the search goes on from where the evidence is larger.

    Parameters
    ----------
    likelihood : Likelihood
        Its network is moved.
    alpha, beta : float or None
        Precisions of the prior and of the noise; None: found along the way.
    max_iter : int
        Most steps.
    tol : float
        The search ends after three steps in a row that change the evidence by less, in nats a sample.
    """
    search = partial(_search, likelihood, alpha, beta, tol=tol)
    if alpha is not None and beta is not None:
        return search((alpha, beta), max_iter)
    start = (1.0 if alpha is None else alpha, 10.0 if beta is None else beta)
    network, initial = likelihood.network, likelihood.network.theta.copy()
    tried = []
    for held in (0, HELD):
        network.theta[:] = initial
        found = search(start, min(TRIAL, max_iter), held=held)
        tried.append((found, network.theta.copy()))
    best, network.theta[:] = max(tried, key=lambda each: each[0].evidence)
    if best.converged or max_iter <= TRIAL:
        return best
    last = search((best.alpha, best.beta), max_iter - TRIAL)
    return last._replace(curve=[*best.curve, *last.curve])


def _search(
    likelihood: Likelihood,
    alpha: float | None,
    beta: float | None,
    start: tuple[float, float],
    max_iter: int,
    *,
    tol: float,
    held: int = 0,
) -> Found:
    """From where the network is, with these precisions at first; what is not given of them is held for some steps."""
    network, free = likelihood.network, likelihood.free
    tunes_alpha, tunes_beta = alpha is None, beta is None
    alpha, beta = start
    error, gradient, matrix = likelihood.expanded()
    damping, quiet, evidence, curve = 1e-6, 0, -np.inf, [error]
    for step in range(max_iter):
        theta = network.theta[free]
        squares = float(theta @ theta)
        known, log_det = _known(matrix, alpha, beta)
        before, evidence = evidence, _evidence(likelihood, error, squares, alpha, beta, log_det)
        quiet = quiet + 1 if step > held and abs(evidence - before) < tol * likelihood.weight.sum() else 0
        if quiet >= QUIET:
            return Found(alpha, beta, curve, evidence, True)
        if tunes_alpha and step >= held:
            alpha = float(np.clip(known / max(squares, 1e-300), WEAKEST, STRONGEST))
        if tunes_beta and step >= held:
            left = max(likelihood.n_values - known, 1e-3 * likelihood.n_values)
            beta = float(min(left / max(2.0 * error, 1e-300), SMALLEST_NOISE**-2))
        damping, moved = _step(likelihood, theta, error, gradient, matrix, alpha, beta, damping)
        if moved:
            error, gradient, matrix = likelihood.expanded()
        curve.append(error)
    return Found(alpha, beta, curve, evidence, False)


def _step(
    likelihood: Likelihood,
    theta: Array,
    error: float,
    gradient: Array,
    matrix: Array,
    alpha: float,
    beta: float,
    damping: float,
) -> tuple[float, bool]:
    """Move the network downhill; the damping that the next step begins with, and whether there was a way down."""
    network, free = likelihood.network, likelihood.free
    downhill = -(beta * gradient + alpha * theta)
    value = beta * error + 0.5 * alpha * float(theta @ theta)
    unit, first = beta * float(np.trace(matrix)) / len(theta) + alpha, damping
    for _ in range(SHORTEST):
        factor = _cholesky(beta * matrix, alpha + damping * unit)
        if factor is not None:
            new = theta + cho_solve((factor, True), downhill)
            network.theta[free] = new
            if beta * likelihood.error(likelihood.raw()) + 0.5 * alpha * float(new @ new) < value:
                return max(0.2 * damping, 1e-12), True
        damping *= 5.0
    network.theta[free] = theta
    return first, False


def _known(matrix: Array, alpha: float, beta: float) -> tuple[float, float]:
    """How many weights the data decide, and log det H."""
    factor = _cholesky(beta * matrix, alpha)
    while factor is None:  # next to singular by rounding, where a little more of the prior is all the same
        alpha += 1e-12 * beta * float(np.trace(matrix))
        factor = _cholesky(beta * matrix, alpha)
    inverse, _ = lapack.dtrtri(factor, lower=1)
    trace = float(np.square(np.tril(inverse)).sum())
    return len(matrix) - alpha * trace, 2.0 * float(np.log(np.diag(factor)).sum())


def _cholesky(matrix: Array, diagonal: float) -> Array | None:
    """The lower factor of a matrix with a diagonal added, which changes it; None if it is not positive definite."""
    matrix[np.diag_indices(len(matrix))] += diagonal
    factor, failed = lapack.dpotrf(matrix, lower=1)
    return None if failed else factor


def _evidence(likelihood: Likelihood, error: float, squares: float, alpha: float, beta: float, log_det: float) -> float:
    fit = 0.5 * likelihood.n_values * np.log(beta) if likelihood.has_noise else 0.0
    prior = 0.5 * len(likelihood.free) * np.log(alpha) - 0.5 * alpha * squares
    return float(fit - beta * error + prior - 0.5 * log_det)
