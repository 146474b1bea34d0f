"""Rows of a table, by their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op


@op
def embed(W: Array, tokens: Array) -> tuple[Array, Any]:
    """y = W[tokens]. W: (n_tokens, width); tokens: integers of any shape, not differentiated; y: (*shape, width)."""
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < len(W):
        wrong = tokens.min() if tokens.min() < 0 else tokens.max()
        raise ValueError(f"tokens must be numbers from 0 to n_tokens - 1 = {len(W) - 1}; got {wrong}")
    return np.take(W, tokens, axis=0, mode="clip"), (W.shape, tokens)


@embed.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    shape, tokens = saved
    return F.put(g, tokens, shape), None


@embed.reference
def _(W: Value, tokens: Array) -> Value:
    return F.take(W, tokens)
