r"""The perceptron rule: learn from mistakes, one sample after the other.

Reflect every sample by its label :math:`y_i \in \{-1, +1\}` into :math:`r_i = y_i (x_i, 1)`. The whole rule is then

.. math:: w \leftarrow w + \eta_i r_i \quad\text{if}\quad r_i \cdot w \le 0,

where the last entry of :math:`w` is the intercept and :math:`\eta_i` the learning rate times the weight of the sample.

The results are those of the plain loop over the samples (and so scikit-learn's) to the last bit, but Python works only
for *mistakes*: one matrix-vector product gives the margins of a block of samples, and up to the first mistake these are
the margins the loop would see. BLAS adds in an order of its own; so where a margin lies closer to zero than rounding
can move it, the sum from left to right decides.

References
----------
F. Rosenblatt, "The perceptron: a probabilistic model for information storage and organization in the brain",
Psychological Review 65 (1958). A. Novikoff, "On convergence proofs on perceptrons" (1962): separable data allow only a
finite number of mistakes. N. Higham, "Accuracy and Stability of Numerical Algorithms", chapter 3: the rounding bound.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import islice, repeat
from math import isqrt
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from . import compiled

_EPS = float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).tiny)


class PerceptronFit(NamedTuple):
    """What `fit_perceptron` found: the weights, the number of epochs, and the mean loss seen in each of them."""

    coef: np.ndarray
    intercept: float
    n_iter: int
    losses: list[float]


def fit_perceptron(
    X: np.ndarray | sp.sparray | sp.spmatrix,
    y: np.ndarray,
    sample_weight: np.ndarray | float = 1.0,
    *,
    weight_pos: float = 1.0,
    weight_neg: float = 1.0,
    eta0: float = 1.0,
    fit_intercept: bool = True,
    coef: np.ndarray | float = 0.0,
    intercept: float = 0.0,
    max_iter: int = 1000,
    tol: float | None = 1e-3,
    n_iter_no_change: int = 5,
    orders: Iterable[np.ndarray] | None = None,
    validate: Callable[[np.ndarray, float], float] | None = None,
    enough: Callable[[np.ndarray, float, float], bool] | None = None,
) -> PerceptronFit:
    r"""Train one binary perceptron until its loss, or its validation score, stops improving.

    A mistake on sample i moves the weights by ``eta0 * (class_weight * sample_weight[i])`` times the sample. Its loss
    is :math:`\max(0, -y_i (x_i \cdot w + b))`, taken before the move. Training ends after `n_iter_no_change` epochs in
    a row with a mean loss above ``best - tol``, or with a validation score below ``best + tol``.

    Parameters
    ----------
    X : array or sparse matrix of shape (n_samples, n_features)
        Finite real numbers of any dtype; the arithmetic is float64.
    y : array of shape (n_samples,)
        Labels, -1 or +1.
    sample_weight : array of shape (n_samples,) or float, default=1.0
        Factor on the step of each sample.
    weight_pos, weight_neg : float, default=1.0
        Weights of the classes +1 and -1.
    eta0 : float, default=1.0
        Learning rate.
    fit_intercept : bool, default=True
        Whether to learn an intercept.
    coef : array of shape (n_features,) or float, default=0.0
        Weights to start from; left unchanged.
    intercept : float, default=0.0
        Intercept to start from; 0 without `fit_intercept`.
    max_iter : int, default=1000
        Largest number of epochs, at least 1.
    tol : float or None, default=1e-3
        Smallest improvement that counts; None runs all `max_iter` epochs.
    n_iter_no_change : int, default=5
        Epochs without improvement before training ends.
    orders : iterable of integer arrays, default=None
        For each epoch, which samples to visit and in which order, each at most once; all as stored if None. See
        `xorshift_orders`.
    validate : callable, default=None
        ``validate(coef, intercept) -> score``, called after each epoch; replaces the loss in the stopping rule.
    enough : callable, default=None
        ``enough(coef, intercept, loss) -> bool``, called after each epoch; true ends training.

    Returns
    -------
    PerceptronFit
        ``coef`` of shape (n_features,), ``intercept``, ``n_iter`` and ``losses``, the mean loss of each epoch.

    Raises
    ------
    ValueError
        If `y` holds other values than -1 and +1, if an intercept is given that is not to be learned, or if the weights
        overflow.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> fit = fit_perceptron(X, y=np.array([-1.0, -1.0, -1.0, 1.0]))
    >>> X @ fit.coef + fit.intercept > 0.0
    array([False, False, False,  True])
    """
    if not np.isin(y, (-1.0, 1.0)).all():
        raise ValueError(f"y must hold the labels -1 and +1 only, got {np.unique(y)}.")
    if intercept and not fit_intercept:
        raise ValueError(f"intercept must be 0 when fit_intercept=False, got {intercept}.")
    n_samples, n_features = X.shape
    least_gain = -np.inf if tol is None else tol
    step = eta0 * (np.where(y > 0, weight_pos, weight_neg) * sample_weight)
    weights = np.empty(n_features + fit_intercept)
    weights[:n_features], weights[n_features:] = coef, intercept
    best, stalled, losses = np.inf, 0, []

    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is reported at the end of its epoch
        samples = Samples(X, y, step, fit_intercept)
        for order in islice(repeat(None) if orders is None else orders, max_iter):
            loss = perceptron_epoch(samples, weights, order)
            losses.append(loss / (n_samples if order is None else len(order)))
            if not np.isfinite(weights).all():
                raise ValueError(f"The weights overflowed in epoch {len(losses)}; scale X, sample_weight or eta0 down.")
            objective = losses[-1] if validate is None else -validate(*_split(weights, n_features))
            stalled = stalled + 1 if objective > best - least_gain else 0
            best = min(best, objective)
            stopped = enough is not None and enough(*_split(weights, n_features), losses[-1])
            if stopped or stalled >= n_iter_no_change:
                break
    return PerceptronFit(*_split(weights, n_features), len(losses), losses)


def _split(weights: np.ndarray, n_features: int) -> tuple[np.ndarray, float]:
    """A copy of the coefficients, and the intercept: 0 where there is none."""
    return weights[:n_features].copy(), float(weights[n_features:].sum())


def perceptron_epoch(samples: "Samples", weights: np.ndarray, order: np.ndarray | None = None) -> float:
    """Visit the samples once, learn from each mistake, and return the sum of the losses.

    Parameters
    ----------
    samples : Samples
        What to learn from.
    weights : array of shape (n_weights,)
        The coefficients, then the intercept if there is one; changed in place.
    order : integer array, default=None
        Which samples to visit and in which order, each at most once; all as stored if None.

    Returns
    -------
    float
        The losses ``-margin`` of the mistakes, each before its step, added in the order of the visit.
    """
    if compiled.applies_to_perceptron(samples.X):
        return compiled.perceptron_epoch(samples.X, samples.y, samples.step, weights, order)
    visits = slice(None) if order is None else order
    labels, steps, bounds = samples.y[visits], samples.step[visits], samples.rounding_bounds(weights)[visits]
    n_features, losses = samples.X.shape[1], [np.zeros(1)]
    for start in range(0, len(labels), samples.block_length):
        block = slice(start, start + samples.block_length)
        rows, y, bound = samples.X[block if order is None else order[block]], labels[block], bounds[block]
        outputs = rows @ weights[:n_features]
        if samples.fit_intercept:
            outputs += weights[-1]
        if (y * outputs > bound).all():
            continue
        columns, rows = samples.reflect(rows, y)
        weights[columns], margins = _learn(rows, steps[block], bound, weights[columns])
        losses.append(-margins)
    return float(_sum_in_order(np.concatenate(losses)))


def _learn(rows: np.ndarray, step: np.ndarray, bound: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Visit the rows of one block; return the weights after it and the margins of its mistakes."""
    steps = step[:, None] * rows
    path = np.empty((len(rows) + 1, len(weights)))  # the weights at each mistake, and then those after the last
    path[0] = weights
    margins = rows @ weights
    mistakes: list[int] = []
    i = -1
    while (i := (margins > bound).tobytes().find(0, i + 1)) >= 0:  # the next row that is not surely right
        if margins[i] < -bound[i] or _sum_in_order(rows[i] * weights) <= 0.0:
            mistakes.append(i)
            weights = np.add(weights, steps[i], out=path[len(mistakes)])
            np.dot(rows, weights, out=margins)
    return weights, _sum_in_order(rows[mistakes] * path[: len(mistakes)])


