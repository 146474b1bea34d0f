"""Augmentation: samples are changed at random in training, so that a network learns what does not matter.

``Shift``, ``Flip``, ``Rotate``, ``Zoom`` and ``Noise`` are descriptions; ``AUGMENTATIONS`` says what their names mean,
and ``augmented`` applies some of them to a batch of signals, images or volumes, together with label maps.

A new one is a frozen subclass of `Augmentation` that says where each position of a sample is looked up (``placed``), or
what becomes of the values (``changed``).
"""

from .augmentation import Augmentation
from .augmented import AUGMENTATIONS, Augmented, augmented, listed
from .geometric import Flip, Rotate, Shift, Zoom
from .noise import Noise
from .placement import Placement

__all__ = [
    "AUGMENTATIONS",
    "Augmentation",
    "Augmented",
    "Flip",
    "Noise",
    "Placement",
    "Rotate",
    "Shift",
    "Zoom",
    "augmented",
    "listed",
]
