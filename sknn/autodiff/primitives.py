"""The elementary operations, each with the rule of its gradient.

A row of the table is the function on arrays and, for each input, the rule that turns `g`, the gradient of the
result `y`, into the gradient of that input. Rules are written in these same operations: given arrays they compute,
given Tensors they are recorded, given Jets they carry Taylor derivatives; so one line serves every order.

Names, arguments and broadcasting are NumPy's; arrays, Python numbers and traced values may be mixed. Constants in
rules are Python numbers and masks are boolean, so that float32 stays float32.

Examples
--------
>>> import numpy as np
>>> from sknn.autodiff import Tensor, grad
>>> from sknn.autodiff.primitives import exp, sum
>>> x = Tensor(np.array([0.0, 1.0]))
>>> grad(sum(exp(2.0 * x)), x).round(3)
array([ 2.   , 14.778])
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import sparse, special

from .tape import Pieces, Primitive, Value
from .traced import Traced

_FEW = 8_000  # numbers, whose sum by places is not worth more than a loop of NumPy's

# ------------------------------------------------------------------------------------- looking at traced values


def plain(x: Value) -> Any:
    """The array (or number) behind something traced; anything else as it is."""
    while isinstance(x, Traced):
        x = x.value
    return x


def shape_of(x: Value) -> tuple[int, ...]:
    """The shape of an array, a number, a sparse matrix or something traced."""
    try:
        return x.shape
    except AttributeError:
        return np.shape(x)


def _comparison(compare: Callable, doc: str) -> Callable[[Value, Value], np.ndarray]:
    def compared(a: Value, b: Value) -> np.ndarray:
        return compare(plain(a), plain(b))

    compared.__name__ = compare.__name__
    compared.__doc__ = f"Where {doc}: a boolean array, also for traced values; nothing is differentiated through it."
    return compared


greater = _comparison(np.greater, "a > b")
greater_equal = _comparison(np.greater_equal, "a >= b")
less = _comparison(np.less, "a < b")
less_equal = _comparison(np.less_equal, "a <= b")
equal = _comparison(np.equal, "a == b")
not_equal = _comparison(np.not_equal, "a != b")


def unbroadcast(g: Value, like: Value) -> Value:
    """`g` summed over the axes along which `like` was broadcast, of the shape of `like`.

    Examples
    --------
    >>> unbroadcast(np.ones((4, 3)), np.zeros(3))
    array([4., 4., 4.])
    """
    wide, shape = shape_of(g), shape_of(like)
    if wide == shape:
        return g
    lead = len(wide) - len(shape)
    stretched = [lead + i for i, n in enumerate(shape) if n != wide[lead + i]]
    return reshape(sum(g, axis=(*range(lead), *stretched)), shape)


# ------------------------------------------------------------------------------------ elementwise, of one input

negative = Primitive(np.negative, lambda g, y, x: -g)
square = Primitive(np.square, lambda g, y, x: 2.0 * g * x)
sqrt = Primitive(np.sqrt, lambda g, y, x: 0.5 * g / y)
sign = Primitive(np.sign, lambda g, y, x: None)  # no gradient passes
absolute = Primitive(np.absolute, lambda g, y, x: g * sign(x))
exp = Primitive(np.exp, lambda g, y, x: g * y)
expm1 = Primitive(np.expm1, lambda g, y, x: g * (y + 1.0))
log = Primitive(np.log, lambda g, y, x: g / x)
log1p = Primitive(np.log1p, lambda g, y, x: g / (x + 1.0))
sin = Primitive(np.sin, lambda g, y, x: g * cos(x))
cos: Primitive = Primitive(np.cos, lambda g, y, x: -g * sin(x))
sinh = Primitive(np.sinh, lambda g, y, x: g * cosh(x))
cosh: Primitive = Primitive(np.cosh, lambda g, y, x: g * sinh(x))
tanh = Primitive(np.tanh, lambda g, y, x: g * (1.0 - y * y))
sigmoid = Primitive(special.expit, lambda g, y, x: g * y * (1.0 - y), name="sigmoid")
erf = Primitive(special.erf, lambda g, y, x: g * (2.0 / math.sqrt(math.pi)) * exp(-x * x))


# ----------------------------------------------------------------------------- elementwise, with broadcasting


def _power_base(g: Value, y: Value, x: Value, p: Value) -> Value:
    if np.any(plain(p) == 0):  # there the derivative is 0, at x = 0 too, where x**(p - 1) would divide by it
        x = where((plain(x) == 0) & (plain(p) == 0), 1.0, x)
    return unbroadcast(g * p * x ** (p - 1), x)


def _power_exponent(g: Value, y: Value, x: Value, p: Value) -> Value:
    base = np.asarray(x, plain(y).dtype) if isinstance(x, int | float) else x
    positive = where(plain(base) == 0, 1.0, base)  # 0**p is flat for p > 0, and its logarithm would warn
    return unbroadcast(g * y * log(positive), p)


add = Primitive(np.add, lambda g, y, a, b: unbroadcast(g, a), lambda g, y, a, b: unbroadcast(g, b))
subtract = Primitive(np.subtract, lambda g, y, a, b: unbroadcast(g, a), lambda g, y, a, b: unbroadcast(-g, b))
multiply = Primitive(np.multiply, lambda g, y, a, b: unbroadcast(g * b, a), lambda g, y, a, b: unbroadcast(g * a, b))
divide = Primitive(np.divide, lambda g, y, a, b: unbroadcast(g / b, a), lambda g, y, a, b: unbroadcast(-g * y / b, b))
power = Primitive(operator.pow, _power_base, _power_exponent, name="power")
logaddexp = Primitive(
    np.logaddexp,
    lambda g, y, a, b: unbroadcast(g * sigmoid(a - b), a),
    lambda g, y, a, b: unbroadcast(g * sigmoid(b - a), b),
)
where: Primitive = Primitive(
    lambda condition, a, b: np.where(condition, a, b),
    None,
    lambda g, y, condition, a, b: unbroadcast(where(condition, g, 0.0), a),
    lambda g, y, condition, a, b: unbroadcast(where(condition, 0.0, g), b),
    name="where",
    doc="`a` where the boolean array `condition` holds, elsewhere `b`.",
)
maximum = Primitive(
    np.maximum,
    lambda g, y, a, b: unbroadcast(where(a >= b, g, 0.0), a),
    lambda g, y, a, b: unbroadcast(where(a >= b, 0.0, g), b),
    doc="The larger of two. In a tie the gradient goes to the first: ``maximum(0.0, x)`` has derivative 0 at 0.",
)
minimum = Primitive(
    np.minimum,
    lambda g, y, a, b: unbroadcast(where(a <= b, g, 0.0), a),
    lambda g, y, a, b: unbroadcast(where(a <= b, 0.0, g), b),
    doc="The smaller of two. In a tie the gradient goes to the first.",
)


def clip(x: Value, low: Value = None, high: Value = None) -> Value:
    """`x` kept between `low` and `high`; the gradient passes where nothing was cut, the bounds included."""
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


def softplus(x: Value) -> Value:
    """log(1 + exp(x)), without overflow."""
    return logaddexp(x, 0.0)


# ------------------------------------------------------------------------------------------------------ matmul


def _matmul_left(g: Value, y: Value, a: Value, b: Value) -> Value:
    if len(shape_of(b)) == 1:
        return expand_dims(g, -1) * b
    rows = expand_dims(g, -2) if len(shape_of(a)) == 1 else g
    return unbroadcast(matmul(rows, swapaxes(b, -1, -2)), a)


def _matmul_right(g: Value, y: Value, a: Value, b: Value) -> Value:
    if len(shape_of(a)) == 1:
        return a * g if len(shape_of(b)) == 1 else expand_dims(a, -1) * expand_dims(g, -2)
    if len(shape_of(b)) > 2:
        return unbroadcast(matmul(swapaxes(a, -1, -2), g), b)
    if len(shape_of(a)) > 2:  # one product over all rows of the batch, instead of a sum of products
        a, g = reshape(a, (-1, shape_of(a)[-1])), reshape(g, (-1, *shape_of(b)[1:]))
    return matmul(transpose(a), g)


def _matmul(a: Any, b: Any) -> Any:
    try:
        return a @ b
    except ValueError as error:
        came = " and ".join(f"{type(x).__name__} of shape {shape_of(x)}" for x in (a, b))
        raise ValueError(f"matmul cannot multiply {came}: {error}") from error


matmul = Primitive(
    _matmul,
    _matmul_left,
    _matmul_right,
    name="matmul",
    doc="As np.matmul; one operand may also be a scipy.sparse matrix, which stays constant: ``A @ x``.",
)


@matmul.takes
def _(y: Any, a: Any, b: Any) -> tuple[int, int]:
    """Each entry of a sparse matrix meets one number for each row, or column, of the other operand."""
    if not isinstance(a, np.ndarray):
        return a.nnz * (np.size(y) // a.shape[0]), np.size(y)
    if not isinstance(b, np.ndarray):
        return b.nnz * (np.size(y) // b.shape[-1]), np.size(y)
    return a.shape[-1] * np.size(y), np.size(y)


# -------------------------------------------------------------------------------------------------- reductions


def _axes(axis: int | tuple[int, ...] | None, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return tuple(i % ndim for i in (axis if isinstance(axis, tuple) else (axis,)))


def _restored(g: Value, x: Value, axis: int | tuple[int, ...] | None, keepdims: bool) -> Value:
    """`g` with the axes that a reduction of `x` took away put back, of length one."""
    if keepdims or axis is None:
        return g
    axes = _axes(axis, len(shape_of(x)))
    return reshape(g, tuple(1 if i in axes else n for i, n in enumerate(shape_of(x))))


def _first_extreme(x: Value, y: Value, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> np.ndarray:
    """True at the first place where `x` takes its maximum or minimum `y` over the axes, False elsewhere."""
    hits = plain(x) == plain(_restored(y, x, axis, keepdims))
    axes = _axes(axis, hits.ndim)
    back = range(hits.ndim - len(axes), hits.ndim)
    moved = np.moveaxis(hits, axes, back)
    flat = moved.reshape(*moved.shape[: back.start], -1)
    first = np.arange(flat.shape[-1]) == flat.argmax(-1)[..., None]
    return np.moveaxis(first.reshape(moved.shape), back, axes)


def _pass_to_first(
    g: Value, y: Value, x: Value, axis: int | tuple[int, ...] | None = None, keepdims: bool = False
) -> Value:
    return where(_first_extreme(x, y, axis, keepdims), _restored(g, x, axis, keepdims), 0.0)


def _softmax(x: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    exps = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return exps / np.sum(exps, axis=axis, keepdims=True)


def _logsumexp(x: np.ndarray, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> np.ndarray:
    peak = np.max(x, axis=axis, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    with np.errstate(divide="ignore"):  # the logarithm of a sum of nothing but exp(-inf)
        y = np.log(np.sum(np.exp(x - peak), axis=axis, keepdims=True)) + peak
    return y if keepdims else y.squeeze(axis)


sum = Primitive(
    lambda x, axis=None, keepdims=False: np.add.reduce(x, axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: broadcast_to(_restored(g, x, axis, keepdims), shape_of(x)),
    name="sum",
    doc="The sum over all axes or those named.",
)
max = Primitive(
    lambda x, axis=None, keepdims=False: np.maximum.reduce(x, axis=axis, keepdims=keepdims),
    _pass_to_first,
    name="max",
    doc="The maximum over all axes or those named. In a tie the gradient goes to the first place.",
)
min = Primitive(
    lambda x, axis=None, keepdims=False: np.minimum.reduce(x, axis=axis, keepdims=keepdims),
    _pass_to_first,
    name="min",
    doc="The minimum over all axes or those named. In a tie the gradient goes to the first place.",
)
logsumexp = Primitive(
    _logsumexp,
    lambda g, y, x, axis=None, keepdims=False: (
        _restored(g, x, axis, keepdims) * exp(x - _restored(y, x, axis, keepdims))
    ),
    name="logsumexp",
    doc="log(sum(exp(x))) over all axes or those named, without overflow.",
)
softmax = Primitive(
    _softmax,
    lambda g, y, x, axis=-1: y * (g - sum(g * y, axis=axis, keepdims=True)),
    name="softmax",
    doc="exp(x) / sum(exp(x)) along the axis, without overflow.",
)


cumsum: Primitive = Primitive(
    lambda x, axis: np.cumsum(x, axis, dtype=np.asarray(x).dtype),
    lambda g, y, x, axis: flip(cumsum(flip(g, axis), axis=axis), axis),
    name="cumsum",
    doc="The sums of the entries up to each, itself included, along an axis.",
)


def log_softmax(x: Value, axis: int | tuple[int, ...] = -1) -> Value:
    """The logarithm of :func:`softmax`, without underflow."""
    return x - logsumexp(x, axis=axis, keepdims=True)


def mean(x: Value, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Value:
    """The mean over all axes or those named."""
    shape = shape_of(x)
    return sum(x, axis=axis, keepdims=keepdims) / math.prod(shape[i] for i in _axes(axis, len(shape)))


# ----------------------------------------------------------------------------------------- moving entries about


def _broadcast_to(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    wide = np.empty(shape, np.asarray(x).dtype)  # np.broadcast_to is slower here and its result cannot be written to
    wide[...] = x
    return wide


def _put(*arrays: np.ndarray, indices: Sequence, shape: tuple[int, ...]) -> np.ndarray:
    y = np.zeros(shape, np.result_type(*(np.asarray(x).dtype for x in arrays)))
    for n, (x, index) in enumerate(zip(arrays, indices, strict=True)):
        if _may_repeat(index):
            _add_at(y, index, x)
        elif n == 0:
            y[index] = x
        else:
            y[index] += x
    return y


def _may_repeat(index: Any) -> bool:
    """Whether a place may be named twice, as only arrays of integers can."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, list | np.ndarray) and np.asarray(part).dtype != bool for part in parts)


