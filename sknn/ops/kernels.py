"""Convolution and pooling on arrays: the one door through which both passes of both go.

A convolution copies the windows of a few images at a time into a matrix of patches, small enough for the cache, and
multiplies that: the patches of a whole batch never exist. Such blocks are independent and shared out to threads; bias
and activation are applied to a block while it is still in the cache. Arrays are channels-last, (n, *grid, channels).
"""

from __future__ import annotations

from functools import lru_cache, reduce
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .activation import ACTIVATIONS, Activation
from .threads import share_out
from .windows import Windows
from .workspace import large, scratch

Array = np.ndarray
PATCHES = 1 << 18  # elements of a block's patch matrix: a megabyte of float32
STRANDS = 8  # gradients of the weights summed side by side: not one for each block, which may be many and they large


class Block(NamedTuple):
    """Some images, and some rows of their outputs; several images only with all their rows."""

    images: slice
    rows: slice

    def of(self, outputs: Array) -> Array:
        """This part of the outputs (n, *grid, channels), as a matrix of pixels by channels: a view."""
        part = outputs[self.images, self.rows]
        return part.reshape(-1, outputs.shape[-1])


def blocks(n: int, windows: Windows, taps: int) -> list[Block]:
    """Blocks whose patches, of `taps` elements for each output, fit the cache; two if they are few but not tiny."""
    per_image = taps * prod(windows.output)
    n_rows = windows.output[0]
    if per_image <= 4 * PATCHES:
        total = n * per_image
        images = max(1, min(PATCHES, total if total < PATCHES // 4 else total // 2) // per_image)
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
    seen = as_strided(
        padded,
        (groups, n, *outputs, *windows.kernel, channels),
        (
            channels * channel,
            image,
            *(a * s for a, s in zip(axes, windows.stride, strict=True)),
            *(a * d for a, d in zip(axes, windows.dilation, strict=True)),
            channel,
        ),
        writeable=False,
    )
    copied = scratch("patches", seen.shape, x.dtype)
    copied[...] = seen
    return copied.reshape(groups, n * prod(outputs), prod(windows.kernel) * channels)


def _cut(x: Array, first: tuple[int, ...], size: tuple[int, ...]) -> Array:
    """The part of the grid that begins at `first`, zero outside of x; x itself where that is all of it."""
    if all(f == 0 and s <= n for f, s, n in zip(first, size, x.shape[1:], strict=False)):
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
) -> tuple[Array, list]:
    """f(x * w + b), cross-correlation; and what the activation keeps, block by block.

    x: (n, *grid, channels); w: (*kernel, channels / groups, filters); b: (filters,) or None. The result has shape
    (n, *windows.output, filters).
    """
    filters = w.shape[-1]
    shape = (len(x), *windows.output, filters)
    dtype = np.result_type(x, w)
    y = _space(shape, dtype)
    by_group = _grouped(w, groups)
    parts = blocks(len(x), windows, w[..., 0].size * groups)

    def work(block: Block) -> Any:
        z = block.of(y)
        _multiply(patches(x, windows, block, groups), by_group, z)
        if b is not None:
            z += b
        return activation.forward(z)

    return y, share_out(work, parts, prod(shape) * w[..., 0].size)


def convolve_back(
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
    """The gradients of x, w and b where `wanted` says so, from that of y."""
    parts = list(enumerate(blocks(len(x), windows, w[..., 0].size * groups)))
    dz = g if activation.is_identity else _space(y.shape, y.dtype)

    def work(strand: list[tuple[int, Block]]) -> tuple[Array | None, Array | None]:
        dw = db = None
        for number, block in strand:
            slope = block.of(dz)
            if not activation.is_identity:
                slope[...] = activation.backward(block.of(g), block.of(y), kept[number])
            if wanted[1]:
                dw = _plus(dw, np.matmul(patches(x, windows, block, groups).transpose(0, 2, 1), _split(slope, groups)))
            if wanted[2]:
                db = _plus(db, np.dot(np.ones(len(slope), slope.dtype), slope))
        return dw, db

    strands = [parts[k::STRANDS] for k in range(min(STRANDS, len(parts)))]
    found = share_out(work, strands, prod(y.shape) * w[..., 0].size)
    dx = _spread(dz, w, windows, groups) if wanted[0] else None
    dw = _ungrouped(_total([each for each, _ in found]), w.shape) if wanted[1] else None
    db = _total([each for _, each in found]) if wanted[2] else None
    return dx, dw, db


def _spread(dz: Array, w: Array, windows: Windows, groups: int) -> Array:
    """The gradient of x: dz, spread by the stride, convolved with the kernel turned around."""
    back = windows.transposed()
    if any(s > 1 for s in windows.stride):
        spread = np.zeros((len(dz), *back.size, dz.shape[-1]), dz.dtype)
        spread[(slice(None), *(slice(None, None, s) for s in windows.stride))] = dz
        dz = spread
    *kernel, channels, filters = w.shape
    turned = w[(slice(None, None, -1),) * len(kernel)].reshape(*kernel, channels, groups, filters // groups)
    turned = np.moveaxis(turned, (-1, -2, -3), (-3, -2, -1)).reshape(*kernel, filters // groups, groups * channels)
    return convolve(dz, turned, None, back, groups, ACTIVATIONS["identity"])[0]


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


def _split(z: Array, groups: int) -> Array:
    """Outputs (pixels, filters) as (groups, pixels, filters of a group)."""
    return z.reshape(len(z), groups, -1).transpose(1, 0, 2)


def _total(parts: list) -> Array:
    """The sum in a fixed order, so that results are the same from run to run."""
    return reduce(_plus, parts)


def _plus(total: Array | None, part: Array) -> Array:
    """The sum of both, written into the first where there is one."""
    return part if total is None else np.add(total, part, out=total)


def _space(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    space = large(shape, np.empty(0, dtype))
    return np.empty(shape, dtype) if space is None else space


# -- pooling -------------------------------------------------------------------------------------------------------


def pool_max(x: Array, windows: Windows) -> Array:
    """The largest of each window. x: (n, *grid, channels); the result (n, *windows.output, channels)."""
    window_sizes(windows)  # raises where a window has nothing to choose from
    y = _space((len(x), *windows.output, x.shape[-1]), x.dtype)

    def work(images: slice) -> None:
        y[images] = -np.inf
        for seen, positions in windows.taps():
            target = y[(images, *seen)]
            np.maximum(target, x[(images, *positions)], out=target)

    share_out(work, _portions(len(x)), prod(windows.kernel) * y.size)
    return y


def pool_max_back(g: Array, x: Array, y: Array, windows: Windows) -> Array:
    """The gradient of x: that of each window goes to the first of its largest elements."""
    dx = _space(x.shape, x.dtype)

    def work(images: slice) -> None:
        dx[images] = 0
        waiting = np.ones(y[images].shape, bool)  # windows whose largest element has not been met yet
        for seen, positions in windows.taps():
            here = (slice(None), *seen)
            hit = x[(images, *positions)] == y[(images, *seen)]
            hit &= waiting[here]
            waiting[here] &= ~hit
            dx[(images, *positions)] += g[(images, *seen)] * hit

    share_out(work, _portions(len(x)), 4 * prod(windows.kernel) * y.size)
    return dx


def pool_average(x: Array, windows: Windows) -> Array:
    """The mean of each window over those of its elements that lie on the grid."""
    y = _space((len(x), *windows.output, x.shape[-1]), x.dtype)
    share = 1.0 / window_sizes(windows).astype(x.dtype)

    def work(images: slice) -> None:
        y[images] = 0
        for seen, positions in windows.taps():
            y[(images, *seen)] += x[(images, *positions)]
        y[images] *= share

    share_out(work, _portions(len(x)), prod(windows.kernel) * y.size)
    return y


def pool_average_back(g: Array, shape: tuple[int, ...], windows: Windows) -> Array:
    """The gradient of x: each window's, divided among its elements on the grid."""
    dx = _space(shape, g.dtype)
    share = 1.0 / window_sizes(windows).astype(g.dtype)

    def work(images: slice) -> None:
        dx[images] = 0
        part = g[images] * share
        for seen, positions in windows.taps():
            dx[(images, *positions)] += part[(slice(None), *seen)]

    share_out(work, _portions(len(g)), prod(windows.kernel) * g.size)
    return dx


@lru_cache(maxsize=64)
def window_sizes(windows: Windows) -> Array:
    """How many elements of each window lie on the grid, shape (*windows.output, 1); ValueError where none do."""
    sizes = np.zeros((*windows.output, 1))
    for seen, _ in windows.taps():
        sizes[seen] += 1
    if not sizes.all():
        raise ValueError(
            f"padding={windows.low} puts windows of size {windows.kernel} wholly outside of the input: choose less "
            "padding than the size of a window, or padding='same'"
        )
    sizes.flags.writeable = False
    return sizes


def _portions(n: int) -> list[slice]:
    """Images in a few equal portions."""
    step = max(1, -(-n // 8))
    return [slice(k, min(k + step, n)) for k in range(0, n, step)]
