"""The block of networks for small devices as a layer, which finds out the channels that come to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, fields
from functools import lru_cache
from typing import Any, Literal

from ..autodiff.tape import Value
from ..description import choice, flag, integer, integers, number
from ..ops.activation import ACTIVATIONS
from . import blocks
from .containers import follow, run
from .layer import Context, Layer, Shape, Store
from .sequences import Sequences


@dataclass(frozen=True, repr=False)
class InvertedResidual(Layer):
    """Widens the channels, convolves each by itself, weighs them, and narrows them: inputs are (n, *grid, channels).

    The layers are those of :func:`sknn.nn.blocks.inverted_residual`, for as many channels as the input has; where the
    output has its shape, it is added to it.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int or sequence of int, default=3
        Of the depthwise convolution.
    stride : int or sequence of int, default=1
        Of it.
    expansion : float, default=4.0
        How many times as many channels there are in the middle.
    squeeze : float, default=0.25
        The units of :class:`SqueezeExcite` for each channel of the input; 0: there is none.
    activation : str, default="silu"
        Of all convolutions but the last.
    norm : {"batch", "group", "layer"}, default="batch"
        What follows each convolution.
    zero_init : bool, default=False
        Whether a block that is added to its input begins as the identity.
    stochastic_depth : float, default=0.0
        The share of samples that skip such a block in training.

    Raises
    ------
    ValueError
        If a parameter is out of range, or samples are no grids.

    References
    ----------
    Sandler, Howard, Zhu, Zhmoginov, Chen (2018). MobileNetV2: inverted residuals and linear bottlenecks. CVPR.
    arXiv:1801.04381.

    Tan, Le (2019). EfficientNet: rethinking model scaling for convolutional neural networks. ICML. arXiv:1905.11946.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import InvertedResidual, Network
    >>> Network([InvertedResidual(24, stride=2)], (32, 32, 16), np.random.RandomState(0)).output_shape
    (16, 16, 24)
    """

    filters: int = integer("[1, inf)")
    _: KW_ONLY
    kernel_size: int | Sequence[int] = integers("[1, inf)", default=3)
    stride: int | Sequence[int] = integers("[1, inf)", default=1)
    expansion: float = number("(0, inf)", default=4.0)
    squeeze: float = number("[0, inf)", default=0.25)
    activation: str = choice(ACTIVATIONS, default="silu")
    norm: Literal["batch", "group", "layer"] = choice(blocks.NORMS, default="batch")
    zero_init: bool = flag(default=False)
    stochastic_depth: float = number("[0, 1)", default=0.0)

    @property
    def ways(self) -> tuple[str, ...]:
        return ("",)

    def build(self, shape: Shape, store: Store) -> Shape:
        return store.chain(_layers(self, shape[-1]), shape)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        return run(_layers(self, x.shape[-1]), params, x, context)[0]

    def follow(self, sequences: Sequences) -> Sequences | None:
        return follow(_layers(self, self.filters), sequences)  # which takes no notice of channels

    def caption(self, shape: Shape) -> str:
        return "inverted residual"


@lru_cache(maxsize=256)
def _layers(block: InvertedResidual, channels: int) -> tuple[Layer, ...]:
    said = {field.name: getattr(block, field.name) for field in fields(block)}
    return tuple(blocks.inverted_residual(channels, **said))
