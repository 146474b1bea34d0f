"""Densities and generators beside PyTorch's: steps of training, each with loss, gradient and Adam.

What is minimised is said in `objectives.py`, and in PyTorch in `pytorch.py`; splines are held against those of zuko.
Both sides draw their noise anew in each step; where results are compared, they are given the same.
"""

from . import steps

MEASUREMENTS = steps.MEASUREMENTS
