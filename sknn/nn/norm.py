"""Normalisation layers: over the batch, over each position, over each sample, or over groups of its channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value
from ..description import choice, integer, number
from ..ops.activation import ACTIVATIONS
from ..ops.group_norm import group_norm
from ..ops.norm import batch_norm, batch_statistics, layer_norm, rescale
from .layer import Context, Layer, Shape, Still, Store

GAINS = ("ones", "zeros")  # what gains may begin with


@dataclass(frozen=True, repr=False)
class BatchNorm(Layer):
    """y = f(gain (x - mean) / sqrt(variance + epsilon) + shift), for each channel (the last axis).

    In training, mean and variance (the biased one) are those of the batch, over all axes but the last, and they
    move running statistics: running = momentum running + (1 - momentum) batch, with the unbiased variance of the
    batch. Otherwise the running statistics are used, so that the output for a sample depends on no other.

    Parameters and statistics with a leading axis, of the members of an ensemble, go with an x that has it too: each
    member is normalised alone.

    Parameters
    ----------
    momentum : float, default=0.9
        How much of the running statistics a batch leaves, 0 <= momentum < 1.
    epsilon : float, default=1e-5
        Added to the variance, which may be 0.
    activation : str, default="identity"
        A name in :data:`sknn.ops.ACTIVATIONS`: of the function f. It costs less here than in a layer of its own.
    gain_init : {"ones", "zeros"}, default="ones"
        What the gains begin with; "zeros" at the end of a residual block lets it begin as the identity.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    Ioffe & Szegedy (2015), Batch normalization: accelerating deep network training by reducing internal covariate
    shift.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import BatchNorm, Network
    >>> network = Network([BatchNorm(momentum=0.5)], (1,), None, dtype="float64")
    >>> network(np.array([[1.0], [3.0]]), training=True).round(3)
    array([[-1.],
           [ 1.]])
    >>> network.state  # half way from mean 0 and variance 1 to mean 2 and variance 2
    array([1. , 1.5])
    """

    momentum: float = number("[0, 1)", default=0.9)
    epsilon: float = number("(0, inf)", default=1e-5)
    activation: str = choice(ACTIVATIONS, default="identity")
    gain_init: Literal["ones", "zeros"] = choice(GAINS, default="ones")

    @property
    def members(self) -> bool:
        return True

    @property
    def accompanies(self) -> bool:
        return True

    @property
    def needs_batch(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        _declare_affine(shape, store, self.gain_init)
        store.state("mean", shape[-1:], "zeros")
        store.state("variance", shape[-1:], "ones")
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        gain, shift = params["gain"], params["shift"]
        if context.training and not isinstance(params, Still):
            values = F.plain(x)
            if gain.ndim == 1:
                statistics, n_values = batch_statistics(values), values.size // values.shape[-1]
            else:  # those of each member
                mean, variance = zip(*map(batch_statistics, values), strict=True)
                statistics, n_values = (np.stack(mean), np.stack(variance)), values[0].size // values.shape[-1]
            if context.moves:
                self._move(params["mean"], params["variance"], statistics, n_values)
            epsilon = float(self.epsilon)
            return batch_norm(x, gain, shift, epsilon=epsilon, statistics=statistics, activation=self.activation)
        dtype = np.result_type(F.plain(x), F.plain(gain))
        scale = 1.0 / np.sqrt(params["variance"] + self.epsilon)
        return rescale(x, gain * scale.astype(dtype), shift, mean=params["mean"], activation=self.activation)

    def caption(self, shape: Shape) -> str:
        return "batch norm" if self.activation == "identity" else f"batch norm\n{self.activation}"

    def _move(self, mean: Array, variance: Array, statistics: tuple[Array, Array], n_values: int) -> None:
        """Move the running statistics, in place, towards those of a batch with so many values in each channel."""
        batch_mean, batch_variance = statistics
        mean += (1.0 - self.momentum) * (batch_mean - mean)
        if n_values > 1:  # a single value says nothing about the variance
            unbiased = batch_variance * (n_values / (n_values - 1))
            variance += (1.0 - self.momentum) * (unbiased - variance)


@dataclass(frozen=True, repr=False)
class LayerNorm(Layer):
    """y = gain (x - mean) / sqrt(variance + epsilon) + shift, with mean and variance of each position of a sample.

    They are taken over the channels (the last axis), so that no position knows of another, or over all axes of the
    sample; gain and shift have one element for each channel.

    Parameters
    ----------
    epsilon : float, default=1e-5
        Added to the variance, which may be 0.
    over : {"channels", "sample"}, default="channels"
        What mean and variance are taken over. For rows of features they are the same.
    gain_init : {"ones", "zeros"}, default="ones"
        What the gains begin with; "zeros" at the end of a residual block lets it begin as the identity.

    Raises
    ------
    ValueError
        If a parameter is out of range, or statistics over the sample are asked for of series in rows of steps.

    References
    ----------
    Ba, Kiros & Hinton (2016), Layer normalization.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import LayerNorm, Network
    >>> Network([LayerNorm()], (2,), None, dtype="float64")(np.array([[1.0, 3.0], [10.0, 50.0]])).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    epsilon: float = number("(0, inf)", default=1e-5)
    over: Literal["channels", "sample"] = choice(("channels", "sample"), default="channels")
    gain_init: Literal["ones", "zeros"] = choice(GAINS, default="ones")

    @property
    def members(self) -> bool:
        return True

    @property
    def accompanies(self) -> bool:
        return True

    @property
    def needs_grid(self) -> bool:
        return self.over == "sample"

    def build(self, shape: Shape, store: Store) -> Shape:
        _declare_affine(shape, store, self.gain_init)
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        gain, shift, epsilon = params["gain"], params["shift"], float(self.epsilon)
        if self.over == "sample" and context.sequences is not None:
            raise ValueError("over='sample': LayerNorm of series in rows of steps takes over='channels'")
        members = gain.shape[:-1]
        if self.over == "sample" or len(x.shape) == 2 + len(members):
            return layer_norm(x, gain, shift, epsilon=epsilon)
        positions = F.reshape(x, (*members, -1, x.shape[-1]))
        return F.reshape(layer_norm(positions, gain, shift, epsilon=epsilon), x.shape)

    def caption(self, shape: Shape) -> str:
        return "layer norm"


