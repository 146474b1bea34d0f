"""Networks of several parts, from what the parameters say of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...nn import Layer, Network
from ...nn.init import Random

Plans = dict[str, tuple[Sequence[Layer], tuple[int, ...]]]  # the layers of each part, and the shape of what it is given


def built(plans: Plans, rng: Random, dtype: np.dtype) -> dict[str, Network]:
    """The parts."""
    return {name: Network(layers, shape, rng, dtype) for name, (layers, shape) in plans.items()}


def check_unchanged(network: Any, plans: Plans) -> None:
    """Raise ValueError if fitted parts are not what the parameters say now."""
    for name, (layers, shape) in plans.items():
        part = network.parts.get(name)
        if part is None or (part.layers, part.input_shape) != (tuple(layers), tuple(shape)):
            raise ValueError(
                f"the parameters that shape the {name} were changed after the first fit; fit anew with warm_start=False"
            )
