"""A network: layers applied in order, all their parameters in one flat vector.

``theta`` holds every parameter, ``grad`` the gradient and ``state`` the running statistics. A named parameter is
a view, so whoever works on the vector (an optimizer, an average of weights, a checkpoint, a sampler) need not
know what a layer is, and a layer need not know where its parameters are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..autodiff.tape import Array, Tensor, Value, backward
from ..optim import Group
from .init import Random
from .layer import Context, Layer, Parameter, Shape, Store


class Place(NamedTuple):
    """Where a named array lies in its flat vector."""

    start: int
    stop: int
    shape: Shape


class Chain:
    """Layers applied one after the other, each with its parameters."""

    __slots__ = ("steps",)

    def __init__(self, layers: Sequence[Layer], parameters: dict[str, Any]) -> None:
        self.steps = [(layer.apply, parameters.get(str(position), {})) for position, layer in enumerate(layers)]

    def __call__(self, x: Value, *, training: bool = False, rng: Random = None) -> Value:
        context = Context(training, rng)
        for apply, params in self.steps:
            x = apply(params, x, context)
        return x


class Network:
    """Layers built for one input shape, with their parameters.

    Parameters
    ----------
    layers : sequence of Layer
        Applied in order.
    input_shape : tuple of int
        The shape of one sample.
    rng : RandomState, Generator or None
        Draws the initial parameters, layer by layer, in the order in which each layer declares them.
    dtype : str or dtype, default="float32"
        Of the parameters and of the computation.

    Attributes
    ----------
    theta, grad : ndarray of shape (n_parameters,)
        All parameters, and what the last backward pass left: first those of the highest rate, decaying before
        non-decaying; frozen ones last.
    state : ndarray
        All running statistics.
    names : dict of str to Place
        Where each parameter lies in theta, under a name such as "0.weight": the layer's position, its own name.
    parameters : dict
        The views, nested as the layers are: ``parameters["0"]["weight"]``; running statistics among them.
    groups : list of Group
        What an optimizer may change.
    shapes, output_shape : list of tuple of int, tuple of int
        The shape of one sample after each layer, and after the last.
    shapes_by_name : dict of str to tuple of int
        The same for every layer under its full name, those within layers ("2.0") among them.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Dense, Network
    >>> network = Network([Dense(2, init="ones")], (3,), None, dtype="float64")
    >>> network(np.ones((1, 3)))
    array([[3., 3.]])
    >>> network.theta[:] = 0.5
    >>> network(np.ones((1, 3)))
    array([[2., 2.]])
    """

    def __init__(
        self, layers: Sequence[Layer], input_shape: Shape, rng: Random, dtype: str | np.dtype = "float32"
    ) -> None:
        store = Store(rng)
        self.layers = tuple(layers)
        self.input_shape = tuple(input_shape)
        self.output_shape = store.chain(self.layers, self.input_shape)
        self.shapes_by_name = store.shapes
        self.shapes = [store.shapes[str(position)] for position in range(len(self.layers))]
        ordered = sorted(store.parameters, key=lambda p: (not p.trainable, -p.rate, not p.decay))
        self.names = _places(ordered)
        self.groups = _groups(ordered)
        self.theta = _flat(ordered, dtype)
        self.state_names = _places(store.states)
        self.state = _flat(store.states, np.float64)
        self._make_views()

    @property
    def n_parameters(self) -> int:
        """The number of parameters, frozen ones included."""
        return self.theta.size

    @property
    def multiplications(self) -> int:
        """About how many a sample takes, if each layer is applied once: from this a fit starts, until it has counted.

        All parameters of a layer are used at each position that it puts out; an axis whose length is left open counts
        as one position.
        """
        return sum((place.stop - place.start) * self._positions(name) for name, place in self.names.items())

    def _positions(self, name: str) -> int:
        """How many positions the innermost layer that a parameter belongs to puts out."""
        while name not in self.shapes_by_name:
            name = name.rpartition(".")[0]
        return prod(n for n in self.shapes_by_name[name][:-1] if n is not None)

    @property
    def is_finite(self) -> bool:
        """Whether all parameters and running statistics are: training that diverged leaves others."""
        return bool(np.isfinite(self.theta).all() and np.isfinite(self.state).all())

    def walk(self) -> Iterator[tuple[Layer, dict[str, Any]]]:
        """Every layer with its parameters, in order; a layer that holds others comes before them."""
        return _walk(self.layers, self.parameters)

    def __call__(self, x: Value, *, training: bool = False, rng: Random = None) -> Value:
        """The output for a batch x of shape (n, *input_shape): an array for an array, no graph."""
        return self._plain(x, training=training, rng=rng)

    @property
    def watched(self) -> Chain:
        """This network with its parameters as leaves of the tape: the same call, but its result is recorded."""
        return self._watched

    @property
    def leaves(self) -> list[Tensor]:
        """The trainable parameters as leaves whose gradient goes into `grad`, in the order of `names`."""
        return self._leaves

    def first(self, n_layers: int) -> Chain:
        """The first layers alone, as a function of the inputs."""
        return Chain(self.layers[:n_layers], self.parameters)

    def decaying_norm(self) -> float:
        """The sum of squares of the parameters that weight decay applies to."""
        total = 0.0
        for start, decay_stop, _, _ in self.groups:
            part = self.theta[start:decay_stop]
            total += float(np.dot(part, part))
        return total

    def __repr__(self) -> str:
        layers = ", ".join(map(repr, self.layers))
        return f"Network([{layers}], {self.input_shape}, {self.n_parameters} parameters of {self.theta.dtype})"

    def copy(self, dtype: str | np.dtype | None = None) -> Network:
        """An independent network with the same layers and values, in the same precision or another."""
        twin = Network.__new__(Network)
        theta = self.theta.astype(dtype or self.theta.dtype)
        twin.__setstate__({**self.__getstate__(), "theta": theta, "state": self.state.copy()})
        return twin

    def __getstate__(self) -> dict[str, Any]:
        views = ("grad", "parameters", "_plain", "_watched", "_leaves")
        return {name: value for name, value in self.__dict__.items() if name not in views}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_views()

    def _make_views(self) -> None:
        self.grad = np.zeros_like(self.theta)
        views = _views(self.theta, self.names)
        gradients = _views(self.grad, self.names)
        n_trainable = self.groups[-1].stop if self.groups else 0
        leaves = {
            name: Tensor(view, sink=gradients[name])
            for name, view in views.items()
            if self.names[name].stop <= n_trainable
        }
        states = _views(self.state, self.state_names)
        self._leaves = list(leaves.values())
        self.parameters = _nest({**views, **states})
        self._plain = Chain(self.layers, self.parameters)
        self._watched = Chain(self.layers, _nest({**views, **leaves, **states}))


def value_and_grad(objective: Callable[..., Tensor], networks: Sequence[Network], *batch: Any) -> tuple[float, list]:
    """The value of an objective and its gradient with respect to the parameters of some networks.

    Parameters
    ----------
    objective : callable
        Called as ``objective(*networks, *batch)`` with the networks watched; returns a scalar Tensor. A network
        that it reaches in another way is applied as it is and not differentiated.
    networks : sequence of Network
        Those to differentiate.
    *batch
        Handed on to the objective.

    Returns
    -------
    value : float
    grads : list of ndarray
        The `grad` of each network, overwritten; zero where the objective does not depend on a parameter.

    Raises
    ------
    TypeError
        If the objective does not return a scalar Tensor.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Dense, Network, value_and_grad
    >>> network = Network([Dense(1, init="ones")], (2,), None, dtype="float64")
    >>> value_and_grad(lambda net, x: net(x).sum(), [network], np.array([[1.0, 2.0]]))
    (3.0, [array([1., 2., 1.])])
    """
    value = objective(*[network.watched for network in networks], *batch)
    if not isinstance(value, Tensor) or value.value.size != 1:
        raise TypeError(f"objective must return a scalar Tensor that depends on the networks, got {value!r}")
    leaves = networks[0].leaves if len(networks) == 1 else [leaf for network in networks for leaf in network.leaves]
    backward(value, leaves)
    return value.value.item(), [network.grad for network in networks]


def _places(parameters: Sequence[Parameter]) -> dict[str, Place]:
    places, start = {}, 0
    for parameter in parameters:
        stop = start + prod(parameter.shape)
        places[parameter.name] = Place(start, stop, parameter.shape)
        start = stop
    return places


def _flat(parameters: Sequence[Parameter], dtype: str | np.dtype | type) -> Array:
    return np.concatenate([np.empty(0), *(p.init.ravel() for p in parameters)]).astype(dtype)


def _groups(ordered: Sequence[Parameter]) -> list[Group]:
    groups, start = [], 0
    for rate, members in groupby((p for p in ordered if p.trainable), key=lambda p: p.rate):
        sizes = [(prod(p.shape), p.decay) for p in members]
        decay_stop = start + sum(size for size, decay in sizes if decay)
        stop = start + sum(size for size, _ in sizes)
        groups.append(Group(start, decay_stop, stop, rate))
        start = stop
    return groups


def _views(vector: Array, places: dict[str, Place]) -> dict[str, Array]:
    return {name: vector[place.start : place.stop].reshape(place.shape) for name, place in places.items()}


def _walk(layers: Sequence[Layer], parameters: dict[str, Any]) -> Iterator[tuple[Layer, dict[str, Any]]]:
    for position, layer in enumerate(layers):
        mine = parameters.get(str(position), {})
        yield layer, mine
        yield from _walk(layer.inner, mine)


def _nest(flat: dict[str, Any]) -> dict[str, Any]:
    """{"0.weight": W} as {"0": {"weight": W}}."""
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        inner = nested
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return nested
