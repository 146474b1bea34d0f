"""Values shifted, scaled and mixed by a matrix whose determinant is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op


@op
def mix(x: Array, log_scale: Array, bias: Array, weight: Array) -> tuple[Array, Any]:
    """y = (x exp(s) + b) L U, with log |det dy / dx| = sum of s (Kingma & Dhariwal 2018).

    x, y: (n, d); log_scale s, bias b: (d,); weight: (d, d), below its diagonal the entries of L, above it those of U;
    both have ones on the diagonal.
    """
    lower, upper = triangles(weight)
    stretched = x * np.exp(log_scale)
    values = stretched + bias
    return values @ (lower @ upper), (stretched, values, log_scale, lower, upper)


@mix.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    stretched, values, log_scale, lower, upper = saved
    to_values = g @ (lower @ upper).T
    to_matrix = values.T @ g
    to_weight = np.tril(to_matrix @ upper.T, -1) + np.triu(lower.T @ to_matrix, 1)
    to_scale = np.einsum("ij,ij->j", to_values, stretched)
    return to_values * np.exp(log_scale), to_scale, to_values.sum(axis=0), to_weight


@mix.reference
def _(x: Value, log_scale: Value, bias: Value, weight: Value) -> Value:
    lower, upper = triangles(weight)
    return F.matmul(x * F.exp(log_scale) + bias, F.matmul(lower, upper))


@mix.takes
def _(y: Array, x: Array, log_scale: Array, bias: Array, weight: Array) -> tuple[int, int]:
    return y.size * len(bias) + len(bias) ** 3, 3 * y.size


def triangles(weight: Value) -> tuple[Value, Value]:
    """L and U, whose entries beside the diagonal are those of one matrix."""
    one = np.eye(F.shape_of(weight)[0], dtype=weight.dtype)
    below = np.tri(len(one), k=-1, dtype=bool)
    return weight * below + one, weight * below.T + one
