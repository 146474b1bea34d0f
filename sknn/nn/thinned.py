"""A network with some of its units left out, the same ones for all samples: a smaller network, and one function."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tape import Array
from .applied import Applied
from .draws import Draws
from .layer import Context, Shape
from .network import Network
from .trainable import above, cut, nest


class DrawsOfUnits:
    """Draws in which all samples, and all positions of these, find the same number; for each channel it is another.

    The numbers of a layer depend on which it is of those that draw, and on nothing that was drawn before.

    Parameters
    ----------
    seed : int
        Not negative.
    number : int
        Of the network that is drawn: others have other numbers.

    Examples
    --------
    >>> draws = DrawsOfUnits(0, 0)
    >>> both = draws.uniform((2, 3))
    >>> bool((both[0] == both[1]).all()), len(set(both[0].tolist()))
    (True, 3)
    """

    by_pair = False

    def __init__(self, seed: int, number: int) -> None:
        self.draws, self.number = Draws(seed, "float64"), number
        self.begin()

    def begin(self) -> None:
        """Be at the first layer."""
        self.layer = 0

    def uniform(self, shape: Shape) -> Array:
        """Uniform numbers, at least 0 and less than 1: one for each channel; or one, for samples as a whole."""
        self.draws.at(self.layer, self.number)
        self.layer += 1
        return np.broadcast_to(self.draws.uniform(shape[1:][-1:]), shape)


class Thinned(Applied):
    """A network as a function of a batch in which dropout drops, and all else is as in prediction.

    Of which units are left out the draws say once for all samples, so that a sample gets the same output in any batch.
    Norms and their statistics stand still. Weights of attention, of which pairs of steps have one each, all stay.

    Parameters
    ----------
    network : Network
        Applied as it is at the time of a call.
    draws : DrawsOfUnits
        Which units are left out.

    References
    ----------
    Gal, Ghahramani (2016). Dropout as a Bayesian approximation: representing model uncertainty in deep learning. ICML.
    arXiv:1506.02142.

    Examples
    --------
    >>> from sknn.nn import Dense, Dropout
    >>> network = Network([Dropout(0.5), Dense(1, init="ones")], (4,), None)
    >>> Thinned(network, DrawsOfUnits(0, number=1))(np.ones((3, 4))).tolist()
    [[2.0], [2.0], [2.0]]
    """

    __slots__ = ()

    def __init__(self, network: Network, draws: DrawsOfUnits) -> None:
        flat = {**cut(network.theta, network.names), **cut(network.state, network.state_names)}
        everything = {layer for name in flat for layer in above(name)}
        drawing: Any = draws
        super().__init__(network.layers, nest(flat, everything), Context(True, drawing, moves=False))
        self.training = False

    def __call__(self, x: Any, **given: Any) -> Any:
        drawing: Any = self.context.draws
        drawing.begin()
        return super().__call__(x, **given)
