"""Scores that scikit-learn does not have: of labels at positions, of sequences, and of samples against samples."""

from .energy import energy_distance
from .overlap import dice_score, iou_score
from .sequences import edit_distance, exact_match

__all__ = ["dice_score", "edit_distance", "energy_distance", "exact_match", "iou_score"]
