"""What the values of samples tell of each other: Gaussians, conditioned on those that will be known."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
from sklearn.utils import _safe_indexing

from ..autodiff.tape import Array

BLOCK = 200  # samples of which a process is asked at a time: it answers with all their covariances
SINGULAR = (
    1e-10  # correlations of outputs with smaller eigenvalues tell nothing: the last class follows from the others
)


class Spread(Protocol):
    """What a model does not know of the values of samples; outputs are an axis of their own.

    Values are the truth that the model looks for: the noise with which it will be measured comes on top of it.
    """

    noise: Array  # (n_samples, n_outputs), variance of what is measured about the truth

    def variances(self) -> Array:
        """Of each value, (n_samples, n_outputs)."""

    def within(self) -> Array:
        """Covariances of the outputs of each sample, (n_samples, n_outputs, n_outputs)."""

    def after(self, sample: int) -> Self:
        """What is not known either when a sample has been measured, whatever comes out."""


class SpreadOfDraws:
    """The empirical covariance of what networks drawn from a posterior say, (n_draws, n_samples, n_outputs).

    Where the `deviation` of each is known exactly, draws say the correlations alone.

    The deviations of the draws from their mean are a linear model of all values, whose weights, one for each draw, have
    the identity for a covariance. A measurement shrinks them in the directions that it sees.
    """

    def __init__(self, draws: Array, noise: Array, deviation: Array | None = None) -> None:
        self.deviations = (draws - draws.mean(axis=0)) / np.sqrt(len(draws))
        self.noise = noise
        if deviation is not None:
            drawn = np.sqrt(self.variances())
            self.deviations *= np.divide(deviation, drawn, out=np.zeros_like(drawn), where=drawn > 0)

    def variances(self) -> Array:
        return np.square(self.deviations).sum(axis=0)

    def within(self) -> Array:
        return np.einsum("dno,dnp->nop", self.deviations, self.deviations)

    def after(self, sample: int) -> Self:
        seen = self.deviations[:, sample]
        whitened = seen @ _whitening(seen.T @ seen + self._noise_of(sample))
        directions, share, _ = np.linalg.svd(whitened, full_matrices=False)
        taken = directions * (1 - np.sqrt(np.maximum(1 - share**2, 0.0)))
        left = copy(self)
        left.deviations = self.deviations - np.tensordot(taken, np.tensordot(directions.T, self.deviations, 1), 1)
        return left

    def _noise_of(self, sample: int) -> Array:
        return np.diag(self.noise[sample])


class SpreadOfProbabilities(SpreadOfDraws):
    """That of the probabilities of classes; what will be measured is a label, ones and zeros about them.

    The covariance of such a label is diag(p) - p p', of which the mean over the draws is taken.
    """

    def __init__(self, draws: Array) -> None:
        super().__init__(draws, (draws * (1 - draws)).mean(axis=0))
        self.draws = draws

    def _noise_of(self, sample: int) -> Array:
        p = self.draws[:, sample]
        return np.diag(p.mean(axis=0)) - p.T @ p / len(p)


class SpreadOfProcess:
    """The covariance that ``predict(X, return_cov=True)`` tells, a block at a time.

    A Gaussian process adds the noise to the variance of each row, and not to the covariance of two rows, be they equal.
    So two rows of the same sample have the variance of the truth for a covariance. What is known later takes parts u u'
    away from the covariance of all values; they are kept, as in a Cholesky decomposition with pivots.
    """

    def __init__(self, model: Any, X: Any, n: int) -> None:
        self.model, self.X, self.n = model, X, n
        twice = [self._twice(block) for block in self._blocks()]
        self.first, self.noise = map(np.concatenate, zip(*twice, strict=True))
        self.known = np.empty((0, *self.first.shape))

    def variances(self) -> Array:
        return np.maximum(self.first - np.square(self.known).sum(axis=0), 0.0)

    def within(self) -> Array:
        independent = self.first[:, :, None] * np.eye(self.first.shape[1])
        return independent - np.einsum("kno,knp->nop", self.known, self.known)

    def after(self, sample: int) -> Self:
        row = self._row(sample) - np.einsum("ko,knp->onp", self.known[:, sample], self.known)
        told = _whitening(row[:, sample] + np.diag(self.noise[sample]))
        left = copy(self)
        left.known = np.concatenate([self.known, np.tensordot(told.T, row, 1)])
        return left

    def _row(self, sample: int) -> Array:
        """Covariances of the outputs of one sample with those of all, (n_outputs, n_samples, n_outputs)."""
        covariances = np.concatenate([self._ask([sample, *block])[0, 1:] for block in self._blocks()])
        return np.moveaxis(covariances[:, :, None] * np.eye(covariances.shape[1]), 1, 0)

    def _twice(self, block: list[int]) -> tuple[Array, Array]:
        """Variances of the truth, and of the noise."""
        covariance, m = self._ask(block + block), len(block)
        total = np.diagonal(covariance[:m, :m]).T
        truth = np.diagonal(covariance[:m, m:]).T
        return truth, np.maximum(total - truth, 0.0)

    def _blocks(self) -> list[list[int]]:
        return [list(range(k, min(k + BLOCK, self.n))) for k in range(0, self.n, BLOCK)]

    def _ask(self, rows: list[int]) -> Array:
        """The covariances of rows, (n_rows, n_rows, n_outputs): outputs of a process are independent of each other."""
        covariance = self.model.predict(_safe_indexing(self.X, rows), return_cov=True)[1]
        return np.asarray(covariance, np.float64).reshape(len(rows), len(rows), -1)


def _whitening(covariance: Array) -> Array:
    """A matrix W with W' C W = 1, of as many columns as C has directions that are not nothing."""
    unit = np.sqrt(np.diag(covariance))
    unit = np.where(unit > 0, unit, 1.0)
    size, directions = np.linalg.eigh(covariance / np.outer(unit, unit))
    told = size > SINGULAR
    return directions[:, told] / np.sqrt(size[told]) / unit[:, None]


