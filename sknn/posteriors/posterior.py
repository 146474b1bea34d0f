"""What is known of the weights of a network after a fit, said in one way by all who find it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..autodiff.tape import Array
from ..description import Description
from ..template.even_points import normal_points

EVEN_POINTS = 256  # that stand for a normal distribution of logits


@dataclass(frozen=True)
class Posterior(Description):
    """The base of all descriptions of how the distribution of a network's weights is found.

    A subclass is a frozen dataclass with a method `learn`. With which other parameters the default network of Bayesian
    estimators is trained for it, it says in `default_training`.
    """

    default_training: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def learn(self, task: Task) -> Learnt:
        """Fit what `task` says.

        Raises
        ------
        ValueError
            If the network cannot have this posterior.
        """
        raise TypeError(f"{type(self).__name__} defines no learn")


@dataclass(frozen=True)
class Task:
    """What a posterior is asked to find.

    Attributes
    ----------
    network : Estimator
        Unfitted, and to be fitted: nobody else has it.
    X, y, sample_weight
        As they were given, checked in length.
    noise : "constant", "learned", float or None
        What is known of the noise of y: None for classes; a number is its standard deviation, in units of y. With
        "learned" the network has outputs for it.
    prior_scale : "auto" or float
        The standard deviation of the weights before data are seen.
    n_draws : int
        How many networks are drawn.
    rng : RandomState
        For all random numbers.
    n_jobs : int or None
        Processes, as joblib counts them.
    """

    network: Any
    X: Any
    y: Any
    sample_weight: Array | None
    noise: Any
    prior_scale: Any
    n_draws: int
    rng: np.random.RandomState
    n_jobs: int | None = None

    def seed(self) -> int:
        """Another one each time."""
        return int(self.rng.randint(1 << 31))


class Outputs(NamedTuple):
    """Raw outputs of the networks that a posterior stands for.

    Attributes
    ----------
    each : ndarray of shape (n_draws, n_samples, n_outputs)
        Those of each network, in double precision.
    covariance : ndarray of shape (n_samples, n_outputs, n_outputs) or None
        Of a normal distribution around each, where there is one, not draws of it.
    """

    each: Array
    covariance: Array | None = None

    def points(self) -> Array:
        """Raw outputs of which each is as probable as any other, (n_points, n_samples, n_outputs): always the same."""
        if self.covariance is None:
            return self.each
        unit = normal_points(EVEN_POINTS, self.each.shape[-1])
        moved = np.einsum("nab,pb->pna", square_root(self.covariance), unit)
        return (self.each[:, None] + moved).reshape(-1, *self.each.shape[1:])


def square_root(covariance: Array) -> Array:
    """The symmetric R with R R = covariance, of each of many; also of those without an inverse."""
    values, vectors = np.linalg.eigh(covariance)  # whose signs are anybody's guess, but not those of R
    return np.matmul(vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :], vectors.swapaxes(-1, -2))


@dataclass
class Learnt:
    """What a posterior has found.

    Attributes
    ----------
    network : Estimator
        A fitted one, which knows how X is read and y encoded.
    noise : ndarray of shape (n_outputs,) or None
        The standard deviation of constant noise, in units of y; None where each sample has its own, and for classes.
    attributes : dict
        What the fitted estimator shows of it.
    """

    network: Any
    noise: Array | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    def outputs(self, X: Any) -> Outputs:
        """Raw outputs for samples, the same in each call and for a sample in any batch."""
        raise TypeError(f"{type(self).__name__} defines no outputs")

    def members(self, X: Any, n_draws: int) -> Array:
        """Raw outputs (n_draws, n_samples, n_outputs) of networks that are the same in each call."""
        return self.outputs(X).each

    def drawn(self, X: Any, n_draws: int, rng: np.random.RandomState) -> Array:
        """Raw outputs (n_draws, n_samples, n_outputs) of so many networks, each the same for all samples."""
        each = self.outputs(X).each
        return each[rng.randint(len(each), size=n_draws)]


class Certain(Learnt):
    """There was nothing to learn: y has a single class."""

    def outputs(self, X: Any) -> Outputs:
        return Outputs(raw_outputs(self.network, X)[None])


def raw_outputs(network: Any, X: Any) -> Array:
    """Those of one fitted estimator, in double precision."""
    return np.asarray(network._raw_outputs(X), np.float64)
