"""What linear regression leaves over."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import RidgeCV

from ..autodiff.tape import Array

TOLD = 0.03  # the share of a variance that is no accident
PENALTIES = np.logspace(-3, 3, 7)
SMALLEST = 1e-3  # standard deviation of what is left, where y has 1: no line is believed to say more


def linear_residuals(x: Array, y: Array, weight: Array | None = None) -> Residuals | None:
    """What linear regression leaves, where that has one distribution whatever x is; None where it has not.

    Elsewhere it would have to be undone: a line through what is bent is a worse beginning than none. What is left
    depends on x if squares of the inputs tell something of it, or of its size, in leave-one-out prediction.

    Parameters
    ----------
    x, y, weight
        See :class:`Residuals`.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(1000, 1))
    >>> noise = np.random.default_rng(1).normal(size=(1000, 1))
    >>> [linear_residuals(x, y) is None for y in (x + noise, x**2 + noise, x + noise * x)]
    [False, True, True]
    """
    weight = np.ones(len(x)) if weight is None else weight / weight.mean()
    residuals = Residuals(x, y, weight)
    r = residuals(y, x)
    found = np.column_stack([r, np.abs(r)])
    found -= np.average(found, axis=0, weights=weight)
    errors = -_ridge(x**2, found, weight).best_score_
    variances = np.average(found**2, axis=0, weights=weight)
    return residuals if np.all(errors > (1.0 - TOLD) * variances) else None


def _ridge(x: Array, y: Array, weight: Array) -> Any:
    return RidgeCV(PENALTIES, alpha_per_target=True).fit(x, y, weight)


class Residuals:
    """r = L^-1 (y - x W - b): y less what ridge regression on x says of it, made uncorrelated with variance 1.

    So a density of y under x begins as a normal distribution about the regression, and has to learn only how it differs
    from that.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Inputs.
    y : ndarray of shape (n, k)
        Numbers of about unit scale.
    weight : ndarray of shape (n,), default=None
        Of the samples.

    Attributes
    ----------
    weight, bias : ndarray of shape (d, k) and (k,)
        Of the regression.
    lower : ndarray of shape (k, k)
        L, lower triangular: L L^T is the covariance of what the regression leaves.
    log_volume : float
        How much larger the log-density of y is than that of r.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(1000, 2))
    >>> y = x @ [[1.0, 2.0], [0.0, 1.0]] + 0.1 * rng.normal(size=(1000, 2))
    >>> residuals = Residuals(x, y)
    >>> r = residuals(y, x)
    >>> np.cov(r.T).round(1) + 0.0
    array([[1., 0.],
           [0., 1.]])
    >>> bool(np.abs(residuals.inverse(r, x) - y).max() < 1e-12), round(residuals.log_volume, 1)
    (True, 4.6)
    """

    def __init__(self, x: Array, y: Array, weight: Array | None = None) -> None:
        weight = np.ones(len(x)) if weight is None else weight / weight.mean()
        ridge = _ridge(x, y, weight)
        self.weight, self.bias = ridge.coef_.reshape(-1, x.shape[1]).T, np.atleast_1d(ridge.intercept_)
        left = y - x @ self.weight - self.bias
        covariance = np.einsum("ni,nj,n->ij", left, left, weight / weight.sum())
        self.lower = np.linalg.cholesky(covariance + SMALLEST**2 * np.eye(y.shape[1]))
        self._inverse = np.linalg.inv(self.lower)
        self.log_volume = -float(np.log(np.diag(self.lower)).sum())

    def __call__(self, y: Array, x: Array) -> Array:
        """r of y under x, in the precision of y."""
        return (y - self._regression(x, y.dtype)) @ self._inverse.T.astype(y.dtype)

    def inverse(self, r: Array, x: Array) -> Array:
        """y of r under x."""
        return r @ self.lower.T.astype(r.dtype) + self._regression(x, r.dtype)

    def _regression(self, x: Array, dtype: np.dtype) -> Array:
        return (x @ self.weight.astype(x.dtype) + self.bias.astype(x.dtype)).astype(dtype, copy=False)