def _add_at(y: np.ndarray, index: Any, x: np.ndarray) -> None:
    """``y[index] += x``, as often as a place is named."""
    if np.size(x) < _FEW or y.dtype.char not in "fd":
        np.add.at(y, index, x)
        return
    named = index if isinstance(index, tuple) else (index,)
    n_axes = len(named) if all(np.asarray(part).dtype.kind in "iu" for part in named) else y.ndim
    n_places = math.prod(y.shape[:n_axes])
    places = np.arange(n_places).reshape(y.shape[:n_axes])[index]
    rows = np.broadcast_to(np.asarray(x, y.dtype), places.shape + y.shape[n_axes:]).reshape(places.size, -1)
    _add_rows(y.reshape(n_places, -1), places.reshape(-1), rows)


def _add_rows(y: np.ndarray, places: np.ndarray, rows: np.ndarray) -> None:
    """``y[places] += rows``: NumPy is quick with single numbers; rows are summed by a product with a matrix of ones."""
    n_rows, width = rows.shape
    if width == 1:
        np.add.at(y[:, 0], places, rows[:, 0])
        return
    if len(y) > n_rows:
        named, ranks = _named_once(places, len(y))
        y[named] += _summed_by(ranks, len(named), rows)
    else:
        y += _summed_by(places, len(y), rows)


