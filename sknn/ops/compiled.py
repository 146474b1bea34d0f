"""The way from operations to the compiled kernels: where these apply they do the work, else the answer is None.

They apply to contiguous arrays of one dtype, float32 or float64, if they were built and are wanted (see ``_kernels``).
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from ._kernels import native
from .threads import threads_of_kernels
from .windows import Windows

if TYPE_CHECKING:
    from .activation import Activation
    from .attention import Dropout
    from .recurrence import Steps

Array = np.ndarray
POOLING_WORK = 8  # multiplications that take as long as the pooling of an element
ACTIVATION_WORK = 16  # and as an activation function
NORM_WORK = 4  # and as one pass over the memory
INTERRUPTIBLE = 1 << 20  # samples that the perceptron visits before it looks whether the user has interrupted it
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def _apply_to(first: Array, *others: Array | None) -> bool:
    dtype = first.dtype
    if native is None or dtype not in DTYPES or not first.flags.c_contiguous:
        return False
    for array in others:  # noqa: SIM110 - asked at every step, where a loop costs half of what all(...) does
        if array is not None and not (array.dtype == dtype and array.flags.c_contiguous):
            return False
    return True


@lru_cache(maxsize=256)
def _geometry(images: int, channels: int, filters: int, groups: int, windows: Windows) -> tuple[int, ...]:
    """What ``Geometry`` of the kernels holds: three axes, the missing ones in front of size 1."""

    def three(values: tuple[int, ...], missing: int) -> tuple[int, ...]:
        return (missing,) * (3 - len(values)) + tuple(values)

    axes = (windows.size, windows.output, windows.kernel, windows.stride, windows.dilation)
    numbers = [number for values in axes for number in three(values, 1)]
    return images, channels, filters, groups, *numbers, *three(windows.low, 0)


class Whole(NamedTuple):
    """What the activation keeps of all outputs, from a convolution that the compiled kernels did."""

    kept: Any


def convolve(
    x: Array, w: Array, b: Array | None, windows: Windows, groups: int, activation: Activation
) -> tuple[Array, Whole] | None:
    """As :func:`kernels.convolve`; the gradients are then those of :func:`convolve_back`."""
    x = np.ascontiguousarray(x)  # lest the layout of the same values change the last bit of the answer
    if not (_apply_to(x, w, b) and windows.all_touch_the_grid):
        return None
    y = np.empty((len(x), *windows.output, w.shape[-1]), x.dtype)
    geometry = _geometry(len(x), x.shape[-1], w.shape[-1], groups, windows)
    is_relu = activation.is_relu
    native.convolve(x, geometry, w, b, is_relu, y, threads_of_kernels(_multiplications(y, w)))
    return y, Whole(None if is_relu else activation.forward(y.reshape(-1, y.shape[-1])))


def _multiplications(y: Array, w: Array) -> int:
    return y.size * (w.size // w.shape[-1])


def convolve_back(
    g: Array,
    x: Array,
    w: Array,
    y: Array,
    whole: Whole,
    windows: Windows,
    groups: int,
    activation: Activation,
    wanted: Any,
) -> tuple[Array | None, Array | None, Array | None]:
    """As :func:`kernels.convolve_back`, after :func:`convolve`."""
    is_relu = activation.is_relu
    if not is_relu and not activation.is_identity:
        flat = (-1, y.shape[-1])
        g = activation.backward(g.reshape(flat), y.reshape(flat), whole.kept).reshape(y.shape)
    g, x = np.ascontiguousarray(g, x.dtype), np.ascontiguousarray(x)
    dx = np.empty(x.shape, x.dtype) if wanted[0] else None
    dw = np.empty_like(w) if wanted[1] else None
    db = np.empty(w.shape[-1], w.dtype) if wanted[2] else None
    geometry = _geometry(len(x), x.shape[-1], w.shape[-1], groups, windows)
    threads = threads_of_kernels(2 * _multiplications(y, w))
    native.convolve_back(g, geometry, x, w, y, is_relu, None, dx, dw, db, threads)
    return dx, dw, db


def input_gradient(g: Array, w: Array, windows: Windows, groups: int, b: Array | None = None) -> Array | None:
    """As :func:`kernels.input_gradient`."""
    g, w = np.ascontiguousarray(g), np.ascontiguousarray(w)
    if not (_apply_to(g, w, b) and windows.all_touch_the_grid):
        return None
    dx = np.empty((len(g), *windows.size, w.shape[-2] * groups), g.dtype)
    geometry = _geometry(len(g), dx.shape[-1], w.shape[-1], groups, windows)
    threads = threads_of_kernels(_multiplications(g, w))
    native.convolve_back(g, geometry, None, w, None, False, b, dx, None, None, threads)
    return dx


def weight_gradient(g: Array, x: Array, windows: Windows, groups: int) -> Array | None:
    """As :func:`kernels.weight_gradient`."""
    g, x = np.ascontiguousarray(g), np.ascontiguousarray(x)
    if not (_apply_to(g, x) and windows.all_touch_the_grid):
        return None
    dw = np.empty((*windows.kernel, x.shape[-1] // groups, g.shape[-1]), g.dtype)
    geometry = _geometry(len(x), x.shape[-1], g.shape[-1], groups, windows)
    threads = threads_of_kernels(_multiplications(g, dw))
    native.convolve_back(g, geometry, x, None, None, False, None, None, dw, None, threads)
    return dw


def _pool_geometry(x_shape: tuple[int, ...], windows: Windows) -> tuple[int, ...]:
    return _geometry(x_shape[0], x_shape[-1], x_shape[-1], 1, windows)


def pool(x: Array, windows: Windows, kind: str) -> Array | None:
    """The largest or the mean of each window, for kind "max" or "average"."""
    if not _apply_to(x):
        return None
    y = np.empty((len(x), *windows.output, x.shape[-1]), x.dtype)
    kernel = native.pool_max if kind == "max" else native.pool_average
    kernel(x, _pool_geometry(x.shape, windows), y, threads_of_kernels(POOLING_WORK * x.size))
    return y


def pool_max_back(g: Array, x: Array, y: Array, windows: Windows) -> Array | None:
    """As :func:`kernels.pool_max_back`."""
    if not _apply_to(g, x, y):
        return None
    dx = np.empty(x.shape, x.dtype)
    native.pool_max_back(g, _pool_geometry(x.shape, windows), x, y, dx, threads_of_kernels(POOLING_WORK * x.size))
    return dx


def pool_average_back(g: Array, shape: tuple[int, ...], windows: Windows) -> Array | None:
    """As :func:`kernels.pool_average_back`."""
    if not _apply_to(g):
        return None
    dx = np.empty(shape, g.dtype)
    native.pool_average_back(g, _pool_geometry(shape, windows), dx, threads_of_kernels(POOLING_WORK * dx.size))
    return dx


def _repetition(shape: tuple[int, ...], factors: tuple[int, ...]) -> tuple[int, ...]:
    """What ``Repetition`` of the kernels holds."""
    missing = (1,) * (3 - len(factors))
    return shape[0], *missing, *shape[1:-1], *missing, *factors, shape[-1]


def repeat(x: Array, factors: tuple[int, ...]) -> Array | None:
    """Each position of grids (n, *grid, channels) so many times along each axis."""
    if not _apply_to(x) or len(factors) > 3 or not x.size:
        return None
    grid = [n * factor for n, factor in zip(x.shape[1:-1], factors, strict=True)]
    y = np.empty((len(x), *grid, x.shape[-1]), x.dtype)
    native.repeat(x, _repetition(x.shape, factors), y, threads_of_kernels(NORM_WORK * y.size))
    return y


def repeat_back(g: Array, factors: tuple[int, ...]) -> Array | None:
    """The gradient of :func:`repeat`: the sum of what came of each position."""
    if not _apply_to(g) or len(factors) > 3 or not g.size:
        return None
    grid = [n // factor for n, factor in zip(g.shape[1:-1], factors, strict=True)]
    dx = np.empty((len(g), *grid, g.shape[-1]), g.dtype)
    native.repeat_back(g, _repetition(dx.shape, factors), dx, threads_of_kernels(NORM_WORK * g.size))
    return dx


def meet(x: Array, each: Array, multiply: bool) -> Array | None:
    """x each or x + each at all positions of each sample; x: (n, ..., channels), each: (n, channels)."""
    if not _apply_to(x, each) or not x.size:
        return None
    y = np.empty(x.shape, x.dtype)
    native.meet(x, each, multiply, y, threads_of_kernels(NORM_WORK * x.size))
    return y


def totals(x: Array, others: Array | None = None) -> Array | None:
    """The sum over the positions of each sample (n, ..., channels) of x, or of x times others like it."""
    if not _apply_to(x, others) or not x.size:
        return None
    sums = np.empty((len(x), x.shape[-1]), x.dtype)
    native.totals(x, others, sums, threads_of_kernels(NORM_WORK * x.size))
    return sums


def _agree(x: Array, W: Array, b: Array | None) -> bool:
    dtype = W.dtype
    if native is None or dtype not in DTYPES or x.dtype != dtype:
        return False
    return b is None or (b.dtype == dtype and b.flags.c_contiguous)


def _agree_or_widen(x: Array, W: Array, b: Array | None) -> bool:
    return _agree(x, W, b) or (x.dtype == np.float64 and W.dtype == np.float32 and _agree(W, W, b))


def dense(x: Array, W: Array, b: Array | None, relu: bool) -> Array | None:
    """x W + b, then ReLU if wanted; x (n, n_in) and W (n_in, n_out) may be strided or transposed.

    W and b may be in float32 where x is in float64: nothing is rounded to less than this.
    """
    if not _agree_or_widen(x, W, b):
        return None
    return native.dense(x, W, b, relu, ..., threads_of_kernels(len(x) * W.size))


def dense_of_members(x: Array, W: Array, b: Array | None, relu: bool) -> Array | None:
    """:func:`dense` for members side by side, each as if alone: x (members, n, n_in), W (members, n_in, n_out), b
    (members, n_out), of which each member's W and b are contiguous."""
    if not _members_agree(x, W, b):
        return None
    return native.dense(x, W, b, relu, ..., threads_of_kernels(x.shape[1] * W[0].size))


