"""Pictures of fitted networks, in the manner of scikit-learn's displays; whether what they predict is calibrated."""

from .attention import AttentionDisplay
from .convolutions import FeatureMapDisplay, FilterDisplay
from .coverage import CoverageDisplay, coverage
from .curves import LossCurveDisplay
from .drawing import NetworkDisplay
from .pit import PITDisplay, pit
from .ranks import SBCDisplay, sbc_ranks
from .segmentation import SegmentationDisplay
from .uncertainty import ErrorUncertaintyDisplay

__all__ = [
    "AttentionDisplay",
    "CoverageDisplay",
    "ErrorUncertaintyDisplay",
    "FeatureMapDisplay",
    "FilterDisplay",
    "LossCurveDisplay",
    "NetworkDisplay",
    "PITDisplay",
    "SBCDisplay",
    "SegmentationDisplay",
    "coverage",
    "pit",
    "sbc_ranks",
]
