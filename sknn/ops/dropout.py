"""Dropout: some elements become zero, the others grow to make up for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from . import compiled


@op
def drop(x: Array, kept: Array, *, rate: float) -> tuple[Array, Any]:
    """y = x kept / (1 - rate), so that y has the expectation x when an element is kept with probability 1 - rate.

    x: any shape; kept: booleans of that shape, not differentiated (Srivastava et al. 2014).
    """
    return _thinned(x, kept, rate), (kept, rate)


@drop.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    return _thinned(g, *saved), None


@drop.reference
def _(x: Value, kept: Array, *, rate: float) -> Value:
    return F.where(kept, x, 0.0) * (1.0 / (1.0 - rate))


def _thinned(x: Array, kept: Array, rate: float) -> Array:
    factor = 1.0 / (1.0 - rate)
    y = compiled.thin(x, kept, factor)
    if y is None:
        y = np.multiply(x, kept)
        y *= factor
    return y
