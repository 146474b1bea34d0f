"""Pictures of fitted networks, in the manner of scikit-learn's displays."""

from .convolutions import FeatureMapDisplay, FilterDisplay
from .curves import LossCurveDisplay
from .drawing import NetworkDisplay

__all__ = ["FeatureMapDisplay", "FilterDisplay", "LossCurveDisplay", "NetworkDisplay"]
