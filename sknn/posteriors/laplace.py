"""A normal distribution around the most probable weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..autodiff.tape import Array
from ..description import choice, integer, number
from ..losses import NormalLogLoss
from ..nn import per_sample_factors
from ..ops.threads import single_thread
from ..template.fitted import keep_network
from .evidence import Evidence
from .gauss_newton import most_probable
from .likelihood import Likelihood, applied
from .posterior import Certain, Learnt, Outputs, Posterior, Task
from .settling import settle
from .shown import Shown, inputs
from .structures import STRUCTURES

SMALL_STEP = 5e9  # multiplications
FULL_UP_TO = 1000  # weights; beyond this the matrix of all pairs costs more than a fit
ROUNDS = 3  # of a search where outputs differ in their noise
NOT_CONVERGED = (
    "Laplace has taken max_iter={} steps, and the evidence still changes: give it more, as in Laplace(max_iter={}), or "
    "a larger tol"
)


@dataclass(frozen=True)
class Laplace(Posterior):
    r"""A normal distribution around the most probable weights, as wide as the Gauss-Newton matrix there is narrow.

    .. math:: p(\theta \mid D) \approx \mathcal{N}(\hat\theta, H^{-1}), \qquad H = \beta J' \Lambda J + \alpha I

    Predictions are those of the network linearised in its weights (Immer et al. 2021), so that raw outputs are normal
    around what the network says, with covariance :math:`J_* H^{-1} J_*'`. The precision :math:`\alpha` of the prior and
    that of a constant noise, :math:`\beta`, are those with the largest marginal likelihood (MacKay 1992): no validation
    samples are set aside, and nothing is left to choose.

    With a full matrix the weights are found along with both, by Gauss-Newton steps in double precision from the
    network's initial ones, instead of what its own parameters say of training (Foresee & Hagan 1997); with
    "last_layer" so are those of the last layer, after a training as the network says. With the other structures some
    steps of L-BFGS over all samples follow that training. Where the noise is learned, nothing is moved after it (noise
    would be fitted too closely), and the noise of a sample is that of the best weights.

    Parameters
    ----------
    structure : {"auto", "full", "kronecker", "diagonal", "last_layer"}, default="auto"
        What is kept of H: all of it; for each dense layer the Kronecker product of two small matrices (Ritter et al.
        2018); its diagonal; or all of what belongs to the last layer. "auto" is "full" for up to 1,000 weights of
        dense layers, then "kronecker", and "last_layer" where a network has other layers than dense ones.
    max_iter : int, default=300
        Most Gauss-Newton steps.
    tol : float, default=5e-4
        They end after three in a row that change the evidence by less, in nats a sample.

    References
    ----------
    MacKay (1992). A practical Bayesian framework for backpropagation networks. Neural Computation 4(3).

    Foresee, Hagan (1997). Gauss-Newton approximation to Bayesian learning. ICNN.

    Ritter, Botev, Barber (2018). A scalable Laplace approximation for neural networks. ICLR.

    Immer, Korzepa, Bauer (2021). Improving predictions of Bayesian neural nets via local linearization. AISTATS.

    Examples
    --------
    >>> from sknn.posteriors import Laplace
    >>> Laplace(structure="last_layer")
    Laplace(structure='last_layer', max_iter=300, tol=0.0005)
    """

    structure: str = choice(("auto", "full", "kronecker", "diagonal", "last_layer"), default="auto")
    max_iter: int = integer("[1, inf)", default=300)
    tol: float = number("(0, inf)", default=5e-4)

    def learn(self, task: Task) -> Learnt:
        precision, shown = getattr(task.network, "dtype", None), Shown.of(task)
        if shown is None:
            return Certain(task.network)
        structure = _fitting(shown.likelihood()) if self.structure == "auto" else self.structure
        trains = structure != "full" or task.noise == "learned"  # as the network says
        if trains:
            task.network.set_params(dtype=precision).fit(task.X, task.y, sample_weight=task.sample_weight)
            shown = Shown.of(task, goes_on=True) or shown
            keep_network(task.network, shown.fit.network)  # in double precision
        rates = _only_last(shown.fit.network) if structure == "last_layer" else {}
        likelihood = shown.likelihood(_at_rates(shown.fit.network, rates))
        alpha, beta = _given(task, likelihood)
        with single_thread(_is_small(likelihood)):
            if structure == "last_layer" or not trains:
                shown.keep(likelihood.network, self._search(likelihood, alpha, beta))
            elif task.noise != "learned":
                shown.keep(likelihood.network, settle(likelihood, STRUCTURES[structure], alpha, beta))
            curvature = STRUCTURES[structure](likelihood)
        evidence = Evidence.of(likelihood, curvature.eigenvalues)
        alpha, beta = evidence.best(alpha, beta)
        noise = likelihood.units / np.sqrt(beta) * shown.y_scale if likelihood.has_noise else None
        attributes = {"log_evidence_": evidence.at(alpha, beta) - shown.log_volume, "prior_scale_": alpha**-0.5}
        return AroundBest(task.network, noise, attributes, curvature, alpha, beta, rates)

    def _search(self, likelihood: Likelihood, alpha: float | None, beta: float | None) -> list[float]:
        """Move the network to the most probable weights; where outputs may differ in their noise, several times."""
        several = likelihood.has_noise and beta is None and len(likelihood.units) > 1
        curve: list[float] = []
        for _ in range(ROUNDS if several else 1):
            found = most_probable(likelihood, alpha, beta, self.max_iter, self.tol)
            curve += found.curve
            if several:
                likelihood.measure_units()
        if not found.converged:
            warnings.warn(NOT_CONVERGED.format(self.max_iter, 3 * self.max_iter), ConvergenceWarning, stacklevel=2)
        return [each / likelihood.weight.sum() for each in curve]


@dataclass
class AroundBest(Learnt):
    """A normal distribution of the weights around those of the network.

    Attributes
    ----------
    curvature : Full, Kronecker or Diagonal
        The Gauss-Newton matrix.
    alpha, beta : float
        The precisions of prior and noise.
    rates : dict
        Which weights have no distribution, as :meth:`sknn.nn.Network.train_at` takes it.
    """

    curvature: Any = None
    alpha: float = 1.0
    beta: float = 1.0
    rates: dict[str, float] = field(default_factory=dict)

    def outputs(self, X: Any) -> Outputs:
        with single_thread(len(self.curvature.eigenvalues) <= FULL_UP_TO):
            blocks = [(raw, self.curvature.covariance(slope, self.alpha, self.beta)) for raw, slope in self._linear(X)]
        raw, covariance = (np.concatenate(each) for each in zip(*blocks, strict=True))
        return Outputs(raw[None], covariance)

    def members(self, X: Any, n_draws: int) -> Array:
        return self.drawn(X, n_draws, np.random.RandomState(0))

    def drawn(self, X: Any, n_draws: int, rng: np.random.RandomState) -> Array:
        normal = rng.standard_normal((len(self.curvature.eigenvalues), n_draws))
        moved = self.curvature.root(normal, self.alpha, self.beta)
        return np.concatenate([self._around(raw, slope, moved) for raw, slope in self._linear(X)], axis=1)

    def _around(self, raw: Array, slope: Array, moved: Array) -> Array:
        """Raw outputs (m, n, n_outputs) for weights that are moved (n_free, m)."""
        each = raw + np.moveaxis(slope @ moved, -1, 0)
        if isinstance(self.network._target.loss, NormalLogLoss):  # its variance is exponential, in no weight linear
            n_outputs = raw.shape[-1] // 2
            each[..., n_outputs:] = raw[:, n_outputs:]
        return each

    def _linear(self, X: Any) -> Iterator[tuple[Array, Array]]:
        """Raw outputs for blocks of samples, and their derivatives by the weights that have a distribution."""
        likelihood = Likelihood(self.network, _at_rates(self.network.network_, self.rates), inputs(self.network, X))
        return ((raw, slope) for _, raw, slope in likelihood.jacobians())


def _is_small(likelihood: Likelihood) -> bool:
    """Whether a step is so little work that threads of the BLAS would wait for each other, or for other processes."""
    return likelihood.n_values * len(likelihood.free) ** 2 < SMALL_STEP


def _given(task: Task, likelihood: Likelihood) -> tuple[float | None, float | None]:
    """The precisions of prior and noise that are known; None where they are to be found."""
    alpha = None if task.prior_scale == "auto" else task.prior_scale**-2.0
    if not likelihood.has_noise:
        return alpha, 1.0
    if task.noise == "constant":
        return alpha, None
    likelihood.units[:] = task.noise / likelihood.estimator._target.scale_
    return alpha, 1.0


def _fitting(likelihood: Likelihood) -> str:
    """The structure that suits a network."""
    try:
        per_sample_factors(lambda nets, x: applied(likelihood.estimator, nets, x), likelihood.network, likelihood.x[:1])
    except ValueError:
        return "last_layer"
    return "full" if len(likelihood.free) <= FULL_UP_TO else "kronecker"


def _only_last(network: Any) -> dict[str, float]:
    """Rates at which the last layer with weights alone is trained."""
    last = f"{network.weighted[-1]}."
    return {name: 0.0 for name in network.names if not name.startswith(last)}


def _at_rates(network: Any, rates: dict[str, float]) -> Any:
    """The network with some weights frozen; itself if none are."""
    if not rates:
        return network
    twin = network.copy()
    twin.train_at({**network.rates, **rates})
    return twin
