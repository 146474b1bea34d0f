"""Layers over grids of one, two or three dimensions: convolution, pooling, flattening. Channels come last.

Sizes may be left open: a network built for (None, None, channels) takes images of any size. Where samples are series
that lie in rows of steps (``context.sequences``), convolution and pooling work on each as on a grid of one axis; images
that lie in rows of pixels they see as arrays, those of one size together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, Literal

from ..autodiff import primitives as F
from ..autodiff.tape import Value
from ..description import choice, flag, integer, integers, number
from ..ops.activation import ACTIVATIONS
from ..ops.conv import conv
from ..ops.conv_transpose import conv_transpose
from ..ops.pool import average_pool, max_pool
from ..ops.rows import average_pool_rows, conv_rows, conv_transpose_rows, max_pool_rows
from ..ops.segment import segment_max, segment_mean
from ..ops.windows import ANY, Sizes, Windows, make_transposed_windows, make_windows
from .init import INITIALISERS
from .layer import Context, Layer, Shape, Store
from .ragged import Ragged

_POOL = {"max": max_pool, "average": average_pool}
_POOL_ROWS = {"max": max_pool_rows, "average": average_pool_rows}
_POOL_SEGMENTS = {"max": segment_max, "average": segment_mean}


@lru_cache(maxsize=256)  # a network asks for the same few at every step
def _windows(grid: Shape, *description: Any) -> Windows:
    return make_windows(_laid_open(grid), *description)


@lru_cache(maxsize=256)
def _transposed_windows(grid: Shape, *description: Any) -> Windows:
    return make_transposed_windows(_laid_open(grid), *description)


def _laid_open(grid: Shape) -> Sizes:
    """The grid on which windows are laid without data; an axis whose length is left open has any."""
    return tuple(ANY if n is None else n for n in grid)


def _after(grid: Shape, outputs: Sizes) -> Shape:
    """The grid of the outputs; an axis whose length is open stays so."""
    return tuple(None if n is None else m for n, m in zip(grid, outputs, strict=True))  # type: ignore[misc]


def _check_grid(layer: Layer, shape: Shape) -> None:
    """Raise ValueError if samples of this shape are no grid; without one, windows would be single features."""
    if len(shape) < 2:
        raise ValueError(
            f"{layer!r} works on grids, samples of shape (*grid, channels), but they are of shape {shape}: state the "
            "input_shape, or put an Unflatten in front"
        )
    if shape[-1] is None:
        raise ValueError(
            f"{layer!r} cannot work on samples of shape {shape}: sizes may be left open, but not the number of channels"
        )


@dataclass(frozen=True, repr=False)
class _Convolving(Layer):
    """What convolutions and their transposes are described by."""

    filters: int = integer("[1, inf)")
    kernel_size: int | Sequence[int] = integers("[1, inf)", default=3)
    stride: int | Sequence[int] = integers("[1, inf)", default=1)
    padding: Literal["same", "valid"] | int | Sequence[int] = integers(
        "[0, inf)", default="same", words=("same", "valid")
    )
    dilation: int | Sequence[int] = integers("[1, inf)", default=1)
    groups: int = integer("[1, inf)", default=1)
    activation: str = choice(ACTIVATIONS, default="identity")
    init: str = choice(INITIALISERS, default="glorot_uniform")
    bias_init: str = choice(INITIALISERS, default="zeros")
    gain: float = number("(-inf, inf)", default=1.0)
    use_bias: bool = flag(default=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.filters % self.groups:
            raise ValueError(f"filters={self.filters!r} must be a multiple of groups={self.groups!r}")

    @property
    def needs_grid(self) -> bool:
        return True

    @property
    def _description(self) -> tuple:
        return self.kernel_size, self.stride, self.padding, self.dilation

    def _check(self, shape: Shape) -> None:
        _check_grid(self, shape)
        if shape[-1] % self.groups:
            raise ValueError(f"groups={self.groups!r} must divide the {shape[-1]} channels of the input")

    def _declare(self, store: Store, kernel: Shape, fans: tuple[int, int]) -> None:
        """The weights, of shape `kernel`, and the biases."""
        store.parameter("weight", kernel, self.init, fans=fans, gain=self.gain)
        if self.use_bias:
            store.parameter("bias", (self.filters,), self.bias_init, fans=fans, gain=self.gain, decay=False)

    def _operands(self, params: dict[str, Any], x: Value) -> tuple:
        return (x, params["weight"], params["bias"]) if self.use_bias else (x, params["weight"])


@dataclass(frozen=True, repr=False)
class Conv(_Convolving):
    """Convolution (cross-correlation) of inputs (n, *grid, channels) with learned kernels, bias and activation.

    Along an axis of H positions the output has floor((H - k_eff + 2 P) / S) + 1, with k_eff = dilation (k - 1) + 1.

    Parameters
    ----------
    filters : int
        The number of kernels, and of output channels.
    kernel_size, stride, dilation : int or sequence of int, default=3, 1, 1
        One for all axes of the grid or one for each.
    padding : "same", "valid", int or sequence of int, default="same"
        Zeros around the grid: so many that ceil(H / stride) outputs fit, the odd one behind; none; or that many on both
        sides.
    groups : int, default=1
        Connects the channels with the filters in so many separate groups; as many as channels is a depthwise
        convolution.
    activation : str, default="identity"
        A name in :data:`sknn.ops.ACTIVATIONS`.
    init, bias_init : str, default="glorot_uniform", "zeros"
        Names in :data:`sknn.nn.init.INITIALISERS`.
    gain : float, default=1.0
        The factor on the spread of the initial values.
    use_bias : bool, default=True
        Whether there is a bias.

    Raises
    ------
    ValueError
        If a parameter is out of range, the channels or filters cannot be split into the groups, or the input (any of
        several series) is too small for its kernels.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner (1998). Gradient-based learning applied to document recognition. Proc. IEEE 86.

    Yu, Koltun (2016). Multi-scale context aggregation by dilated convolutions. ICLR. arXiv:1511.07122.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Conv, Network
    >>> network = Network([Conv(8, kernel_size=3, stride=2)], (28, 28, 1), np.random.RandomState(0))
    >>> network.output_shape
    (14, 14, 8)
    """

    def windows(self, grid: Shape) -> Windows:
        """Where the kernels lie on a grid."""
        return _windows(grid, *self._description)

    def follow(self, sequences: Any) -> Ragged:
        return sequences.after_windows(*self._description)

    def build(self, shape: Shape, store: Store) -> Shape:
        self._check(shape)
        *grid, channels = shape
        windows = self.windows(tuple(grid))
        taps = prod(windows.kernel)
        fans = (taps * channels // self.groups, taps * self.filters // self.groups)
        self._declare(store, (*windows.kernel, channels // self.groups, self.filters), fans)
        return (*_after(shape[:-1], windows.output), self.filters)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        operands = self._operands(params, x)
        if context.sequences is not None:
            rows = context.sequences.windows(*self._description)
            return conv_rows(*operands, windows=rows, groups=self.groups, activation=self.activation)
        windows = self.windows(x.shape[1:-1])
        return conv(*operands, windows=windows, groups=self.groups, activation=self.activation)

    def caption(self, shape: Shape) -> str:
        return f"conv\n{_extent(self.windows(shape[:-1]).kernel)}"


@dataclass(frozen=True, repr=False)
class ConvTranspose(_Convolving):
    """Transposed convolution: inputs (n, *grid, channels) to a grid as many times as large as the stride.

    The transpose, as a linear map, of the :class:`Conv` of the same description from the larger grid to the smaller
    one, plus bias and activation: each position of the input adds its kernel, times its value, to the positions that
    the window of that convolution there has seen. Along an axis of H positions that makes H S for "same", otherwise
    (H - 1) S + k_eff - 2 P, with k_eff = dilation (k - 1) + 1.

    Parameters
    ----------
    filters : int
        The number of output channels.
    kernel_size, stride, dilation : int or sequence of int, default=3, 1, 1
        One for all axes of the grid or one for each.
    padding : "same", "valid", int or sequence of int, default="same"
        Of the convolution: so much is cut off the result.
    groups : int, default=1
        Connects the channels with the filters in so many separate groups.
    activation : str, default="identity"
        A name in :data:`sknn.ops.ACTIVATIONS`.
    init, bias_init : str, default="glorot_uniform", "zeros"
        Names in :data:`sknn.nn.init.INITIALISERS`.
    gain : float, default=1.0
        The factor on the spread of the initial values.
    use_bias : bool, default=True
        Whether there is a bias.
    output_size : int, sequence of int or None, default=None
        Positions of the output along each axis, for a convolution that makes as many of several sizes, as one with
        stride 2 makes 4 of 7 and of 8. None: as above.

    Raises
    ------
    ValueError
        If a parameter is out of range, the channels or filters cannot be split into the groups, or `output_size` is
        none that the convolution would bring to the size of the input, or is given for samples of any size.

    References
    ----------
    Dumoulin, Visin (2016). A guide to convolution arithmetic for deep learning. arXiv:1603.07285.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import ConvTranspose, Network
    >>> layer = ConvTranspose(1, kernel_size=2, stride=2, init="ones")
    >>> Network([layer], (3, 1), None)(np.array([[[1.0], [3.0], [5.0]]])).ravel()
    array([1., 1., 3., 3., 5., 5.])
    """

    output_size: int | Sequence[int] | None = integers("[1, inf)", default=None)

    def _over_output(self, grid: Shape) -> Windows:
        """Those of the convolution, over the outputs."""
        return _transposed_windows(grid, *self._description, self.output_size)

    def follow(self, sequences: Any) -> Ragged:
        return sequences.before_windows(*self._description)

    def build(self, shape: Shape, store: Store) -> Shape:
        self._check(shape)
        if None in shape and self.output_size is not None:
            raise ValueError(f"output_size={self.output_size!r} must be None where samples are of any size")
        *grid, channels = shape
        windows = self._over_output(tuple(grid))
        taps = prod(windows.kernel)
        met = max(1, taps // prod(windows.stride))  # of all taps, by a position of the output
        fans = (met * channels // self.groups, taps * self.filters // self.groups)
        self._declare(store, (*windows.kernel, self.filters // self.groups, channels), fans)
        return (*_after(shape[:-1], windows.size), self.filters)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        operands = self._operands(params, x)
        if context.sequences is not None:
            rows = context.sequences.transposed_windows(*self._description)
            return conv_transpose_rows(*operands, windows=rows, groups=self.groups, activation=self.activation)
        windows = self._over_output(x.shape[1:-1])
        return conv_transpose(*operands, windows=windows, groups=self.groups, activation=self.activation)

    def caption(self, shape: Shape) -> str:
        return f"transposed conv\n{_extent(self._over_output(shape[:-1]).kernel)}"


@dataclass(frozen=True, repr=False)
class Pool(Layer):
    """The largest or the mean element of each window of inputs (n, *grid, channels).

    Parameters
    ----------
    kind : {"max", "average"}, default="max"
        Which. The mean is over the elements on the grid, so a window over its edge is not dragged towards zero.
    size : int or sequence of int, default=2
        Of the window, for all axes or for each.
    stride : int, sequence of int or None, default=None
        How far windows are apart; None: their size.
    padding : "same", "valid", int or sequence of int, default="same"
        "same" keeps a ragged edge (ceil(H / stride) outputs), "valid" drops it.

    Raises
    ------
    ValueError
        If a parameter is out of range, or the input (any of several series) too small for its windows.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Network, Pool
    >>> Network([Pool("average")], (3, 1), None)(np.array([[[1.0], [3.0], [5.0]]])).ravel()
    array([2., 5.])
    """

    kind: Literal["max", "average"] = choice(("max", "average"), default="max")
    size: int | Sequence[int] = integers("[1, inf)", default=2)
    stride: int | Sequence[int] | None = integers("[1, inf)", default=None)
    padding: Literal["same", "valid"] | int | Sequence[int] = integers(
        "[0, inf)", default="same", words=("same", "valid")
    )

    @property
    def needs_grid(self) -> bool:
        return True

    @property
    def _description(self) -> tuple:
        stride = self.size if self.stride is None else self.stride
        return self.size, stride, self.padding

    def windows(self, grid: Shape) -> Windows:
        """Where the windows lie on a grid."""
        return _windows(grid, *self._description)

    def follow(self, sequences: Any) -> Ragged:
        return sequences.after_windows(*self._description)

    def build(self, shape: Shape, store: Store) -> Shape:
        _check_grid(self, shape)
        return (*_after(shape[:-1], self.windows(shape[:-1]).output), shape[-1])

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        if context.sequences is not None:
            return _POOL_ROWS[self.kind](x, windows=context.sequences.windows(*self._description))
        return _POOL[self.kind](x, windows=self.windows(x.shape[1:-1]))

    def caption(self, shape: Shape) -> str:
        return f"{self.kind} pool\n{_extent(self.windows(shape[:-1]).kernel)}"


@dataclass(frozen=True, repr=False)
class GlobalPool(Layer):
    """The largest or the mean element of each channel: (n, *grid, channels) to (n, channels).

    Of series in rows of steps it makes one row each, so that a network may go on as for features.

    Parameters
    ----------
    kind : {"max", "average"}, default="average"
        Which.

    Raises
    ------
    ValueError
        If `kind` is unknown.

    References
    ----------
    Lin, Chen, Yan (2014). Network in network. ICLR. arXiv:1312.4400.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import GlobalPool, Network
    >>> Network([GlobalPool()], (3, 1), None)(np.array([[[1.0], [3.0], [5.0]]]))
    array([[3.]])
    """

    kind: Literal["max", "average"] = choice(("max", "average"), default="average")

    def build(self, shape: Shape, store: Store) -> Shape:
        _check_grid(self, shape)
        return shape[-1:]

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        if context.sequences is not None:
            return _POOL_SEGMENTS[self.kind](x, segments=context.sequences.segments)
        grid = x.shape[1:-1]
        return F.reshape(_POOL[self.kind](x, windows=_windows(grid, grid)), (x.shape[0], x.shape[-1]))

    def follow(self, sequences: Any) -> None:
        return None

    def caption(self, shape: Shape) -> str:
        return f"global\n{self.kind}"


@dataclass(frozen=True, repr=False)
class Flatten(Layer):
    """All features of a sample in one row: (n, *shape) to (n, prod(shape)).

    Raises
    ------
    ValueError
        When built for samples that may be of any size.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Flatten, Network
    >>> Network([Flatten()], (2, 3), None)(np.zeros((5, 2, 3))).shape
    (5, 6)
    """

    def build(self, shape: Shape, store: Store) -> Shape:
        if None in shape:
            raise ValueError(
                f"samples of shape {shape} may be of any size, so Flatten would make rows of different lengths: put "
                "GlobalPool() in its place, which makes one row of channels of each"
            )
        return (prod(shape),)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        return F.reshape(x, (x.shape[0], prod(x.shape[1:])))


def _extent(window: Shape) -> str:
    return "×".join(map(str, window)) if len(window) > 1 else f"length {window[0]}"
