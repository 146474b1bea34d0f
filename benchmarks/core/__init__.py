"""What the families stand on: single operations and derivatives of the core, beside PyTorch where it has the same.

A row is a piece of work: a class with its sizes, in the file of its subject.
"""

from . import convolutions, derivatives, kernels, members, pages, primitives

MODULES = (primitives, kernels, convolutions, derivatives, members, pages)
MEASUREMENTS = [measurement for module in MODULES for measurement in module.MEASUREMENTS]
