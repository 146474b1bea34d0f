"""Scores that scikit-learn does not have: of labels at positions, of sequences, of samples against samples, and of
predictions that say how sure they are.
"""

from .energy import energy_distance
from .overlap import dice_score, iou_score
from .predicted import crps, crps_gaussian, interval_score
from .scorers import coverage_scorer, crps_scorer, interval_score_scorer, log_density_scorer, width_scorer
from .sequences import edit_distance, exact_match

__all__ = [
    "coverage_scorer",
    "crps",
    "crps_gaussian",
    "crps_scorer",
    "dice_score",
    "edit_distance",
    "energy_distance",
    "exact_match",
    "interval_score",
    "interval_score_scorer",
    "iou_score",
    "log_density_scorer",
    "width_scorer",
]
