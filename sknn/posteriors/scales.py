"""How wide weights are spread and how large the noise is, as unknowns of their own, drawn given the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..autodiff.tape import Array
from ..nn import Dense
from .likelihood import Likelihood


class Gamma(NamedTuple):
    """What is known of a precision beforehand: as if ``2 shape`` numbers had been seen, of squares ``2 rate`` in all.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.RandomState(1)
    >>> precision = Gamma(0.5, 0.005).given(20_000, 80_000.0, rng)  # of 20,000 numbers of variance 4
    >>> round(precision**-0.5, 1)
    2.0
    """

    shape: float
    rate: float | Array

    def given(self, n: Any, squares: Any, rng: np.random.RandomState) -> Any:
        """Draw it after so many normal numbers around zero with this sum of squares were seen."""
        return rng.gamma(self.shape + 0.5 * n) / (self.rate + 0.5 * squares)


WEIGHTS = Gamma(1.0, 0.1)  # a scale of .3, known no better than from two weights
NOISE = Gamma(0.5, 0.005)  # .1, in units of the spread of y, no better than from a single error


class Scales:
    r"""The precisions of groups of weights, and of the noise of each output, given which weights are drawn.

    .. math:: -\log p(\theta \mid D, \alpha, \beta) = \beta E(\theta) + \tfrac{1}{2} \sum_g \alpha_g
        \lVert\theta_g\rVert^2 + \mathrm{const}

    With gamma distributions of the precisions beforehand they are gamma distributed given the weights,

    .. math:: \alpha_g \sim \Gamma(a + \tfrac{n_g}{2}, b + \tfrac{1}{2} \lVert\theta_g\rVert^2), \qquad
        \beta \sim \Gamma(a' + \tfrac{N}{2}, b' + E(\theta)),

    so that drawing them leaves the joint distribution as it is (Neal 1996, chapter 3).

    Parameters
    ----------
    likelihood : Likelihood
        Its network is moved. Its units are the standard deviations of the noise.
    groups : ndarray of int, of shape (n_free,)
        The group of each free weight.
    alpha : float or None
        The precision of all weights; None: unknown, that of each group is drawn.
    noise_known : bool
        Whether the units of the likelihood stay as they are.
    weights, noise : Gamma
        What is known beforehand of the precisions of weights, and of noise.

    Attributes
    ----------
    alpha : ndarray of shape (n_groups,)
        The precisions of weights now.

    References
    ----------
    Neal (1996). Bayesian learning for neural networks. Springer.
    """

    def __init__(
        self,
        likelihood: Likelihood,
        groups: Array,
        alpha: float | None,
        noise_known: bool,
        weights: Gamma = WEIGHTS,
        noise: Gamma = NOISE,
    ) -> None:
        self.likelihood, self.groups, self.weights, self.noise = likelihood, groups, weights, noise
        self.sizes = np.bincount(groups).astype(np.float64)
        self.alpha = np.full(len(self.sizes), 1.0 if alpha is None else alpha)
        self.weights_known, self.noise_known = alpha is not None, noise_known or not likelihood.has_noise

    def energy(self, theta: Array) -> tuple[float, Array]:
        """Minus the log-density of free weights, and its gradient."""
        self.move(theta)
        error, slope = self.likelihood.slope()
        pull = self.alpha[self.groups] * theta
        return error + 0.5 * float(pull @ theta), slope + pull

    def move(self, theta: Array) -> None:
        """Give the network these free weights."""
        self.likelihood.network.theta[self.likelihood.free] = theta

    def draw(self, theta: Array, rng: np.random.RandomState) -> None:
        """Draw all precisions that are not known, given the free weights."""
        if not self.weights_known:
            self.alpha = self.weights.given(self.sizes, np.bincount(self.groups, np.square(theta)), rng)
        if not self.noise_known:
            self.move(theta)
            likelihood = self.likelihood
            squares = likelihood.weight @ np.square(likelihood.raw() - likelihood.y)
            likelihood.units = self.noise.given(likelihood.weight.sum(), squares, rng) ** -0.5

    @property
    def spread(self) -> float:
        """The standard deviation of the weights beforehand, the geometric mean over all of them."""
        return float(np.exp(-0.5 * np.average(np.log(self.alpha), weights=self.sizes)))


def relevance_groups(network: Any) -> Array:
    """The group of each parameter: those of one name are one, and what dense layers make of one input feature is.

    So weights of a feature that does not matter become small together (automatic relevance determination).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Dense, Network
    >>> network = Network([Dense(2), Dense(1)], (3,), np.random.RandomState(0))
    >>> relevance_groups(network)  # of three features, then the last layer, then biases
    array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5])
    """
    groups, first = np.empty(network.n_parameters, np.intp), 0
    for name, (start, stop, shape) in network.names.items():
        each = _features(network, name, shape)
        groups[start:stop] = first + np.repeat(np.arange(each), (stop - start) // each)
        first += each
    return groups


def _features(network: Any, name: str, shape: Sequence[int]) -> int:
    """How many input features a parameter meets, if a dense layer that comes first has it; else one group."""
    layers = getattr(network, "layers", None)
    is_first = layers and isinstance(layers[0], Dense) and len(network.input_shape) == 1
    return shape[0] if is_first and name == "0.weight" else 1