def _members_agree(x: Array, W: Array, b: Array | None) -> bool:
    dtype = W.dtype
    if native is None or dtype not in DTYPES or x.dtype != dtype:
        return False
    return b is None or (b.dtype == dtype and b[0].flags.c_contiguous)


def dense_back(g: Array, x: Array, W: Array, y: Array, relu: bool, out: Any) -> tuple | None:
    """Gradients of x, W and b after :func:`dense` or :func:`dense_of_members`; `out` says where each goes, as
    :class:`Fused` explains."""
    g = np.ascontiguousarray(g)
    if not _agree(x, W, g):
        return None
    multiplications = 2 * len(x) * W.size if x.ndim == 2 else 2 * x.shape[1] * W[0].size  # of a member, as if alone
    return native.dense_back(g, x, W, y, relu, *out, threads_of_kernels(multiplications))


def softmax_cross_entropy(raw: Array, target: Array, smoothing: float) -> tuple[Array, Array] | None:
    """The loss of each sample, and its slope of the shape of `raw`."""
    if not _apply_to(raw) or target.dtype != np.intp:
        return None
    if raw.ndim > 2:  # samples of members side by side, in one row
        values, slope = native.softmax_cross_entropy(
            raw.reshape(-1, raw.shape[-1]), np.ascontiguousarray(target).reshape(-1), smoothing
        )
        return values.reshape(target.shape), slope.reshape(raw.shape)
    return native.softmax_cross_entropy(raw, np.ascontiguousarray(target), smoothing)


