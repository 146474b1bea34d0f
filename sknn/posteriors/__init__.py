"""How the uncertainty of a network's weights is found.

``Laplace`` describes a normal distribution around the best weights, ``Ensemble`` several networks, ``HMC`` networks
drawn from the posterior itself, ``Dropout`` networks thinned at random, ``Variational`` normal weights that know
nothing of each other; ``POSTERIORS`` says what the names mean. A new one is a frozen subclass of `Posterior` with a
method `learn`, which gives what it has learnt: raw outputs of the networks that it stands for.
"""

from .dropout import Dropout, ThinnedNetworks
from .ensemble import Ensemble, Members
from .hmc import HMC, FromChains
from .laplace import AroundBest, Laplace
from .posterior import Certain, Learnt, Outputs, Posterior, Task
from .predictive import NormalMixture, class_uncertainty, mean_of_draws
from .variational import SpreadNetworks, Variational

POSTERIORS: dict[str, Posterior] = {
    "laplace": Laplace(),
    "ensemble": Ensemble(),
    "hmc": HMC(),
    "dropout": Dropout(),
    "variational": Variational(),
}

__all__ = [
    "HMC",
    "POSTERIORS",
    "AroundBest",
    "Certain",
    "Dropout",
    "Ensemble",
    "FromChains",
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
    "mean_of_draws",
]
