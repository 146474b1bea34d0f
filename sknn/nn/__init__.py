"""Layers and networks, built on the fused operations."""

from .activation import Activation
from .dense import Dense
from .layer import Context, Layer, Store
from .network import Network, value_and_grad

__all__ = ["Activation", "Context", "Dense", "Layer", "Network", "Store", "value_and_grad"]
