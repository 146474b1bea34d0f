"""A network: layers applied in order, all their parameters in one flat vector."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from ..autodiff.tape import Tensor, Value, backward
from .applied import Applied
from .draws import Draws
from .init import Random
from .layer import Context, Layer, Shape, Store
from .trainable import Trainable


class Network(Trainable):
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
    layers_by_name, shapes_by_name : dict of str to Layer, dict of str to tuple of int
        Every layer under its full name, those within layers ("2.0") after the one that they lie in; the shape after it.

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
        self.layers_by_name, self.shapes_by_name = store.layers, store.shapes
        self.shapes = [store.shapes[str(position)] for position in range(len(self.layers))]
        self._declare(store.parameters, store.states, dtype)

    @property
    def members(self) -> bool:
        return all(layer.members for layer in self.layers)

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
    def weighted(self) -> list[int]:
        """The positions of the layers with weights; one that holds others counts once.

        What only accompanies a layer, such as a norm, belongs to the one before it.
        """
        with_parameters = {int(name.partition(".")[0]) for name in self.names}
        return sorted(k for k in with_parameters if not self.layers[k].accompanies)

    def walk(self) -> Iterator[tuple[Layer, dict[str, Any]]]:
        """Every layer with its parameters, in order; a layer that holds others comes before them."""
        for name, layer in self.layers_by_name.items():
            yield layer, self.parameters_of(name)

    def parameters_of(self, name: str) -> dict[str, Any]:
        """The parameters of the layer of this full name, and of those within it."""
        parameters = self.parameters
        for part in name.split("."):
            parameters = parameters.get(part, {})
        return parameters

    def __call__(self, x: Any, *, training: bool = False, draws: Draws | None = None, **given: Any) -> Any:
        """The output for a batch x of shape (n, *input_shape): an array for an array, no graph."""
        return self.function(training=training, draws=draws)(x, **given)

    def function(
        self,
        trained: Sequence[str] | None = None,
        *,
        watched: bool = False,
        training: bool = False,
        draws: Draws | None = None,
        moves: bool = True,
    ) -> Applied:
        """This network as a function of a batch, for many calls; it follows the values in `theta`.

        Parameters
        ----------
        trained : sequence of str, default=None
            Parts, of which a network has none; see :meth:`Parts.function`.
        watched : bool, default=False
            Whether parameters are leaves of the tape, so that the result is recorded.
        training, draws, moves
            See :class:`Context`.
        """
        return Applied(self.layers, self._watched if watched else self.parameters, Context(training, draws, moves))

    def at(self, theta: Value) -> Applied:
        """This network as a function of a batch with other parameters, as it predicts.

        Parameters
        ----------
        theta : array or Tensor of shape (n_parameters,)
            In the order of `names`. The result can be differentiated by a Tensor, as often as one likes.

        Raises
        ------
        ValueError
            If theta is of another shape.

        Examples
        --------
        >>> import numpy as np
        >>> from sknn.autodiff import Tensor, grad
        >>> from sknn.nn import Dense, Network
        >>> network = Network([Dense(1)], (2,), np.random.RandomState(0))
        >>> theta = Tensor(np.array([1.0, 1.0, 0.5]))
        >>> y = network.at(theta)(np.array([[2.0, 3.0]]))
        >>> y.value, grad(y.sum(), theta)
        (array([[5.5]]), array([2., 3., 1.]))
        """
        return Applied(self.layers, self._parameters_at(theta), Context(moves=False))

    def __getitem__(self, part: slice) -> Applied:
        """Some of the layers as a function: ``network[:2]`` are the first two."""
        return self.function()[part]

    def __repr__(self) -> str:
        layers = ", ".join(map(repr, self.layers))
        return f"Network([{layers}], {self.input_shape}, {self.n_parameters} parameters of {self.theta.dtype})"


def value_and_grad(objective: Callable[..., Tensor], networks: Sequence[Any], *batch: Any) -> tuple[float, list]:
    """The value of an objective and its gradient with respect to the parameters of some networks.

    Parameters
    ----------
    objective : callable
        Called as ``objective(*networks, *batch)`` with the networks watched; returns a scalar Tensor. A network
        that it reaches in another way is applied as it is and not differentiated.
    networks : sequence of Network or Parts
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
    return differentiate(objective(*[network.function(watched=True) for network in networks], *batch), networks)


def differentiate(value: Tensor, networks: Sequence[Any]) -> tuple[float, list]:
    """As :func:`value_and_grad`, of a value that was computed with watched functions of these networks."""
    if not isinstance(value, Tensor) or value.value.size != 1:
        raise TypeError(f"objective must return a scalar Tensor that depends on the networks, got {value!r}")
    leaves = networks[0].leaves if len(networks) == 1 else [leaf for network in networks for leaf in network.leaves]
    backward(value, leaves)
    return value.value.item(), [network.grad for network in networks]
