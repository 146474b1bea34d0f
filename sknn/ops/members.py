"""Operations on members side by side, one after the other: each member's bits are then those that it has alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Fused, Value


class Kept(list):
    """What the backward pass wants kept of each member."""


def apart(operation: Fused, inputs: Sequence[Array], options: Sequence[dict[str, Any]]) -> tuple[Array, Kept]:
    """The operation of each member's inputs with its options, in one array, and what is kept of each."""
    found = [operation.forward(*mine, **said) for *mine, said in zip(*inputs, options, strict=True)]
    return np.stack([y for y, _ in found]), Kept(saved for _, saved in found)


def apart_back(backward: Any, g: Array, saved: Kept, out: Sequence) -> list[Array | None]:
    """The gradients of each member's inputs, in one array for each input."""
    wanted = [None if place is None else ... for place in out]
    found = [backward(mine, kept, wanted) for mine, kept in zip(g, saved, strict=True)]
    return [None if gradients[0] is None else np.stack(gradients) for gradients in zip(*found, strict=True)]


def beside(parameter: Value, x: Value) -> Value:
    """The parameters of members (members, channels), shaped so that they meet x (members, ..., channels)."""
    members, channels = F.shape_of(parameter)
    return F.reshape(parameter, (members, *(1,) * (len(F.shape_of(x)) - 2), channels))