@dataclass(frozen=True, repr=False)
class GroupNorm(Layer):
    """y = f(gain (x - mean) / sqrt(variance + epsilon) + shift), with mean and variance of each group of channels.

    They are taken over all positions of a sample and the neighbouring channels that are a group, so that no sample
    knows of another; gain and shift have one element for each channel. One group is the whole sample, as
    ``LayerNorm(over="sample")`` has it, and as many groups as channels are instance normalisation.

    Parameters
    ----------
    groups : int, default=8
        Into how many the channels are split.
    epsilon : float, default=1e-5
        Added to the variance, which may be 0.
    activation : str, default="identity"
        A name in :data:`sknn.ops.ACTIVATIONS`: of the function f. It costs less here than in a layer of its own.
    gain_init : {"ones", "zeros"}, default="ones"
        What the gains begin with; "zeros" at the end of a residual block lets it begin as the identity.

    Raises
    ------
    ValueError
        If a parameter is out of range, or `groups` does not divide the channels.

    References
    ----------
    Wu, He (2018). Group normalization. ECCV. arXiv:1803.08494.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import GroupNorm, Network
    >>> network = Network([GroupNorm(2)], (2, 2), None, dtype="float64")
    >>> network(np.array([[[1.0, 10.0], [3.0, 50.0]]])).round(3)
    array([[[-1., -1.],
            [ 1.,  1.]]])
    """

    groups: int = integer("[1, inf)", default=8)
    epsilon: float = number("(0, inf)", default=1e-5)
    activation: str = choice(ACTIVATIONS, default="identity")
    gain_init: Literal["ones", "zeros"] = choice(GAINS, default="ones")

    @property
    def members(self) -> bool:
        return True

    @property
    def accompanies(self) -> bool:
        return True

    @property
    def sees_all(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        if shape[-1] % self.groups:
            raise ValueError(f"groups={self.groups!r} must divide the {shape[-1]} channels of the input")
        _declare_affine(shape, store, self.gain_init)
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        segments = None if context.sequences is None else context.sequences.segments
        described = {"groups": self.groups, "epsilon": float(self.epsilon), "activation": self.activation}
        return group_norm(x, params["gain"], params["shift"], **described, segments=segments)

    def caption(self, shape: Shape) -> str:
        behind = "" if self.activation == "identity" else f", {self.activation}"
        return f"group norm\n{self.groups} groups{behind}"


def _declare_affine(shape: Shape, store: Store, gain_init: str) -> None:
    store.parameter("gain", shape[-1:], gain_init, decay=False)
    store.parameter("shift", shape[-1:], "zeros", decay=False)
