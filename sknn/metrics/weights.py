"""Weights of samples, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tape import Array


def checked_weights(sample_weight: Any, n: int) -> Array:
    weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, np.float64)
    if weight.shape != (n,):
        raise ValueError(f"sample_weight has shape {weight.shape}, but there are {n} samples")
    if not np.all(weight >= 0):
        raise ValueError("sample_weight must not be negative or NaN")
    return weight
