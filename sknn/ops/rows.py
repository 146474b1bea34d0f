"""Windows over samples of different lengths: today's convolution and pooling, on a few long series with gaps.

The samples, one below the other as rows (n_positions, channels), are laid out on lines of one length with as much space
between them as the padding takes, each where a window of the line begins. So a line is a series like any other, no
window sees two samples, and every number is computed as for the sample alone, to the last bit. The windows between
samples are computed in vain: a few for each sample.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from .compiled import copy_runs
from .conv import conv
from .conv_transpose import conv_transpose
from .pool import max_pool
from .windows import ANY, Padding, Windows, make_windows, transposed_size

LINES = 32  # at most: the kernels share out lines to threads, and sum gradients of weights in half as many strands
LINE = 1024  # windows that a line has at least, if there are several
UNEVEN = 1.1  # so many times the windows may be computed, since all lines are as long as the longest


class Places:
    """Where runs of rows go among more rows: the first row of each run to ``firsts[k]``, the others behind it.

    No two rows go to the same place. NumPy is told for each direction which row goes where, since it reads rows from
    anywhere several times faster than it writes them to anywhere.
    """

    def __init__(self, firsts: Array, lengths: Array, n_places: int) -> None:
        self.firsts = firsts
        self.lengths = lengths
        self.n_places = n_places

    @cached_property
    def starts(self) -> Array:
        """The first row of each run."""
        return np.cumsum(self.lengths) - self.lengths

    @cached_property
    def at(self) -> Array:
        """The place of each row."""
        return _runs(self.firsts, self.lengths)

    @cached_property
    def _sources(self) -> tuple[Array, Array]:
        """The row that comes to each place, to an empty one any; and the empty places."""
        order = np.argsort(self.firsts)
        firsts, lengths = self.firsts[order], self.lengths[order]
        stops = np.concatenate([firsts, [self.n_places]])
        regions = stops[1:] - stops[:-1]  # from the first row of a run to that of the next
        regions[:1] += stops[0]  # with what is before it, for the first
        gaps = np.concatenate([[0], firsts + lengths])
        sources = np.repeat(self.starts[order] - firsts, regions) + np.arange(self.n_places)
        return sources, _runs(gaps, stops - gaps)

    def spread(self, x: Array, fill: float) -> Array:
        """The rows at their places, and `fill` elsewhere."""
        y = np.empty((self.n_places, *x.shape[1:]), x.dtype)
        y.fill(fill)
        if len(x) and not copy_runs(x, y, self.starts, self.firsts, self.lengths):
            sources, empty = self._sources
            np.take(x, sources, axis=0, out=y, mode="clip")
            y[empty] = fill
        return y

    def gather(self, y: Array) -> Array:
        """The rows from their places."""
        x = np.empty((self.lengths.sum(), *y.shape[1:]), y.dtype)
        if not copy_runs(y, x, self.firsts, self.starts, self.lengths):
            np.take(y, self.at, axis=0, out=x, mode="clip")
        return x


@op
def spread(x: Array, *, places: Places, fill: float = 0.0) -> tuple[Array, Any]:
    """y[at_k] = x_k, and y = fill at all other places. x: (rows, ...), y: (places, ...)."""
    return places.spread(x, fill), places


@spread.backward
def _(g: Array, places: Places, out: list) -> tuple:
    return (places.gather(g),)


@spread.reference
def _(x: Value, *, places: Places, fill: float = 0.0) -> Value:
    shape = (places.n_places, *F.shape_of(x)[1:])
    around = np.full((places.n_places,) + (1,) * (len(shape) - 1), fill, x.dtype)
    around[places.at] = 0.0
    return F.put(x, places.at, shape) + around


@op
def gather(y: Array, *, places: Places) -> tuple[Array, Any]:
    """x_k = y[at_k], the transpose of :func:`spread`. y: (places, ...), x: (rows, ...)."""
    return places.gather(y), places


@gather.backward
def _(g: Array, places: Places, out: list) -> tuple:
    return (places.spread(g, 0.0),)


@gather.reference
def _(y: Value, *, places: Places) -> Value:
    return F.take(y, places.at)


@lru_cache(maxsize=256)
def _anywhere(*description: Any) -> Windows:
    """Windows over a series that is long enough for any: it shows whether the numbers are in range."""
    return make_windows((ANY,), *description)


class RowWindows:
    """Windows over each of several series, as :func:`make_windows` has them for one.

    Parameters
    ----------
    lengths : ndarray of int, of shape (n,)
        Of the series.
    kernel, stride, padding, dilation
        As of :func:`make_windows`, for one axis.

    Attributes
    ----------
    output : ndarray of int, of shape (n,)
        How many windows fit each series.

    Raises
    ------
    ValueError
        If a number is out of range, or a series is too short for a window.
    """

    def __init__(
        self,
        lengths: Array,
        kernel: int | tuple[int],
        stride: int | tuple[int] = 1,
        padding: Padding = "valid",
        dilation: int | tuple[int] = 1,
    ) -> None:
        anywhere = _anywhere(kernel, stride, padding, dilation)
        (self.kernel,), (self.stride,), (self.dilation,) = anywhere.kernel, anywhere.stride, anywhere.dilation
        (self.span,) = anywhere.span
        self.lengths = lengths
        self.low: int | Array = anywhere.low[0]  # the padding in front of each series, of all or one by one
        if padding != "same":
            self.output = (lengths + 2 * self.low - self.span) // self.stride + 1
            self._check_output()
        elif self.stride == 1:
            self.output = lengths
        else:
            self.output = -(-lengths // self.stride)
            self.low = np.maximum((self.output - 1) * self.stride + self.span - lengths, 0) // 2
        self._least = int(np.min(self.low, initial=self.span))  # the padding in front of a line

    def _check_output(self) -> None:
        if (self.output < 1).any():
            number = int(np.argmax(self.output < 1))
            raise ValueError(
                f"sample {number} is too short, it has {self.lengths[number]} steps here: windows span {self.span}, "
                f"with padding {self.low}; choose smaller windows or padding='same', or leave the sample out"
            )

    @cached_property
    def _lines(self) -> tuple[Array, int, int]:
        """Where each series has its first window among those of all lines, the number of lines and their positions.

        The next one on a line begins, at a multiple of the stride, after the last position and the last window; and
        that window may reach into its padding only.
        """
        seen = (self.output - 1) * self.stride + self.span - self._least
        taken = np.maximum(np.maximum(self.output * self.stride, self.low + self.lengths), seen)
        windows = -(-taken // self.stride)
        total = int(windows.sum())
        n_lines = min(LINES, len(windows), total // LINE)
        while n_lines > 1:
            begins, most = _dealt(windows, n_lines)
            if n_lines * most <= UNEVEN * total:
                return begins, n_lines, most * self.stride
            n_lines //= 2
        return np.cumsum(windows) - windows, 1, _rounded(max(total, 1)) * self.stride

    @cached_property
    def line(self) -> Windows:
        """The windows over a line: as many as its positions, by the stride."""
        high = self.span - self.stride - self._least
        return _line(self._lines[2], self.kernel, self.stride, self.dilation, self._least, high)

    @cached_property
    def inputs(self) -> Places:
        """Where the positions of the series lie among those of all lines."""
        begins, n_lines, size = self._lines
        return Places(begins * self.stride + (self.low - self._least), self.lengths, n_lines * size)

    @cached_property
    def outputs(self) -> Places:
        """And those of their windows among the windows of all lines."""
        if self.output is self.lengths:  # then low is the same for all, too
            return self.inputs
        begins, n_lines, size = self._lines
        return Places(begins, self.output, n_lines * size // self.stride)

    def covered(self) -> Array:
        """How many positions of its series each window covers, where its taps are side by side: (n_windows,)."""
        low = np.broadcast_to(self.low, self.output.shape)
        starts = self.stride * _runs(np.zeros_like(self.output), self.output) - np.repeat(low, self.output)
        return np.minimum(starts + self.kernel, np.repeat(self.lengths, self.output)) - np.maximum(starts, 0)

    def check_covered(self) -> None:
        """Raise ValueError if a window covers none."""
        outside = (self.low >= self.kernel) | ((self.output - 1) * self.stride - self.low >= self.lengths)
        if outside.any():
            raise ValueError(
                f"padding={np.max(self.low)} puts windows of size {self.kernel} wholly outside of a sample: choose "
                "less padding than the size of a window, or padding='same'"
            )

    def on_lines(self, x: Value, fill: float = 0.0) -> Value:
        """Rows (n_positions, channels) as lines (n_lines, positions, channels), with `fill` in the gaps."""
        return F.reshape(spread(x, places=self.inputs, fill=fill), (-1, *self.line.size, F.shape_of(x)[-1]))

    def off_lines(self, y: Value) -> Value:
        """What was computed for all windows, (n_lines, windows, channels), as rows of those that count."""
        return gather(F.reshape(y, (self.outputs.n_places, F.shape_of(y)[-1])), places=self.outputs)


def make_transposed_row_windows(
    lengths: Array,
    kernel: int | tuple[int],
    stride: int | tuple[int] = 1,
    padding: Padding = "valid",
    dilation: int | tuple[int] = 1,
) -> RowWindows:
    """Windows over longer series, of which series of these lengths are the windows."""
    anywhere = _anywhere(kernel, stride, padding, dilation)
    (span,), (step,), (low,) = anywhere.span, anywhere.stride, anywhere.low
    return RowWindows(transposed_size(lengths, span, step, low, padding), kernel, stride, padding, dilation)


@lru_cache(maxsize=256)
def _line(*numbers: int) -> Windows:
    return Windows(*((number,) for number in numbers))


def _rounded(size: int) -> int:
    """At most a 32nd more, so that lines of few sizes come up: what is worked out for one serves many batches."""
    step = 1 << max(0, size.bit_length() - 6)
    return -(-size // step) * step


def _dealt(sizes: Array, n_lines: int) -> tuple[Array, int]:
    """Deal series out to lines, the longest first, there and back: where each begins, and the size of the lines."""
    order = np.argsort(-sizes, kind="stable")
    rounds = -(-len(sizes) // n_lines)
    dealt = np.zeros((rounds, n_lines), np.intp)
    dealt.reshape(-1)[: len(sizes)] = sizes[order]
    dealt[1::2] = dealt[1::2, ::-1]
    ends = np.cumsum(dealt, axis=0)
    longest = _rounded(int(ends[-1].max()))
    starts = ends - dealt + longest * np.arange(n_lines)
    starts[1::2] = starts[1::2, ::-1]
    begins = np.empty_like(sizes)
    begins[order] = starts.reshape(-1)[: len(sizes)]
    return begins, longest


def _runs(firsts: Array, lengths: Array) -> Array:
    """The numbers first, first + 1, ... for each run, as many as its length."""
    starts = np.cumsum(lengths) - lengths
    return np.repeat(firsts - starts, lengths) + np.arange(lengths.sum())


def conv_rows(
    x: Value, w: Value, b: Value | None = None, *, windows: RowWindows, groups: int = 1, activation: str = "identity"
) -> Value:
    """As :func:`conv` of each series alone. x: (n_positions, channels), y: (n_windows, filters)."""
    operands = (w,) if b is None else (w, b)
    lines = windows.on_lines(x)
    return windows.off_lines(conv(lines, *operands, windows=windows.line, groups=groups, activation=activation))


def conv_transpose_rows(
    x: Value, w: Value, b: Value | None = None, *, windows: RowWindows, groups: int = 1, activation: str = "identity"
) -> Value:
    """As :func:`conv_transpose` of each series alone. x: (n_windows, channels), y: (n_positions, filters)."""
    operands = (w,) if b is None else (w, b)
    spread_out = spread(x, places=windows.outputs)
    lines = F.reshape(spread_out, (-1, *windows.line.output, F.shape_of(x)[-1]))
    y = conv_transpose(lines, *operands, windows=windows.line, groups=groups, activation=activation)
    return gather(F.reshape(y, (windows.inputs.n_places, F.shape_of(y)[-1])), places=windows.inputs)


def max_pool_rows(x: Value, *, windows: RowWindows) -> Value:
    """As :func:`max_pool` of each series alone; what lies in a gap is never the largest."""
    windows.check_covered()
    return windows.off_lines(max_pool(windows.on_lines(x, -np.inf), windows=windows.line))


def average_pool_rows(x: Value, *, windows: RowWindows) -> Value:
    """As :func:`average_pool` of each series alone: the sum of a window, by convolution with ones, shared out."""
    windows.check_covered()
    channels = F.shape_of(x)[-1]
    share = np.reciprocal(windows.covered()[:, None].astype(x.dtype))
    return conv_rows(x, np.ones((windows.kernel, 1, channels), x.dtype), windows=windows, groups=channels) * share
