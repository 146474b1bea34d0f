"""The backprop core: the tape, elementary operations, Taylor jets and the check of gradients."""

from . import primitives
from .check import check_grads
from .jet import Jet, jet
from .tape import Operation, Tensor, Value, backward, grad, no_grad, op
from .work import Work, counting

__all__ = [
    "Jet",
    "Operation",
    "Tensor",
    "Value",
    "Work",
    "backward",
    "check_grads",
    "counting",
    "grad",
    "jet",
    "no_grad",
    "op",
    "primitives",
]
