"""What is predicted of y: for each sample a mixture of normal distributions, one for each network drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, ndtr, ndtri, xlogy

from ..autodiff.tape import Array
from ..losses import LOG_2_PI
from ..template.even_points import normal_points

POINTS = 256  # that stand for a distribution
HALVINGS = 60  # of the interval that a quantile lies in


@dataclass(frozen=True)
class NormalMixture:
    r"""For each sample and each output a mixture of normal distributions of equal weight.

    .. math:: p(y) = \frac{1}{D} \sum_d \mathcal{N}(y; m_d, s_d^2 + \sigma_d^2)

    Its variance is that of the means and of what is not known of each, :math:`\mathrm{Var}\, m + \overline{s^2}`, plus
    the noise :math:`\overline{\sigma^2}` (law of total variance).

    Parameters
    ----------
    mean : ndarray of shape (n_draws, n_samples, n_outputs)
        m: what each network says.
    spread : ndarray, broadcast to that
        s: what is not known of it.
    noise : ndarray, broadcast to that
        The standard deviation of y around it.

    Examples
    --------
    >>> import numpy as np
    >>> mixture = NormalMixture(np.array([[[0.0]], [[2.0]]]), np.zeros((1, 1, 1)), np.ones((1, 1, 1)))
    >>> mixture.center(), mixture.std("epistemic"), mixture.std("total")
    (array([[1.]]), array([[1.]]), array([[1.41421356]]))
    >>> mixture.quantiles([0.5]).round(6)
    array([[[1.]]])
    """

    mean: Array
    spread: Array
    noise: Array

    @property
    def _std(self) -> Array:
        """That of each component."""
        return np.sqrt(np.square(self.spread) + np.square(self.noise))

    def center(self) -> Array:
        """The mean of the mixture (n_samples, n_outputs)."""
        return self.mean.mean(axis=0)

    def std(self, kind: str) -> Array:
        """Of "epistemic", what more data would tell; "noise", what no data would; "total", both: (n, n_outputs)."""
        epistemic = (self.mean - self.mean[:1]).var(axis=0) + np.square(self.spread).mean(axis=0)
        noise = np.broadcast_to(np.square(self.noise), np.broadcast_shapes(self.noise.shape, self.mean.shape)).mean(0)
        return np.sqrt({"epistemic": epistemic, "noise": noise, "total": epistemic + noise}[kind])

    def log_density(self, y: Array) -> Array:
        """log p of values (n_samples, n_outputs), whose outputs are independent in each component: (n_samples,)."""
        std = self._std
        each = -0.5 * np.square((y - self.mean) / std) - np.log(std) - 0.5 * LOG_2_PI
        return logsumexp(each.sum(axis=-1), axis=0) - np.log(len(self.mean))

    def mean_log_density(self) -> Array:
        """What is to be expected of the log-density of y: minus the entropy, from points that are always the same."""
        unit = normal_points(POINTS, self.mean.shape[-1])
        std = np.broadcast_to(self._std, self.mean.shape)
        turns = np.arange(POINTS) % len(self.mean)
        return np.mean([self.log_density(self.mean[d] + std[d] * z) for d, z in zip(turns, unit, strict=True)], axis=0)

    def quantiles(self, levels: Sequence[float]) -> Array:
        """Of each output by itself, (n_samples, n_outputs, n_levels)."""
        std = np.broadcast_to(self._std, self.mean.shape)
        found = [self._quantile(std, float(level)) for level in levels]
        return np.stack(found, axis=-1)

    def _quantile(self, std: Array, level: float) -> Array:
        """Of each component it is known; that of the mixture lies between the smallest and the largest of these."""
        each = self.mean + std * ndtri(level)
        low, high = each.min(axis=0), each.max(axis=0)
        if len(each) == 1:
            return low
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            below = ndtr((middle - self.mean) / std).mean(axis=0) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)


def entropy(probability: Array) -> Array:
    """Of the last axis, in nats."""
    total: Array = -xlogy(probability, probability).sum(axis=-1)
    return total


def mean_of_draws(draws: Array, weights: Sequence[float] | None = None) -> Array:
    """The mean over the first axis; where all are the same it is theirs, to the bit."""
    first = draws[0]
    mean: Array = first + np.average(draws - first, axis=0, weights=weights)
    return mean.astype(draws.dtype, copy=False)


def class_uncertainty(probability: Array, kind: str, weights: Sequence[float] | None = None) -> Array:
    r"""How unsure networks are of classes, in nats.

    The entropy of their mean is the sum of two parts: of the mean of their entropies, which is noise, and the mutual
    information of class and weights, which more data would take away:

    .. math:: H(\overline{p}) = \overline{H(p)} + I(y; \theta)

    Parameters
    ----------
    probability : ndarray of shape (n_draws, n_samples, n_classes)
        What each network says.
    kind : "epistemic", "noise" or "total"
        The mutual information, which is 0 where all say the same, the mean of the entropies, or the entropy of the
        mean.
    weights : sequence of float of length n_draws, default=None
        How much each network counts; None: all alike.

    Returns
    -------
    uncertainty : ndarray of shape (n_samples,)

    References
    ----------
    Houlsby, Huszar, Ghahramani, Lengyel (2011). Bayesian active learning for classification and preference learning.
    arXiv:1112.5745.

    Examples
    --------
    >>> import numpy as np
    >>> sure_but_apart = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    >>> class_uncertainty(sure_but_apart, "epistemic").round(3), class_uncertainty(sure_but_apart, "noise")
    (array([0.693]), array([0.]))
    """
    draws = probability.astype(np.float64)  # what is subtracted is small
    total, noise = entropy(mean_of_draws(draws, weights)), mean_of_draws(entropy(draws), weights)
    found = {"epistemic": np.maximum(total - noise, 0.0), "noise": noise, "total": total}[kind]
    return found.astype(probability.dtype, copy=False)
