"""How long the steps of a leapfrog are: found in warm-up, from the share of proposals that are accepted."""

from __future__ import annotations

import numpy as np

from ..autodiff.tape import Array
from .leapfrog import Energy, Point, kinetic, leapfrog

HALVINGS = 50  # of a first step; beyond that a density has no gradient


class DualAveraging:
    r"""The logarithm of a step, moved until a wanted share of proposals is accepted (Hoffman & Gelman 2014).

    After proposal t, accepted with probability a,

    .. math:: \log\epsilon_{t+1} = \mu - \frac{\sqrt{t}}{\gamma}\, \frac{1}{t + t_0} \sum_{i \le t} (\delta - a_i),
        \qquad \log\bar\epsilon_{t+1} = t^{-\kappa} \log\epsilon_{t+1} + (1 - t^{-\kappa}) \log\bar\epsilon_t,

    with their constants :math:`t_0 = 10` and :math:`\kappa = .75`; but :math:`\gamma = .2`, and :math:`\mu` the
    logarithm of the first step, where they take .05 and ten times that step: in a warm-up of some hundred proposals
    steps swing so far that their mean is too short.

    Parameters
    ----------
    step : float
        The first one.
    acceptance : float, default=0.8
        The share wanted, delta.

    Attributes
    ----------
    step : float
        To take next while adapting.
    averaged : float
        To take from then on.

    References
    ----------
    Hoffman, Gelman (2014). The No-U-Turn sampler. Journal of Machine Learning Research 15.

    Examples
    --------
    >>> adapted = DualAveraging(1.0)
    >>> for _ in range(2000):
    ...     adapted.update(min(1.0, 0.4 / adapted.step))  # accepts the more, the shorter
    >>> round(adapted.averaged, 2)
    0.5
    """

    def __init__(self, step: float, acceptance: float = 0.8) -> None:
        self.wanted = acceptance
        self.restart(step)

    def restart(self, step: float) -> None:
        """Forget what was: the density, or the mass, is another."""
        self.center = float(np.log(step))
        self.step, self.averaged = step, step
        self.count, self.missing = 0, 0.0

    def update(self, acceptance: float) -> None:
        """Take note of the probability with which a proposal was accepted."""
        self.count += 1
        self.missing += self.wanted - acceptance
        log_step = self.center - np.sqrt(self.count) / 0.2 * self.missing / (self.count + 10)
        weight = self.count**-0.75
        self.averaged = float(np.exp(weight * log_step + (1.0 - weight) * np.log(self.averaged)))
        self.step = float(np.exp(log_step))


def first_step(energy: Energy, start: Point, variance: Array | float, rng: np.random.RandomState) -> float:
    """A step of about the right length: doubled or halved until a single one is accepted about half of the time."""
    momentum = rng.standard_normal(len(start.position)) / np.sqrt(variance)

    def accepted(step: float) -> bool:
        end, arrived = leapfrog(energy, start, momentum, step, 1, variance)
        loss = end.value + kinetic(arrived, variance) - start.value - kinetic(momentum, variance)
        return bool(loss < np.log(2.0))

    step, longer = 1.0, accepted(1.0)
    for _ in range(HALVINGS):
        other = 2.0 * step if longer else 0.5 * step
        if accepted(other) != longer:
            return step if longer else other
        step = other
    return step
