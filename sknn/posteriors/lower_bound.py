"""How probable data are at least, under a prior, if weights are normal and know nothing of each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value
from ..losses import SquaredError
from ..nn import Constants, Parts, with_spread
from ..nn.trainable import Place, cut, nest
from .evidence import SMALLEST_NOISE
from .predictive import LOG_2_PI

FOLLOWS = 0.02  # the share of the squared errors of a batch in those that the noise is found from
WARM_UP = 0.5  # the share of a training in which the divergence comes to count as much as it should


class LowerBound:
    r"""Minus the evidence lower bound, as an objective: each sample's loss, and its share of the divergence.

    With weights :math:`\theta_j \sim \mathcal{N}(\mu_j, \sigma_j^2)` and the prior :math:`\mathcal{N}(0, s^2)`

    .. math:: \log p(D) \ge \mathbb{E}_q \log p(D \mid \theta)
        - \sum_j \left( \log \frac{s}{\sigma_j} + \frac{\mu_j^2 + \sigma_j^2}{2 s^2} - \frac{1}{2} \right).

    The bound is largest at :math:`s^2 = \overline{\mu_j^2 + \sigma_j^2}`, which takes the place of an s that is not
    given. While a network is trained the divergence counts little at first, so that weights find something to do before
    the prior takes them back (Sonderby et al. 2016).

    Parameters
    ----------
    estimator : Estimator
        Whose network it is: it says what becomes of a batch, and its target has the loss.
    network : Network
        In double precision; it has the means.
    initial_scale : float
        The standard deviations that weights begin with.
    prior_scale : float or None
        s; None: the best.
    noise : ndarray of shape (n_outputs,) or None
        The standard deviation of scaled targets, for squared errors; None: the best, which while the network is trained
        follows from the errors of the last batches.
    weight : float
        Of all samples together.
    locally : bool, default=True
        Whether outputs of dense layers are drawn, not their weights.

    Attributes
    ----------
    parts : Parts
        What is trained: the network `means`, and `spread`, of which `log_std` are the logarithms of the standard
        deviations of the weights in the order of `network.trained`.
    variance : ndarray of shape (n_outputs,)
        Of the noise of scaled targets, where there is one.

    References
    ----------
    Sonderby, Raiko, Maaloe, Sonderby, Winther (2016). Ladder variational autoencoders. NeurIPS. arXiv:1602.02282.
    """

    def __init__(
        self,
        estimator: Any,
        network: Any,
        initial_scale: float,
        prior_scale: float | None,
        noise: Array | None,
        weight: float,
        locally: bool = True,
    ) -> None:
        self.estimator, self.layers, self.locally = estimator, network.layers_by_name, locally
        self.loss = estimator._target.loss
        self.prior_scale, self.weight, self.finds_noise = prior_scale, weight, noise is None
        self.variance = np.ones(network.output_shape[-1]) if noise is None else np.square(noise)
        self.places: dict[str, Place] = {}
        self.moving = np.concatenate([np.arange(*network.names[name][:2]) for name in network.trained])
        start = 0
        for name in network.trained:
            low, high, shape = network.names[name]
            self.places[name] = Place(start, start + high - low, shape)
            start += high - low
        log_std = np.full(start, np.log(initial_scale))
        self.parts = Parts(means=network, spread=Constants(network.theta.dtype, log_std=log_std))

    @property
    def has_noise(self) -> bool:
        """Whether there is a constant noise beside the network."""
        return isinstance(self.loss, SquaredError)

    def __call__(self, nets: Any, batch: Any, draws: Any) -> Any:
        """A value for each sample, whose weighted mean is minus the bound over the weight of all."""
        std = F.exp(nets.spread.log_std)
        drawn = with_spread(nets.means, self.layers, nest(cut(std, self.places)), self.locally)
        x = batch.x.toarray() if issparse(batch.x) else batch.x
        raw = self.estimator._outputs(drawn, batch._replace(x=x), draws)
        counts = min(nets.progress / WARM_UP, 1.0)
        if nets.training and self.has_noise and self.finds_noise:
            self._follow(np.average(np.square(F.plain(raw) - batch.y), axis=0, weights=batch.weight))
        return self._losses(raw, batch.y) + self.divergence(nets, std) * (counts / self.weight)

    def _follow(self, squares: Array) -> None:
        """Let the noise follow these squared errors, of which the best variance is the mean."""
        self.variance = np.maximum(self.variance + FOLLOWS * (squares - self.variance), SMALLEST_NOISE**2)

    def _losses(self, raw: Value, y: Array) -> Any:
        """Minus the log-density of each target, or minus the log-probability."""
        if not self.has_noise:
            return self.loss(raw, y)
        constant = 0.5 * float(np.log(self.variance).sum() + LOG_2_PI * len(self.variance))
        return F.sum(0.5 * F.square(raw - y) / self.variance, axis=-1) + constant

    def divergence(self, nets: Any, std: Any) -> Any:
        """Of the weights from the prior, in nats."""
        squares, size = self._squares(nets, std), len(self.moving)
        if self.prior_scale is None:
            return 0.5 * size * F.log(squares / size) - F.sum(nets.spread.log_std)
        log_scale = float(np.log(self.prior_scale))
        return size * (log_scale - 0.5) - F.sum(nets.spread.log_std) + squares / (2.0 * self.prior_scale**2)

    def _squares(self, nets: Any, std: Any) -> Any:
        """The sum over the weights of what the square of each is expected to be."""
        squares = F.sum(F.square(std))
        for name in self.places:
            mean: Any = nets.means.parameters
            for part in name.split("."):
                mean = mean[part]
            squares = squares + F.sum(F.square(mean))
        return squares

    # -- what has come out -----------------------------------------------------------------------------------------

    def found_std(self) -> Array:
        """The standard deviations of all weights of the network, 0 for those that are not trained."""
        std = np.zeros(self.parts.means.theta.size)
        std[self.moving] = np.exp(self.parts.spread.parameters["log_std"])
        return std

    def found_noise(self) -> Array | None:
        """The standard deviation of scaled targets; None where there is none beside the network."""
        return np.sqrt(self.variance) if self.has_noise else None

    def found_prior_scale(self) -> float:
        """s."""
        if self.prior_scale is not None:
            return self.prior_scale
        mean, std = self.parts.means.theta[self.moving], self.found_std()[self.moving]
        return float(np.sqrt(np.mean(mean**2 + std**2)))
