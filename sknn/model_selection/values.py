"""What the values of samples tell of each other: Gaussians, conditioned on those that will be known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

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

    def within(self) -> Array:
        """Covariances of the outputs of each sample, (n_samples, n_outputs, n_outputs)."""

    def variances(self) -> Array:
        """Their diagonals, (n_samples, n_outputs)."""

    def row(self, sample: int) -> Array:
        """Covariances of the outputs of one sample with those of all, (n_outputs, n_samples, n_outputs)."""

    def noise_of(self, sample: int) -> Array:
        """Covariance of the noise of one sample, (n_outputs, n_outputs)."""


class SpreadOfDraws:
    """The empirical covariance of what networks drawn from a posterior say, (n_draws, n_samples, n_outputs).

    Where the `deviation` of each is known exactly, draws say the correlations alone.
    """

    def __init__(self, draws: Array, noise: Array, deviation: Array | None = None) -> None:
        self.deviations = (draws - draws.mean(axis=0)) / np.sqrt(len(draws))
        self.noise = noise
        if deviation is not None:
            drawn = np.sqrt(self.variances())
            self.deviations *= np.divide(deviation, drawn, out=np.zeros_like(drawn), where=drawn > 0)

    def within(self) -> Array:
        return np.einsum("dno,dnp->nop", self.deviations, self.deviations)

    def variances(self) -> Array:
        return np.square(self.deviations).sum(axis=0)

    def row(self, sample: int) -> Array:
        return np.tensordot(self.deviations[:, sample].T, self.deviations, axes=1)

    def noise_of(self, sample: int) -> Array:
        return np.diag(self.noise[sample])


class SpreadOfProbabilities(SpreadOfDraws):
    """That of the probabilities of classes; what will be measured is a label, ones and zeros about them.

    The covariance of such a label is diag(p) - p p', of which the mean over the draws is taken.
    """

    def __init__(self, draws: Array) -> None:
        super().__init__(draws, (draws * (1 - draws)).mean(axis=0))
        self.draws = draws

    def noise_of(self, sample: int) -> Array:
        p = self.draws[:, sample]
        return np.diag(p.mean(axis=0)) - p.T @ p / len(p)


class SpreadOfProcess:
    """The covariance that ``predict(X, return_cov=True)`` tells, a block at a time.

    A Gaussian process adds the noise to the variance of each row, and not to the covariance of two rows, be they equal.
    So two rows of the same sample have the variance of the truth for a covariance.
    """

    def __init__(self, model: Any, X: Any, n: int) -> None:
        self.ask: Callable[[list[int]], Array] = lambda rows: _covariance(model, _safe_indexing(X, rows))
        self.n = n
        twice = [self._twice(block) for block in self._blocks()]
        self._variances, self.noise = map(np.concatenate, zip(*twice, strict=True))

    def _blocks(self) -> list[list[int]]:
        return [list(range(k, min(k + BLOCK, self.n))) for k in range(0, self.n, BLOCK)]

    def _twice(self, block: list[int]) -> tuple[Array, Array]:
        """Variances of the truth, and of the noise."""
        covariance, m = self.ask(block + block), len(block)
        total = np.diagonal(covariance[:m, :m]).T
        truth = np.diagonal(covariance[:m, m:]).T
        return truth, np.maximum(total - truth, 0.0)

    def within(self) -> Array:
        return self._variances[:, :, None] * np.eye(self._variances.shape[1])

    def variances(self) -> Array:
        return self._variances

    def row(self, sample: int) -> Array:
        covariances = np.concatenate([self.ask([sample, *block])[0, 1:] for block in self._blocks()])
        return np.moveaxis(covariances[:, :, None] * np.eye(covariances.shape[1]), 1, 0)

    def noise_of(self, sample: int) -> Array:
        return np.diag(self.noise[sample])


def _covariance(model: Any, X: Any) -> Array:
    """Of the rows of X, (n, n, n_outputs): outputs of a process are independent of each other."""
    covariance = np.asarray(model.predict(X, return_cov=True)[1], np.float64)
    return covariance.reshape(*covariance.shape[:2], -1)


Criterion = Callable[["Values"], Array]


@dataclass(frozen=True, eq=False)
class Values:
    """The values of samples as a Gaussian, given the measurements at samples that have been chosen.

    To know the values at a sample takes a part :math:`u_k u_k'` away from their covariance, whatever they turn out to
    be; these parts are kept, as in a Cholesky decomposition with pivots.
    """

    spread: Spread
    criterion: Criterion
    known: Array  # (n_parts, n_samples, n_outputs)
    scale: Array  # (n_outputs,), by which variances of different outputs are compared

    @classmethod
    def of(cls, spread: Spread, criterion: Criterion, compare: bool = True) -> Values:
        """Before anything is known; `compare` outputs of different units by their variance in the mean over samples."""
        variances = spread.variances()
        mean = (variances + spread.noise).mean(axis=0)
        scale = np.where(mean > 0, mean, 1.0) if compare else np.ones(len(mean))
        return cls(spread, criterion, np.empty((0, *variances.shape)), scale)

    def gains(self, left: Array) -> Array:
        """What it is worth to know each sample."""
        return self.criterion(self)

    def after(self, sample: int) -> Values:
        """When the values at a sample are known as well."""
        row = self.spread.row(sample) - np.einsum("ko,knp->onp", self.known[:, sample], self.known)
        measured = row[:, sample] + self.spread.noise_of(sample)
        unit = np.sqrt(np.diag(measured))
        unit[unit == 0] = 1.0
        size, direction = np.linalg.eigh(measured / np.outer(unit, unit))
        told = size > SINGULAR
        parts = np.tensordot((direction[:, told] / np.sqrt(size[told])).T, row / unit[:, None, None], axes=1)
        return replace(self, known=np.concatenate([self.known, parts]))

    def variances(self) -> Array:
        """What is left of the variance of the truth."""
        return np.maximum(self.spread.variances() - np.square(self.known).sum(axis=0), 0.0)


def disagreement(values: Values) -> Array:
    """The variance of the truth."""
    return (values.variances() / values.scale).sum(axis=1)


def deviation(values: Values) -> Array:
    """The variance of what would be measured, noise included."""
    return ((values.variances() + values.spread.noise) / values.scale).sum(axis=1)


def information(values: Values) -> Array:
    r"""What a measurement tells of the truth, in nats: :math:`\frac12 \log\det(1 + S^{-1} V)`, noise S and truth V."""
    within = values.spread.within() - np.einsum("kno,knp->nop", values.known, values.known)
    noise = np.sqrt(values.spread.noise)
    ratio = within / (noise[:, :, None] * noise[:, None, :])
    return 0.5 * np.linalg.slogdet(np.eye(ratio.shape[-1]) + ratio)[1]


@dataclass(frozen=True, eq=False)
class Alone:
    """Standard deviations (n_samples, ...) and no covariance: no sample is known to tell of another."""

    deviations: Array

    def gains(self, left: Array) -> Array:
        """The variance of each sample, of several outputs in units of their mean."""
        variances = np.square(self.deviations).reshape(len(self.deviations), -1)
        return (variances / variances.mean(axis=0)).sum(axis=1)

    def after(self, sample: int) -> Alone:
        """The same."""
        return self
