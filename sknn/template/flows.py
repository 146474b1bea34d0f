"""Normalizing flows as parameters say them, for all families that have one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ..nn import Layer, flow_layers
from .layers import listed_sizes
from .parameters import parameter

KIND: Literal["spline", "affine", "glow", "autoregressive"] = parameter(
    default="spline",
    text='What the flow is made of. "spline": couplings, in which half of the values bend the others by '
    'rational-quadratic splines; "affine": couplings that shift and stretch (Real NVP); "glow": the same, each after '
    'an activation norm and a mixing of all values; "autoregressive": splines of each value that see all before it, '
    "often a bit better, and slow to draw from as each value takes a pass.",
    kw_only=False,
)
N_TRANSFORMS: int | Literal["auto"] = parameter(
    default="auto",
    interval="[1, inf)",
    text='How many couplings or autoregressive layers; "auto" is 8 of affine ones, 3 autoregressive ones, and of '
    "spline couplings 4, or as many as part any two values, up to 8.",
)
HIDDEN_LAYER_SIZES: int | Sequence[int] = parameter(
    default=(64, 64), interval="[1, inf)", text="Units of the hidden layers of the network in each."
)
N_BINS: int = parameter(default=16, interval="[2, inf)", text="Pieces of a spline.")
BOUND: float = parameter(
    default=5.0,
    interval="(0, inf)",
    text="Splines bend what lies within this many standard deviations; beyond, nothing moves.",
)


def n_transforms(estimator: Any, n_features: int) -> int:
    """How many there are."""
    if estimator.n_transforms != "auto":
        return int(estimator.n_transforms)
    if estimator.kind == "spline":
        return min(max(4, 2 * (n_features - 1).bit_length()), 8)
    return 3 if estimator.kind == "autoregressive" else 8


def flow_of(estimator: Any, n_features: int, n_conditions: int) -> list[Layer]:
    """The layers of a flow of so many numbers, under so many conditions."""
    return flow_layers(
        estimator.kind,
        n_features,
        n_conditions,
        n_transforms=n_transforms(estimator, n_features),
        hidden_layer_sizes=listed_sizes(estimator.hidden_layer_sizes),
        n_bins=estimator.n_bins,
        bound=float(estimator.bound),
    )
