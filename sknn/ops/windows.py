"""Where the windows of a convolution or a pooling lie: sizes, paddings and strides, axis by axis.

Along one axis of n positions, a window of k taps, `dilation` apart, spans dilation (k - 1) + 1 positions; moved by
`stride` over n positions with `low` and `high` padded ones it fits floor((n + low + high - span) / stride) + 1 times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal, NamedTuple

from ..description import is_integer

Padding = Literal["same", "valid"] | int | Sequence[int]
Sizes = tuple[int, ...]

ANY = 1 << 40  # positions of an axis of which only the windows matter, not how many fit


@dataclass(frozen=True)
class Windows:
    """Windows over a grid, for all of its axes.

    Parameters
    ----------
    size : tuple of int
        Positions of the grid along each axis.
    kernel, stride, dilation : tuple of int
        Taps of a window, how far it moves, how far its taps are apart.
    low, high : tuple of int
        Padded positions before and after the grid; negative ones cut off.
    """

    size: Sizes
    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    low: Sizes
    high: Sizes

    @cached_property
    def _hash(self) -> int:
        return hash((self.size, self.kernel, self.stride, self.dilation, self.low, self.high))

    def __hash__(self) -> int:
        return self._hash  # asked for several times at every step: what is worked out from windows is cached

    @property
    def n_axes(self) -> int:
        """Of the grid."""
        return len(self.size)

    @cached_property
    def span(self) -> Sizes:
        """Positions from the first tap to the last, along each axis."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @cached_property
    def all_touch_the_grid(self) -> bool:
        """Is there less padding in front than a window spans, along each axis?"""
        return all(low < span for low, span in zip(self.low, self.span, strict=True))

    @cached_property
    def output(self) -> Sizes:
        """How many windows fit along each axis."""
        parts = zip(self.size, self.low, self.high, self.span, self.stride, strict=True)
        return tuple((n + low + high - span) // stride + 1 for n, low, high, span, stride in parts)

    @cached_property
    def along(self) -> tuple[tuple[tuple[slice, slice], ...], ...]:
        """For each axis and each tap, the windows whose tap lies on the grid, and the positions there: two slices."""
        return tuple(tuple(self._tap(axis, tap) for tap in range(k)) for axis, k in enumerate(self.kernel))

    @cached_property
    def taps(self) -> list[tuple[tuple[slice, ...], tuple[slice, ...]]]:
        """The same for each tap of all axes together: pairs of slices for all axes."""
        return [tuple(zip(*each, strict=True)) for each in product(*self.along)]  # type: ignore[misc]

    def _tap(self, axis: int, tap: int) -> tuple[slice, slice]:
        stride = self.stride[axis]
        shift = tap * self.dilation[axis] - self.low[axis]
        first = max(0, -(shift // stride))  # the first window with position first * stride + shift >= 0
        last = min(self.output[axis], (self.size[axis] - 1 - shift) // stride + 1)
        last = max(first, last)
        start = first * stride + shift
        return slice(first, last), slice(
            start, start + (last - first - 1) * stride + 1 if last > first else start, stride
        )

    @cached_property
    def phases(self) -> list[Phase]:
        """The backward pass: those phases of the grid that windows meet at all."""
        along = [self._phases_along(axis) for axis in range(self.n_axes)]
        phases = []
        for each in product(*along):
            positions, taps, *numbers = zip(*each, strict=True)
            phases.append(Phase(positions, taps, Windows(*numbers)))  # type: ignore[arg-type]
        return phases

    def _phases_along(self, axis: int) -> list[tuple]:
        """For one axis: positions, taps, and the numbers of the windows over the outputs."""
        size, stride, dilation, low = self.size[axis], self.stride[axis], self.dilation[axis], self.low[axis]
        found = []
        for first in range(min(stride, size)):
            taps = [tap for tap in range(self.kernel[axis]) if (first + low - tap * dilation) % stride == 0]
            if taps:
                apart = taps[1] - taps[0] if len(taps) > 1 else stride
                steps = apart * dilation // stride  # from output to output
                before = (taps[-1] * dilation - first - low) // stride
                n_positions = len(range(first, size, stride))
                after = n_positions - 1 + steps * (len(taps) - 1) + 1 - self.output[axis] - before
                numbers = self.output[axis], len(taps), 1, max(steps, 1), before, after
                found.append((slice(first, None, stride), slice(taps[0], None, apart), *numbers))
        return found


class Phase(NamedTuple):
    """Positions of a grid that are a stride apart: they meet the same taps, in outputs that lie side by side.

    positions : tuple of slice
        Of the grid.
    taps : tuple of slice
        Of the kernel, those that they meet.
    windows : Windows
        Over the outputs, by stride 1: one for each position, which meets the last tap first.
    """

    positions: tuple[slice, ...]
    taps: tuple[slice, ...]
    windows: Windows


def make_windows(
    size: Sizes,
    kernel: int | Sequence[int],
    stride: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
) -> Windows:
    """Windows over a grid; numbers hold for all axes.

    Parameters
    ----------
    size : tuple of int
        Positions of the grid along each axis.
    kernel, stride, dilation : int or sequence of int
        As in :class:`Windows`.
    padding : "same", "valid", int or sequence of int, default="valid"
        "same": as much as gives ceil(size / stride) windows, the odd one at the end; "valid": none; otherwise so
        many positions on both sides.

    Raises
    ------
    ValueError
        If a number is out of range or belongs to another number of axes, or no window fits.
    """
    n_axes = len(size)
    kernel, stride, dilation = (
        per_axis(name, value, n_axes, least=1)
        for name, value in (("kernel_size", kernel), ("stride", stride), ("dilation", dilation))
    )
    span = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    if padding == "same":
        total = tuple(max((-(-n // s) - 1) * s + reach - n, 0) for n, s, reach in zip(size, stride, span, strict=True))
        low = tuple(t // 2 for t in total)
        high = tuple(t - t // 2 for t in total)
    elif padding == "valid":
        low = high = (0,) * n_axes
    elif isinstance(padding, str):
        raise ValueError(f"padding={padding!r} must be 'same', 'valid', an integer or one for each axis")
    else:
        low = high = per_axis("padding", padding, n_axes, least=0)
    windows = Windows(tuple(size), kernel, stride, dilation, low, high)
    if min(windows.output, default=1) < 1:
        raise ValueError(
            f"an input of size {tuple(size)} is too small for windows that span {span} with padding {low}: choose "
            "smaller windows, or padding='same'"
        )
    return windows


def make_transposed_windows(
    grid: Sizes,
    kernel: int | Sequence[int],
    stride: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
    size: int | Sequence[int] | None = None,
) -> Windows:
    """The windows that a transposed convolution leads back from: one for each position of its input.

    Parameters
    ----------
    grid : tuple of int
        Positions of that input along each axis: ``output`` of the windows.
    kernel, stride, padding, dilation
        As of :func:`make_windows`.
    size : int, sequence of int or None, default=None
        Positions of the result along each axis: ``size`` of the windows. As many windows fit over several sizes, one
        behind the other, as the stride is long. None: grid * stride for "same", which is the largest, otherwise the
        smallest, which ends where the last window ends.

    Raises
    ------
    ValueError
        If a number is out of range, or other than so many windows fit.

    Examples
    --------
    >>> make_transposed_windows((5,), 4, 2, "same").size, make_transposed_windows((5,), 4, 2).size
    ((10,), (12,))
    """
    if size is None:
        anywhere = make_windows((ANY,) * len(grid), kernel, stride, padding, dilation)
        parts = zip(grid, anywhere.span, anywhere.stride, anywhere.low, strict=True)
        size = tuple(transposed_size(n, span, s, low, padding) for n, span, s, low in parts)
        if min(size, default=1) < 1:
            raise ValueError(
                f"padding={anywhere.low} cuts off all that a transposed convolution makes of a grid of size "
                f"{tuple(grid)}: choose less, or padding='same'"
            )
    windows = make_windows(per_axis("output_size", size, len(grid), least=1), kernel, stride, padding, dilation)
    if windows.output != tuple(grid):
        raise ValueError(
            f"output_size={windows.size} has room for {windows.output} windows with stride {windows.stride}, but the "
            f"input has {tuple(grid)} positions: choose a size of which the convolution makes as many, or None"
        )
    return windows


def transposed_size(n: Any, span: Any, stride: Any, low: Any, padding: Padding) -> Any:
    """The positions that a transposed convolution makes of n along an axis; several numbers at once if all are arrays.

    `low` is the padding in front unless that is "same".
    """
    return n * stride if padding == "same" else (n - 1) * stride + span - 2 * low


def per_axis(name: str, value: int | Sequence[int], n_axes: int, least: int) -> Sizes:
    """The value for each axis; raises ValueError if there are too many or too few, or one is below `least`."""
    values = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,) * n_axes
    if len(values) != n_axes or any(not is_integer(v) or v < least for v in values):
        raise ValueError(f"{name}={value!r} must be an integer of at least {least}, or one for each of {n_axes} axes")
    return tuple(int(v) for v in values)
