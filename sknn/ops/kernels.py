"""Convolution and pooling on arrays: the one door through which both passes of both go.

A convolution copies the windows of a few images at a time into a matrix of patches, small enough for the cache, and
multiplies that: the patches of a whole batch never exist. Such blocks are independent and shared out to threads; bias
and activation are applied to a block while it is still in the cache, and their slopes taken there. Pooling goes axis
by axis, so that a window of k x k takes 2 k steps. Arrays are channels-last, (n, *grid, channels).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, reduce
from itertools import groupby
from math import prod
from typing import Any, NamedTuple

import numpy as np

from . import compiled
from .activation import ACTIVATIONS, Activation
from .memory import scratch
from .threads import SMALL_WORK, share_out
from .windows import Windows

Array = np.ndarray
PATCHES = 1 << 19  # elements of a block's patch matrix: two megabytes of float32
STRANDS = 8  # shares of a large convolution; so many gradients of the weights, not one for each block, are summed
POOLED = 1 << 17  # elements pooled at a time, so that the second axis finds the first one's results in the cache


class Block(NamedTuple):
    """Some images, and some rows of their outputs; several images only with all their rows."""

    images: slice
    rows: slice

    def of(self, outputs: Array) -> Array:
        """This part of the outputs (n, *grid, channels), as a matrix of pixels by channels: a view."""
        part = outputs[self.images, self.rows]
        return part.reshape(-1, outputs.shape[-1])


def blocks(n: int, windows: Windows, taps: int, shares: int = 1) -> list[Block]:
    """Blocks whose patches, of `taps` elements for each output, fit the cache; in so many equal shares, if possible."""
    per_image = taps * prod(windows.output)
    n_rows = windows.output[0]
    if n == 0:
        return []
    if per_image <= 4 * PATCHES:
        images = max(1, PATCHES // per_image)
        images = -(-n // (shares * -(-n // (shares * images))))
        return [Block(slice(k, min(k + images, n)), slice(0, n_rows)) for k in range(0, n, images)]
    rows = max(1, PATCHES * n_rows // per_image)
    starts = [(image, row) for image in range(n) for row in range(0, n_rows, rows)]
    return [Block(slice(i, i + 1), slice(row, min(row + rows, n_rows))) for i, row in starts]


def patches(x: Array, windows: Windows, block: Block, groups: int) -> Array:
    """The patches of a block: (groups, outputs, taps x channels of a group)."""
    n_rows = block.rows.stop - block.rows.start
    outputs = (n_rows, *windows.output[1:])
    reach = tuple((o - 1) * s + span for o, s, span in zip(outputs, windows.stride, windows.span, strict=True))
    first = (block.rows.start * windows.stride[0] - windows.low[0], *(-low for low in windows.low[1:]))
    padded = _cut(x[block.images], first, reach)
    n, channels = len(padded), x.shape[-1] // groups
    image, *axes, channel = padded.strides
    moves = tuple(a * s for a, s in zip(axes, windows.stride, strict=True))
    steps = tuple(a * d for a, d in zip(axes, windows.dilation, strict=True))
    if x.shape[-1] == 1:  # taps first: then whole rows are copied, not single numbers
        seen = _view(padded, (*windows.kernel, n, *outputs), (*steps, image, *moves))
        return _copied(seen).reshape(1, prod(windows.kernel), -1).transpose(0, 2, 1)
    seen = _view(
        padded,
        (groups, n, *outputs, *windows.kernel, channels),
        (channels * channel, image, *moves, *steps, channel),
    )
    return _copied(seen).reshape(groups, n * prod(outputs), -1)


def _view(x: Array, shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """As NumPy's as_strided, which takes several times as long to make one."""
    return np.ndarray(shape, x.dtype, x, 0, strides)


def _copied(seen: Array) -> Array:
    copied = scratch("patches", seen.shape, seen.dtype)
    copied[...] = seen
    return copied


def _cut(x: Array, first: tuple[int, ...], size: tuple[int, ...]) -> Array:
    """The part of the grid that begins at `first`, zero outside of x, contiguous; x itself where that is all of it."""
    if x.flags.c_contiguous and all(f == 0 and s <= n for f, s, n in zip(first, size, x.shape[1:], strict=False)):
        return x
    padded = scratch("padded", (len(x), *size, x.shape[-1]), x.dtype)
    padded.fill(0)
    to, source = [slice(None)], [slice(None)]
    for f, s, n in zip(first, size, x.shape[1:], strict=False):
        start, stop = max(f, 0), min(f + s, n)
        source.append(slice(start, max(start, stop)))
        to.append(slice(start - f, max(start, stop) - f))
    padded[tuple(to)] = x[tuple(source)]
    return padded


