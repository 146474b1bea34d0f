"""Networks that are alike, side by side: one computation for all of them, in which each has its own bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff.tape import Array, Tensor
from .applied import Applied
from .draws import Draws
from .layer import Context, Shape
from .network import Network
from .trainable import Place, nest


def alike(networks: Sequence[Any]) -> bool:
    """Whether these may stand side by side: the same layers, all of which take members, for the same inputs."""
    first = networks[0]
    return first.members and all(
        each.members
        and each.layers == first.layers
        and each.input_shape == first.input_shape
        and each.theta.dtype == first.theta.dtype
        and each.groups == first.groups
        for each in networks
    )


class Members:
    """Copies of the parameters of networks that are :func:`alike`, with an axis of members in front.

    Parameters
    ----------
    networks : sequence of Network
        The members. Their own vectors follow only when told so, by :meth:`hand_back`.

    Attributes
    ----------
    theta, grad : ndarray of shape (members, n_parameters)
        A row for each member; the rows of `grad` are what a backward pass from one value for each member leaves.
    state : ndarray of shape (members, n_state)
        Their running statistics.
    leaves : list of Tensor
        The trainable parameters, (members, *shape), whose gradients go into `grad`.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Dense, Network
    >>> networks = [Network([Dense(1)], (2,), np.random.RandomState(seed)) for seed in (0, 1)]
    >>> x = np.ones((2, 3, 2), "float32")  # three samples for each
    >>> Members(networks).function()(x).value.shape
    (2, 3, 1)
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks = list(networks)
        self.theta = np.stack([network.theta for network in networks])
        self.state = np.stack([network.state for network in networks])
        self.grad = np.zeros_like(self.theta)
        first = self.networks[0]
        parameters, sinks = _cut(self.theta, first.names), _cut(self.grad, first.names)
        leaves = {name: Tensor(parameters[name], sink=sinks[name]) for name in first.trained}
        self.leaves = list(leaves.values())
        self._watched = nest({**parameters, **leaves, **_cut(self.state, first.state_names)}, first.still)
        self._decaying = [self.theta[:, group.start : group.decay_stop] for group in first.groups]

    def function(self, draws: Sequence[Draws] = ()) -> Applied:
        """The members as a function of a batch (members, n, *input_shape), as they train, each with its own draws."""
        together: Any = DrawsSideBySide(draws)
        return Applied(self.networks[0].layers, self._watched, Context(training=True, draws=together))

    def decaying_norms(self) -> list[float]:
        """Of each member the :meth:`Network.decaying_norm`."""
        norms = [0.0] * len(self.theta)
        for part in self._decaying:  # vecdot gives each the bits of dot, other products do not
            norms = [norm + more for norm, more in zip(norms, np.vecdot(part, part).tolist(), strict=True)]
        return norms

    def hand_back(self) -> None:
        """Give the networks what became of their parameters and running statistics."""
        for network, theta, state in zip(self.networks, self.theta, self.state, strict=True):
            network.theta[:], network.state[:] = theta, state


class DrawsSideBySide:
    """The draws of members: arrays with an axis of members in front, in which each finds what it would draw alone.

    Parameters
    ----------
    members : sequence of Draws
        Those of each member.

    Examples
    --------
    >>> from sknn.nn import Draws
    >>> both = DrawsSideBySide([Draws(0), Draws(1)]).uniform((2, 3))
    >>> bool((both[1] == Draws(1).uniform((3,))).all())
    True
    """

    def __init__(self, members: Sequence[Draws]) -> None:
        self.members = members

    def normal(self, shape: Shape) -> Array:
        """Standard normal numbers."""
        return np.stack([draws.normal(shape[1:]) for draws in self.members])

    def uniform(self, shape: Shape) -> Array:
        """Uniform numbers, at least 0 and less than 1."""
        return np.stack([draws.uniform(shape[1:]) for draws in self.members])

    def integers(self, high: int, shape: Shape) -> Array:
        """Integers, at least 0 and less than `high`."""
        return np.stack([draws.integers(high, shape[1:]) for draws in self.members])


def _cut(rows: Array, places: dict[str, Place]) -> dict[str, Array]:
    """The named pieces of the vectors of all members, as views."""
    return {name: rows[:, start:stop].reshape(len(rows), *shape) for name, (start, stop, shape) in places.items()}
