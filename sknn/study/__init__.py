"""Baseline-comparison studies: does the network beat the classical model on the same folds?"""

from .study import Study

__all__ = ["Study"]
