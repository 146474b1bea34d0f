"""Mean-field variational inference: the normal distribution of independent weights that is nearest to the posterior."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autodiff.tape import Array
from ..description import integer, number
from ..nn import Draws
from ..optim import Adam
from ..schedules import Cosine
from ..template.fit import FamilyData
from ..template.inputs import DIVERGED
from ..train import Outcome, Phase, Plan, Stage, train
from .lower_bound import LowerBound
from .posterior import Certain, Learnt, Posterior, Task
from .sampled import Sampled
from .shown import Shown


@dataclass(frozen=True)
class Variational(Posterior):
    r"""Weights that are normal and independent of each other, as near to the posterior as such weights can be.

    Once the network is trained as its own parameters say, which gives the first means, mean and standard deviation of
    each weight are trained to the largest evidence lower bound, by Adam with a learning rate that falls along a cosine.
    Dense layers draw their outputs instead of their weights (local reparametrisation), so that gradients have little
    noise. The standard deviation of the prior, and that of a constant noise, are those with the largest bound.

    Since it knows of no correlations, it finds the weights less uncertain than they are, and where a network is large
    for its data it switches units off, down to predictions that are worse than those of the same network without it:
    of all posteriors here it is the one to trust least.

    Parameters
    ----------
    initial_scale : float, default=0.02
        The standard deviations that weights begin with.
    max_iter : int, default=300
        Epochs.
    learning_rate_init : float, default=0.01
        The learning rate of the first step.
    batch_size : int, default=32
        Samples in a batch.

    References
    ----------
    Graves (2011). Practical variational inference for neural networks. NeurIPS.

    Blundell, Cornebise, Kavukcuoglu, Wierstra (2015). Weight uncertainty in neural networks. ICML. arXiv:1505.05424.

    Kingma, Salimans, Welling (2015). Variational dropout and the local reparameterization trick. NeurIPS.
    arXiv:1506.02557.

    Examples
    --------
    >>> from sknn.posteriors import Variational
    >>> Variational(max_iter=1000)
    Variational(initial_scale=0.02, max_iter=1000, learning_rate_init=0.01, batch_size=32)
    """

    initial_scale: float = number("(0, inf)", default=0.02)
    max_iter: int = integer("[1, inf)", default=300)
    learning_rate_init: float = number("(0, inf)", default=0.01)
    batch_size: int = integer("[1, inf)", default=32)

    def learn(self, task: Task) -> Learnt:
        task.network.fit(task.X, task.y, sample_weight=task.sample_weight)
        shown = Shown.of(task, goes_on=True)
        if shown is None:
            return Certain(task.network)
        bound = self._bound(task, shown)
        curve = self._train(bound, shown)
        shown.fit.network = bound.parts.means.copy()
        shown.keep(shown.fit.network, curve)
        noise = bound.found_noise()
        return SpreadNetworks(
            task.network,
            None if noise is None else noise * shown.y_scale,
            {"prior_scale_": bound.found_prior_scale()},
            task.seed(),
            task.n_draws,
            bound.found_std(),
        )

    def _bound(self, task: Task, shown: Shown) -> LowerBound:
        """What is maximised."""
        noise = None if task.noise in (None, "constant", "learned") else float(task.noise) / shown.y_scale
        samples = shown.fit.samples
        weight = samples.of(samples.weight)
        return LowerBound(
            shown.estimator,
            shown.fit.network,
            self.initial_scale,
            None if task.prior_scale == "auto" else float(task.prior_scale),
            noise,
            float(len(samples)) if weight is None else float(weight.sum()),
        )

    def _train(self, bound: LowerBound, shown: Shown) -> list[float]:
        """Maximise it; how it fell, a sample's share of it."""
        fit, estimator = shown.fit, shown.estimator
        shown.state.loss_curve = []  # in place of that of the first training, which has other units
        plan = Plan(
            min(self.batch_size, len(fit.samples)),
            self.max_iter,
            self.learning_rate_init,
            Cosine(),
            n_iter_no_change=np.inf,
            early_stopping=False,
        )
        stage = Stage([Phase(bound)], plan, Adam())
        loop = train(bound.parts, FamilyData(estimator, fit.samples), [stage], shown.state, fit.rng)
        if loop.outcome is Outcome.INTERRUPTED:
            raise KeyboardInterrupt
        if not bound.parts.is_finite:
            raise ValueError(DIVERGED)
        return loop.state.loss_curve


@dataclass
class SpreadNetworks(Sampled):
    """Networks with normal weights.

    Attributes
    ----------
    std : ndarray of shape (n_parameters,)
        How far each weight spreads around that of the network.
    """

    std: Array | None = None

    def network_drawn(self, seed: int, number: int) -> Callable[..., Any]:
        network, draws = self.network.network_, Draws(seed, "float64")
        draws.at(0, number)
        found: Callable[..., Any] = network.at(network.theta + self.std * draws.normal(network.theta.shape))
        return found
