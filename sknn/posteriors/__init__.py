"""How the uncertainty of a network's weights is found: a description of each way, such as ``Laplace`` and ``HMC``.

``POSTERIORS`` says what the names mean. A new one is a frozen subclass of `Posterior` with a method `learn`, which
gives what it has learnt: raw outputs of the networks that it stands for.
"""

from .hmc import HMC, FromChains
from .laplace import AroundBest, Laplace
from .posterior import Certain, Learnt, Outputs, Posterior, Task
from .predictive import NormalMixture, class_uncertainty

POSTERIORS: dict[str, Posterior] = {"laplace": Laplace(), "hmc": HMC()}

__all__ = [
    "HMC",
    "POSTERIORS",
    "AroundBest",
    "Certain",
    "FromChains",
    "Laplace",
    "Learnt",
    "NormalMixture",
    "Outputs",
    "Posterior",
    "Task",
    "class_uncertainty",
]