def _sum_in_order(terms: np.ndarray) -> np.ndarray:
    """The sum over the last axis from left to right, as a plain loop adds; `np.sum` adds in pairs."""
    return np.add.accumulate(terms, axis=-1)[..., -1]


class Samples:
    """Samples for the perceptron rule, each to be reflected by its label as :math:`y (x, 1)`.

    Samples of float32 or float64 are not copied, so that they may be mapped from a file larger than memory.

    Parameters
    ----------
    X : array or sparse matrix of shape (n_samples, n_features)
        The samples.
    y : array of shape (n_samples,)
        Labels, -1 or +1.
    step : array of shape (n_samples,)
        How far along its reflection a mistake moves the weights.
    fit_intercept : bool
        Whether the reflections end in y * 1.
    """

    def __init__(
        self, X: np.ndarray | sp.sparray | sp.spmatrix, y: np.ndarray, step: np.ndarray, fit_intercept: bool
    ) -> None:
        as_floats = X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
        self.X: Any = _canonical(as_floats) if sp.issparse(X) else as_floats
        self.y, self.step = np.ascontiguousarray(y, np.float64), np.ascontiguousarray(step, np.float64)
        self.fit_intercept = fit_intercept

    def reflect(self, rows: Any, y: np.ndarray) -> tuple[slice | np.ndarray, np.ndarray]:
        """The weights that some samples touch, and their reflections in these as a dense array."""
        columns: slice | np.ndarray = slice(None)
        if sp.issparse(rows):
            used, rows = _dense(rows)
            columns = np.append(used, self.X.shape[1]) if self.fit_intercept else used
        n_used = rows.shape[1]
        reflections = np.empty((len(rows), n_used + self.fit_intercept))
        np.multiply(rows, y[:, None], out=reflections[:, :n_used])
        reflections[:, n_used:] = y[:, None]
        return columns, reflections

    @cached_property
    def length(self) -> np.ndarray:
        """The Euclidean length of each reflection, or a little more: `_TINY` outweighs all squares that underflow."""
        if sp.issparse(self.X):
            values = np.square(self.X.data, dtype=np.float64)
            squares = sp.csr_array((values, self.X.indices, self.X.indptr), self.X.shape).sum(axis=1)
        else:
            squares = np.einsum("ij,ij->i", self.X, self.X, dtype=np.float64)
        return np.sqrt(squares + self.fit_intercept + _TINY)

    @cached_property
    def block_length(self) -> int:
        """How many rows to look at together: enough to share the overhead, few enough for the cache."""
        n_samples, n_features = self.X.shape
        if sp.issparse(self.X):
            numbers = self.X.nnz + n_samples * self.fit_intercept
            block_length = isqrt(2**16 * n_samples // (numbers + 1))  # a block has about as many columns as numbers
        else:
            block_length = 2**13 // (n_features + self.fit_intercept)
        return max(8, min(block_length, 128))

    def rounding_bounds(self, weights: np.ndarray) -> np.ndarray:
        """For each sample, how far two ways to add up its margin can differ during one epoch from these weights.

        To first order in eps, n products added in any order lie within n * eps / 2 * (the sum of their magnitudes) of
        the exact sum. By Cauchy and Schwarz the magnitudes sum to |row| |weights| at most, and the weights never reach
        further than all steps laid end to end. The factor 2 is for the higher orders and `_TINY` for underflow; where
        the products might overflow, the bound is infinite.
        """
        reach = np.sqrt(weights @ weights + _TINY) + np.abs(self.step) @ self.length
        return (2.0 * self.length * reach) * (len(weights) * _EPS) + _TINY


def _canonical(X: sp.sparray | sp.spmatrix) -> sp.csr_array:
    """Rows of columns in order, each once, checked: the compiled kernels trust them."""
    X = X.tocsr()
    rows = sp.csr_array((X.data, X.indices, X.indptr), X.shape)  # the indices become int32 if they can
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    rows.check_format(full_check=True)
    return rows


def _dense(rows: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """The columns in use, and the rows as a dense array of these columns only."""
    # Column 0 comes along so that empty rows have a column too.
    columns, place = np.unique(np.append(0, rows.indices), return_inverse=True)
    dense = np.zeros((rows.shape[0], len(columns)))
    dense[np.repeat(np.arange(len(dense)), np.diff(rows.indptr)), place[1:]] = rows.data
    return columns, dense


def xorshift_orders(n_samples: int, seed: int) -> Iterator[np.ndarray]:
    """The orders in which scikit-learn's stochastic gradient descent visits shuffled samples, epoch after epoch.

    It restarts its generator from the same seed in every epoch, so each epoch applies one and the same permutation to
    the order of the epoch before: a Fisher-Yates shuffle driven by the 32-bit xorshift generator of G. Marsaglia,
    "Xorshift RNGs", Journal of Statistical Software 8 (2003). It is drawn once, in a loop over the samples.

    Parameters
    ----------
    n_samples : int
        Number of samples.
    seed : int
        From 0 to 2**32 - 1; 0 means 1, as xorshift never leaves 0. See `shuffle_seeds`.

    Yields
    ------
    array of shape (n_samples,)
        The order of the next epoch, without end.

    Examples
    --------
    >>> orders = xorshift_orders(5, seed=42)
    >>> next(orders), next(orders)
    (array([2, 1, 0, 3, 4]), array([0, 1, 2, 3, 4]))
    """
    order, shuffle = np.arange(n_samples), _xorshift_permutation(n_samples, seed or 1)
    while True:
        order = order[shuffle]
        yield order


def _xorshift_permutation(n_samples: int, state: int) -> np.ndarray:
    if compiled.native is not None:
        return compiled.xorshift_permutation(n_samples, state)
    permutation = list(range(n_samples))
    for i in range(n_samples - 1):
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        j = i + (state & 0x7FFFFFFF) % (n_samples - i)
        permutation[i], permutation[j] = permutation[j], permutation[i]
    return np.array(permutation)


def shuffle_seeds(rng: np.random.RandomState, n_classes: int) -> list[int]:
    """The seeds scikit-learn's `Perceptron` draws for its shuffles: one for two classes, else one for each class.

    Parameters
    ----------
    rng : RandomState
        What ``check_random_state(random_state)`` returns at the start of ``fit`` or ``partial_fit``.
    n_classes : int
        Number of classes, at least 2.

    Returns
    -------
    list of int
        What `xorshift_orders` takes, class by class.

    Examples
    --------
    >>> shuffle_seeds(np.random.RandomState(0), n_classes=2)
    [398764591]
    """
    largest = np.iinfo(np.int32).max
    rngs = [rng] if n_classes == 2 else map(np.random.RandomState, rng.randint(largest, size=n_classes))
    seeds = []
    for generator in rngs:
        generator.randint(1, largest)  # drawn by scikit-learn for sampling with replacement, which SGD never does
        seeds.append(int(generator.randint(largest)))
    return seeds
