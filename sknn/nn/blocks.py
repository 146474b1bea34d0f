"""What deep networks are built of, as functions that return lists of layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import gcd
from typing import Any, Literal

from .activation import Activation
from .attention_gate import AttentionGate
from .containers import Concat, Residual
from .conv import Conv, ConvTranspose, Pool
from .cropped import Cropped
from .layer import Layer
from .norm import BatchNorm, GroupNorm, LayerNorm
from .shifted import Shifted
from .squeeze import SqueezeExcite
from .stochastic_depth import StochasticDepth
from .upsample import Upsample

Size = int | Sequence[int]
Norm = Literal["batch", "group", "layer"]
NORMS = ("batch", "group", "layer")
GROUPS = 8  # of channels that are normalised together, where so many divide them
NARROWER = 4  # times fewer channels in the middle of a bottleneck than around it


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
    (one :class:`~sknn.nn.Concat`), and two convolutions of both. Grids may be of any size.

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
    """Two convolutions, each normalised over the batch; ReLU follows the second, or the sum with what goes around."""
    last = "identity" if residual else "relu"
    layers = [*normalised(_conv(filters, 3), "batch", "relu"), *normalised(_conv(filters, 3), "batch", last)]
    return [Residual(layers, normalised(Conv(filters, 1), "batch"), activation="relu")] if residual else layers


def _doubled(filters: int, up: str) -> list[Layer]:
    """What makes a grid of twice the size."""
    if up == "nearest":
        return [Upsample(2), Conv(filters)]
    return [ConvTranspose(filters, kernel_size=2, stride=2)]


def noise_unet(filters: int = 16, depth: int = 2, *, channels: int = 1, width: int = 64) -> list[Layer]:
    """A U-net that is told a time at each level: of diffusion models, which predict the noise in images.

    Each level is a residual block on the way down and one on the way up; between its two convolutions the time is added
    (:class:`~sknn.nn.Shifted`, as ``network(x, time=...)``). In front of each convolution stand a group norm and SiLU.
    Grids are halved by means and doubled by repetition; they may be of any size.

    Parameters
    ----------
    filters : int, default=16
        Of a convolution on the finest grid, at least 2; on each coarser one they are twice as many, but on the coarsest
        as many as on the last but one.
    depth : int, default=2
        How often the grid is halved.
    channels : int, default=1
        Of the output.
    width : int, default=64
        How many numbers tell the time.

    Returns
    -------
    layers : list of Layer
        Samples (\\*grid, any) become (\\*grid, channels); the last convolution begins with 0.

    References
    ----------
    Ho, Jain, Abbeel (2020). Denoising diffusion probabilistic models. NeurIPS. arXiv:2006.11239.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Network
    >>> from sknn.nn.blocks import noise_unet
    >>> network = Network(noise_unet(8, channels=3), (28, 28, 3), np.random.RandomState(0))
    >>> network(np.zeros((2, 28, 28, 3), "float32"), time=np.zeros((2, 64), "float32")).shape
    (2, 28, 28, 3)
    """
    widths = [filters << level for level in range(depth)]
    coarsest = widths[-1] if widths else filters
    below = _timed(coarsest, coarsest, width)
    for here, above in reversed(list(zip(widths, [filters, *widths], strict=False))):
        through = Cropped([Pool("average"), *below, Upsample(2)])
        below = [*_timed(above, here, width), Concat([through]), *_timed(2 * here, above, width)]
    return [Conv(filters), *below, Conv(channels, init="zeros")]


def _timed(channels: int, filters: int, width: int) -> list[Layer]:
    """Two convolutions with a way around them, and the time between.

    No channel is a group of its own: a norm would take away what the time adds, the same at all positions.
    """
    layers: list[Layer] = []
    for each in (channels, filters):
        layers += [GroupNorm(gcd(GROUPS, each // 2, each), activation="silu"), Conv(filters)]
    layers.insert(2, Shifted("time", width))
    return [Residual(layers, [] if channels == filters else [Conv(filters, 1)])]


# -- residual networks ----------------------------------------------------------------------------------------------


def normalised(layer: Conv, norm: Norm, activation: str = "identity", *, zero: bool = False) -> list[Layer]:
    """A convolution, a norm and an activation function; the shift of the norm does what a bias would do.

    Parameters
    ----------
    layer : Conv
        Its own bias and activation are left out.
    norm : {"batch", "group", "layer"}
        :class:`~sknn.nn.BatchNorm`; :class:`~sknn.nn.GroupNorm` in eight groups, or in as many as divide both eight and
        the filters; :class:`~sknn.nn.LayerNorm` over the channels of each position.
    activation : str, default="identity"
        A name in :data:`sknn.ops.ACTIVATIONS`.
    zero : bool, default=False
        Whether the gains of the norm begin with 0, so that nothing comes out at first.

    Returns
    -------
    layers : list of Layer

    Raises
    ------
    ValueError
        If the norm is unknown.

    Examples
    --------
    >>> from sknn.nn import Conv
    >>> from sknn.nn.blocks import normalised
    >>> normalised(Conv(16), "batch", "relu")
    [Conv(16, use_bias=False), BatchNorm(activation='relu')]
    >>> normalised(Conv(12), "group", "relu")
    [Conv(12, use_bias=False), GroupNorm(groups=4, activation='relu')]
    """
    bare = replace(layer, activation="identity", use_bias=False)
    return [bare, *normalisation(norm, layer.filters, activation, zero=zero)]


def normalisation(norm: Norm, channels: int, activation: str = "identity", *, zero: bool = False) -> list[Layer]:
    """A norm of so many channels and an activation function; parameters are those of :func:`normalised`.

    Examples
    --------
    >>> from sknn.nn.blocks import normalisation
    >>> normalisation("layer", 16, "relu")
    [LayerNorm(), Activation()]
    """
    init: Any = "zeros" if zero else "ones"
    if norm == "batch":
        return [BatchNorm(activation=activation, gain_init=init)]
    if norm not in NORMS:
        raise ValueError(f"norm={norm!r} must be one of {', '.join(map(repr, NORMS))}")
    if norm == "group":
        return [GroupNorm(gcd(GROUPS, channels), activation=activation, gain_init=init)]
    return [LayerNorm(gain_init=init), *([] if activation == "identity" else [Activation(activation)])]


def basic(
    channels: int,
    filters: int,
    *,
    kernel_size: Size | list[Size] = 3,
    stride: Size = 1,
    norm: Norm = "batch",
    zero_init: bool = True,
    stochastic_depth: float = 0.0,
) -> list[Layer]:
    """A residual block of convolutions in a row: relu(s(x) + f(x)), f of [convolution, norm, ReLU] and last a norm.

    Parameters
    ----------
    channels : int
        Of the input.
    filters : int
        Of each convolution, and channels of the output.
    kernel_size : int, tuple of int or list, default=3
        Of two convolutions, for all axes of the grid or for each; or a list, in which each convolution has its own:
        for signals [8, 5, 3] as a rule.
    stride : int or tuple of int, default=1
        Of the first convolution, and of the shortcut s: a convolution of single positions and a norm where the shape
        changes, else nothing.
    norm : {"batch", "group", "layer"}, default="batch"
        Of which kind, as for :func:`normalised`.
    zero_init : bool, default=True
        Whether the block begins with f = 0: with the gains of the last norm.
    stochastic_depth : float, default=0.0
        The share of samples that skip f in training.

    Returns
    -------
    layers : list of Layer
        A single :class:`~sknn.nn.Residual`.

    References
    ----------
    He, Zhang, Ren, Sun (2016). Deep residual learning for image recognition. CVPR. arXiv:1512.03385.

    Goyal et al. (2017). Accurate, large minibatch SGD: training ImageNet in 1 hour. arXiv:1706.02677. (Gains of 0.)

    Wang, Yan, Oates (2017). Time series classification from scratch with deep neural networks. IJCNN. arXiv:1611.06455.

    Examples
    --------
    >>> from sknn.nn.blocks import basic
    >>> basic(16, 16)[0].layers[:2]
    (Conv(16, init='he_uniform', use_bias=False), BatchNorm(activation='relu'))
    """
    *first, last = _kernels(kernel_size)
    strides = _strides(stride, 1 + len(first))
    layers: list[Layer] = []
    for size, step in zip(first, strides, strict=False):
        layers += normalised(_conv(filters, size, step), norm, "relu")
    layers += normalised(_conv(filters, last, strides[-1]), norm, zero=zero_init)
    return _around(layers, channels, filters, stride, norm, stochastic_depth, activation="relu")


def bottleneck(
    channels: int,
    filters: int,
    *,
    kernel_size: Size | list[Size] = 3,
    stride: Size = 1,
    norm: Norm = "batch",
    zero_init: bool = True,
    stochastic_depth: float = 0.0,
) -> list[Layer]:
    """A residual block that is narrow in the middle: relu(s(x) + f(x)), f of a convolution of single positions to a
    quarter of the filters, one or several of neighbourhoods, and one of single positions to all filters.

    Parameters are those of :func:`basic`; a list of kernel sizes has those of the convolutions in the middle, a single
    one by default, whose first has the stride.

    Examples
    --------
    >>> from sknn.nn.blocks import bottleneck
    >>> [layer.filters for layer in bottleneck(64, 64)[0].layers[::2]]
    [16, 16, 64]
    """
    narrow = max(1, filters // NARROWER)
    middle = _kernels(kernel_size, 1)
    layers = normalised(_conv(narrow, 1), norm, "relu")
    for size, step in zip(middle, _strides(stride, len(middle)), strict=True):
        layers += normalised(_conv(narrow, size, step), norm, "relu")
    layers += normalised(_conv(filters, 1), norm, zero=zero_init)
    return _around(layers, channels, filters, stride, norm, stochastic_depth, activation="relu")


def preactivation(
    channels: int,
    filters: int,
    *,
    kernel_size: Size | list[Size] = 3,
    stride: Size = 1,
    norm: Norm = "batch",
    zero_init: bool = True,
    stochastic_depth: float = 0.0,
) -> list[Layer]:
    """A residual block with norm and ReLU in front of each convolution: s(x) + f(x), nothing behind the sum.

    So the way around the blocks is free of everything from the first to the last, behind which come a norm and a ReLU.
    Parameters are those of :func:`basic`. With `zero_init` it is the last convolution that begins with 0: gains of 0 in
    front of a ReLU would get no gradient and stay so.

    References
    ----------
    He, Zhang, Ren, Sun (2016). Identity mappings in deep residual networks. ECCV. arXiv:1603.05027.

    Examples
    --------
    >>> from sknn.nn.blocks import preactivation
    >>> preactivation(16, 16)[0].layers[:2]
    (BatchNorm(activation='relu'), Conv(16, init='he_uniform'))
    """
    sizes, layers, width = _kernels(kernel_size), [], channels
    for number, (size, step) in enumerate(zip(sizes, _strides(stride, len(sizes)), strict=True), 1):
        init = "zeros" if zero_init and number == len(sizes) else "he_uniform"
        layers += [*normalisation(norm, width, "relu"), replace(_conv(filters, size, step), init=init)]
        width = filters
    return _around(layers, channels, filters, stride, None, stochastic_depth)


def inverted_residual(
    channels: int,
    filters: int,
    *,
    kernel_size: Size = 3,
    stride: Size = 1,
    expansion: float = 4.0,
    squeeze: float = 0.25,
    activation: str = "silu",
    norm: Norm = "batch",
    zero_init: bool = False,
    stochastic_depth: float = 0.0,
) -> list[Layer]:
    """A block that is wide in the middle, where each channel is convolved by itself, and linear at its end.

    A convolution of single positions widens x to `expansion` times the channels, a depthwise one looks at
    neighbourhoods, squeeze-and-excitation weighs the channels, and a convolution of single positions, without an
    activation function, brings them to the filters. Neighbourhoods of k positions cost k C + C C' weights so, where a
    convolution has k C C'.

    Parameters
    ----------
    channels : int
        Of the input.
    filters : int
        Channels of the output.
    kernel_size : int or tuple of int, default=3
        Of the depthwise convolution.
    stride : int or tuple of int, default=1
        Of it. The block goes around its layers where neither this nor the channels change the shape.
    expansion : float, default=4.0
        Of the channels in the middle; with 1 the first convolution is left out.
    squeeze : float, default=0.25
        The units of :class:`~sknn.nn.SqueezeExcite` for each channel of the input; with 0 it is left out.
    activation : str, default="silu"
        Of all convolutions but the last, and of squeeze-and-excitation.
    norm : {"batch", "group", "layer"}, default="batch"
        Of which kind, as for :func:`normalised`.
    zero_init : bool, default=False
        Whether a block that goes around its layers begins as the identity: with the gains of the last norm.
    stochastic_depth : float, default=0.0
        The share of samples that skip the layers in training, where the block goes around them.

    Returns
    -------
    layers : list of Layer

    References
    ----------
    Sandler, Howard, Zhu, Zhmoginov, Chen (2018). MobileNetV2: inverted residuals and linear bottlenecks. CVPR.
    arXiv:1801.04381.

    Tan, Le (2019). EfficientNet: rethinking model scaling for convolutional neural networks. ICML. arXiv:1905.11946.

    Examples
    --------
    >>> from sknn.nn.blocks import inverted_residual
    >>> [type(layer).__name__ for layer in inverted_residual(16, 24)]
    ['Conv', 'BatchNorm', 'Conv', 'BatchNorm', 'SqueezeExcite', 'Conv', 'BatchNorm']
    """
    wide, around = max(1, round(expansion * channels)), _keeps_shape(channels, filters, stride)
    layers = normalised(_conv(wide, 1), norm, activation) if expansion != 1 else []
    layers += normalised(replace(_conv(wide, kernel_size, stride), groups=wide), norm, activation)
    if squeeze:
        layers.append(SqueezeExcite(squeeze * channels / wide, activation))
    layers += normalised(_conv(filters, 1), norm, zero=zero_init and around)
    return _around(layers, channels, filters, stride, norm, stochastic_depth) if around else layers


def _around(
    layers: list[Layer],
    channels: int,
    filters: int,
    stride: Size,
    norm: Norm | None,
    stochastic_depth: float,
    activation: str = "identity",
) -> list[Layer]:
    """The block; the way around the layers is projected where they change the shape, with a norm if one is named."""
    shortcut: list[Layer] = []
    if not _keeps_shape(channels, filters, stride):
        projection = _conv(filters, 1, stride)
        shortcut = normalised(projection, norm) if norm else [projection]
    drop = [StochasticDepth(stochastic_depth)] if stochastic_depth else []
    return [Residual([*layers, *drop], shortcut, activation)]


def _keeps_shape(channels: int, filters: int, stride: Size) -> bool:
    return channels == filters and set([stride] if isinstance(stride, int) else stride) == {1}


def _conv(filters: int, kernel_size: Size, stride: Size = 1) -> Conv:
    return Conv(filters, kernel_size, stride, init="he_uniform")


def _kernels(kernel_size: Size | list[Size], n_convolutions: int = 2) -> list[Size]:
    """One for each convolution."""
    return list(kernel_size) if isinstance(kernel_size, list) else [kernel_size] * n_convolutions


def _strides(stride: Size, n_convolutions: int) -> list[Size]:
    """That of the first convolution, and no other has one."""
    return [stride, *[1] * (n_convolutions - 1)]