def _summed_by(places: np.ndarray, n_places: int, rows: np.ndarray) -> np.ndarray:
    ones, ends = np.ones(len(rows), rows.dtype), np.arange(len(rows) + 1)
    return sparse.csc_array((ones, places, ends), (n_places, len(rows))) @ rows


def _named_once(places: np.ndarray, n_places: int) -> tuple[np.ndarray, np.ndarray]:
    """The places that are named, each once, and the rank among them of each name; found without sorting."""
    names = np.arange(len(places))
    last = np.empty(n_places, np.intp)
    last[places] = names
    owners = last[places]
    is_last = owners == names
    return places[is_last], (np.cumsum(is_last) - 1)[owners]


def _part(g: Value, y: Value, *arrays: Value, axis: int, position: int) -> Value:
    stops = np.cumsum([shape_of(x)[axis] for x in arrays]).tolist()
    mine = slice(stops[position - 1] if position else 0, stops[position])
    return take(g, (slice(None),) * (axis % len(shape_of(g))) + (mine,))


reshape: Primitive = Primitive(
    lambda x, shape: np.reshape(x, shape),
    lambda g, y, x, shape: reshape(g, shape_of(x)),
    name="reshape",
    doc="The same entries in another shape.",
)
transpose: Primitive = Primitive(
    lambda x, axes=None: x.transpose(axes),
    lambda g, y, x, axes=None: transpose(g, None if axes is None else tuple(np.argsort(_axes(axes, len(axes))))),
    name="transpose",
    doc="The axes in reverse order, or in that of `axes`.",
)
broadcast_to: Primitive = Primitive(
    _broadcast_to,
    lambda g, y, x, shape: unbroadcast(g, x),
    name="broadcast_to",
    doc="The entries repeated to fill `shape`.",
)
take = Primitive(
    lambda x, index: x[index],
    lambda g, y, x, index: Pieces(put_all, g, index),
    name="take",
    doc="``x[index]`` for slices, integers, arrays of integers, boolean masks, and tuples of them.",
)
_put_all = Primitive(
    _put,
    lambda g, y, *arrays, indices, shape, position: unbroadcast(take(g, indices[position]), arrays[position]),
    name="put",
    variadic=True,
)
_concatenate = Primitive(
    lambda *arrays, axis: np.concatenate(arrays, axis),
    _part,
    name="concatenate",
    variadic=True,
)


