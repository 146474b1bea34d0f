"""What stands in front of every network for series: gaps filled, then convolutions, the stem."""

from __future__ import annotations

from typing import Any

from ...description import in_order, is_integer
from ...nn import Activation, Conv, FillGaps, Layer, LayerNorm
from ...template.parameters import parameter

KERNEL = 5  # steps that a convolution of the stem sees

STEM = (
    "The filters of convolutions over five steps in front of all else, such as (64, 64), each with a layer norm and "
    "ReLU; None: there are none."
)
DROPOUT = parameter(default=0.1, interval="[0, 1)", text='The share of values dropped between layers. Not for "lbfgs".')


def front(estimator: Any) -> list[Layer]:
    """The layers of a network that begins with the series as they come."""
    layers: list[Layer] = [] if estimator.missing == "error" else [FillGaps(estimator._lacking)]
    for filters in _filters(estimator.stem):
        layers += [Conv(filters, KERNEL, init="he_uniform"), LayerNorm(), Activation("relu")]
    return layers


def _filters(stem: Any) -> list[int]:
    """How many each convolution of the stem has."""
    filters = [] if stem is None else list(stem) if in_order(stem) else [stem]
    if not all(is_integer(each) and each > 0 for each in filters):
        raise ValueError(f"stem={stem!r} must hold a positive integer for each convolution, as (64, 64), or be None")
    return [int(each) for each in filters]
