"""Blocks of layers that occur in many networks, as lists of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from .attention_gate import AttentionGate
from .containers import Concat, Residual
from .conv import Conv, ConvTranspose, Pool
from .cropped import Cropped
from .layer import Layer
from .norm import BatchNorm
from .upsample import Upsample


def unet(
    filters: int = 8,
    depth: int = 3,
    *,
    attention: bool = False,
    residual: bool = False,
    skips: bool = True,
    up: Literal["transpose", "nearest"] = "transpose",
) -> list[Layer]:
    """A U-net without its output layer: down to ever coarser grids, and up again past what was seen on the finer ones.

    A level is two convolutions, a way down to the next level and up again, beside which what was seen here goes around
    (one :class:`Concat`), and two convolutions of both. Grids may be of any size.

    Parameters
    ----------
    filters : int, default=8
        Of a convolution on the finest grid; on each coarser one they are twice as many.
    depth : int, default=3
        How often the grid is halved.
    attention : bool, default=False
        Whether a gate lets through what goes around (Oktay et al. 2018).
    residual : bool, default=False
        Whether each pair of convolutions has a way around it (Zhang, Liu & Wang 2018).
    skips : bool, default=True
        Whether anything goes around: without it a network must find again, on the way up, where things were.
    up : {"transpose", "nearest"}, default="transpose"
        How a grid is doubled: by a transposed convolution, or by repetition and a convolution.

    Returns
    -------
    layers : list of Layer
        Samples (\\*grid, channels) become (\\*grid, filters).

    References
    ----------
    Ronneberger, Fischer, Brox (2015). U-Net: convolutional networks for biomedical image segmentation. MICCAI.
    arXiv:1505.04597.

    Zhang, Liu, Wang (2018). Road extraction by deep residual U-Net. IEEE Geosci. Remote Sens. Lett. 15.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Conv, Network
    >>> from sknn.nn.blocks import unet
    >>> network = Network([*unet(4, depth=2), Conv(1, kernel_size=1)], (17, 30, 3), np.random.RandomState(0))
    >>> network.output_shape
    (17, 30, 1)
    """
    below = _pair(filters << depth, residual)
    for width in (filters << level for level in reversed(range(depth))):
        through = Cropped([Pool(), *below, *_doubled(width, up)])
        gate = [AttentionGate(width)] if attention else []
        past = [Concat([through]), *gate] if skips else [through]
        below = [*_pair(width, residual), *past, *_pair(width, residual)]
    return below


def reach(depth: int) -> int:
    """How many positions of the grid away from an output of :func:`unet` lies the last one that it can see, at most.

    A convolution sees one position to each side, of a grid that is halved k times one of 2^k positions. There are two
    on the coarsest grid; on each finer one five at most, and the windows of the pooling.

    Examples
    --------
    >>> reach(0), reach(3)
    (2, 58)
    """
    return sum(6 << level for level in range(depth)) + (2 << depth)


def _pair(filters: int, residual: bool) -> list[Layer]:
    """Two convolutions, each normalised over the batch."""
    first, second = ([Conv(filters, use_bias=False, init="he_uniform"), norm] for norm in _norms(residual))
    if not residual:
        return [*first, *second]
    return [Residual([*first, *second], [Conv(filters, 1, use_bias=False), BatchNorm()], activation="relu")]


def _norms(residual: bool) -> Sequence[BatchNorm]:
    """Those of a pair; behind the second there is no activation function if it follows the sum."""
    return BatchNorm(activation="relu"), BatchNorm(activation="identity" if residual else "relu")


def _doubled(filters: int, up: str) -> list[Layer]:
    """What makes a grid of twice the size."""
    if up == "nearest":
        return [Upsample(2), Conv(filters)]
    return [ConvTranspose(filters, kernel_size=2, stride=2)]