class Read(NamedTuple):
    """What the way back through a recurrent cell wants kept, in the order in which the kernels take it."""

    x: Array
    state: Array | None
    y: Array
    gates: Array | None
    cells: Array | None
    cell: str
    W: Array
    U: Array
    b: Array
    order: Array
    starts: Array
    lengths: Array
    reverse: bool


def recurrence(
    x: Array, W: Array, U: Array, b: Array, state: Array | None, steps: Steps, cell: str, reverse: bool, whole: bool
) -> tuple[Array, Read] | None:
    """As :func:`recurrence.recurrence`; the gradients are then those of :func:`recurrence_back`."""
    x, W, U, b = (np.ascontiguousarray(each) for each in (x, W, U, b))
    state = None if state is None else np.ascontiguousarray(state)
    if not (_apply_to(x, W, U, b, state) and x.size):
        return None
    positions, units = steps.n_positions, len(U)
    has_cells = cell == "lstm"
    y = np.empty((*x.shape[:-1], (1 + (whole and has_cells)) * units), x.dtype)
    gates = None if cell == "rnn" else np.empty((positions, 4 * units), x.dtype)
    cells = np.empty((positions, units), x.dtype) if has_cells else None
    saved = Read(x, state, y, gates, cells, cell, W, U, b, steps.order, steps.starts, steps.lengths, reverse)
    native.recurrence(*saved, threads_of_kernels(positions * (W.size + U.size)))
    return y, saved


