"""Layers and networks, built on the fused operations."""

from .activation import Activation
from .conv import Conv, Flatten, GlobalPool, Pool
from .dense import Dense
from .dropout import Dropout
from .inputs import Standardise, Unflatten
from .layer import Context, Layer, Store
from .network import Network, value_and_grad
from .norm import BatchNorm, LayerNorm
from .residual import Residual
from .sequences import Sequences

__all__ = [
    "Activation",
    "BatchNorm",
    "Context",
    "Conv",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalPool",
    "Layer",
    "LayerNorm",
    "Network",
    "Pool",
    "Residual",
    "Sequences",
    "Standardise",
    "Store",
    "Unflatten",
    "value_and_grad",
]
