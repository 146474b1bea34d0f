"""The state of a random generator of either kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..nn.init import Random


def random_state(rng: Random) -> dict[str, Any]:
    return rng.get_state(legacy=False) if isinstance(rng, np.random.RandomState) else rng.bit_generator.state


def set_random_state(rng: Random, state: dict[str, Any]) -> None:
    if isinstance(rng, np.random.RandomState):
        rng.set_state(state)
    else:
        rng.bit_generator.state = state
