"""Layers and networks, built on the fused operations."""

from .activation import Activation
from .applied import Applied
from .containers import Concat, Residual, Sequential
from .conv import Conv, Flatten, GlobalPool, Pool
from .dense import Dense
from .draws import Draws
from .dropout import Dropout
from .inputs import Standardise, Unflatten
from .layer import Context, Layer, Store
from .network import Network, value_and_grad
from .norm import BatchNorm, LayerNorm
from .parts import Constants, Nets, Parts
from .sequences import Sequences

__all__ = [
    "Activation",
    "Applied",
    "BatchNorm",
    "Concat",
    "Constants",
    "Context",
    "Conv",
    "Dense",
    "Draws",
    "Dropout",
    "Flatten",
    "GlobalPool",
    "Layer",
    "LayerNorm",
    "Nets",
    "Network",
    "Parts",
    "Pool",
    "Residual",
    "Sequences",
    "Sequential",
    "Standardise",
    "Store",
    "Unflatten",
    "value_and_grad",
]
