"""Optimizers on one flat parameter vector; none knows what a layer is.

``SGD``, ``RMSprop``, ``Adam`` and ``AdamW`` describe walks down a gradient, one mini-batch at a time: what ``start``
makes of one takes the steps and holds the state. ``LBFGS`` describes the search for the minimum of a deterministic
function. ``SOLVERS`` says what their names mean; ``clip_norm`` tames a gradient before any of them sees it.

A new optimizer is a frozen subclass of `Optimizer` that says three things: its hyper-parameters, the state vectors it
needs (``slot_names``) and how one block of the vector moves (``update``).
"""

from .clipping import clip_norm
from .descent import Descent
from .first_order import SGD, Adam, AdamW, RMSprop
from .groups import BLOCK, Group
from .lbfgs import LBFGS, Minimum
from .optimizer import Optimizer
from .side_by_side import Descents
from .solver import Solver

SOLVERS: dict[str, Optimizer | LBFGS] = {
    "sgd": SGD(),
    "rmsprop": RMSprop(),
    "adam": Adam(),
    "adamw": AdamW(),
    "lbfgs": LBFGS(),
}

__all__ = [
    "BLOCK",
    "LBFGS",
    "SGD",
    "SOLVERS",
    "Adam",
    "AdamW",
    "Descent",
    "Descents",
    "Group",
    "Minimum",
    "Optimizer",
    "RMSprop",
    "Solver",
    "clip_norm",
]
