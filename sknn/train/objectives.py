"""What an objective gives, as the one number that is minimised and the numbers that are recorded."""

from __future__ import annotations

from typing import Any

from ..autodiff.primitives import plain
from ..autodiff.tape import Array, Tensor, Value
from ..ops.loss import average

NO_TERMS: dict[str, float] = {}


def reduced(found: Any, weight: Array | None) -> tuple[Value, float | None, dict[str, float]]:
    """What is minimised, the weight of what it is the mean of (None for a scalar), and the terms to record by name."""
    if weight is None and type(found) is Tensor and found.value.ndim == 1:  # asked first, for speed
        return average(found), float(len(found.value)), NO_TERMS
    return total(found, weight) if isinstance(found, dict) else (*mean(found, weight), NO_TERMS)


def mean(values: Value, weight: Array | None) -> tuple[Value, float | None]:
    """The weighted mean, and the weight of what it is of: the sum of weights, or the number of values.

    A scalar is a mean already, of as many samples as the batch has (None).

    Raises
    ------
    ValueError
        If there are weights for a scalar, or not as many as values.
    """
    ndim = values.ndim
    if ndim == 0:
        if weight is not None:
            raise ValueError("sample_weight does not apply to an objective that gives one value for the whole batch")
        return values, None
    if weight is None:
        size = values.size
        return average(values if ndim == 1 else values.reshape(size)), float(size)
    if values.shape != weight.shape:
        raise ValueError(f"an objective gave values of shape {values.shape} for weights of shape {weight.shape}")
    total = float(weight.sum())
    return average(values, weight) if ndim == 1 else average(values.reshape(-1), weight.reshape(-1)), total


def total(terms: dict[str, Any], weight: Array | None) -> tuple[Value, float | None, dict[str, float]]:
    """The sum of named terms, each with its factor; the weight of the first that has one; each without its factor."""
    value: Any = 0.0
    count: float | None = None
    recorded: dict[str, float] = {}
    for name, term in terms.items():
        factor, values = term if isinstance(term, tuple) else (1.0, term)
        part, size = mean(values, weight)
        count = size if count is None else count
        recorded[name] = float(plain(part))
        value = value + factor * part
    return value, count, recorded
