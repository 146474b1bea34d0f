"""Small networks of images and signals, as lists of layers.

Convolutions have no bias where a batch norm follows; those with a stride have as much padding before the grid as behind
it, as PyTorch has. A name in `NETWORKS` is that of the same network in `pytorch.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from sknn.nn import (
    BatchNorm,
    Conv,
    Dense,
    GlobalPool,
    Layer,
    LayerNorm,
    Patches,
    Positions,
    Residual,
    TransformerBlock,
)
from sknn.nn.blocks import unet

STRIDES = (1, 2, 2)  # of the blocks of residual networks and MobileNets


def normed(
    filters: int, kernel_size: int, activation: str = "relu", *, stride: int = 1, groups: int = 1
) -> list[Layer]:
    """A convolution of images with its batch norm."""
    options = {"stride": stride, "padding": kernel_size // 2, "groups": groups, "use_bias": False}
    return [Conv(filters, kernel_size, **options), BatchNorm(activation=activation)]  # type: ignore[arg-type]


def residual(before: int, filters: int, stride: int) -> list[Layer]:
    """Two convolutions of 3 (He et al. 2016); one of 1 on the way around them where the shape changes."""
    body = [*normed(filters, 3, stride=stride), *normed(filters, 3, "identity")]
    shortcut = [] if (before, stride) == (filters, 1) else normed(filters, 1, "identity", stride=stride)
    return [Residual(body, shortcut, activation="relu")]


def inverted(before: int, filters: int, stride: int) -> list[Layer]:
    """To four times the channels, a depthwise convolution of 3, and back (Sandler et al. 2018).

    Behind a batch norm ReLU is as good as the ReLU6 of the paper: nothing is six deviations from its mean.
    """
    wide = 4 * before
    body = [*normed(wide, 1), *normed(wide, 3, stride=stride, groups=wide), *normed(filters, 1, "identity")]
    return [Residual(body)] if (before, stride) == (filters, 1) else body


def staged(block: Callable[[int, int, int], list[Layer]], filters: int) -> list[Layer]:
    """A stem of so many filters, a block each of as many, twice and four times as many; mean, 10 outputs."""
    widths = [filters, filters, 2 * filters, 4 * filters]
    blocks = [layer for k, stride in enumerate(STRIDES) for layer in block(widths[k], widths[k + 1], stride)]
    return [*normed(filters, 3), *blocks, GlobalPool(), Dense(10)]


def resnet1d(filters: int) -> list[Layer]:
    """Three blocks of convolutions of 8, 5 and 3 over the steps of a series (Wang et al. 2017); mean, 2 outputs."""

    def step(filters: int, kernel_size: int, activation: str = "relu") -> list[Layer]:
        return [Conv(filters, kernel_size, use_bias=False), BatchNorm(activation=activation)]

    def block(before: int, filters: int) -> Layer:
        body = [*step(filters, 8), *step(filters, 5), *step(filters, 3, "identity")]
        shortcut = [BatchNorm()] if before == filters else step(filters, 1, "identity")
        return Residual(body, shortcut, activation="relu")

    widths = [1, filters, 2 * filters, 2 * filters]
    return [*(block(*widths[k : k + 2]) for k in range(3)), GlobalPool(), Dense(2)]


def vit(width: int, depth: int = 4, n_heads: int = 4) -> list[Layer]:
    """Patches of 4, learned positions, pre-norm blocks; mean, 10 outputs."""
    blocks = [TransformerBlock(n_heads, feedforward=2) for _ in range(depth)]
    return [Patches(4, width), Positions("learned"), *blocks, LayerNorm(), GlobalPool(), Dense(10)]


NETWORKS: dict[str, Callable[[int], list[Layer]]] = {
    "resnet": lambda filters: staged(residual, filters),
    "mobilenet": lambda filters: staged(inverted, filters),
    "resnet1d": resnet1d,
    "unet": lambda filters: [*unet(filters), Conv(1, 1)],
    "vit": vit,
}
