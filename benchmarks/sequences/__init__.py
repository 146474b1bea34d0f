"""Networks of series, beside PyTorch's: steps of training, each with loss, gradient and Adam, and text that they make.

A row is a network with the size of its batch, in the file of its kind.
"""

from . import attention, generation, recurrent

MODULES = (recurrent, attention, generation)
MEASUREMENTS = [measurement for module in MODULES for measurement in module.MEASUREMENTS]