def put(x: Value, index: Any, shape: tuple[int, ...]) -> Value:
    """Zeros of `shape` with `x` added at `index`, as often as a place is named: the transpose of `take`."""
    return _put_all(x, indices=(index,), shape=shape)


def put_all(arrays: Sequence[Value], indices: Sequence[Any], shape: tuple[int, ...]) -> Value:
    """Zeros of `shape` with each array added at its index: the sum of what :func:`put` makes of them, in one array."""
    return _put_all(*arrays, indices=tuple(indices), shape=shape)


def take_along(x: Value, indices: np.ndarray, axis: int = -1) -> Value:
    """The entries at these indices along an axis, as np.take_along_axis.

    Parameters
    ----------
    x : array or traced
        Of which entries are taken.
    indices : ndarray of int, with as many axes as x
        Where they are along the axis; along the others, shapes broadcast against each other.
    axis : int, default=-1
        The axis.

    Examples
    --------
    >>> take_along(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([[2], [0]]))
    array([[3.],
           [4.]])
    """
    return take(x, _along(indices, axis, shape_of(x)))


def put_along(x: Value, indices: np.ndarray, axis: int, shape: tuple[int, ...]) -> Value:
    """Zeros of `shape` with `x` added at these indices along an axis: the transpose of :func:`take_along`.

    Examples
    --------
    >>> put_along(np.ones((2, 2)), np.array([[2, 0], [1, 1]]), axis=-1, shape=(2, 3))
    array([[1., 0., 1.],
           [0., 2., 0.]])
    """
    return put(x, _along(indices, axis, shape), shape)


