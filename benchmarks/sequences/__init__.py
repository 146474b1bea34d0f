"""Layers of series, beside PyTorch's: steps of training, each with loss, gradient and Adam.

A row is a network with the size of its batch, in the file of its kind.
"""

from . import attention, recurrent

MODULES = (recurrent, attention)
MEASUREMENTS = [measurement for module in MODULES for measurement in module.MEASUREMENTS]
