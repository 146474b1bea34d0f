"""Convolution as three bilinear operations, each of which has the other two for its gradients.

Summed against z, a convolution x * w is linear in each of three arrays. It is what stands beside z; the transposed
convolution is what stands beside x, and the third what stands beside w:

    <z, convolution(x, w)> = <x, transposed_convolution(z, w)> = <w, weight_gradient(z, x)>.

So derivatives of every order come from the same three kernels, and jets pass through them as through matrix products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..autodiff import primitives as F
from ..autodiff.jet import CARRIED
from ..autodiff.tape import Array, Primitive, Value
from . import kernels
from .activation import ACTIVATIONS, sloped
from .precision import widened
from .windows import Windows


def _convolution(x: Array, w: Array, windows: Windows, groups: int = 1) -> Array:
    x, w = _as_precise(x, w)
    return kernels.convolve(x, w, None, windows, groups, ACTIVATIONS["identity"])[0]


def _transposed_convolution(z: Array, w: Array, windows: Windows, groups: int = 1) -> Array:
    return kernels.input_gradient(*_as_precise(z, w), windows, groups)


def _weight_gradient(z: Array, x: Array, windows: Windows, groups: int = 1) -> Array:
    return kernels.weight_gradient(*_as_precise(z, x), windows, groups)


def _as_precise(a: Array, b: Array) -> tuple[Array, Array]:
    """Both in the precision of the higher one."""
    return widened(a, b.dtype), widened(b, a.dtype)


convolution: Primitive = Primitive(
    _convolution,
    lambda g, y, x, w, **options: transposed_convolution(g, w, **options),
    lambda g, y, x, w, **options: weight_gradient(g, x, **options),
    name="convolution",
    doc="""y_p = sum_t x_{p stride + t dilation - low} w_t over the taps t of a window, zero outside of x.

    x: (n, *windows.size, channels); w: (*windows.kernel, channels / groups, filters); y: (n, *windows.output, filters).
    """,
)
transposed_convolution: Primitive = Primitive(
    _transposed_convolution,
    lambda g, y, z, w, **options: convolution(g, w, **options),
    lambda g, y, z, w, **options: weight_gradient(z, g, **options),
    name="transposed_convolution",
    doc="""The transpose of x -> :func:`convolution`: each z_p is added, times w_t, where window p has its tap t.

    z: (n, *windows.output, filters); w: (*windows.kernel, channels / groups, filters); the result has the shape of x,
    (n, *windows.size, channels).
    """,
)
weight_gradient: Primitive = Primitive(
    _weight_gradient,
    lambda g, y, z, x, **options: convolution(x, g, **options),
    lambda g, y, z, x, **options: transposed_convolution(z, g, **options),
    name="weight_gradient",
    doc="""The transpose of w -> :func:`convolution`: for each tap the sum of x there times z, over all windows.

    z: (n, *windows.output, filters); x: (n, *windows.size, channels); the result has the shape of w.
    """,
)


@convolution.takes
def _(y: Array, x: Array, w: Array, **options: Any) -> tuple[int, int]:
    return y.size // w.shape[-1] * w.size, y.size


@transposed_convolution.takes
def _(y: Array, z: Array, w: Array, **options: Any) -> tuple[int, int]:
    return z.size // w.shape[-1] * w.size, y.size


@weight_gradient.takes
def _(y: Array, z: Array, x: Array, **options: Any) -> tuple[int, int]:
    return z.size // y.shape[-1] * y.size, y.size


CARRIED.update(dict.fromkeys((convolution, transposed_convolution, weight_gradient), CARRIED[F.matmul]))


def recorded_gradients(
    g: Value, y: Array, wanted: Sequence[bool], to_x: Callable, to_w: Callable, b: Sequence[Value], activation: str
) -> tuple | None:
    """The gradients of y = f(z + b) by x, w and b, if there is one, from those of z; None if the slope of f moves."""
    if not ACTIVATIONS[activation].is_piecewise_linear:
        return None
    dz = sloped(g, y, activation=activation)
    rules: list[Callable] = [to_x, to_w, *(partial(F.unbroadcast, like=each) for each in b)]
    return tuple(rule(dz) if want else None for rule, want in zip(rules, wanted, strict=True))
