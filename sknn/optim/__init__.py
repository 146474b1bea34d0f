"""Optimizers on one flat parameter vector; none knows what a layer is.

``SGD``, ``RMSprop``, ``Adam`` and ``AdamW`` walk down a gradient one mini-batch at a time; ``minimize_lbfgs`` minimises
a deterministic function; ``clip_norm`` tames a gradient before any of them sees it.

A new optimizer is a subclass of `Optimizer` that says three things: its hyper-parameters, the state vectors it keeps
(``slot_names``) and how one block of the vector moves (``update``).
"""

from .clipping import clip_norm
from .descent import OPTIMIZERS, SGD, Adam, AdamW, RMSprop
from .groups import BLOCK, Group
from .lbfgs import Minimum, minimize_lbfgs
from .optimizer import Optimizer

__all__ = [
    "BLOCK",
    "OPTIMIZERS",
    "SGD",
    "Adam",
    "AdamW",
    "Group",
    "Minimum",
    "Optimizer",
    "RMSprop",
    "clip_norm",
    "minimize_lbfgs",
]
