"""Monte Carlo dropout: each network drawn lacks some of the units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from sklearn.base import clone

from ..description import number
from ..nn import DrawsOfUnits, Thinned
from .noise import noise_of
from .posterior import Certain, Learnt, Posterior, Task
from .sampled import Sampled
from .shown import Shown


@dataclass(frozen=True)
class Dropout(Posterior):
    r"""A network trained with dropout, which goes on dropping units when it predicts.

    Each network drawn leaves out units of the one that was trained, each with the probability p of its training, and
    the others grow by 1 / (1 - p) to make up for it. A unit that is missing is missing for all samples and positions,
    so that each network drawn is one function; norms and their statistics stay as they are in prediction.

    How far networks differ is decided by p, not by how many samples there are: of all posteriors this one is the
    cheapest to add to a network that has dropout anyway, and the least to be believed far from the data.

    The network is trained as its own parameters say; the default one for 600 epochs, to the end. Constant noise is what
    it leaves on samples it has not seen.

    Parameters
    ----------
    rate : float, default=0.01
        p: what the parameter `dropout` of the network is set to. A network that has dropout already, by one of its
        parameters or by its layers, keeps that instead.

    References
    ----------
    Gal, Ghahramani (2016). Dropout as a Bayesian approximation: representing model uncertainty in deep learning. ICML.
    arXiv:1506.02142.

    Examples
    --------
    >>> from sknn.posteriors import Dropout
    >>> Dropout(rate=0.1)
    Dropout(rate=0.1)
    """

    # dropout itself keeps from fitting too closely
    default_training = MappingProxyType({"early_stopping": False, "max_iter": 600})

    rate: float = number("[0, 1)", default=0.01)

    def learn(self, task: Task) -> Learnt:
        network = task.network
        if not any(value for name, value in network.get_params(deep=False).items() if name.endswith("dropout")):
            if "dropout" in network.get_params(deep=False):
                network.set_params(dropout=self.rate)
            else:
                self._check_layers(task)
        network.fit(task.X, task.y, sample_weight=task.sample_weight)
        if network._target.is_certain:
            return Certain(network)
        return ThinnedNetworks(network, noise_of(task, network), {}, task.seed(), task.n_draws)

    def _check_layers(self, task: Task) -> None:
        """Raise ValueError if a network has no dropout, and cannot be given any; it is built, and not trained."""
        shown = Shown.of(replace(task, network=clone(task.network)))
        if shown is not None and not any(layer.is_random for layer, _ in shown.fit.network.walk()):
            raise ValueError(
                f"network={task.network!r} has no dropout, and no parameter of that name: put sknn.nn.Dropout("
                f"{self.rate:g}) behind a layer of it, or choose another posterior"
            )


class ThinnedNetworks(Sampled):
    """Networks with units left out."""

    def network_drawn(self, seed: int, number: int) -> Callable[..., Any]:
        return Thinned(self.network.network_, DrawsOfUnits(seed, number))
