"""Baseline-comparison studies: does the network beat the classical model on the same folds?"""

from sknn.study.study import Study

__all__ = ["Study"]
