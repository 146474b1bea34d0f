"""Losses of raw outputs, one value per sample, and the weighted mean that makes a number of them.

In every loss `raw` has shape (n, n_outputs) and the result shape (n,): the sum over the outputs. An axis of members may
stand in front of all of them, raw (members, n, n_outputs) with targets for each: a value is the same with and without
it. They are computed from the raw outputs, not from probabilities, so they are exact where a probability rounds to 0 or
1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import xlogy

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from . import compiled

CAST_AT_ONCE = 4096  # numbers, at most: NumPy adds up more in pieces if it has to cast them


def _pull(g: Array, slope: Array, out: list) -> tuple[Array, None]:
    """The gradient of `raw`, from that of each sample's loss and the loss's slope; the target has none."""
    return slope * g[..., None], None


# -- classification ------------------------------------------------------------------------------------------------


@op
def softmax_cross_entropy(raw: Array, target: Array, *, smoothing: float = 0.0) -> tuple[Array, Any]:
    """log sum_k exp(raw_k) - sum_k q_k raw_k, where q is (1 - smoothing) at the class `target` (n,) of integers
    plus smoothing / n_outputs everywhere (Szegedy et al. 2016)."""
    return compiled.softmax_cross_entropy(raw, target, smoothing) or _softmax_cross_entropy(raw, target, smoothing)


def _softmax_cross_entropy(raw: Array, target: Array, smoothing: float) -> tuple[Array, Array]:
    """The losses, and their slope of the shape of raw: probability minus q."""
    # classes first: NumPy reduces over a long last axis several times faster
    z = np.array(raw.swapaxes(-1, -2), order="C")
    n_outputs, n = z.shape[-2:]
    z -= np.maximum.reduce(z, axis=-2, keepdims=True)
    flat, chosen = z.reshape(-1), np.multiply(target, n, dtype=np.intp) + np.arange(n)
    if target.ndim > 1:  # those of each member
        chosen += z[0].size * np.arange(len(target))[:, None]
    values = flat.take(chosen)
    if smoothing:
        values = (1.0 - smoothing) * values + (smoothing / n_outputs) * np.add.reduce(z, axis=-2)
    np.exp(z, out=z)
    total = np.add.reduce(z, axis=-2)
    z /= total[..., None, :]
    np.subtract(np.log(total), values, out=values)
    flat[chosen] -= 1.0 - smoothing
    if smoothing:
        z -= smoothing / n_outputs
    return values, z.swapaxes(-1, -2)


softmax_cross_entropy.backward(_pull)


@softmax_cross_entropy.reference
def _(raw: Value, target: Array, *, smoothing: float = 0.0) -> Value:
    places: Any = np.indices(target.shape, sparse=True)
    chosen = raw[(*places, target)]
    return F.logsumexp(raw, axis=-1) - (1.0 - smoothing) * chosen - smoothing * F.mean(raw, axis=-1)


@op
def sigmoid_cross_entropy(raw: Array, target: Array, *, smoothing: float = 0.0) -> tuple[Array, Any]:
    """sum_k log(1 + exp(raw_k)) - q_k raw_k, where q = (1 - smoothing) target + smoothing / 2; target: (n, n_outputs)
    of 0 and 1."""
    q = target if not smoothing else (1.0 - smoothing) * target + 0.5 * smoothing
    small = np.exp(-np.abs(raw))
    softplus = np.log1p(small)
    softplus += np.maximum(raw, 0.0)
    softplus -= q * raw
    return softplus.sum(axis=-1), (raw, q, small)


@sigmoid_cross_entropy.backward
def _(g: Array, saved: tuple, out: list) -> tuple[Array, None]:
    raw, q, small = saved
    probability = np.maximum(small, raw >= 0)  # the numerator is 1 there: several times as fast as to exponentiate anew
    probability /= 1.0 + small
    probability -= q
    return _pull(g, probability, out)


@sigmoid_cross_entropy.reference
def _(raw: Value, target: Array, *, smoothing: float = 0.0) -> Value:
    q = (1.0 - smoothing) * target + 0.5 * smoothing
    return F.sum(F.softplus(raw) - q * raw, axis=-1)


@op
def margin_loss(raw: Array, target: Array, *, margin: float = 1.0) -> tuple[Array, Any]:
    """sum_k max(0, margin - t_k raw_k) with t_k = +-1 from `target` (n, n_outputs) of 0 and 1: the perceptron's
    loss at margin 0 (Rosenblatt 1958), the hinge loss at margin 1 (Cortes & Vapnik 1995)."""
    sign = 2.0 * target - 1.0
    short = margin - sign * raw
    # a sample just at the margin counts as short of it, so that the perceptron learns from weights of zero
    return np.maximum(short, 0.0).sum(axis=-1), np.where(short >= 0, -sign, 0.0 * sign)


margin_loss.backward(_pull)


@margin_loss.reference
def _(raw: Value, target: Array, *, margin: float = 1.0) -> Value:
    short = margin - (2.0 * target - 1.0) * raw
    return F.sum(F.where(short >= 0, short, 0.0), axis=-1)


# -- regression ----------------------------------------------------------------------------------------------------


@op
def squared_error(raw: Array, target: Array) -> tuple[Array, Any]:
    """sum_k (raw_k - target_k)^2 / 2; target: (n, n_outputs)."""
    error = raw - target
    return 0.5 * np.square(error).sum(axis=-1), error


squared_error.backward(_pull)


@squared_error.reference
def _(raw: Value, target: Array) -> Value:
    return 0.5 * F.sum((raw - target) ** 2, axis=-1)


@op
def quantile_error(raw: Array, target: Array, *, quantile: float = 0.5) -> tuple[Array, Any]:
    """sum_k max(q e_k, (q - 1) e_k) with e = target - raw: the pinball loss (Koenker & Bassett 1978).

    `quantile` is a number, or one for each output.
    """
    above = np.asarray(quantile, raw.dtype)
    error = target - raw
    values = np.maximum(above * error, (above - 1.0) * error).sum(axis=-1)
    return values, np.where(error > 0, -above, np.where(error < 0, 1.0 - above, 0.0 * error))


quantile_error.backward(_pull)


@quantile_error.reference
def _(raw: Value, target: Array, *, quantile: float = 0.5) -> Value:
    error = target - raw
    above = np.asarray(quantile, error.dtype)
    slope = np.where(error > 0, above, np.where(error < 0, above - 1.0, 0.0))
    return F.sum(slope * error, axis=-1)


@op
def absolute_error(raw: Array, target: Array) -> tuple[Array, Any]:
    """sum_k |raw_k - target_k|."""
    error = raw - target
    return np.abs(error).sum(axis=-1), np.sign(error)


absolute_error.backward(_pull)


@absolute_error.reference
def _(raw: Value, target: Array) -> Value:
    return F.sum(F.absolute(raw - target), axis=-1)


@op
def huber_error(raw: Array, target: Array, *, delta: float = 1.0) -> tuple[Array, Any]:
    """sum_k of e_k^2 / 2 where |e_k| <= delta, else delta (|e_k| - delta / 2), with e = raw - target (Huber 1964)."""
    error = raw - target
    slope = np.clip(error, -delta, delta)
    return (slope * (error - 0.5 * slope)).sum(axis=-1), slope


huber_error.backward(_pull)


@huber_error.reference
def _(raw: Value, target: Array, *, delta: float = 1.0) -> Value:
    error = raw - target
    slope = F.clip(error, -delta, delta)
    return F.sum(slope * (error - 0.5 * slope), axis=-1)


@op
def poisson_deviance(raw: Array, target: Array) -> tuple[Array, Any]:
    """sum_k y_k log(y_k / m_k) - y_k + m_k with mean m = exp(raw), y = target >= 0: half the Poisson deviance."""
    mean = np.exp(raw)
    return (mean - target * raw + (xlogy(target, target) - target)).sum(axis=-1), mean - target


poisson_deviance.backward(_pull)


@poisson_deviance.reference
def _(raw: Value, target: Array) -> Value:
    return F.sum(F.exp(raw) - target * raw + (xlogy(target, target) - target), axis=-1)


# -- the mean ------------------------------------------------------------------------------------------------------


@op
def average(values: Array, weight: Array | None = None) -> tuple[Array, Any]:
    """sum_i w_i values_i / sum_i w_i, added up in float64; without weights the mean, and 0 if all weights are. Both of
    shape (n,), or, for a mean of each member, (members, n)."""
    if values.ndim == 2:
        return _averages(values, weight)
    if weight is None:
        return np.add.reduce(values, dtype=np.float64) / len(values), (len(values), values.dtype, None)
    weight = weight.astype(np.float64)
    share = weight / _or_one(weight.sum())
    return np.dot(values, share), (len(values), values.dtype, share)


@average.backward
def _(g: Array, saved: tuple, out: list) -> tuple[Array, None]:
    n, dtype, share = saved
    if g.ndim:  # of members
        shares = np.empty((len(g), n), dtype)
        shares[...] = (g / n)[:, None] if share is None else g[:, None] * share
        return shares, None
    if share is None:
        shares = np.empty(n, dtype)
        shares.fill(float(g) / n)
        return shares, None
    return (float(g) * share).astype(dtype), None


@average.reference
def _(values: Value, weight: Array | None = None) -> Value:
    if weight is None:
        return F.mean(values, axis=-1)
    return F.sum(values * (weight / _or_one(weight.sum(axis=-1, keepdims=True))), axis=-1)


def _averages(values: Array, weight: Array | None) -> tuple[Array, Any]:
    """The average of each row, to the bit."""
    n, dtype = values.shape[1], values.dtype
    if weight is not None:
        weight = weight.astype(np.float64)
        share = weight / _or_one(np.add.reduce(weight, axis=1, keepdims=True))
        return np.vecdot(values.astype(np.float64), share), (n, dtype, share)
    if n <= CAST_AT_ONCE:
        total = np.add.reduce(values.astype(np.float64), axis=1)
    else:
        total = np.array([np.add.reduce(row, dtype=np.float64) for row in values])
    return total / n, (n, dtype, None)


def _or_one(total: Value) -> Value:
    """What weights are divided by: their sum, unless nothing counts, as in a batch without a labelled position."""
    return F.where(F.plain(total) == 0, 1.0, total)
