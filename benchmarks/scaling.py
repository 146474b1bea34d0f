"""How the cost of fitting a multi-layer perceptron grows: of an epoch with n, of a step with the sizes of the network.

Everything but the size that varies stays as in BASE; two layers vary in width. On axes of logarithms the cost becomes a
line whose slope is the power with which it grows: near 0 where what every step costs takes the time, near 1 where the
arithmetic does, or near 2 with the width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

import numpy as np

from . import mlp
from .common import FUSED, turns
from .measure import Measurement, Point, Turn

CONTESTANTS = ("sknn", "scikit-learn", FUSED)
LARGEST = 3  # so many points at the end of a curve tell where it is going
BASE = mlp.Case(200, 2_000, 4, sizes=(50, 100, 5))
LARGE_N, LARGE_BATCH = 64_000, 4_096

SIZES: dict[str, Sequence[int]] = {
    "n": (1_000, 4_000, 16_000, LARGE_N),
    "features": (8, 32, 128, 512, 2_048),
    "width": (16, 64, 256, 1_024),
    "depth": (1, 2, 4, 8),
    "batch size": (16, 64, 256, 1_024, LARGE_BATCH),
}


def case_of(axis: str, size: int) -> mlp.Case:
    """The base with one size changed; short fits have more epochs, that each may take a while."""
    n_features, width, n_classes = BASE.sizes
    match axis:
        case "n":
            return replace(BASE, n_samples=size, epochs=ceil(16_000 / size))
        case "features":
            return replace(BASE, sizes=(size, width, n_classes))
        case "width":
            return replace(BASE, sizes=(n_features, size, size, n_classes))
        case "depth":
            return replace(BASE, sizes=(n_features, *[width] * size, n_classes))
        case _:
            return replace(BASE, batch_size=size, n_samples=2 * LARGE_BATCH, epochs=ceil(size / 512))


def _chosen(case: mlp.Case, scale: float) -> dict[str, Turn]:
    fits = mlp.fits(case, mlp.initial_parameters(case))
    return turns({name: fits[name] for name in CONTESTANTS if name in fits}, scale)


def milliseconds_per_epoch(case: mlp.Case) -> dict[str, Turn]:
    return _chosen(case, 1e3 / case.epochs)


def microseconds_per_step(case: mlp.Case) -> dict[str, Turn]:
    return _chosen(case, 1e6 / case.steps)


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The power with which the costs grow: the slope of the line through their logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def measurement(axis: str, size: int) -> Measurement:
    unit, contest = ("ms per epoch", milliseconds_per_epoch) if axis == "n" else ("µs per step", microseconds_per_step)
    return Measurement(
        "scaling", f"{axis} = {size}", unit, case_of(axis, size), contest, point=Point(axis, size), most_repeats=5
    )


MEASUREMENTS = [measurement(axis, size) for axis, sizes in SIZES.items() for size in sizes]
