"""What goes through a residual block and what goes around it, put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tape import Array, Value, op
from . import compiled
from .activation import ACTIVATIONS


@op
def join(x: Array, branch: Array, *, activation: str = "identity") -> tuple[Array, Any]:
    """f(x + branch), elementwise, with the activation function f of this name (He et al. 2016).

    x, branch and the result: of one shape.
    """
    function, kept = ACTIVATIONS[activation], None
    y = compiled.add(x, branch, function.is_relu) if function.is_identity or function.is_relu else None
    if y is None:
        y = np.add(x, branch)
        kept = function.forward(y)
    return y, (function, None if function.is_identity else y, kept)


@join.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    function, y, kept = saved
    slope = function.backward(g, y, kept)
    return slope, slope


@join.reference
def _(x: Value, branch: Value, *, activation: str = "identity") -> Value:
    return ACTIVATIONS[activation].reference(x + branch)
