"""The layers of adversaries: dense ones for rows of features, and DCGAN's for signals, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...nn import BatchNorm, Beside, Conv, ConvTranspose, Dense, Flatten, Layer, Unflatten
from .coding import halved

KERNEL, STRIDE = 4, 2  # DCGAN's


def generator_layers(shape: tuple[int, ...], sizes: Sequence[int], filters: Sequence[int]) -> list[Layer]:
    """From random numbers to samples of a shape: through dense layers, or back through what a critic's filters see."""
    if not filters:
        return [*(Dense(size, activation="relu", init="he_uniform") for size in sizes), Dense(shape[-1])]
    *grid, channels = shape
    grids = halved(grid, len(filters))
    first = (*grids[-1], filters[-1])
    layers: list[Layer] = [Dense(prod(first), activation="relu", init="he_uniform"), Unflatten(first)]
    for units, to in zip(filters[-2::-1], grids[-2:0:-1], strict=True):
        layers += [ConvTranspose(units, KERNEL, STRIDE, output_size=to, use_bias=False), BatchNorm(activation="relu")]
    return [*layers, ConvTranspose(channels, KERNEL, STRIDE, output_size=grids[0])]


def critic_layers(sizes: Sequence[int], filters: Sequence[int], n_conditions: int, batch_norm: bool) -> list[Layer]:
    """From samples, and what is given of each, to a score: through dense layers, or convolutions of stride 2."""
    layers: list[Layer] = [Beside("condition", n_conditions)] if n_conditions else []
    if not filters:
        return [*layers, *(Dense(size, activation="relu", init="he_uniform") for size in sizes), Dense(1)]
    for depth, units in enumerate(filters):
        if depth and batch_norm:
            layers += [Conv(units, KERNEL, STRIDE, use_bias=False), BatchNorm(activation="leaky_relu")]
        else:
            layers.append(Conv(units, KERNEL, STRIDE, activation="leaky_relu", init="he_uniform"))
    return [*layers, Flatten(), Dense(1)]
