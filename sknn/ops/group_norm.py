"""Normalisation of each sample over its positions and the channels of a group, with an activation function behind."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from . import compiled
from .activation import ACTIVATIONS
from .at_positions import at_positions, counts, in_positions, totals
from .members import Kept, apart, apart_back
from .norm import Activated, activated
from .precision import widened
from .segment import Segments


@op
def group_norm(
    x: Array,
    gain: Array,
    shift: Array,
    *,
    groups: int,
    epsilon: float = 1e-5,
    segments: Segments | None = None,
    activation: str = "identity",
) -> tuple[Array, Any]:
    """y = f(gain z + shift) with z = (x - mean) / sqrt(variance + epsilon), over each group of channels of each sample.

    x: (n, *grid, channels), or (n_rows, channels) with `segments`, the rows of each sample; gain, shift: (channels,);
    f: the activation function of this name. Neighbouring channels, channels / groups of them, are a group (Wu & He
    2018). Where x, gain and shift have an axis of members in front, each member is normalised as if alone.
    """
    gain, shift = widened(gain, x.dtype), widened(shift, x.dtype)
    if gain.ndim == 2:
        options = {"groups": groups, "epsilon": epsilon, "segments": segments, "activation": activation}
        return apart(group_norm, (x, gain, shift), [options] * len(x))
    if segments is None:
        behind = activation if activation in compiled.BEHIND_NORMS else None
        found = compiled.group_norm(x, gain, shift, groups, epsilon, behind)
        if found is not None:
            return activated(*found, ACTIVATIONS["identity" if behind else activation])
    rows = in_positions(x, segments)
    values = counts(rows, segments) * (x.shape[-1] // groups)
    mean = _of_groups(totals(rows, segments), groups) / values
    z = np.subtract(rows, at_positions(mean.astype(x.dtype), segments))
    variance = _of_groups(totals(np.square(z), segments), groups) / values
    scale = (1.0 / np.sqrt(variance + epsilon)).astype(x.dtype)
    z *= at_positions(scale, segments)
    y = np.multiply(z, gain)
    y += shift
    return activated(y.reshape(x.shape), (z, scale, gain, groups, segments), ACTIVATIONS[activation])


@group_norm.backward
def _group_norm_back(g: Array, saved: tuple, out: list) -> Any:
    if isinstance(saved, Kept):
        return apart_back(_group_norm_back, g, saved, out)
    if isinstance(saved, Activated):
        return _group_norm_back(saved.function.backward(g, saved.y, saved.kept), saved.normalised, out)
    if isinstance(saved, compiled.UncentredGroups):
        return compiled.group_norm_back(g, saved, out[0] is not None)
    z, scale, gain, groups, segments = saved
    rows = g.reshape(z.shape)
    sums, along = totals(rows, segments), totals(np.multiply(rows, z), segments)  # of each sample and channel
    to_gain, to_shift = along.sum(axis=0).astype(gain.dtype), sums.sum(axis=0).astype(gain.dtype)
    if out[0] is None:
        return None, to_gain, to_shift
    values = counts(z, segments) * (z.shape[-1] // groups)
    mean, along_z = (_of_groups(each * gain, groups) / values for each in (sums, along))
    dx = np.multiply(z, at_positions((-along_z * scale).astype(z.dtype), segments))
    dx += rows * at_positions(gain * scale, segments)
    dx -= at_positions((mean * scale).astype(z.dtype), segments)
    return dx.reshape(g.shape), to_gain, to_shift


@group_norm.reference
def _(
    x: Value,
    gain: Value,
    shift: Value,
    *,
    groups: int,
    epsilon: float = 1e-5,
    segments: Segments | None = None,
    activation: str = "identity",
) -> Value:
    if len(F.shape_of(gain)) == 2:
        members = [(x[k], gain[k], shift[k]) for k in range(F.shape_of(gain)[0])]
        options = {"groups": groups, "epsilon": epsilon, "segments": segments, "activation": activation}
        return F.stack([group_norm.refer(*each, **options) for each in members])
    rows = in_positions(x, segments)
    rows = F.reshape(rows, (*F.shape_of(rows)[:-1], groups, -1))
    centred = rows - _mean(rows, segments)
    z = centred / F.sqrt(_mean(F.square(centred), segments) + epsilon)
    return ACTIVATIONS[activation].reference(F.reshape(z, F.shape_of(x)) * gain + shift)


@group_norm.takes
def _(y: Array, *inputs: Array, **options: Any) -> tuple[int, int]:
    return 2 * y.size, y.size  # a factor and a shift


def _of_groups(each: Array, groups: int) -> Array:
    """Sums of each channel as those of its group, once for each channel."""
    n, channels = each.shape
    return np.repeat(each.reshape(n, groups, channels // groups).sum(axis=-1), channels // groups, axis=1)


def _mean(rows: Value, segments: Segments | None) -> Value:
    """That of each group of each sample, as it meets positions (..., groups, channels of a group)."""
    if segments is None:
        return F.mean(rows, axis=(1, 3), keepdims=True)
    of_rows = F.mean(rows, axis=2)
    sums = F.matmul(segments.membership(of_rows.dtype), of_rows)
    return F.take(sums * segments.share(of_rows.dtype), segments.of_row)[..., None]
