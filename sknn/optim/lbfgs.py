"""L-BFGS: the minimum of a deterministic function, of the whole data at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult, minimize

from ..description import integer
from .groups import Vector
from .solver import Solver


@dataclass(frozen=True)
class Minimum:
    """Where the search stopped.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,), float64
        The best vector found.
    value : float
        The function there.
    n_iter : int
        Iterations done.
    converged : bool
        Whether a tolerance was met, and not a limit.
    message : str
        Why it stopped, in SciPy's words.
    """

    theta: npt.NDArray[np.float64]
    value: float
    n_iter: int
    converged: bool
    message: str


# SciPy's own criterion: the search is over when a step gains less than this share of the value.
SCIPY_FTOL = 2.220446049250313e-09
EPS = float(np.finfo(np.float64).eps)  # no gain can be told from rounding below a few of these


@dataclass(frozen=True)
class LBFGS(Solver):
    """L-BFGS, a quasi-Newton method with little memory; the search itself is SciPy's.

    Parameters
    ----------
    max_fun : int >= 1, default=15000
        Most evaluations of the function.

    References
    ----------
    Liu, Nocedal (1989). On the limited memory BFGS method for large scale optimization. Mathematical Programming 45.

    Examples
    --------
    >>> target = np.array([1.0, -2.0])
    >>> minimum = LBFGS().minimize(lambda theta: (np.sum((theta - target) ** 2), 2 * (theta - target)), np.zeros(2))
    >>> minimum.theta.round(6), minimum.converged
    (array([ 1., -2.]), True)
    """

    max_fun: int = integer("[1, inf)", default=15_000)

    is_stochastic: ClassVar[Literal[False]] = False

    def minimize(
        self,
        value_and_grad: Callable[[npt.NDArray[np.float64]], tuple[float, Vector]],
        theta: Vector,
        *,
        max_iter: int = 200,
        tol: float = 1e-4,
        callback: Callable[[npt.NDArray[np.float64], float], None] | None = None,
    ) -> Minimum:
        """Minimise a deterministic function.

        Parameters
        ----------
        value_and_grad : callable
            Takes a float64 vector, returns the value and the gradient there. It may return the same gradient array
            every time.
        theta : ndarray of shape (n_parameters,)
            Where to begin; not changed.
        max_iter : int, default=200
            Most iterations.
        tol : float, default=1e-4
            Converged when no component of the gradient is larger, or when an iteration lowers the value by less than a
            2e-9th part, SciPy's own limit; a tolerance below the default tightens that in proportion.
        callback : callable, default=None
            Called as ``callback(theta, value)`` after every iteration; it may raise StopIteration to end the search.

        Returns
        -------
        minimum : Minimum
            The vector, the value, n_iter, converged and message.
        """

        def evaluate(vector: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
            value, gradient = value_and_grad(vector)
            # A copy: the gradient may be a network's own array, which the next evaluation overwrites.
            return float(value), np.array(gradient, dtype=np.float64)

        def report(intermediate_result: OptimizeResult) -> None:  # SciPy goes by the argument's name
            if callback is not None:
                callback(intermediate_result.x, float(intermediate_result.fun))

        result = minimize(
            evaluate,
            np.array(theta, dtype=np.float64),
            method="L-BFGS-B",
            jac=True,
            callback=report,
            options={
                "maxiter": max_iter,
                "maxfun": self.max_fun,
                "gtol": tol,
                "ftol": max(SCIPY_FTOL * min(tol / 1e-4, 1), 64 * EPS),
            },
        )
        return Minimum(result.x, float(result.fun), int(result.nit), bool(result.success), str(result.message))
