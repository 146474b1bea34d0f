r"""The perceptron rule: learn from mistakes, one sample at a time.

Reflect every sample through the origin by its label, :math:`r_i = y_i (x_i, 1)` with :math:`y_i \in \{-1, +1\}`. Then
the whole rule is

.. math:: w \leftarrow w + \eta_i r_i \quad\text{if}\quad r_i \cdot w \le 0,

for one sample after the other, epoch after epoch, where the last entry of :math:`w` is the intercept and :math:`\eta_i`
is the learning rate times the weight of the sample.

The rule is sequential, and its results here are those of the sequential loop to the last bit, but only a *mistake* costs
a step in Python: one matrix-vector product gives the margins of a whole block of samples, and up to the first mistake
they are the margins the loop would have seen. BLAS adds in an order of its own, so a margin closer to zero than rounding
can move it is summed again from left to right before it counts.

References
----------
F. Rosenblatt, "The perceptron: a probabilistic model for information storage and organization in the brain",
Psychological Review 65 (1958). A. Novikoff, "On convergence proofs on perceptrons" (1962): separable data allow only
finitely many mistakes. N. Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1: the rounding bound.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, repeat
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

_EPS = float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).tiny)


class PerceptronFit(NamedTuple):
    """What `fit_perceptron` found: the weights, the epochs it took, and the mean loss seen in each of them."""

    coef: np.ndarray
    intercept: float
    n_iter: int
    losses: list[float]


def fit_perceptron(
    X: np.ndarray | sp.sparray | sp.spmatrix,
    y: np.ndarray,
    sample_weight: np.ndarray | None = None,
    *,
    weight_pos: float = 1.0,
    weight_neg: float = 1.0,
    eta0: float = 1.0,
    fit_intercept: bool = True,
    coef: np.ndarray | None = None,
    intercept: float = 0.0,
    max_iter: int = 1000,
    tol: float | None = 1e-3,
    n_iter_no_change: int = 5,
    orders: Iterable[np.ndarray] | None = None,
    validate: Callable[[np.ndarray, float], float] | None = None,
) -> PerceptronFit:
    r"""Train one binary perceptron until its loss, or its validation score, stops improving.

    The step of sample i is ``eta0 * (class weight * sample_weight[i])`` and its loss
    :math:`\max(0, -y_i (x_i \cdot w + b))`, taken before the step. Training ends after `n_iter_no_change` epochs in a row
    whose mean loss exceeds ``best - tol``, or whose validation score lies below ``best + tol``.

    Parameters
    ----------
    X : array or sparse matrix of shape (n_samples, n_features)
        Finite numbers of any real dtype; the arithmetic is float64. One reflected copy of `X` is held during the fit.
    y : array of shape (n_samples,)
        Labels, -1 or +1.
    sample_weight : array of shape (n_samples,), default=None
        Factor on the step of each sample; ones if None.
    weight_pos, weight_neg : float, default=1.0
        Weights of the classes +1 and -1.
    eta0 : float, default=1.0
        Learning rate.
    fit_intercept : bool, default=True
        Whether to learn an intercept.
    coef : array of shape (n_features,), default=None
        Weights to start from, left unchanged; zeros if None.
    intercept : float, default=0.0
        Intercept to start from; must be 0 without `fit_intercept`.
    max_iter : int, default=1000
        Largest number of epochs.
    tol : float or None, default=1e-3
        Smallest improvement that counts; None runs all `max_iter` epochs.
    n_iter_no_change : int, default=5
        Epochs without improvement before training ends.
    orders : iterable of integer arrays, default=None
        The samples each epoch visits, in the order of the visit; the order of storage if None. See `xorshift_orders`.
    validate : callable, default=None
        ``validate(coef, intercept) -> score`` is called after each epoch and replaces the loss in the stopping rule.

    Returns
    -------
    PerceptronFit
        ``coef`` of shape (n_features,), ``intercept``, ``n_iter`` and ``losses``, the mean loss of each epoch.

    Raises
    ------
    ValueError
        If `y` holds other values than -1 and +1, if a starting intercept could not be learned, or if the weights
        overflow.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> logical_and = fit_perceptron(X, np.array([-1.0, -1.0, -1.0, 1.0]))
    >>> X @ logical_and.coef + logical_and.intercept
    array([-3., -1., -1.,  1.])
    """
    if not np.isin(y, (-1.0, 1.0)).all():
        raise ValueError(f"y must hold the labels -1 and +1 only, got {np.unique(y)}.")
    if intercept and not fit_intercept:
        raise ValueError(f"intercept must be 0 when fit_intercept=False, got {intercept}.")
    n_samples, n_features = X.shape
    tol = -np.inf if tol is None else tol
    step = eta0 * (np.where(y > 0, weight_pos, weight_neg) * (1.0 if sample_weight is None else sample_weight))
    weights = np.zeros(n_features + fit_intercept)
    weights[:n_features] = 0.0 if coef is None else coef
    weights[n_features:] = intercept

    losses: list[float] = []
    best, stalled = np.inf, 0
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is reported after the epoch, by what it leaves
        samples = reflect(X, y, step, fit_intercept)
        for order in islice(orders or repeat(None), max_iter):
            loss = perceptron_epoch(samples, weights, order)
            losses.append(loss / (n_samples if order is None else len(order)))
            if not np.isfinite(weights).all():
                raise ValueError(f"The weights overflowed in epoch {len(losses)}; scale X, sample_weight or eta0 down.")
            coef, intercept = weights[:n_features].copy(), float(weights[n_features:].sum())
            objective = losses[-1] if validate is None else -validate(coef, intercept)
            stalled = stalled + 1 if objective > best - tol else 0
            best = min(best, objective)
            if stalled >= n_iter_no_change:
                break
    return PerceptronFit(coef, intercept, len(losses), losses)


@dataclass(frozen=True)
class ReflectedSamples:
    """Samples ready for the perceptron rule: see `reflect`."""

    rows: np.ndarray | sp.csr_array  # (n_samples, n_weights): y * (x, 1), or y * x without an intercept
    step: np.ndarray  # (n_samples,): how far a mistake moves the weights along its row
    size: np.ndarray  # (n_samples,): upper bound of the length of each row

    @property
    def block_length(self) -> int:
        """How many samples are looked at together: enough to share the overhead, few enough to stay in the cache."""
        return max(16, min(128, 2**14 // self.rows.shape[1]))

    def rounding_bounds(self, weights: np.ndarray) -> np.ndarray:
        """How far apart rounding may drive two ways to sum a margin, for any weights of one epoch from here.

        Summed in any order, n products lie within n * eps/2 * (the sum of their magnitudes) of the truth, to first
        order; by Cauchy-Schwarz those magnitudes add up to at most |row| |weights|, and no sequence of steps can
        lengthen the weights by more than all of them together. The factor 2 covers the higher orders, `_TINY` underflow.
        """
        reach = _length(weights) + np.abs(self.step) @ self.size
        return (2.0 * self.size * reach) * (weights.size * _EPS) + _TINY


def reflect(X: np.ndarray | sp.sparray | sp.spmatrix, y: np.ndarray, step: np.ndarray, fit_intercept: bool):
    """The samples as rows y * (x, 1) in float64, so that a mistake is a row with a margin of at most zero.

    Parameters
    ----------
    X : array or sparse matrix of shape (n_samples, n_features)
    y : array of shape (n_samples,), -1 or +1
    step : array of shape (n_samples,)
    fit_intercept : bool, whether the rows end in y * 1

    Returns
    -------
    ReflectedSamples
    """
    n_samples, n_features = X.shape
    if sp.issparse(X):
        rows = sp.csr_array(X, dtype=np.float64, copy=True)
        rows.sum_duplicates()
        rows.data *= np.repeat(y, np.diff(rows.indptr))
        if fit_intercept:
            rows = sp.hstack((rows, sp.csr_array(y[:, None])), format="csr")
    else:
        rows = np.empty((n_samples, n_features + fit_intercept))
        np.multiply(X, y[:, None], out=rows[:, :n_features])
        rows[:, n_features:] = y[:, None]
    return ReflectedSamples(rows, step, _length(rows))


def _length(rows):
    """Upper bound of the Euclidean length along the last axis; squares that underflow are covered by `_TINY`."""
    squares = rows.multiply(rows).sum(axis=1) if sp.issparse(rows) else np.einsum("...j,...j->...", rows, rows)
    return np.sqrt(squares + _TINY)


def perceptron_epoch(samples: ReflectedSamples, weights: np.ndarray, order: np.ndarray | None = None) -> float:
    """Visit every sample once, learn from each mistake, and return the sum of the losses.

    Parameters
    ----------
    samples : ReflectedSamples
    weights : array of shape (n_weights,), changed in place
    order : integer array, default=None
        Which samples to visit, one after the other; all of them as stored if None.

    Returns
    -------
    float
        The losses ``-margin`` of the mistakes, each before its step, added in the order of the visit.
    """
    bounds = samples.rounding_bounds(weights)
    n_visits = len(bounds) if order is None else len(order)
    losses = [np.zeros(1)]
    for start in range(0, n_visits, samples.block_length):
        block = slice(start, start + samples.block_length)
        block = block if order is None else order[block]
        rows, bound = samples.rows[block], bounds[block]
        if (rows @ weights > bound).all():
            continue
        columns, rows = _dense(rows)
        weights[columns], margins = _learn(rows, samples.step[block], bound, weights[columns])
        losses.append(-margins)
    return float(_sum_in_order(np.concatenate(losses)))


def _learn(rows: np.ndarray, step: np.ndarray, bound: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Visit the rows of one block; return the weights after it, and the margins of the mistakes."""
    steps = step[:, None] * rows
    path = np.empty((len(rows) + 1, weights.size))  # the weights before each mistake, then those after the last
    path[0] = weights
    margins = rows @ weights
    mistakes: list[int] = []
    i = -1
    while (i := (margins > bound).tobytes().find(0, i + 1)) >= 0:  # the next row that is not surely right
        weights = path[len(mistakes)]
        if margins[i] < -bound[i] or _sum_in_order(rows[i] * weights) <= 0.0:
            mistakes.append(i)
            weights = np.add(weights, steps[i], out=path[len(mistakes)])
            rows.dot(weights, out=margins)
    return path[len(mistakes)], _sum_in_order(rows[mistakes] * path[: len(mistakes)])


