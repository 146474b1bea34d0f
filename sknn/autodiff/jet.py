"""Taylor derivatives carried forward: f(x + t v) and its derivatives by t, in one pass.

A :class:`Jet` is a value together with its derivatives along one direction. Those of a product come from Leibniz' rule,
(ab)^(n) = sum_k C(n, k) a^(k) b^(n-k), those of a quotient from the same rule solved for it. What any other operation
y = op(x) makes of them follows from its slope y' = J x', and J x' needs no new rules: where the Jacobian is symmetric,
as it is for everything elementwise, the vector-Jacobian rule of the operation *is* J x', and a linear operation is its
own Jacobian.

Such a rule speaks of y itself (that of tanh is x' (1 - y y)), of which it is to give the next derivative. So within it
jets grow: what is computed of y there has its first n terms as soon as y has, gives one more when y is asked for its
next, and keeps what it has given. Nothing is computed twice, and order n takes about n^2 operations. A derivative that
is zero by construction, such as the second of x itself, is None and takes none.

The terms of a jet may be Tensors, so that what is made of derivatives by the inputs (the residual of a differential
equation) can be differentiated by the parameters. They may be Jets, too, which gives mixed derivatives.

References
----------
Griewank, Walther (2008). Evaluating derivatives. 2nd ed., SIAM. Chapter 13.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial, reduce
from math import comb
from typing import Any

import numpy as np

from . import primitives as p
from .tape import Fused, Operation, Primitive, Value, cast, identity
from .traced import Traced

_ranks = itertools.count(1)  # a jet made inside the function of another one leads over it


class Jet(Traced):
    """A value and its derivatives along one direction; made by :func:`jet`.

    Parameters
    ----------
    rank : int
        Tells the direction; operations treat jets of a lower rank as constants, since they belong to another one.
    known : sequence of arrays, Tensors, Jets or None
        The value, the first derivative, the second ...; all of one shape, None for zeros.
    order : int, default=None
        The highest derivative; that of the last known.
    following : callable, default=None
        Of a jet that grows: called with it and n for the n-th derivative once those below are known.
    """

    __slots__ = ("following", "known", "order", "rank")

    def __init__(
        self, rank: int, known: Sequence[Value], order: int | None = None, following: Callable | None = None
    ) -> None:
        self.rank = rank
        self.known = list(known)
        self.order = len(self.known) - 1 if order is None else order
        self.following = following

    @staticmethod
    def apply(operation: Operation, inputs: tuple, options: dict) -> Value:
        if isinstance(operation, Fused):
            return operation.refer(*inputs, **options)
        if operation not in CARRIED:
            raise TypeError(f"{operation.__name__} is in no class of CARRIED, so jets cannot pass through it")
        rank = max(x.rank for x in inputs if isinstance(x, Jet))
        y = CARRIED[operation](rank, operation, inputs, options)
        if _is_jet(y, rank) and all(x.following is None for x in inputs if _is_jet(x, rank)):
            y.term(y.order)
        return y

    def term(self, n: int) -> Value:
        """The n-th derivative; None if it is zero by construction."""
        known = self.known
        while len(known) <= n:
            known.append(self.following(self, len(known)))  # type: ignore[misc]
            if len(known) > self.order:
                self.following = None  # which may hold what refers to this jet
        return known[n]

    value = property(lambda self: self.term(0))

    def __repr__(self) -> str:
        return f"Jet{tuple(self.known)!r}"


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
    y = f(Jet(rank, (x, v) + (None,) * (order - 1)))
    if not _is_jet(y, rank):
        return (y,) + (_zeros_like(y),) * order
    return tuple(_zeros_like(y) if term is None else term for term in y.known)


def _is_jet(x: Any, rank: int) -> bool:
    return isinstance(x, Jet) and x.rank == rank


def _zeros_like(x: Value) -> np.ndarray:
    return np.zeros(p.shape_of(x), np.result_type(p.plain(x)))


def _value(x: Value, rank: int) -> Value:
    return x.term(0) if _is_jet(x, rank) else x


def _term(x: Value, rank: int, n: int) -> Value:
    """The n-th derivative of a jet or of a constant, None if it is zero."""
    if _is_jet(x, rank):
        return x.term(n)
    return None if n else x


def _lowered(x: Value, rank: int) -> Value:
    """The jet without its last derivative."""
    if not _is_jet(x, rank):
        return x
    if x.order == 1:
        return x.term(0)
    return Jet(rank, x.known[:-1]) if x.following is None else Jet(rank, (), x.order - 1, lambda _, n: x.term(n))


def _slope(x: Value, rank: int) -> Value:
    """The derivative of a jet, itself a jet of one order less with a first term; None if it is zero."""
    if x.following is None and all(each is None for each in x.known[1:]):
        return None

    def term(n: int) -> Value:
        found = x.term(n + 1)
        return _zeros_like(x) if found is None and n == 0 else found

    if x.order == 1:
        return term(0)
    if x.following is None:
        return Jet(rank, (term(0), *x.known[2:]))
    return Jet(rank, (), x.order - 1, lambda _, n: term(n))


def _widened(x: Value, shape: tuple[int, ...]) -> Value:
    return x if p.shape_of(x) == shape else p.broadcast_to(x, shape)


def _grown(rank: int, inputs: Sequence, term: Callable) -> Jet:
    """The jet with these terms, of the order of the inputs."""
    return Jet(rank, (), min(x.order for x in inputs if _is_jet(x, rank)), term)


# ------------------------------------------------------------------- what each class of operations makes of jets


def _symmetric(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Jet:
    """y' is the sum over the inputs of rule(x'): the Jacobian by each input equals its transpose."""

    def slope(y: Jet) -> Value:
        shape, lowered = p.shape_of(y), [_lowered(x, rank) for x in inputs]
        wide = [_widened(low, shape) if _is_jet(x, rank) else low for x, low in zip(inputs, lowered, strict=True)]
        below = _lowered(y, rank)
        slopes = [
            operation.rule(i)(_widened(along, shape), below, *wide, **options)
            for i, x in enumerate(inputs)
            if _is_jet(x, rank) and (along := _slope(x, rank)) is not None
        ]
        return reduce(p.add, slopes) if slopes else None

    return _integrated(rank, operation, inputs, options, slope)


def _reducing(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Jet:
    """y' is the sum of x' over the axes, weighted by the gradient rule(1)."""
    x, *arguments = inputs

    def slope(y: Jet) -> Value:
        along, below = _slope(x, rank), _lowered(y, rank)
        if along is None:
            return None
        ones = np.ones(p.shape_of(y), p.plain(y).dtype)
        weights = operation.rule(0)(ones, below, _lowered(x, rank), *arguments, **options)
        return p.sum(p.multiply(weights, along), *arguments, **options)

    return _integrated(rank, operation, inputs, options, slope)


def _integrated(rank: int, operation: Primitive, inputs: Sequence, options: dict, slope: Callable) -> Jet:
    """The jet of the operation's value, and then of the terms of its slope.

    The slope is made when the first of them is asked for: by then its inputs, which may grow themselves, have theirs.
    """
    made: list[Value] = []

    def term(y: Jet, n: int) -> Value:
        if n == 0:
            return operation(*(_value(x, rank) for x in inputs), **options)
        if not made:
            made.append(slope(y))
        return _term(made[0], rank, n - 1)

    return _grown(rank, inputs, term)


def _linear(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Jet:
    """Every derivative of the one jet passes through the operation as its value does, beside the same arguments."""

    def term(y: Jet, n: int) -> Value:
        if n > 0 and all(_term(x, rank, n) is None for x in inputs):
            return None
        return operation(*(x.term(n) if _is_jet(x, rank) else x for x in inputs), **options)

    return _grown(rank, inputs, term)


def _joining(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Jet:
    """Linear in any number of inputs; the derivatives of those that stand still are zeros of their shapes."""

    def term(y: Jet, n: int) -> Value:
        terms = [_term(x, rank, n) for x in inputs]
        if all(each is None for each in terms):
            return None
        return operation(
            *(_zeros_like(x) if each is None else each for x, each in zip(inputs, terms, strict=True)), **options
        )

    return _grown(rank, inputs, term)


def _additive(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Jet:
    """Linear in two inputs together; the derivative of one that moves alone passes by its rule, as if symmetric."""

    def term(y: Jet, n: int) -> Value:
        if n == 0:
            return operation(*(_value(x, rank) for x in inputs))
        moving = {i: along for i, x in enumerate(inputs) if (along := _term(x, rank, n)) is not None}
        if not moving:
            return None
        if len(moving) == 2:
            return operation(*(moving.get(i, x) for i, x in enumerate(inputs)))
        ((mine, along),) = moving.items()
        along = _widened(along, p.shape_of(y))
        return operation.rule(mine)(along, None, *(along if i == mine else x for i, x in enumerate(inputs)))

    return _grown(rank, inputs, term)


def _bilinear(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Jet:
    """Leibniz' rule; linear while only one of the two varies."""
    a, b = inputs
    if not (_is_jet(a, rank) and _is_jet(b, rank)):
        return _linear(rank, operation, inputs, options)
    commutes = operation is p.multiply and a is b
    times = partial(operation, **options)
    return _grown(rank, inputs, lambda _, n: _leibniz(times, a.term, b.term, n, commutes))


