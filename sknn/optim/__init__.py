"""Optimizers on one flat parameter vector; none knows what a layer is.

``SGD``, ``RMSprop``, ``Adam`` and ``AdamW`` describe walks down a gradient, one mini-batch at a time: what ``start``
makes of one takes the steps and holds the state. ``minimize_lbfgs`` minimises a deterministic function; ``clip_norm``
tames a gradient before any of them sees it.

A new optimizer is a frozen subclass of `Optimizer` that says three things: its hyper-parameters, the state vectors it
needs (``slot_names``) and how one block of the vector moves (``update``).
"""

from .clipping import clip_norm
from .descent import Descent
from .first_order import SGD, Adam, AdamW, RMSprop
from .groups import BLOCK, Group
from .lbfgs import Minimum, minimize_lbfgs
from .optimizer import Optimizer
from .solver import Solver

SOLVERS: dict[str, Optimizer] = {"sgd": SGD(), "rmsprop": RMSprop(), "adam": Adam(), "adamw": AdamW()}

__all__ = [
    "BLOCK",
    "SGD",
    "SOLVERS",
    "Adam",
    "AdamW",
    "Descent",
    "Group",
    "Minimum",
    "Optimizer",
    "RMSprop",
    "Solver",
    "clip_norm",
    "minimize_lbfgs",
]