def _sum_in_order(terms: np.ndarray) -> np.ndarray:
    """The sum over the last axis from left to right, as a scalar loop adds; `np.sum` adds in pairs."""
    return np.add.accumulate(terms, axis=-1)[..., -1]


def _dense(rows):
    """The columns the rows of a block use, and the rows as a dense array of these columns alone."""
    if not sp.issparse(rows):
        return slice(None), rows
    columns, local = np.unique(np.append(0, rows.indices), return_inverse=True)  # column 0: never without a column
    local_rows = sp.csr_array((rows.data, local[1:], rows.indptr), shape=(rows.shape[0], columns.size))
    return columns, local_rows.toarray()


def xorshift_orders(n_samples: int, seed: int) -> Iterator[np.ndarray]:
    """The endless sequence of orders in which scikit-learn's SGD visits shuffled samples.

    scikit-learn restarts its generator from the same seed in every epoch, so each epoch applies the same permutation
    to the order of the one before. That permutation is a Fisher-Yates shuffle driven by 32-bit xorshift (G. Marsaglia,
    "Xorshift RNGs", Journal of Statistical Software 8, 2003).

    Parameters
    ----------
    n_samples : int
    seed : int
        From 0 to 2**32 - 1; 0 stands for 1.

    Yields
    ------
    order : integer array of shape (n_samples,)

    Examples
    --------
    >>> orders = xorshift_orders(5, seed=42)
    >>> next(orders), next(orders)
    """
    permutation = list(range(n_samples))
    state = seed or 1
    for i in range(n_samples - 1):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        j = i + (state & 0x7FFFFFFF) % (n_samples - i)
        permutation[i], permutation[j] = permutation[j], permutation[i]
    shuffle = np.array(permutation)
    order = np.arange(n_samples)
    while True:
        order = order[shuffle]
        yield order