def _squared(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Jet:
    """The product of x with itself."""
    return _bilinear(rank, p.multiply, (inputs[0], inputs[0]), options)


def _quotient(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Jet:
    """y = a / b from Leibniz' rule for a = b y, whose n-th derivative has that of y in the one term b y^(n)."""
    a, b = inputs
    if not _is_jet(b, rank):
        return _linear(rank, operation, inputs, options)

    def term(y: Jet, n: int) -> Value:
        above, below = _term(a, rank, n), b.term(0)
        if n > 0:
            others = _leibniz(p.multiply, b.term, lambda k: y.term(k) if k < n else None, n)
            above = _difference(above, others)
        return None if above is None else operation(above, below)

    return _grown(rank, inputs, term)


def _leibniz(times: Callable, a: Callable, b: Callable, n: int, commutes: bool = False) -> Value:
    """sum_k C(n, k) a(k) b(n - k), where None is zero; terms of one coefficient are added before they are multiplied.

    If the product `commutes`, a and b being the same, the two terms of one coefficient are.
    """
    total = None
    for k in range(n // 2 + 1):
        pair, coefficient = _product(times, a(k), b(n - k)), comb(n, k)
        if k != n - k:
            if commutes:
                coefficient *= 2
            else:
                pair = _total(pair, _product(times, a(n - k), b(k)))
        if pair is not None:
            total = _total(total, pair if coefficient == 1 else float(coefficient) * pair)
    return total


def _product(times: Callable, a: Value, b: Value) -> Value:
    return None if a is None or b is None else times(a, b)


def _total(a: Value, b: Value) -> Value:
    if a is None or b is None:
        return b if a is None else a
    return a + b


def _difference(a: Value, b: Value) -> Value:
    if a is None or b is None:
        return a if b is None else -b
    return a - b


def _constant(rank: int, operation: Primitive, inputs: Sequence, options: dict) -> Value:
    """The derivative is zero wherever there is one."""
    return operation(*(_value(x, rank) for x in inputs), **options)


_CLASSES: dict[Callable, tuple] = {
    _symmetric: (
        *(p.sqrt, p.absolute, p.exp, p.expm1, p.log, p.log1p),
        *(p.sin, p.cos, p.sinh, p.cosh, p.tanh, p.sigmoid, p.erf, p.softmax),
        *(p.power, p.logaddexp, p.maximum, p.minimum),
    ),
    _reducing: (p.max, p.min, p.logsumexp),
    _linear: (identity, cast, p.negative, p.sum, p.cumsum, p.reshape, p.transpose, p.broadcast_to, p.take),
    _joining: (Operation.table["concatenate"], Operation.table["put"]),
    _additive: (p.add, p.subtract, p.where),
    _bilinear: (p.multiply, p.matmul),
    _squared: (p.square,),
    _quotient: (p.divide,),
    _constant: (p.sign,),
}
CARRIED: dict[Operation, Callable] = {operation: kind for kind, members in _CLASSES.items() for operation in members}