def recurrence_back(g: Array, saved: Read, out: Any) -> tuple:
    """The gradients of x, W, U, b and the initial states, of those that `out` wants."""
    inputs = (saved.x, saved.W, saved.U, saved.b, saved.state)[: len(out)]
    wanted = [
        np.empty(each.shape, each.dtype) if place is ... else place  # type: ignore[union-attr]
        for each, place in zip(inputs, out, strict=True)
    ]
    g = np.ascontiguousarray(g, saved.x.dtype)
    multiplications = g.size // g.shape[-1] * (saved.W.size + saved.U.size)
    places = wanted if len(out) == 5 else [*wanted, None]
    native.recurrence_back(*saved, g, *places, threads_of_kernels(2 * multiplications))
    return tuple(wanted)


def copy_runs(x: Array, y: Array, from_rows: Array, to_rows: Array, lengths: Array) -> bool:
    """Whether runs of rows of x, of these lengths, were copied to rows of y; no two may go to the same."""
    if not _apply_to(x, y):
        return False
    native.copy_runs(x, y, prod(x.shape[1:]), from_rows, to_rows, lengths)
    return True


def applies_to_perceptron(X: Any) -> bool:
    """Whether :func:`perceptron_epoch` can read such samples."""
    if issparse(X):
        return _apply_to(X.data) and X.format == "csr" and X.indices.dtype == X.indptr.dtype == np.int32
    return _apply_to(X) and X.flags.aligned  # a file may be mapped from any byte on


def perceptron_epoch(X: Any, y: Array, step: Array, weights: Array, order: Array | None) -> float:
    """As :func:`perceptron.perceptron_epoch`, to the last bit; sparse X must be sound and in canonical format."""
    rows = (X.data, X.indices, X.indptr) if issparse(X) else (X, None, None)
    order = np.arange(len(y)) if order is None else np.ascontiguousarray(order, np.intp)
    loss = np.zeros(1)
    for start in range(0, len(order), INTERRUPTIBLE):
        part = order[start : start + INTERRUPTIBLE]
        native.perceptron(*rows, X.shape[1], y, step, part, weights, loss)
    return float(loss[0])


def xorshift_permutation(n_samples: int, seed: int) -> Array:
    """As in :func:`perceptron.xorshift_orders`, from a seed above 0."""
    permutation = np.empty(n_samples, np.intp)
    native.xorshift_permutation(permutation, seed)
    return permutation


WITH_VALUES = frozenset({"logistic", "elu", "selu", "softplus", "silu", "gelu", "mish"})  # NumPy has the others fast
SLOPES_KEPT = frozenset({"silu", "gelu", "mish"})


class Slope(NamedTuple):
    """What the activation functions here keep: f'(z), where that cannot be had from f(z)."""

    values: Array | None


def activate(z: Array, name: str) -> Slope | None:
    """Overwrite z, of any memory layout, with f(z)."""
    if native is None or name not in WITH_VALUES or z.dtype not in DTYPES:
        return None
    y = np.ascontiguousarray(z)
    slope = np.empty(y.shape, y.dtype) if name in SLOPES_KEPT else None
    native.activate(y, name, slope, threads_of_kernels(ACTIVATION_WORK * y.size))
    if y is not z:
        z[...] = y
    return Slope(slope)


def activate_back(g: Array, y: Array, name: str, kept: Slope | Any) -> Array | None:
    """g f'(z), from y = f(z) and what :func:`activate` or NumPy kept."""
    if isinstance(kept, Slope) and kept.values is not None:
        return np.multiply(g, kept.values)
    if native is None or name in SLOPES_KEPT or y.dtype not in DTYPES or g.dtype != y.dtype:
        return None
    dz = np.empty(y.shape, y.dtype)
    threads = threads_of_kernels(ACTIVATION_WORK * y.size)
    native.activate_back(np.ascontiguousarray(g), name, np.ascontiguousarray(y), dz, threads)
    return dz


def thin(x: Array, kept: Array, factor: float) -> Array | None:
    """x kept factor, for booleans `kept`."""
    if not _apply_to(x) or kept.dtype != bool or not kept.flags.c_contiguous or kept.shape != x.shape:
        return None
    y = np.empty(x.shape, x.dtype)
    native.thin(x, kept, factor, y, threads_of_kernels(NORM_WORK * x.size))
    return y


