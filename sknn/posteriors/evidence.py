"""How probable data are under a prior and a noise, whatever the weights: what both are chosen by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from ..autodiff.tape import Array
from ..losses import LOG_2_PI
from .likelihood import Likelihood

SMALLEST_NOISE = 1e-3  # of standardised targets
WEAKEST, STRONGEST = 1e-8, 1e8  # precision of the prior


@dataclass(frozen=True)
class Evidence:
    r"""The logarithm of the marginal likelihood, by Laplace's approximation around fixed weights.

    .. math:: \log p(D) = \log p(D \mid \theta) - \tfrac{\alpha}{2} \lVert\theta\rVert^2 + \tfrac{p}{2} \log\alpha
        - \tfrac{1}{2} \sum_j \log(\beta \lambda_j + \alpha)

    with the precision :math:`\alpha` of the prior, that of the noise :math:`\beta` (1 where there is none), and the
    eigenvalues :math:`\lambda` of the Gauss-Newton matrix (MacKay 1992).

    Parameters
    ----------
    error : float
        E: minus the log-likelihood is ``beta E``; of squared errors their weighted sum, halved.
    n_values : float
        How many numbers are seen with the noise; 0 where there is none.
    log_units : float
        The sum over these of the logarithms of the units that errors are measured in.
    squares : float
        Of the weights.
    eigenvalues : ndarray of shape (p,)
    """

    error: float
    n_values: float
    log_units: float
    squares: float
    eigenvalues: Array

    @classmethod
    def of(cls, likelihood: Likelihood, eigenvalues: Array) -> Evidence:
        """Around the weights that the network has now."""
        theta = likelihood.network.theta[likelihood.free]
        n_values = likelihood.n_values if likelihood.has_noise else 0.0
        log_units = n_values * float(np.log(likelihood.units).mean()) if n_values else 0.0
        return cls(likelihood.error(likelihood.raw()), n_values, log_units, float(theta @ theta), eigenvalues)

    def at(self, alpha: float, beta: float) -> float:
        """The evidence in nats of scaled targets."""
        fit = 0.5 * self.n_values * (np.log(beta) - LOG_2_PI) - self.log_units - beta * self.error
        prior = 0.5 * len(self.eigenvalues) * np.log(alpha) - 0.5 * alpha * self.squares
        return float(fit + prior - 0.5 * np.log(beta * self.eigenvalues + alpha).sum())

    def slopes(self, alpha: float, beta: float) -> tuple[float, float]:
        """Its derivatives by log alpha and by log beta."""
        share = beta * self.eigenvalues / (beta * self.eigenvalues + alpha)  # of each direction that the data decide
        known = float(share.sum())
        by_alpha = 0.5 * (known - alpha * self.squares)
        by_beta = 0.5 * self.n_values - beta * self.error - 0.5 * known if self.n_values else 0.0
        return by_alpha, by_beta

    def best(self, alpha: float | None, beta: float | None) -> tuple[float, float]:
        """The precisions at which it is largest; what is given stays."""
        start = np.log([1.0 if alpha is None else alpha, 1.0 if beta is None else beta])
        free = np.array([alpha is None, beta is None])
        if not free.any():
            return float(alpha), float(beta)  # type: ignore[arg-type]

        def point(moved: Array) -> tuple[float, float]:
            both = start.copy()
            both[free] = moved
            return float(np.exp(both[0])), float(np.exp(both[1]))

        bounds = np.log([[WEAKEST, STRONGEST], [1e-8, SMALLEST_NOISE**-2]])[free]
        found = minimize(
            lambda moved: (-self.at(*point(moved)), -np.array(self.slopes(*point(moved)))[free]),
            self._guess(alpha, beta, start)[free],
            jac=True,
            bounds=bounds,
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500},
        )
        return point(found.x)

    def _guess(self, alpha: float | None, beta: float | None, start: Array) -> Array:
        """From where to search."""
        guess = start.copy()
        if beta is None and self.n_values:
            guess[1] = np.log(min(0.5 * self.n_values / max(self.error, 1e-300), SMALLEST_NOISE**-2))
        if alpha is None:
            guess[0] = np.log(np.clip(len(self.eigenvalues) / max(self.squares, 1e-300), WEAKEST, STRONGEST))
        return guess
