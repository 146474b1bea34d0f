"""Transposed convolution, of stride s to a grid s times as large, with bias and activation in one operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff.tape import Array, Value, op
from . import compiled, kernels
from .activation import ACTIVATIONS
from .convolution import convolution, recorded_gradients, transposed_convolution, weight_gradient
from .precision import widened
from .windows import Windows


@op
def conv_transpose(
    x: Array, w: Array, b: Array | None = None, *, windows: Windows, groups: int = 1, activation: str = "identity"
) -> tuple[Array, Any]:
    """y = f(b + :func:`~sknn.ops.convolution.transposed_convolution` of x by w).

    x: (n, *windows.output, channels); w: (*windows.kernel, filters / groups, channels); b: (filters,) or None; y:
    (n, *windows.size, filters). So w is as in the convolution that it is the transpose of, from filters to channels.
    """
    w, b = widened(w, x.dtype), b if b is None else widened(b, x.dtype)
    y = kernels.input_gradient(x, w, windows, groups, b)
    kept = ACTIVATIONS[activation].forward(_flat(y))
    return y, (x, w, y, kept, windows, groups, activation)


@conv_transpose.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    x, w, y, kept, windows, groups, activation = saved
    to_x, to_w, to_b = out if len(out) == 3 else (*out, None)
    dz = ACTIVATIONS[activation].backward(_flat(g), _flat(y), kept).reshape(y.shape)
    dx = dw = db = None
    if to_x is not None:
        dx, _ = kernels.convolve(dz, w, None, windows, groups, ACTIVATIONS["identity"])
    if to_w is not None:
        dw = kernels.weight_gradient(x, dz, windows, groups)
    if to_b is not None:
        db = compiled.channel_sums(dz)
        if db is None:
            db = np.dot(np.ones(dz[..., 0].size, dz.dtype), _flat(dz))
    return dx, dw, db


@conv_transpose.reference
def _(
    x: Value, w: Value, b: Value | None = None, *, windows: Windows, groups: int = 1, activation: str = "identity"
) -> Value:
    z = transposed_convolution(x, w, windows=windows, groups=groups)
    return ACTIVATIONS[activation].reference(z if b is None else z + b)


@conv_transpose.recorded
def _(
    g: Value, y: Array, wanted: Sequence[bool], x: Value, w: Value, *b: Value, activation: str = "identity", **laid: Any
) -> tuple | None:
    def to_x(dz: Value) -> Value:
        return convolution(dz, w, **laid)

    return recorded_gradients(g, y, wanted, to_x, lambda dz: weight_gradient(x, dz, **laid), b, activation)


@conv_transpose.takes
def _(y: Array, x: Array, w: Array, b: Array | None = None, **options: Any) -> tuple[int, int]:
    return x.size // w.shape[-1] * w.size + (0 if b is None else y.size), y.size


def _flat(y: Array) -> Array:
    """Pixels by channels."""
    return y.reshape(-1, y.shape[-1])
