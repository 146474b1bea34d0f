"""Layers and networks, built on the fused operations."""

from ..namespace import lazy

__getattr__, __dir__, __all__ = lazy(__name__)
