"""How the uncertainty of a network's weights is found: ``Laplace`` is a normal distribution around the best ones,
``Ensemble`` several networks, ``HMC`` networks drawn from the posterior itself.

``POSTERIORS`` says what the names mean. A new one is a frozen subclass of `Posterior` with a method `learn`, which
gives what it has learnt: raw outputs of the networks that it stands for.
"""

from .ensemble import Ensemble, Members
from .hmc import HMC, FromChains
from .laplace import AroundBest, Laplace
from .posterior import Certain, Learnt, Outputs, Posterior, Task
from .predictive import NormalMixture, class_uncertainty, mean_of_draws

POSTERIORS: dict[str, Posterior] = {"laplace": Laplace(), "ensemble": Ensemble(), "hmc": HMC()}

__all__ = [
    "HMC",
    "POSTERIORS",
    "AroundBest",
    "Certain",
    "Ensemble",
    "FromChains",
    "Laplace",
    "Learnt",
    "Members",
    "NormalMixture",
    "Outputs",
    "Posterior",
    "Task",
    "class_uncertainty",
    "mean_of_draws",
]
