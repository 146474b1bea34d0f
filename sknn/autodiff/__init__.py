"""The backprop core: the tape, elementary operations, Taylor jets, products of derivatives, the check of gradients."""

from . import primitives
from .check import check_grads
from .jet import Jet, jet
from .products import ggn, hvp, jvp
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
    "ggn",
    "grad",
    "hvp",
    "jet",
    "jvp",
    "no_grad",
    "op",
    "primitives",
]
