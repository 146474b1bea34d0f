"""How the uncertainty of a network's weights is found: ``Laplace`` describes a normal distribution around the best.

``POSTERIORS`` says what the names mean. A new one is a frozen subclass of `Posterior` with a method `learn`, which
gives what it has learnt: raw outputs of the networks that it stands for.
"""

from .laplace import AroundBest, Laplace
from .posterior import Certain, Learnt, Outputs, Posterior, Task
from .predictive import NormalMixture, class_uncertainty, mean_of_draws

POSTERIORS: dict[str, Posterior] = {"laplace": Laplace()}

__all__ = [
    "POSTERIORS",
    "AroundBest",
    "Certain",
    "Laplace",
    "Learnt",
    "NormalMixture",
    "Outputs",
    "Posterior",
    "Task",
    "class_uncertainty",
    "mean_of_draws",
]
