"""What stands in front of every network for series: gaps filled, then convolutions, the stem."""

from __future__ import annotations

from typing import Any

from ...nn import FillGaps, Layer
from ...template.layers import stem
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
    return layers + stem(estimator.stem, KERNEL)
