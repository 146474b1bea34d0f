"""Pictures of fitted networks, in the manner of scikit-learn's displays."""

from .attention import AttentionDisplay
from .convolutions import FeatureMapDisplay, FilterDisplay
from .curves import LossCurveDisplay
from .drawing import NetworkDisplay
from .segmentation import SegmentationDisplay

__all__ = [
    "AttentionDisplay",
    "FeatureMapDisplay",
    "FilterDisplay",
    "LossCurveDisplay",
    "NetworkDisplay",
    "SegmentationDisplay",
]
