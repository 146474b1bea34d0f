"""Convolution in one, two or three dimensions: cross-correlation, bias and activation in one operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autodiff.tape import Array, Value, op
from .activation import ACTIVATIONS
from .convolution import convolution, recorded_gradients, transposed_convolution, weight_gradient
from .kernels import convolve, convolve_back
from .precision import widened
from .windows import Windows


@op
def conv(
    x: Array, w: Array, b: Array | None = None, *, windows: Windows, groups: int = 1, activation: str = "identity"
) -> tuple[Array, Any]:
    """y_p = f(b + sum_t x_{p stride + t dilation - low} w_t) over the taps t of a window, zero outside of x.

    x: (n, *grid, channels); w: (*kernel, channels / groups, filters); b: (filters,) or None; y: (n, *output, filters).
    With groups, each of them connects its share of the channels with its share of the filters.
    """
    function = ACTIVATIONS[activation]
    w, b = widened(w, x.dtype), b if b is None else widened(b, x.dtype)
    y, kept = convolve(x, w, b, windows, groups, function)
    return y, (x, w, y, kept, windows, groups, function)


@conv.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    x, w, y, kept, windows, groups, function = saved
    wanted = [place is not None for place in (*out, None)[:3]]
    return convolve_back(g, x, w, y, kept, windows, groups, function, wanted)


@conv.reference
def _(
    x: Value, w: Value, b: Value | None = None, *, windows: Windows, groups: int = 1, activation: str = "identity"
) -> Value:
    z = convolution(x, w, windows=windows, groups=groups)
    return ACTIVATIONS[activation].reference(z if b is None else z + b)


@conv.recorded
def _(
    g: Value, y: Array, wanted: Sequence[bool], x: Value, w: Value, *b: Value, activation: str = "identity", **laid: Any
) -> tuple | None:
    def to_x(dz: Value) -> Value:
        return transposed_convolution(dz, w, **laid)

    return recorded_gradients(g, y, wanted, to_x, lambda dz: weight_gradient(dz, x, **laid), b, activation)


@conv.takes
def _(y: Array, x: Array, w: Array, b: Array | None = None, **options: Any) -> tuple[int, int]:
    return y.size // w.shape[-1] * (w.size + (0 if b is None else b.size)), y.size