def add(a: Array, b: Array, relu: bool) -> Array | None:
    """a + b, then ReLU if wanted."""
    if not _apply_to(a, b) or a.shape != b.shape:
        return None
    y = np.empty(a.shape, a.dtype)
    native.add(a, b, relu, y, threads_of_kernels(NORM_WORK * a.size))
    return y


def concatenate(a: Array, b: Array) -> Array | None:
    """[a, b], beside each other on the last axis."""
    if not _apply_to(a, b) or a.shape[:-1] != b.shape[:-1] or not (a.size and b.size):
        return None
    y = np.empty((*a.shape[:-1], a.shape[-1] + b.shape[-1]), a.dtype)
    native.concatenate(a, b, y, threads_of_kernels(NORM_WORK * y.size))
    return y


def split(y: Array, width: int, wanted: tuple[bool, bool]) -> tuple[Array | None, Array | None] | None:
    """Of y = [a, b], where a is so wide, those that are wanted."""
    if not _apply_to(y) or not y.size:
        return None
    widths = (width, y.shape[-1] - width)
    parts = [np.empty((*y.shape[:-1], n), y.dtype) if want else None for n, want in zip(widths, wanted, strict=True)]
    native.split(y, width, *parts, threads_of_kernels(NORM_WORK * y.size))
    return parts[0], parts[1]


def batch_statistics(x: Array) -> tuple[Array, Array] | None:
    """As :func:`norm.batch_statistics`."""
    if not _apply_to(x) or not x.size:
        return None
    mean, variance = np.empty((2, x.shape[-1]))
    native.batch_statistics(x, mean, variance, threads_of_kernels(NORM_WORK * x.size))
    return mean, variance


