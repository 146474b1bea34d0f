"""Networks drawn from the posterior itself, by Hamiltonian Monte Carlo."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from ..autodiff.tape import Array
from ..description import integer, number
from ..nn.layer import Still
from ..ops.threads import single_thread
from ..template.forward import Forward
from .chain import Chain, Sampler
from .diagnostics import split_r_hat
from .likelihood import Likelihood
from .posterior import Certain, Learnt, Outputs, Posterior, Task
from .scales import NOISE, Gamma, Scales, relevance_groups
from .shown import Shown, inputs

SEEN = 200  # samples, at most, for whose predictions chains have to agree
AGREED = 1.1  # R-hat
FIRST_NOISE = 0.3  # of the spread of y
SLOW_FROM = 20_000  # weights
NOT_AGREED = (
    "the chains of HMC disagree about predictions: the median of R-hat is {:.2f}, and should be at most 1.1; give it "
    "more, as in HMC(n_warmup={}, n_samples={}), or choose posterior='laplace'"
)
SLOW = (
    "HMC moves all {} weights by {} gradients over all {} samples; posterior='laplace' or 'ensemble' suits networks of "
    "this size"
)


@dataclass(frozen=True)
class HMC(Posterior):
    r"""Networks drawn from the posterior itself: no approximation but that chains end, and the dearest way.

    Chains walk through the weights by Hamiltonian dynamics, with gradients over all samples (Neal 2011). How widely
    weights are spread is drawn along with them: with ``prior_scale="auto"`` each array of weights has a scale of its
    own, and those behind each input feature have, so that features which do not matter fade (Neal 1996). So is a
    constant noise. Before a chain walks, a short search leads it from initial weights of its own to where networks
    agree with the data; in its warm-up it finds the step, by dual averaging (Hoffman & Gelman 2014), and a mass for
    each group of weights.

    For small networks and some thousand samples: a draw takes `n_steps` gradients over all samples. What the
    network's parameters say of training does not matter, and weights are those of its ``n_draws`` states that lie
    evenly along the chains.

    Parameters
    ----------
    n_chains : int, default=2
        How many walk, each from other weights; with `n_jobs` side by side.
    n_warmup : int, default=80
        Moves of each chain that only adapt it.
    n_samples : int, default=120
        Moves of each chain from then on; more, where it has to give more draws.
    n_steps : int, default=150
        Leapfrog steps of a move. In the same time, a few long moves come farther than many short ones, whose ways lead
        back and forth.
    acceptance : float, default=0.8
        The share of moves that are to be accepted: a larger one takes shorter steps.

    Raises
    ------
    ValueError
        If a layer of the network draws random numbers in training, or looks at other samples of a batch.

    Warns
    -----
    ConvergenceWarning
        If R-hat of the predictions for training samples is above 1.1 in the median: chains do not agree.
    UserWarning
        If the network is too large for this.

    References
    ----------
    Neal (1996). Bayesian learning for neural networks. Springer.

    Neal (2011). MCMC using Hamiltonian dynamics. Handbook of Markov Chain Monte Carlo.

    Hoffman, Gelman (2014). The No-U-Turn sampler. Journal of Machine Learning Research 15.

    Examples
    --------
    >>> from sknn.posteriors import HMC
    >>> HMC(n_chains=4)
    HMC(n_chains=4, n_warmup=80, n_samples=120, n_steps=150, acceptance=0.8)
    """

    n_chains: int = integer("[1, inf)", default=2)
    n_warmup: int = integer("[1, inf)", default=80)
    n_samples: int = integer("[4, inf)", default=120)
    n_steps: int = integer("[1, inf)", default=150)
    acceptance: float = number("(0, 1)", default=0.8)

    def learn(self, task: Task) -> Learnt:
        shown = Shown.of(task)
        if shown is None:
            return Certain(task.network)
        self._check(shown)
        of_chains = [_of_chain(task) for _ in range(self.n_chains)]
        chains = Parallel(n_jobs=task.n_jobs)(
            delayed(_walk)(self, each, n_kept) for each, n_kept in zip(of_chains, self._kept(task.n_draws), strict=True)
        )
        return self._drawn(task, shown, chains)

    def _check(self, shown: Shown) -> None:
        """Refuse networks that are no function of their weights, and warn of those that are large."""
        network = shown.fit.network
        for layer, own in network.walk():
            if layer.is_random or (layer.needs_batch and not isinstance(own, Still)):
                what = "draws random numbers in training" if layer.is_random else "looks at the batch in training"
                raise ValueError(
                    f"HMC needs a network that is a function of its weights, but {layer!r} {what}: leave it out, or "
                    "choose posterior='ensemble'"
                )
        if network.n_parameters >= SLOW_FROM:
            n_gradients = self.n_chains * (self.n_warmup + self.n_samples) * self.n_steps
            warnings.warn(SLOW.format(network.n_parameters, n_gradients, len(shown.fit.samples)), stacklevel=3)

    def _kept(self, n_draws: int) -> list[int]:
        """How many draws of each chain are kept."""
        return [len(range(k, n_draws, self.n_chains)) for k in range(self.n_chains)]

    def _drawn(self, task: Task, shown: Shown, chains: list[Chain]) -> Learnt:
        """What all chains together have found."""
        likelihood = shown.likelihood()
        draws = np.concatenate([chain.draws for chain in chains])
        length = min(len(chain.seen) for chain in chains)
        r_hat = float(np.median(split_r_hat(np.stack([chain.seen[:length] for chain in chains]))))
        if r_hat > AGREED:
            warnings.warn(
                NOT_AGREED.format(r_hat, 2 * self.n_warmup, 2 * self.n_samples), ConvergenceWarning, stacklevel=3
            )
        likelihood.network.theta[likelihood.free] = draws[-1]
        shown.keep(likelihood.network, [likelihood.error(likelihood.raw()) / likelihood.weight.sum()])
        noise = None
        if likelihood.has_noise:
            noise = np.sqrt(np.concatenate([np.square(chain.noise) for chain in chains]).mean(axis=0)) * shown.y_scale
        spread = np.concatenate([chain.spread for chain in chains])
        attributes = {
            "draws_": draws,
            "r_hat_": r_hat,
            "acceptance_rate_": float(np.mean([chain.acceptance for chain in chains])),
            "prior_scale_": float(np.exp(np.log(spread).mean())),
        }
        return FromChains(task.network, noise, attributes, draws, likelihood.free)


@dataclass
class FromChains(Learnt):
    """Networks that chains came to.

    Attributes
    ----------
    draws : ndarray of shape (n_draws, n_free)
        Their weights, those that are not frozen.
    free : ndarray of int, of shape (n_free,)
        Which of the network's parameters these are.
    """

    draws: Any = None
    free: Any = None

    def outputs(self, X: Any) -> Outputs:
        x, network = inputs(self.network, X), self.network.network_.copy()
        forward = Forward(network)
        each = []
        for draw in self.draws:
            network.theta[self.free] = draw
            each.append(forward(x, self.network._outputs))
        return Outputs(np.stack(each))


def _of_chain(task: Task) -> Task:
    """The task of one chain: initial weights and random numbers of its own."""
    network = clone(task.network).set_params(random_state=task.seed())
    return replace(task, network=network, rng=np.random.RandomState(task.seed()), n_jobs=None)


def _walk(hmc: HMC, task: Task, n_kept: int) -> Chain:
    """One chain, in whichever process: with one thread, so that products of matrices round alike everywhere."""
    shown: Any = Shown.of(task)
    likelihood = shown.likelihood()
    sampler = Sampler(_scales(task, likelihood), hmc.n_steps, hmc.acceptance, task.rng)
    index = np.linspace(0, len(likelihood.x) - 1, min(SEEN, len(likelihood.x))).astype(int)
    with single_thread():
        sampler.begin(sampler.search(likelihood.network.theta[likelihood.free]))
        sampler.warm_up(hmc.n_warmup)
        return sampler.sample(max(hmc.n_samples, n_kept), n_kept, likelihood.x[index])


def _scales(task: Task, likelihood: Likelihood) -> Scales:
    """The scales of weights and noise as the task says what is known of them."""
    groups = np.unique(relevance_groups(likelihood.network)[likelihood.free], return_inverse=True)[1]
    alpha = None if task.prior_scale == "auto" else task.prior_scale**-2.0
    noise_known = task.noise != "constant"
    if likelihood.has_noise and noise_known:
        likelihood.units[:] = task.noise / likelihood.estimator._target.scale_
    if noise_known:
        return Scales(likelihood, groups, alpha, noise_known)
    spread = _spread(likelihood)  # 1 where targets are standardised
    likelihood.units[:] = FIRST_NOISE * spread
    return Scales(likelihood, groups, alpha, noise_known, noise=Gamma(NOISE.shape, NOISE.rate * np.square(spread)))


def _spread(likelihood: Likelihood) -> Array:
    """The standard deviation of each output; 1 for one that is constant."""
    mean = np.average(likelihood.y, axis=0, weights=likelihood.weight)
    found = np.sqrt(np.average(np.square(likelihood.y - mean), axis=0, weights=likelihood.weight))
    return np.where(found > 0, found, 1.0)
