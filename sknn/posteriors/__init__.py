"""How the uncertainty of a network's weights is found: ``Laplace`` is a normal distribution around the best ones,
``Ensemble`` several networks, ``Dropout`` one with units left out by turns, ``Variational`` has independent weights.

``POSTERIORS`` says what the names mean. A new one is a frozen subclass of `Posterior` with a method `learn`, which
gives what it has learnt: raw outputs of the networks that it stands for.
"""

from .dropout import Dropout, ThinnedNetworks
from .ensemble import Ensemble, Members
from .laplace import AroundBest, Laplace
from .posterior import Certain, Learnt, Outputs, Posterior, Task
from .predictive import NormalMixture, class_uncertainty
from .variational import SpreadNetworks, Variational

POSTERIORS: dict[str, Posterior] = {
    "laplace": Laplace(),
    "ensemble": Ensemble(),
    "dropout": Dropout(),
    "variational": Variational(),
}

__all__ = [
    "POSTERIORS",
    "AroundBest",
    "Certain",
    "Dropout",
    "Ensemble",
    "Laplace",
    "Learnt",
    "Members",
    "NormalMixture",
    "Outputs",
    "Posterior",
    "SpreadNetworks",
    "Task",
    "ThinnedNetworks",
    "Variational",
    "class_uncertainty",
]