def _along(indices: np.ndarray, axis: int, shape: tuple[int, ...]) -> tuple:
    """The index that names places of an array of this shape: all along each axis, and `indices` along one."""
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis={axis} is none of the axes of an array of shape {shape}")
    if np.ndim(indices) != len(shape) or np.asarray(indices).dtype.kind not in "iu":
        raise ValueError(
            f"indices must be integers with as many axes as the array of shape {shape} has; "
            f"they are {np.asarray(indices).dtype} of shape {np.shape(indices)}"
        )
    return tuple(
        np.asarray(indices) if i == axis % len(shape) else np.arange(n).reshape((-1,) + (1,) * (len(shape) - 1 - i))
        for i, n in enumerate(shape)
    )


def flip(x: Value, axis: int) -> Value:
    """`x` with the entries along an axis in reverse order."""
    return take(x, (slice(None),) * (axis % len(shape_of(x))) + (slice(None, None, -1),))


def concatenate(arrays: Sequence[Value], axis: int = 0) -> Value:
    """The arrays joined along an axis they have."""
    return _concatenate(*arrays, axis=axis)


def stack(arrays: Sequence[Value], axis: int = 0) -> Value:
    """The arrays joined along a new axis."""
    return concatenate([expand_dims(x, axis) for x in arrays], axis)


