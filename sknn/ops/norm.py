"""Normalisation: over the batch for each channel, or over each sample; then a gain and a shift for each channel.

That by statistics of channels may have an activation function behind it, as in most layers of a residual network: what
the function is given is then kept nowhere. Where all these have an axis of members in front, gain and shift too, each
member is normalised as if alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from . import compiled
from .activation import ACTIVATIONS, Activation
from .members import Kept, apart, apart_back, beside
from .precision import widened

BLOCK = 1 << 15  # elements; so many, as float64, stay in the cache


class Activated(NamedTuple):
    """What a normalisation keeps that has an activation function behind it, beside what it keeps itself."""

    normalised: Any
    function: Activation
    y: Array
    kept: Any


class ActivatedWithin(NamedTuple):
    """The same where a compiled kernel did both at once: what it was given, to be asked again."""

    operands: tuple[Array, Array, Array, Array]
    function: Activation


def activated(y: Array, normalised: Any, function: Activation) -> tuple[Array, Any]:
    """Overwrite y by f(y); it, and what the backward pass wants kept."""
    if function.is_identity:
        return y, normalised
    return y, Activated(normalised, function, y, function.forward(y))


def batch_statistics(x: Array) -> tuple[Array, Array]:
    """The mean and the biased variance of each channel (the last axis), in float64; x: (..., channels).

    Examples
    --------
    >>> batch_statistics(np.array([[1.0, 5.0], [3.0, 5.0]]))
    (array([2., 5.]), array([1., 0.]))
    """
    found = compiled.batch_statistics(x)
    if found is not None:
        return found
    rows = _rows(x)
    mean = np.zeros(rows.shape[1])
    for block in _blocks(rows):
        mean += _column_sums(block)
    mean /= len(rows)
    variance = np.zeros_like(mean)
    for block in _blocks(rows):
        variance += _column_sums(np.square(block - mean))
    variance /= len(rows)
    return mean, variance


@op
def batch_norm(
    x: Array,
    gain: Array,
    shift: Array,
    *,
    epsilon: float = 1e-5,
    statistics: tuple[Array, Array] | None = None,
    activation: str = "identity",
) -> tuple[Array, Any]:
    """y = f(gain z + shift) with z = (x - mean) / sqrt(variance + epsilon), for each channel over all other axes.

    x: (..., channels); gain, shift: (channels,); `statistics`: :func:`batch_statistics` of this very x, where they are
    known already; f: the activation function of this name (Ioffe & Szegedy 2015).
    """
    if gain.ndim == 2:
        known = [None] * len(x) if statistics is None else zip(*statistics, strict=True)
        options = [{"epsilon": epsilon, "statistics": mine, "activation": activation} for mine in known]
        return apart(batch_norm, (x, gain, shift), options)
    mean, variance = batch_statistics(x) if statistics is None else statistics
    mean, scale = mean.astype(x.dtype), 1.0 / np.sqrt(variance + epsilon)
    behind = activation if activation in compiled.BEHIND_NORMS else None
    y = compiled.rescale(x, mean, scale.astype(x.dtype) * gain, shift, behind)
    if y is not None:
        saved = compiled.UncentredBatch(x, mean, scale.astype(x.dtype), gain, shift, behind)
        return activated(y, saved, ACTIVATIONS["identity" if behind else activation])
    rows = _rows(x)
    z = np.subtract(rows, mean)
    scale = scale.astype(z.dtype)
    z *= scale
    return activated(_affine(z, gain, shift).reshape(x.shape), (z, scale, gain), ACTIVATIONS[activation])


@batch_norm.backward
def _batch_norm_back(g: Array, saved: tuple, out: list) -> Any:
    if isinstance(saved, Kept):
        return apart_back(_batch_norm_back, g, saved, out)
    if isinstance(saved, Activated):
        return _batch_norm_back(saved.function.backward(g, saved.y, saved.kept), saved.normalised, out)
    if isinstance(saved, compiled.UncentredBatch):
        return compiled.batch_norm_back(g, saved, out[0] is not None)
    z, scale, gain = saved
    rows = g.reshape(z.shape)
    product = np.multiply(rows, z)
    to_gain, to_shift = _column_sums(product), _column_sums(rows)
    dx = None
    if out[0] is not None:
        dx = _across(rows, z, to_shift / len(z), to_gain / len(z), scale * gain).reshape(g.shape)
    return dx, to_gain, to_shift


@batch_norm.reference
def _(
    x: Value,
    gain: Value,
    shift: Value,
    *,
    epsilon: float = 1e-5,
    statistics: tuple[Array, Array] | None = None,
    activation: str = "identity",
) -> Value:
    # not from the statistics given: they depend on x, and the gradient must know
    first, gain, shift = _members(x, gain, shift)
    z = _normalised(x, tuple(range(first, len(F.shape_of(x)) - 1)), epsilon)
    return ACTIVATIONS[activation].reference(z * gain + shift)


@op
def layer_norm(x: Array, gain: Array, shift: Array, *, epsilon: float = 1e-5) -> tuple[Array, Any]:
    """y = gain z + shift with z = (x - mean) / sqrt(variance + epsilon), for each sample over all its elements.

    x: (n, ..., channels); gain, shift: (channels,) (Ba et al. 2016).
    """
    gain, shift = widened(gain, x.dtype), widened(shift, x.dtype)
    if gain.ndim == 2:
        return apart(layer_norm, (x, gain, shift), [{"epsilon": epsilon}] * len(x))
    found = compiled.layer_norm(x, gain, shift, epsilon)
    if found is not None:
        return found
    samples = x.reshape(len(x), -1)
    mean = _row_means(samples)
    z = np.subtract(samples, mean.astype(x.dtype))
    scale = (1.0 / np.sqrt(_row_means(np.square(z)) + epsilon)).astype(z.dtype)
    z *= scale
    return _affine(z.reshape(-1, x.shape[-1]), gain, shift).reshape(x.shape), (z, scale, gain)


@layer_norm.backward
def _layer_norm_back(g: Array, saved: tuple, out: list) -> Any:
    if isinstance(saved, Kept):
        return apart_back(_layer_norm_back, g, saved, out)
    if isinstance(saved, compiled.Uncentred):
        return compiled.layer_norm_back(g, saved, out[0] is not None)
    z, scale, gain = saved
    rows = _rows(g)
    product = np.multiply(rows, z.reshape(rows.shape))
    to_gain, to_shift = _column_sums(product), _column_sums(rows)
    dx = None
    if out[0] is not None:
        product *= gain
        dz = np.multiply(rows, gain).reshape(z.shape)
        along_z = _row_means(product.reshape(z.shape)).astype(z.dtype)
        dx = _across(dz, z, _row_means(dz).astype(z.dtype), along_z, scale).reshape(g.shape)
    return dx, to_gain, to_shift


@layer_norm.reference
def _(x: Value, gain: Value, shift: Value, *, epsilon: float = 1e-5) -> Value:
    first, gain, shift = _members(x, gain, shift)
    return _normalised(x, tuple(range(first + 1, len(F.shape_of(x)))), epsilon) * gain + shift


@op
def rescale(x: Array, factor: Array, shift: Array, *, mean: Array, activation: str = "identity") -> tuple[Array, Any]:
    """y = f((x - mean) factor + shift), for each channel: normalisation by statistics that do not depend on x.

    x: (..., channels); factor, shift, mean: (channels,), the mean in any precision; f: the activation function of this
    name.
    """
    mean = mean.astype(np.result_type(x, factor), copy=False)
    if factor.ndim == 2:
        return apart(rescale, (x, factor, shift), [{"mean": mine, "activation": activation} for mine in mean])
    operands = (x, mean, widened(factor, x.dtype), widened(shift, x.dtype))
    behind = activation if activation in compiled.BEHIND_NORMS else None
    y = compiled.rescale(*operands, behind)
    if y is not None and behind:
        return y, ActivatedWithin(operands, ACTIVATIONS[activation])
    if y is None:
        y = _affine(np.subtract(x, mean), factor, shift)
    return activated(y, (x, factor, mean), ACTIVATIONS[activation])


@rescale.backward
def _rescale_back(g: Array, saved: tuple, out: list) -> Any:
    if isinstance(saved, Kept):
        return apart_back(_rescale_back, g, saved, out)
    if isinstance(saved, Activated):
        return _rescale_back(saved.function.backward(g, saved.y, saved.kept), saved.normalised, out)
    if isinstance(saved, ActivatedWithin):
        x, mean, factor, _ = saved.operands
        _, again = activated(compiled.rescale(*saved.operands), (x, factor, mean), saved.function)  # type: ignore[arg-type]
        return _rescale_back(g, again, out)
    x, factor, mean = saved
    to_factor = None if out[1] is None else _column_sums(_rows(g * (x - mean)))
    to_shift = None if out[2] is None else _column_sums(_rows(g))
    return None if out[0] is None else g * factor, to_factor, to_shift


@rescale.reference
def _(x: Value, factor: Value, shift: Value, *, mean: Array, activation: str = "identity") -> Value:
    mean = mean.astype(np.result_type(F.plain(x), F.plain(factor)), copy=False)
    _, factor, shift, mean = _members(x, factor, shift, mean)
    return ACTIVATIONS[activation].reference((x - mean) * factor + shift)


@batch_norm.takes
@layer_norm.takes
@rescale.takes
def _(y: Array, *inputs: Array, **options: Any) -> tuple[int, int]:
    return 2 * y.size, y.size  # a factor and a shift


def _members(x: Value, *parameters: Value) -> tuple:
    """How many axes of members x has, 0 or 1, and the parameters so that they meet it."""
    if len(F.shape_of(parameters[0])) == 1:
        return 0, *parameters
    return 1, *(beside(parameter, x) for parameter in parameters)


def _normalised(x: Value, axes: tuple[int, ...], epsilon: float) -> Value:
    centred = x - F.mean(x, axis=axes, keepdims=True)
    return centred / F.sqrt(F.mean(F.square(centred), axis=axes, keepdims=True) + epsilon)


def _affine(z: Array, gain: Array, shift: Array) -> Array:
    y = np.multiply(z, gain)
    y += shift
    return y


def _across(dz: Array, z: Array, mean: Array, along_z: Array, scale: Array) -> Array:
    """The gradient with respect to what was normalised: (dz - mean - along_z z) scale. Moving all elements alike, or
    apart in proportion, changes nothing, so the parts of `dz` along these two directions drop out."""
    dx = np.multiply(z, -along_z)
    dx += dz
    dx -= mean
    dx *= scale
    return dx


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])


def _blocks(rows: Array) -> Iterator[Array]:
    """The rows in float64, a few at a time."""
    step = max(1, BLOCK // rows.shape[1])
    for start in range(0, len(rows), step):
        yield rows[start : start + step].astype(np.float64)


def _column_sums(rows: Array) -> Array:
    """The BLAS adds columns up faster than NumPy."""
    return np.dot(np.ones(len(rows), rows.dtype), rows)


def _row_means(rows: Array) -> Array:
    """In float64, of shape (n, 1)."""
    return np.add.reduce(rows, axis=1, dtype=np.float64, keepdims=True) / rows.shape[1]
