"""Fused operations of the hot path: kernel, backward pass and reference side by side."""

from .activation import ACTIVATIONS, activate

__all__ = ["ACTIVATIONS", "activate"]
