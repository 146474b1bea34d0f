"""What the labels of samples tell of the networks that predict them: their joint mutual information."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import entr

from ..autodiff.tape import Array

MOST_OUTCOMES = 1000  # ways in which the labels of a batch may turn out that are followed; beyond that, as many drawn
LARGEST = 2**20  # numbers held at a time


@dataclass(eq=False)
class Labels:
    """Networks drawn from a posterior, and what they would be worth once some labels are known.

    The labels of the samples chosen so far may turn out in many ways. After each of them, some networks are more
    probable than others; what one more label y tells of the network w is, in the mean over these outcomes m,

        I(y; w | labels so far) = sum_m p(m) (H(sum_w p(w | m) p(y | w)) - sum_w p(w | m) H(p(y | w))),

    the increment of BatchBALD (Kirsch, van Amersfoort, Gal 2019). Where outcomes are too many, a thousand of them are
    drawn; increments are estimates then, but are never negative, for each outcome's is a mutual information itself.
    """

    probabilities: Array  # (n_draws, n_samples, n_classes), of each network
    posterior: Array  # (n_outcomes, n_draws), of the networks after each outcome
    mass: Array  # (n_outcomes,), the probability of each outcome
    bounds: Array  # (n_samples,), what each label told when fewer were known: it tells no more now
    random: np.random.RandomState

    @classmethod
    def of(cls, probabilities: Array, random: np.random.RandomState) -> Labels:
        """Before any label is known."""
        n_draws, n, _ = probabilities.shape
        return cls(probabilities, np.full((1, n_draws), 1 / n_draws), np.ones(1), np.full(n, np.inf), random)

    def gains(self, left: Array) -> Array:
        """What the labels of samples would tell of the network, in nats; of all but the best of those left, a bound.

        Samples are looked at in the order of their bounds, until none can be better than the best one so far.
        """
        best, size = 0.0, max(1, LARGEST // (len(self.mass) * self.probabilities.shape[2]))
        order = np.flatnonzero(left)
        order = order[np.argsort(-self.bounds[order], kind="stable")]
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            if self.bounds[rows[0]] < best:
                break
            self.bounds[rows] = self._gains(self.probabilities[:, rows])
            best = max(best, self.bounds[rows].max())
        return self.bounds.copy()

    def _gains(self, probabilities: Array) -> Array:
        mixtures = np.tensordot(self.posterior, probabilities, axes=1)  # (n_outcomes, rows, n_classes)
        total = self.mass @ entr(mixtures).sum(axis=-1)
        noise = self.mass @ self.posterior @ entr(probabilities).sum(axis=-1)
        return total - noise

    def after(self, sample: int) -> Labels:
        """When the label of a sample is known as well, whatever it turns out to be."""
        joint = self.posterior[:, None, :] * self.probabilities[:, sample, :].T  # (n_outcomes, n_classes, n_draws)
        joint = joint.reshape(-1, joint.shape[-1])
        shares = joint.sum(axis=1)
        mass = np.repeat(self.mass, len(shares) // len(self.mass)) * shares
        possible = mass > 0
        posterior, mass = joint[possible] / shares[possible, None], mass[possible]
        if len(mass) > MOST_OUTCOMES:
            drawn = _systematic(mass, MOST_OUTCOMES, self.random)
            posterior, mass = posterior[drawn], np.full(MOST_OUTCOMES, 1 / MOST_OUTCOMES)
        return replace(self, posterior=posterior, mass=mass, bounds=self.bounds.copy())


def _systematic(mass: Array, n: int, random: np.random.RandomState) -> Array:
    """Outcomes drawn by their probabilities, at equal distances with one common offset, which scatters least."""
    places = (np.arange(n) + random.uniform()) / n * mass.sum()
    return np.minimum(np.searchsorted(np.cumsum(mass), places, side="right"), len(mass) - 1)