def expand_dims(x: Value, axis: int) -> Value:
    """`x` with a new axis of length one at this place of the result."""
    shape = shape_of(x)
    axis %= len(shape) + 1
    return reshape(x, (*shape[:axis], 1, *shape[axis:]))


def swapaxes(x: Value, first: int, second: int) -> Value:
    """`x` with two axes exchanged."""
    axes = list(range(len(shape_of(x))))
    axes[first], axes[second] = axes[second], axes[first]
    return transpose(x, tuple(axes))


def pad(x: Value, widths: Any, value: float = 0.0) -> Value:
    """`x` between `value`s; `widths` is one number, a pair (before, after), or a pair for each axis, as in np.pad.

    Examples
    --------
    >>> pad(np.ones(2), (1, 2))
    array([0., 1., 1., 0., 0.])
    """
    shape = shape_of(x)
    pairs = np.broadcast_to(widths, (len(shape), 2)).tolist()
    inside = tuple(slice(before, before + n) for n, (before, _) in zip(shape, pairs, strict=True))
    padded_shape = tuple(before + n + after for n, (before, after) in zip(shape, pairs, strict=True))
    padded = put(x, inside, padded_shape)
    return padded if value == 0 else where(put(np.ones(shape, bool), inside, padded_shape), padded, value)


# -------------------------------------------------------------------- operators and methods of all that is traced


def _method(function: Callable) -> Callable:
    return lambda self, *arguments, **options: function(self, *arguments, **options)


def _reversed(function: Callable) -> Callable:
    return lambda self, other: function(other, self)


def _shaping(function: Callable) -> Callable:
    """The method that takes integers one by one or in a tuple."""
    return lambda self, *numbers: function(self, numbers[0] if len(numbers) == 1 else numbers or None)


_Named = dict[str, Callable]
_arithmetic: _Named = {"add": add, "sub": subtract, "mul": multiply, "truediv": divide, "pow": power, "matmul": matmul}
_operators: _Named = {"neg": negative, "abs": absolute, "getitem": take} | _arithmetic
_comparisons: _Named = {
    **{"gt": greater, "ge": greater_equal, "lt": less, "le": less_equal},
    **{"eq": equal, "ne": not_equal},
}
_reductions: _Named = {"sum": sum, "mean": mean, "max": max, "min": min}
for _name, _function in {
    **{f"__{name}__": _method(function) for name, function in (_operators | _comparisons).items()},
    **{f"__r{name}__": _reversed(function) for name, function in _arithmetic.items()},
    **{name: _method(function) for name, function in _reductions.items()},
    **{"reshape": _shaping(reshape), "transpose": _shaping(transpose), "T": property(_method(transpose))},
}.items():
    setattr(Traced, _name, _function)
Traced.operators.update(
    {getattr(np, function.__name__): function for function in (*_arithmetic.values(), *_comparisons.values())}
)