Criterion = Callable[[Spread, Array], Array]


@dataclass(frozen=True, eq=False)
class Values:
    """The values of samples as a Gaussian, and what a criterion says that each is worth."""

    spread: Spread
    criterion: Criterion
    unit: Array  # (n_outputs,), in which variances of different outputs are compared

    @classmethod
    def of(cls, spread: Spread, criterion: Criterion, compare: bool = True) -> Values:
        """Before anything is known; `compare` outputs of different units by their variance in the mean over samples."""
        total = spread.variances() + spread.noise
        return cls(spread, criterion, _unit(total) if compare else np.ones(total.shape[1]))

    def gains(self, left: Array) -> Array:
        """What it is worth to know each sample."""
        return self.criterion(self.spread, self.unit)

    def after(self, sample: int) -> Values:
        """When a sample has been measured."""
        return replace(self, spread=self.spread.after(sample))


@dataclass(frozen=True, eq=False)
class Alone:
    """Standard deviations (n_samples, ...) and no covariance: no sample is known to tell of another."""

    deviations: Array

    def gains(self, left: Array) -> Array:
        """The variance of each sample, summed over outputs as elsewhere."""
        variances = np.square(self.deviations).reshape(len(self.deviations), -1)
        return (variances / _unit(variances)).sum(axis=1)

    def after(self, sample: int) -> Alone:
        """The same."""
        return self


def _unit(variances: Array) -> Array:
    """The mean of each output over the samples; one where it is nothing."""
    mean = variances.mean(axis=0)
    return np.where(mean > 0, mean, 1.0)


def disagreement(spread: Spread, unit: Array) -> Array:
    """The variance of the truth."""
    return (spread.variances() / unit).sum(axis=1)


def deviation(spread: Spread, unit: Array) -> Array:
    """The variance of what would be measured, noise included."""
    return ((spread.variances() + spread.noise) / unit).sum(axis=1)


def information(spread: Spread, unit: Array) -> Array:
    r"""What a measurement tells of the truth, in nats: :math:`\frac12 \log\det(1 + S^{-1} V)`, noise S and truth V."""
    noise = np.sqrt(spread.noise)
    ratio = spread.within() / (noise[:, :, None] * noise[:, None, :])
    return 0.5 * np.linalg.slogdet(np.eye(ratio.shape[-1]) + ratio)[1]
