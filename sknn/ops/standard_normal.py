"""The density at the end of a flow."""

from __future__ import annotations

from math import log, pi
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op

HALF_LOG_2_PI = 0.5 * log(2.0 * pi)


@op
def standard_normal(state: Array) -> tuple[Array, Any]:
    """log N(z; 0, I) + v for a state [z, v] of shape (n, d + 1); the result: (n,)."""
    z = state[:, :-1]
    y = np.einsum("ij,ij->i", z, z)
    y *= -0.5
    y += state[:, -1] - HALF_LOG_2_PI * z.shape[1]
    return y, state


@standard_normal.backward
def _(g: Array, state: Array, out: list) -> tuple:
    dstate = state * -g[:, None]
    dstate[:, -1] = g
    return (dstate,)


@standard_normal.reference
def _(state: Value) -> Value:
    z = state[:, :-1]
    return state[:, -1] - 0.5 * F.sum(F.square(z), axis=1) - HALF_LOG_2_PI * z.shape[1]
