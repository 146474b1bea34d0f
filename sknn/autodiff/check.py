"""Is the gradient right? Finite differences along random directions answer it, for any order of derivative.

A gradient has many entries, but a wrong one almost surely shows in its product with one random direction: a number
that two evaluations of the function give as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .primitives import multiply, plain, sum
from .tape import Tensor, Value, grad


def check_grads(
    f: Callable[..., Value],
    *inputs: Any,
    order: int = 2,
    rtol: float = 1e-6,
    eps: float = 1e-4,
    rng: np.random.Generator | None = None,
) -> None:
    """Compare the derivatives of `f` with central finite differences in random directions.

    For random u and w, <u, grad <w, f(x)>> must equal the slope of <w, f(x + t u)> at t = 0, which is measured by the
    difference of fourth order (8 (F(e) - F(-e)) - (F(2e) - F(-2e))) / 12e. The second order repeats this for
    the function x -> <u, grad <w, f(x)>>, and so on.

    Parameters
    ----------
    f : callable
        Takes as many arguments as there are inputs, gives a Tensor of any shape.
    *inputs : array of float64, or anything else
        Where the derivatives are checked: with respect to every array of floating point numbers. What holds none
        (labels, masks, sparse matrices, None) is handed to `f` as it is.
    order : int, default=2
        The highest derivative checked.
    rtol : float, default=1e-6
        The relative difference allowed, beyond the rounding errors of the finite difference itself.
    eps : float, default=1e-4
        The step e. Inputs should be further than some 10 e from kinks.
    rng : numpy.random.Generator, default=None
        Source of the directions; by default always the same ones.

    Raises
    ------
    AssertionError
        If a derivative is wrong; names its order and the two numbers.
    TypeError
        If an input holds floating point numbers other than float64, or `f` does not give a Tensor.
    ValueError
        If no input is an array of float64.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.autodiff import check_grads
    >>> from sknn.autodiff.primitives import matmul, tanh
    >>> check_grads(lambda x, W: tanh(matmul(x, W)), np.ones((5, 2)), np.eye(2))
    """
    rng = np.random.default_rng(0) if rng is None else rng
    chosen = [i for i, x in enumerate(inputs) if _is_checked(i, x)]
    if not chosen:
        raise ValueError("none of the inputs is a float64 array: there is no derivative to check")
    point = [np.array(inputs[i]) for i in chosen]

    def from_checked(xs: Sequence[Value]) -> Value:
        given = list(inputs)
        for i, x in zip(chosen, xs, strict=True):
            given[i] = x
        return f(*given)

    function = _projected(from_checked, point, rng)
    for n in range(1, order + 1):
        directions = [rng.standard_normal(x.shape) for x in point]
        measured, rounding = _slope(function, point, directions, eps)
        # The gradient on arrays and the recorded one are computed in different ways: both must be right.
        for recorded in (False, True) if n < order else (False,):
            derived = float(plain(_derivative(function, directions, recorded)(_leaves(point))))
            _compare(n, recorded, derived, measured, rtol, rounding)
        function = _derivative(function, directions, recorded=True)


def _is_checked(position: int, x: Any) -> bool:
    if not isinstance(x, float | np.ndarray | np.generic) or np.asarray(x).dtype.kind not in "fc":
        return False
    if np.asarray(x).dtype != np.float64:
        raise TypeError(
            f"input {position} is {np.asarray(x).dtype}: finite differences need float64, use x.astype(np.float64)"
        )
    return True


def _leaves(point: Sequence[np.ndarray]) -> list[Tensor]:
    return [Tensor(x) for x in point]


def _projected(f: Callable, point: Sequence[np.ndarray], rng: np.random.Generator) -> Callable:
    """The scalar <w, f(x)> with a random w of the shape of the result."""
    y = f(_leaves(point))
    if not isinstance(y, Tensor):
        raise TypeError(f"f must give a Tensor that depends on its inputs; it gave {type(y).__name__}")
    weights = rng.standard_normal(y.shape)
    return lambda xs: sum(multiply(weights, f(xs)))


def _derivative(f: Callable, directions: Sequence[np.ndarray], recorded: bool) -> Callable:
    """The directional derivative of the scalar function, x -> <directions, grad f(x)>."""

    def derivative(xs: Sequence[Tensor]) -> Value:
        gradients = grad(f(xs), xs, create_graph=recorded)
        total = 0.0
        for direction, g in zip(directions, gradients, strict=True):
            total = total + sum(multiply(direction, g))
        return total

    return derivative


def _slope(
    f: Callable, point: Sequence[np.ndarray], directions: Sequence[np.ndarray], eps: float
) -> tuple[float, float]:
    """The derivative of f along the directions by differences of fourth order, and the size of its rounding error."""

    def at(t: float) -> float:
        return float(plain(f(_leaves([x + t * u for x, u in zip(point, directions, strict=True)]))))

    near, far = (at(eps), at(-eps)), (at(2 * eps), at(-2 * eps))
    slope = (8 * (near[0] - near[1]) - (far[0] - far[1])) / (12 * eps)
    rounding = 10 * float(np.finfo(float).eps) * float(np.abs([*near, *far]).max()) / eps
    return slope, rounding


def _compare(order: int, recorded: bool, derived: float, measured: float, rtol: float, rounding: float) -> None:
    difference, scale = abs(derived - measured), np.maximum(abs(derived), abs(measured))
    if not difference <= rtol * scale + rounding:  # so that a nan fails
        kind = "recorded derivative" if recorded else "derivative"
        raise AssertionError(
            f"{kind} of order {order} is wrong along a random direction: {derived!r} by backpropagation, "
            f"{measured!r} by finite differences (relative error {difference / scale:.1e}, allowed {rtol:.0e})"
        )
