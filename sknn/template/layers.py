"""Dense layers and stems as parameters say them, for all families that have some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils._param_validation import StrOptions

from ..description import in_order, is_integer
from ..nn import Activation, BatchNorm, Conv, Dense, Dropout, Layer, LayerNorm
from ..ops.activation import ACTIVATIONS
from .parameters import parameter

ACTIVATION_NAMES = (StrOptions(set(ACTIVATIONS)), "array-like")

DEPTH = parameter(
    default=None,
    interval="[1, inf)",
    text="With an integer `hidden_layer_sizes`, how many hidden layers have that width, so that a search can go over "
    "two numbers; None: one.",
)
BATCH_NORM = parameter(
    default=False,
    text="Whether to normalise each hidden unit, or channel, over the batch, in front of its activation function; the "
    'shift that is learnt with it takes the place of the bias. Not for "lbfgs" or a `batch_size` of 1.',
)
LAYER_NORM = parameter(
    default=False,
    text="Whether to normalise there over the channels of each position, or the units of a layer, instead.",
)
DROPOUT = parameter(
    default=0.0,
    interval="[0, 1)",
    text='The share of each hidden dense layer\'s outputs dropped in training. Not for "lbfgs".',
)


def hidden_sizes(estimator: Any) -> list[int]:
    """The units of each hidden layer, from `hidden_layer_sizes` and `depth`."""
    sizes, depth = estimator.hidden_layer_sizes, estimator.depth
    if depth is not None and not isinstance(sizes, Integral):
        raise ValueError(
            f"depth={depth!r} repeats the width of an integer hidden_layer_sizes, got {sizes!r}: give one of the two"
        )
    return listed_sizes(sizes, depth or 1)


def listed_sizes(sizes: Any, times: int = 1) -> list[int]:
    """The units of each hidden layer: as listed, or a number so many times."""
    several = np.iterable(sizes)
    sizes = list(sizes) if several and in_order(sizes) else [sizes] * (1 if several else times)
    if not all(is_integer(size) and size > 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}. Give a positive integer for each hidden layer.")
    return [int(size) for size in sizes]


def listed_filters(filters: Any, name: str = "filters") -> list[int]:
    """Those of each convolution, as listed or of a single one; None: there are none."""
    if filters is None:
        return []
    several = list(filters) if in_order(filters) else [filters]
    if not several or not all(is_integer(each) and each > 0 for each in several):
        raise ValueError(
            f"{name}={filters!r} must hold a positive integer for each convolution, as (64, 64), or be None"
        )
    return [int(each) for each in several]


def stem(filters: Any, kernel_size: int) -> list[Layer]:
    """Convolutions in front of all else, each with a layer norm and ReLU; None: there are none."""
    layers: list[Layer] = []
    for each in listed_filters(filters, "stem"):
        layers += [Conv(each, kernel_size, init="he_uniform"), LayerNorm(), Activation("relu")]
    return layers


def activations(activation: str | Sequence[str], n_layers: int) -> list[str]:
    """The activation function of each layer before the output."""
    each = [activation] * n_layers if isinstance(activation, str) else np.atleast_1d(np.asarray(activation))
    names = [str(name) for name in each]
    unknown = [name for name in names if name not in ACTIVATIONS]
    if unknown:
        raise ValueError(f"activation={activation!r} names {unknown[0]!r}; choose of {', '.join(ACTIVATIONS)}")
    if len(names) != n_layers:
        raise ValueError(f"activation={activation!r} names {len(names)} layers, but there are {n_layers}")
    return names


def init_before(activation: str) -> str:
    """How weights in front of an activation function are drawn."""
    return "glorot_uniform" if activation in ("identity", "logistic", "sigmoid", "tanh", "softmax") else "he_uniform"


def activated(estimator: Any, layer: Conv | Dense, activation: str) -> list[Layer]:
    """A layer with its activation function, and between the two what normalises."""
    if estimator.batch_norm:  # its shift does what a bias would do
        return [replace(layer, use_bias=False), BatchNorm(activation=activation)]
    if estimator.layer_norm:
        return [layer, LayerNorm(), Activation(activation)]
    return [replace(layer, activation=activation)]


def hidden(estimator: Any, layer: Dense, activation: str) -> list[Layer]:
    """A dense layer with all that belongs to it: norm, activation function, dropout."""
    dropout = [Dropout(float(estimator.dropout))] if estimator.dropout else []
    return [*activated(estimator, layer, activation), *dropout]