def channel_sums(x: Array) -> Array | None:
    """The sum of each channel, (channels,).

    It comes with the mean: a product with ones, in the BLAS, would leave threads behind that wait awake, in the way of
    those of the kernels, through much of a step.
    """
    found = batch_statistics(x)
    return None if found is None else (found[0] * (x.size // x.shape[-1])).astype(x.dtype)


BEHIND_NORMS = frozenset({"relu", "silu"})  # activation functions that the kernels of normalisation have within


def rescale(x: Array, mean: Array, factor: Array, shift: Array, behind: str | None = None) -> Array | None:
    """f((x - mean) factor + shift), for each channel; f is one of those that may stand behind a norm, or none."""
    if not _apply_to(x, mean, factor, shift) or not x.size:
        return None
    y = np.empty(x.shape, x.dtype)
    native.rescale(x, mean, factor, shift, behind, y, threads_of_kernels(NORM_WORK * x.size))
    return y


class Uncentred(NamedTuple):
    """What gradients of a normalisation need: z = (x - mean) scale is had from x once more, instead of being kept."""

    x: Array
    mean: Array
    scale: Array
    gain: Array


class UncentredBatch(NamedTuple):
    """The same of one over the batch, with all that the function behind it is told once more."""

    x: Array
    mean: Array
    scale: Array
    gain: Array
    shift: Array
    behind: str | None


class UncentredGroups(NamedTuple):
    """The same of one over groups of channels, in the order in which the kernels take it; statistics (n, groups)."""

    x: Array
    groups: int
    mean: Array
    scale: Array
    gain: Array
    shift: Array
    behind: str | None


def batch_norm_back(g: Array, saved: UncentredBatch, wanted: bool) -> tuple[Array | None, Array, Array]:
    """The gradients of x, if wanted, gain and shift, where :func:`rescale` by scale gain normalised x."""
    return _norm_back(native.batch_norm_back, g, saved, wanted)


def layer_norm(x: Array, gain: Array, shift: Array, epsilon: float) -> tuple[Array, Uncentred] | None:
    """As :func:`norm.layer_norm`."""
    if not _apply_to(x, gain, shift) or not x.size or x.ndim < 2:
        return None
    y = np.empty(x.shape, x.dtype)
    mean, scale = np.empty((2, len(x)), x.dtype)
    native.layer_norm(x, gain, shift, epsilon, y, mean, scale, threads_of_kernels(NORM_WORK * x.size))
    return y, Uncentred(x, mean, scale, gain)


def layer_norm_back(g: Array, saved: Uncentred, wanted: bool) -> tuple[Array | None, Array, Array]:
    """The gradients of x, if wanted, gain and shift, after :func:`layer_norm`."""
    return _norm_back(native.layer_norm_back, g, saved, wanted)


def group_norm(
    x: Array, gain: Array, shift: Array, groups: int, epsilon: float, behind: str | None
) -> tuple[Array, UncentredGroups] | None:
    """As :func:`group_norm.group_norm` of samples on a grid."""
    if not _apply_to(x, gain, shift) or not x.size or x.ndim < 2:
        return None
    y = np.empty(x.shape, x.dtype)
    mean, scale = np.empty((2, len(x), groups), x.dtype)
    threads = threads_of_kernels(2 * NORM_WORK * x.size)
    native.group_norm(x, groups, gain, shift, epsilon, behind, y, mean, scale, threads)
    return y, UncentredGroups(x, groups, mean, scale, gain, shift, behind)


def group_norm_back(g: Array, saved: UncentredGroups, wanted: bool) -> tuple[Array | None, Array, Array]:
    """The gradients of x, if wanted, gain and shift, after :func:`group_norm`."""
    return _norm_back(native.group_norm_back, g, saved, wanted)


def _norm_back(
    kernel: Any, g: Array, saved: Uncentred | UncentredBatch | UncentredGroups, wanted: bool
) -> tuple[Array | None, Array, Array]:
    x, gain = saved.x, saved.gain
    dx = np.empty(x.shape, x.dtype) if wanted else None
    to_gain, to_shift = np.empty_like(gain), np.empty_like(gain)
    g, threads = np.ascontiguousarray(g, x.dtype), threads_of_kernels(2 * NORM_WORK * x.size)
    kernel(g, *saved, dx, to_gain, to_shift, threads)
    return dx, to_gain, to_shift


class Bent(NamedTuple):
    """What gradients of a spline need, in the order in which the kernels take it."""

    x: Array
    raw: Array
    n_bins: int
    bound: float
    inverse: bool


def spline(x: Array, raw: Array, bound: float, inverse: bool) -> tuple[Array, Bent] | None:
    """As :func:`spline.spline`."""
    x, raw = np.ascontiguousarray(x), np.ascontiguousarray(raw)
    if not _apply_to(x, raw):
        return None
    y = np.empty((2, *x.shape), x.dtype)
    saved = Bent(x, raw, (raw.shape[-1] + 1) // 3, bound, inverse)
    native.spline(*saved, y, threads_of_kernels(ACTIVATION_WORK * raw.size))
    return y, saved


def spline_back(g: Array, saved: Bent, wanted: tuple[bool, bool]) -> tuple[Array | None, Array | None]:
    """The gradients of x and raw, of those that are wanted."""
    dx, draw = (np.empty_like(each) if want else None for each, want in zip(saved[:2], wanted, strict=True))
    threads = threads_of_kernels(ACTIVATION_WORK * saved.raw.size)
    native.spline_back(np.ascontiguousarray(g, saved.x.dtype), *saved, dx, draw, threads)
    return dx, draw


def _rows_apply_to(first: Array, *others: Array) -> bool:
    """Whether all are rows of one precision, each contiguous, at any distance from each other."""
    size = first.itemsize
    return (
        native is not None
        and first.dtype in DTYPES
        and all(x.dtype == first.dtype and x.strides[1] == size and x.strides[0] % size == 0 for x in (first, *others))
    )


class Weighed(NamedTuple):
    """What gradients of attention need to make the weights again: the peak and the share of each row, by head."""

    sums: Array


def attention(
    operands: tuple[Array, Array, Array], dropout: Dropout, multiplications: int
) -> tuple[Array, Weighed] | None:
    """As :func:`attention.attention`, of queries, keys and values."""
    if not _rows_apply_to(*operands):
        return None
    q = operands[0]
    y, sums = np.empty(q.shape, q.dtype), np.empty((len(q), dropout.n_heads, 2), q.dtype)
    native.attention(*operands, *_attending(dropout), y, sums, threads_of_kernels(multiplications))
    return y, Weighed(sums)


def attention_back(
    g: Array, operands: tuple[Array, Array, Array], y: Array, weighed: Weighed, dropout: Dropout, to: tuple, work: int
) -> None:
    """Writes the gradients after :func:`attention` to those of queries, keys and values, rows like them."""
    g = np.ascontiguousarray(g, y.dtype)
    native.attention_back(*operands, *_attending(dropout), y, weighed.sums, g, *to, threads_of_kernels(work))


def _attending(dropout: Dropout) -> tuple:
    scope = dropout.scope
    return scope.table, dropout.n_heads, scope.causal, dropout.kept, dropout.factor
