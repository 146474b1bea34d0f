"""Taylor derivatives carried forward: f(x + t v) and its derivatives by t, in one pass.

A :class:`Jet` is a value together with its derivatives along one direction. What an operation y = op(x) makes of them
follows from its slope y' = J x', evaluated on jets of one order less; so the second derivative is the first
derivative of the first, and so on. And J x' needs no new rules: where the Jacobian is symmetric, as it is for
everything elementwise, the vector-Jacobian rule of the operation *is* J x', and a linear operation is its own Jacobian.

The terms of a jet may be Tensors, so that what is made of derivatives by the inputs (the residual of a differential
equation) can be differentiated by the parameters. They may be Jets, too, which gives mixed derivatives.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from . import primitives as p
from .tape import Fused, Operation, Primitive, Traced, Value, cast, identity

_ranks = itertools.count(1)  # a jet made inside the function of another one leads over it


class Jet(Traced):
    """A value and its derivatives along one direction; made by :func:`jet`.

    Parameters
    ----------
    rank : int
        Tells the direction; operations treat jets of a lower rank as constants, since they belong to another one.
    terms : sequence of arrays, Tensors or Jets
        The value, the first derivative, the second ...; all of one shape.
    """

    __slots__ = ("rank", "terms")

    def __init__(self, rank: int, terms: Sequence[Value]) -> None:
        self.rank = rank
        self.terms = tuple(terms)

    @staticmethod
    def apply(operation: Operation, inputs: tuple, options: dict) -> Value:
        if isinstance(operation, Fused):
            return operation.refer(*inputs, **options)
        if operation not in CARRIED:
            raise TypeError(f"{operation.__name__} is in no class of CARRIED, so jets cannot pass through it")
        rank = max(x.rank for x in inputs if isinstance(x, Jet))
        return CARRIED[operation](rank, operation, inputs, options)

    value = property(lambda self: self.terms[0])

    def __repr__(self) -> str:
        return f"Jet{self.terms!r}"


def jet(f: Callable[[Value], Value], x: Value, v: Value, order: int = 2) -> tuple[Value, ...]:
    """The value of f(x + t v) and its derivatives by t, at t = 0.

    Parameters
    ----------
    f : callable
        A function of one argument made of operations.
    x : array or Tensor
        Where.
    v : array or Tensor of the shape of x
        The direction. The unit vector e_i gives the derivatives by x_i; one e_i in each row of a batch gives those
        of every sample.
    order : int, default=2
        The highest derivative.

    Returns
    -------
    tuple of order + 1 arrays or Tensors
        f(x), then the first derivative, the second ...; each of the shape of f(x).

    Raises
    ------
    ValueError
        If `v` is not of the shape of `x`, or `order` is less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.autodiff import jet
    >>> jet(lambda x: x**3, np.array([2.0]), np.array([1.0]))
    (array([8.]), array([12.]), array([12.]))

    A jet in a jet gives a mixed derivative, here that of x y**2 by x and y at (3, 5):

    >>> x, y = np.array(3.0), np.array(5.0)
    >>> along_y = lambda x: jet(lambda y: x * y**2, y, np.array(1.0), order=1)[1]
    >>> float(jet(along_y, x, np.array(1.0), order=1)[1])
    10.0
    """
    x, v = (z if isinstance(z, Traced) else np.asarray(z) for z in (x, v))
    if p.shape_of(x) != p.shape_of(v):
        raise ValueError(f"the direction v must have the shape {p.shape_of(x)} of x; it has {p.shape_of(v)}")
    if order < 1:
        raise ValueError(f"order must be at least 1; got {order}")
    rank = next(_ranks)
    y = f(Jet(rank, (x, v) + (_zeros_like(x),) * (order - 1)))
    return y.terms if _is_jet(y, rank) else (y,) + (_zeros_like(y),) * order


def _is_jet(x: Any, rank: int) -> bool:
    return isinstance(x, Jet) and x.rank == rank


def _zeros_like(x: Value) -> np.ndarray:
    return np.zeros(p.shape_of(x), p.plain(x).dtype)


def _terms(x: Value, rank: int) -> tuple:
    return x.terms if _is_jet(x, rank) else (x,)


def _jet(rank: int, terms: tuple) -> Value:
    return Jet(rank, terms) if len(terms) > 1 else terms[0]


def _lowered(x: Value, rank: int) -> Value:
    """The jet with its last derivative dropped."""
    return _jet(rank, x.terms[:-1]) if _is_jet(x, rank) else x


def _slope(x: Value, rank: int) -> Value:
    """The derivative of a jet, itself a jet of one order less."""
    return _jet(rank, x.terms[1:])


# ------------------------------------------------------------------- what each class of operations makes of jets


def _symmetric(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Jet:
    """y' is the sum over the inputs of rule(x'): the Jacobian by each input equals its transpose."""
    lowered = [_lowered(x, rank) for x in inputs]
    y = operation(*lowered, **options)
    shape = p.shape_of(y)
    wide = [_widened(low, shape) if _is_jet(x, rank) else low for x, low in zip(inputs, lowered, strict=True)]
    slopes = [
        operation.rule(i)(_widened(_slope(x, rank), shape), y, *wide, **options)
        for i, x in enumerate(inputs)
        if _is_jet(x, rank)
    ]
    return Jet(rank, (_terms(y, rank)[0], *_terms(reduce(p.add, slopes), rank)))


def _widened(x: Value, shape: tuple[int, ...]) -> Value:
    return x if p.shape_of(x) == shape else p.broadcast_to(x, shape)


def _reducing(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Jet:
    """y' is the sum of x' over the axes, weighted by the gradient rule(1)."""
    x, *arguments = inputs
    low = _lowered(x, rank)
    y = operation(low, *arguments, **options)
    weights = operation.rule(0)(np.ones(p.shape_of(y), p.plain(y).dtype), y, low, *arguments, **options)
    slope = p.sum(p.multiply(weights, _slope(x, rank)), *arguments, **options)
    return Jet(rank, (_terms(y, rank)[0], *_terms(slope, rank)))


def _linear(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Jet:
    """Every derivative passes through the operation as the value does."""

    def term(x: Value, n: int) -> Value:
        if _is_jet(x, rank):
            return x.terms[n]
        return _zeros_like(x) if operation.variadic and n > 0 else x

    n_terms = next(len(x.terms) for x in inputs if _is_jet(x, rank))
    return Jet(rank, [operation(*(term(x, n) for x in inputs), **options) for n in range(n_terms)])


def _bilinear(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Jet:
    """y' = op(a', b) + op(a, b'); linear while only one of the two varies."""
    a, b = inputs
    if not (_is_jet(a, rank) and _is_jet(b, rank)):
        return _linear(rank, operation, inputs, options)
    slope = operation(_slope(a, rank), _lowered(b, rank)) + operation(_lowered(a, rank), _slope(b, rank))
    return Jet(rank, (operation(a.value, b.value), *_terms(slope, rank)))


def _constant(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Value:
    """The derivative is zero wherever there is one."""
    return operation(*(_terms(x, rank)[0] for x in inputs), **options)


_CLASSES: dict[Callable, tuple] = {
    _symmetric: (
        *(p.negative, p.square, p.sqrt, p.absolute, p.exp, p.expm1, p.log, p.log1p),
        *(p.sin, p.cos, p.sinh, p.cosh, p.tanh, p.sigmoid, p.erf, p.softmax),
        *(p.add, p.subtract, p.multiply, p.divide, p.power, p.logaddexp, p.where, p.maximum, p.minimum),
    ),
    _reducing: (p.max, p.min, p.logsumexp),
    _linear: (
        *(identity, cast, p.sum, p.reshape, p.transpose, p.broadcast_to, p.take, p.put),
        Operation.table["concatenate"],
    ),
    _bilinear: (p.matmul,),
    _constant: (p.sign,),
}
CARRIED: dict[Operation, Callable] = {operation: kind for kind, members in _CLASSES.items() for operation in members}
