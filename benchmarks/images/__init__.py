"""Networks of images and signals beside PyTorch's: steps of training, each with loss, gradient and Adam; their memory.

A row is a network with the size of its batch; what it is made of is in `networks.py`, the same in PyTorch in
`pytorch.py`.
"""

from . import steps

MEASUREMENTS = steps.MEASUREMENTS
