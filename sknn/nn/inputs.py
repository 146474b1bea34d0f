"""Layers at the entrance of a network: rows of features become grids, and are standardised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value
from ..description import flag, integers
from .layer import Context, Layer, Shape, Store


@dataclass(frozen=True, repr=False)
class Unflatten(Layer):
    """Rows of features (n, prod(shape)) as grids with the channels last, (n, *grid, channels).

    Parameters
    ----------
    shape : tuple of int
        Of one sample, in the order in which its features are stored.
    channels_first : bool, default=False
        Whether that order begins with the channels.

    Raises
    ------
    ValueError
        If `shape` is no sequence of positive integers, or the features are not as many as it holds.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Network, Unflatten
    >>> Network([Unflatten((2, 3), channels_first=True)], (6,), None)(np.arange(6.0)[None]).tolist()
    [[[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]]
    """

    shape: tuple[int, ...] = integers("[1, inf)", alone=False)
    channels_first: bool = flag(default=False)

    def build(self, shape: Shape, store: Store) -> Shape:
        if None in shape or prod(shape) != prod(self.shape):
            found = f"samples have shape {shape}" if None in shape else f"there are {prod(shape)}"
            raise ValueError(f"shape={self.shape} holds {prod(self.shape)} features, but {found}")
        return (*self.shape[1:], self.shape[0]) if self.channels_first else self.shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        x = F.reshape(x, (x.shape[0], *self.shape))
        if not self.channels_first:
            return x
        return F.transpose(x, (0, *range(2, len(self.shape) + 1), 1))


@dataclass(frozen=True, repr=False)
class Standardise(Layer):
    """(x - mean) / scale for each channel, with mean and standard deviation of the data the network was made for.

    They are state, not parameters: :meth:`learn` sets them once, training leaves them alone. A constant channel is
    only shifted.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Network, Standardise
    >>> network = Network([Standardise()], (1,), None, dtype="float64")
    >>> network.layers[0].learn(network.parameters["0"], [(np.array([[1.0], [3.0]]), None)])
    >>> network(np.array([[5.0]]))
    array([[3.]])
    """

    @property
    def accompanies(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        store.state("mean", shape[-1:])
        store.state("scale", shape[-1:], "ones")
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        dtype = x.dtype
        return (x - params["mean"].astype(dtype)) * (1.0 / params["scale"]).astype(dtype)

    def caption(self, shape: Shape) -> str:
        return "standardised"

    def learn(self, params: dict[str, Any], batches: Iterable[tuple[Array, Array | None]]) -> None:
        """Set mean and scale to those of all batches (n, *grid, channels) with weights (n,) together, in float64.

        Of series in rows of steps, the steps are given, each with the weight of its sample.
        Batches are merged by the update of Chan, Golub & LeVeque (1983), which loses no digits to a large mean.
        """
        total, mean, squares = 0.0, np.zeros_like(params["mean"]), np.zeros_like(params["mean"])
        for x, weight in batches:
            n, channels = x.shape[0], x.shape[-1]
            values = x.reshape(n, -1, channels).astype(np.float64)
            share = np.ones(n) if weight is None else weight
            batch_mean = np.average(values.mean(axis=1), axis=0, weights=share)
            difference, batch_total = batch_mean - mean, share.sum()
            squares += share @ np.square(values - batch_mean).mean(axis=1)
            squares += difference**2 * (total * batch_total / (total + batch_total))
            total += batch_total
            mean += difference * (batch_total / total)
        spread = np.sqrt(squares / total)
        constant = spread <= 10 * np.finfo(np.float64).eps * np.abs(mean)
        params["mean"][...] = mean
        params["scale"][...] = np.where(constant, 1.0, spread)