def convolve(
    x: Array, w: Array, b: Array | None, windows: Windows, groups: int, activation: Activation
) -> tuple[Array, list | compiled.Whole]:
    """f(x * w + b), cross-correlation; and what the activation keeps, block by block or of the whole.

    x: (n, *grid, channels); w: (*kernel, channels / groups, filters); b: (filters,) or None. The result has shape
    (n, *windows.output, filters).
    """
    if (done := compiled.convolve(x, w, b, windows, groups, activation)) is not None:
        return done
    y = np.empty((len(x), *windows.output, w.shape[-1]), np.result_type(x, w))
    by_group = _grouped(w, groups)

    def work(block: Block) -> Any:
        z = block.of(y)
        _multiply(patches(x, windows, block, groups), by_group, z)
        if b is not None:
            z += b
        return activation.forward(z)

    return y, share_out(work, _shared_blocks(y, w, windows, groups), _multiplications(y, w))


def convolve_back(
    g: Array,
    x: Array,
    w: Array,
    y: Array,
    kept: list | compiled.Whole,
    windows: Windows,
    groups: int,
    activation: Activation,
    wanted: Any,
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of x, w and b where `wanted` says so, from that of y."""
    if isinstance(kept, compiled.Whole):
        return compiled.convolve_back(g, x, w, y, kept, windows, groups, activation, wanted)
    return _convolve_back(g, x, w, y, kept, windows, groups, activation, wanted)


def input_gradient(g: Array, w: Array, windows: Windows, groups: int, b: Array | None = None) -> Array:
    """The gradient of x alone, (n, *windows.size, channels), for which neither x nor y need be known.

    With b, (channels,), added to it, it is a transposed convolution with a bias.
    """
    if (dx := compiled.input_gradient(g, w, windows, groups, b)) is not None:
        return dx
    x = _shaped((len(g), *windows.size, w.shape[-2] * groups), w)
    dx, _, _ = _convolve_back(g, x, w, g, [], windows, groups, ACTIVATIONS["identity"], (True, False, False))
    if b is not None:
        dx += b  # type: ignore[operator]
    return dx  # type: ignore[return-value]


def weight_gradient(g: Array, x: Array, windows: Windows, groups: int) -> Array:
    """The gradient of w alone, (*windows.kernel, channels / groups, filters), for which w need not be known."""
    if (dw := compiled.weight_gradient(g, x, windows, groups)) is not None:
        return dw
    w = _shaped((*windows.kernel, x.shape[-1] // groups, g.shape[-1]), x)
    _, dw, _ = _convolve_back(g, x, w, g, [], windows, groups, ACTIVATIONS["identity"], (False, True, False))
    return dw  # type: ignore[return-value]


def _shaped(shape: tuple[int, ...], like: Array) -> Array:
    """An array of which only the shape is looked at."""
    return np.broadcast_to(like.dtype.type(0), shape)


def _convolve_back(
    g: Array,
    x: Array,
    w: Array,
    y: Array,
    kept: list,
    windows: Windows,
    groups: int,
    activation: Activation,
    wanted: Any,
) -> tuple[Array | None, Array | None, Array | None]:
    numbered = enumerate(_shared_blocks(y, w, windows, groups))
    portions = [list(portion) for _, portion in groupby(numbered, key=lambda each: each[1].images.start)]
    dx = np.empty(x.shape, np.result_type(g, w)) if wanted[0] else None
    turned = [_turned(w[phase.taps], groups) for phase in windows.phases if wanted[0]]

    def work(strand: list[list[tuple[int, Block]]]) -> tuple[Array | None, Array | None]:
        dw = db = None
        for portion in strand:
            images = portion[0][1].images
            dz = _slope(g, y, kept, portion, activation)
            if wanted[1]:
                for _, block in portion:
                    slope = _split(Block(slice(None), block.rows).of(dz), groups)
                    dw = _plus(dw, np.matmul(patches(x, windows, block, groups).transpose(0, 2, 1), slope))
            if wanted[2]:
                db = _plus(db, np.dot(np.ones(dz[..., 0].size, dz.dtype), dz.reshape(-1, dz.shape[-1])))
            if dx is not None:
                _to_the_grid(dz, turned, windows, groups, dx[images])
        return dw, db

    strands = [portions[k::STRANDS] for k in range(min(STRANDS, len(portions)))]
    found = share_out(work, strands, 2 * _multiplications(y, w))
    dw = _ungrouped(_total([each for each, _ in found]), w.shape) if wanted[1] else None
    db = _total([each for _, each in found]) if wanted[2] else None
    return dx, dw, db


def _slope(g: Array, y: Array, kept: list, portion: list[tuple[int, Block]], activation: Activation) -> Array:
    """The gradient in front of the activation, for the images of a portion."""
    images = portion[0][1].images
    if activation.is_identity:
        return g[images]
    dz = scratch("slope", y[images].shape, y.dtype)
    for number, block in portion:
        Block(slice(None), block.rows).of(dz)[...] = activation.backward(block.of(g), block.of(y), kept[number])
    return dz


def _to_the_grid(dz: Array, turned: list[Array], windows: Windows, groups: int, dx: Array) -> None:
    """Write the gradient of x into dx, in one thread, phase by phase of the stride: each has taps of its own."""
    if all(s == 1 for s in windows.stride):
        return _correlate(dz, turned[0], windows.phases[0].windows, groups, dx)
    dx.fill(0)
    for phase, by_group in zip(windows.phases, turned, strict=True):
        into = dx[(slice(None), *phase.positions)]
        found = scratch("phase", into.shape, dx.dtype)
        _correlate(dz, by_group, phase.windows, groups, found)
        into[...] = found
    return None


def _correlate(x: Array, by_group: Array, windows: Windows, groups: int, y: Array) -> None:
    """Write x * w into y, in one thread."""
    for block in blocks(len(x), windows, by_group[..., 0].size):
        _multiply(patches(x, windows, block, groups), by_group, block.of(y))


def _shared_blocks(y: Array, w: Array, windows: Windows, groups: int) -> list[Block]:
    """The blocks of a convolution with result y, in shares for threads where it is large."""
    return blocks(len(y), windows, w[..., 0].size * groups, STRANDS if _multiplications(y, w) >= SMALL_WORK else 1)


def _multiplications(y: Array, w: Array) -> int:
    return y.size * (w.size // w.shape[-1])


def _multiply(patch: Array, by_group: Array, z: Array) -> None:
    """Write patches (groups, pixels, taps) times weights (groups, taps, filters of a group) into z (pixels, all)."""
    if len(by_group) == 1:
        np.matmul(patch[0], by_group[0], out=z)
    else:
        z[...] = np.matmul(patch, by_group).transpose(1, 0, 2).reshape(z.shape)


def _grouped(w: Array, groups: int) -> Array:
    """Weights (*kernel, channels, filters) as (groups, taps x channels, filters of a group)."""
    flat = w.reshape(-1, groups, w.shape[-1] // groups)
    return flat.transpose(1, 0, 2)


def _ungrouped(by_group: Array, shape: tuple[int, ...]) -> Array:
    return by_group.transpose(1, 0, 2).reshape(shape)


def _turned(w: Array, groups: int) -> Array:
    """The kernels of the backward pass, turned around, from filters to channels; grouped."""
    *kernel, channels, filters = w.shape
    turned = w[(slice(None, None, -1),) * len(kernel)].reshape(*kernel, channels, groups, filters // groups)
    turned = np.moveaxis(turned, (-1, -2, -3), (-3, -2, -1)).reshape(*kernel, filters // groups, groups * channels)
    return _grouped(turned, groups)


def _split(z: Array, groups: int) -> Array:
    """Outputs (pixels, filters) as (groups, pixels, filters of a group)."""
    return z.reshape(len(z), groups, -1).transpose(1, 0, 2)


def _total(parts: list) -> Array:
    """The sum in a fixed order, so that results are the same from run to run."""
    return reduce(_plus, parts)


def _plus(total: Array | None, part: Array) -> Array:
    """The sum of both, written into the first where there is one."""
    return part if total is None else np.add(total, part, out=total)


# -- pooling -------------------------------------------------------------------------------------------------------

Step = Callable[[Array, int, Windows, Array], Array]


def pool_max(x: Array, windows: Windows) -> Array:
    """The largest of each window. x: (n, *grid, channels); the result (n, *windows.output, channels)."""
    _check_windows(windows)
    y = compiled.pool(x, windows, "max")
    return _pool(x, windows, _largest) if y is None else y


def pool_max_back(g: Array, x: Array, y: Array, windows: Windows) -> Array:
    """The gradient of x: each window's goes to one of its largest elements, the first along one axis after another."""
    if (found := compiled.pool_max_back(g, x, y, windows)) is not None:
        return found
    dx = np.empty(x.shape, x.dtype)

    def work(images: slice) -> None:
        stages = [*_stages(x[images], windows, _largest), y[images]]
        slope = g[images]
        for axis in reversed(range(windows.n_axes)):
            into = _gradient(axis, stages[axis].shape, dx[images])
            slope = _to_the_largest(slope, stages[axis], stages[axis + 1], axis, windows, into)

    share_out(work, _portions(x), 8 * x.size)
    return dx


def pool_average(x: Array, windows: Windows) -> Array:
    """The mean of each window over those of its elements that lie on the grid."""
    _check_windows(windows)
    y = compiled.pool(x, windows, "average")
    return _pool(x, windows, _mean) if y is None else y


def pool_average_back(g: Array, shape: tuple[int, ...], windows: Windows) -> Array:
    """The gradient of x: each window's, divided among its elements on the grid."""
    if (found := compiled.pool_average_back(g, shape, windows)) is not None:
        return found
    dx = np.empty(shape, g.dtype)

    def work(images: slice) -> None:
        slope = g[images]
        for axis in reversed(range(windows.n_axes)):
            narrower = slope.shape
            into = _gradient(axis, (*narrower[: axis + 1], shape[axis + 1], *narrower[axis + 2 :]), dx[images])
            slope = _to_all(slope, axis, windows, into)

    share_out(work, _portions(dx), 4 * dx.size)
    return dx


@lru_cache(maxsize=256)
def _check_windows(windows: Windows) -> None:
    for axis in range(windows.n_axes):
        window_sizes(windows, axis)  # raises where a window has nothing to choose from


def _pool(x: Array, windows: Windows, step: Step) -> Array:
    y = np.empty((len(x), *windows.output, x.shape[-1]), x.dtype)

    def work(images: slice) -> None:
        step(_stages(x[images], windows, step)[-1], windows.n_axes - 1, windows, y[images])

    share_out(work, _portions(x), 4 * x.size)
    return y


def _stages(x: Array, windows: Windows, step: Step) -> list[Array]:
    """x, and after each axis but the last what pooling has made of it so far."""
    stages = [x]
    for axis in range(windows.n_axes - 1):
        shape = (*x.shape[: axis + 1], windows.output[axis], *x.shape[axis + 2 :])
        x = step(x, axis, windows, scratch(f"pooled {axis}", shape, x.dtype))
        stages.append(x)
    return stages


def _gradient(axis: int, shape: tuple[int, ...], dx: Array) -> Array:
    """Where the gradient in front of this axis goes: on the way a scratch array, in the end dx."""
    return dx if axis == 0 else scratch(f"gradient {axis}", shape, dx.dtype)


def _along(x: Array, axis: int) -> Array:
    """x (n, *grid, channels) as (everything before the axis, positions, everything after it)."""
    return x.reshape(prod(x.shape[: axis + 1]), x.shape[axis + 1], -1)


def _largest(x: Array, axis: int, windows: Windows, y: Array) -> Array:
    lines, found = _along(x, axis), _along(y, axis)
    found.fill(-np.inf)
    for seen, positions in windows.along[axis]:
        np.maximum(found[:, seen], lines[:, positions], out=found[:, seen])
    return y


def _to_the_largest(g: Array, x: Array, y: Array, axis: int, windows: Windows, dx: Array) -> Array:
    lines, found, into = _along(x, axis), _along(y, axis), _along(dx, axis)
    left = scratch("left", found.shape, g.dtype)  # of the gradients: what no element has taken yet
    left[...] = _along(g, axis)
    into.fill(0)
    *others, (seen_last, last) = windows.along[axis]
    for seen, positions in others:
        hit = scratch("hit", found[:, seen].shape, np.dtype(bool))
        np.equal(lines[:, positions], found[:, seen], out=hit)
        taken = np.multiply(left[:, seen], hit, out=scratch("taken", hit.shape, g.dtype))
        into[:, positions] += taken
        left[:, seen] -= taken
    into[:, last] += left[:, seen_last]
    return dx


def _mean(x: Array, axis: int, windows: Windows, y: Array) -> Array:
    lines, total = _along(x, axis), _along(y, axis)
    total.fill(0)
    for seen, positions in windows.along[axis]:
        total[:, seen] += lines[:, positions]
    total /= window_sizes(windows, axis).astype(y.dtype)
    return y


def _to_all(g: Array, axis: int, windows: Windows, dx: Array) -> Array:
    share, into = _along(g, axis) / window_sizes(windows, axis).astype(g.dtype), _along(dx, axis)
    into.fill(0)
    for seen, positions in windows.along[axis]:
        into[:, positions] += share[:, seen]
    return dx


@lru_cache(maxsize=64)
def window_sizes(windows: Windows, axis: int) -> Array:
    """How many taps of each window lie on the grid along an axis, shape (windows, 1); ValueError where none do."""
    sizes = np.zeros((windows.output[axis], 1))
    for seen, _ in windows.along[axis]:
        sizes[seen] += 1
    if not sizes.all():
        raise ValueError(
            f"padding={windows.low} puts windows of size {windows.kernel} wholly outside of the input: choose less "
            "padding than the size of a window, or padding='same'"
        )
    sizes.flags.writeable = False
    return sizes


def _portions(x: Array) -> list[slice]:
    """A few images at a time."""
    step = max(1, POOLED * len(x) // max(x.size, 1))
    return [slice(k, min(k + step, len(x))) for k in range(0, len(x), step)]
