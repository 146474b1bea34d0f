"""Layers that hold layers: applied in order, added to their input, or put beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autodiff.tape import Value
from ..description import choice, in_order
from ..ops.activation import ACTIVATIONS
from ..ops.concat import concat
from ..ops.residual import join
from .grids import Grids
from .layer import Context, Layer, Shape, Store
from .ragged import Ragged
from .sequences import Sequences

LENGTHS = np.arange(1000, 1032)  # long enough for all windows, and of every remainder for usual strides


def run(layers: Sequence[Layer], params: dict[str, Any], x: Value, context: Context) -> tuple[Value, Context]:
    """Apply layers in order; their output, and the context for what comes after them.

    The parameters of a layer are found under its position. Where samples lie in rows, the context follows the layers,
    each of which may leave fewer positions than came, or none.
    """
    for position, layer in enumerate(layers):
        lying, mine = context.sequences, params.get(str(position), {})
        if lying is None:
            x = layer.apply(mine, x, context)
        else:
            x = lying.applied(layer, mine, x, context)
            context = context._replace(sequences=layer.follow(lying))
    return x, context


def of_many_sizes(grid: Sequence[int | None]) -> Ragged:
    """Samples without values, of many sizes along the axes that a shape leaves open."""
    sizes = np.stack([LENGTHS if n is None else np.full_like(LENGTHS, n) for n in grid], axis=1)
    one = Sequences(np.empty((1, 0)), [1]) if len(grid) == 1 else Grids(np.empty((1, 0)), [[1] * len(grid)])
    return one.of_shapes(sizes)


def _listed(name: str, layers: Any) -> tuple[Layer, ...]:
    if not in_order(layers):
        raise ValueError(f"{name} must be a list of layers; got {layers!r}")
    layers = tuple(layers)
    for position, layer in enumerate(layers):
        if not isinstance(layer, Layer):
            raise ValueError(f"{name}[{position}]={layer!r} is no layer of sknn.nn, such as Dense(100)")
    return layers


def follow(layers: Sequence[Layer], sequences: Any) -> Any:
    """How samples lie after all the layers; None once they lie in rows no more."""
    for layer in layers:
        if sequences is not None:
            sequences = layer.follow(sequences)
    return sequences


@dataclass(frozen=True, repr=False)
class Sequential(Layer):
    """Layers applied in order, as one.

    Parameters
    ----------
    layers : sequence of Layer
        Their parameters are named by their positions: "0.weight" within.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Dense, Network, Sequential
    >>> network = Network([Sequential([Dense(2, init="ones"), Dense(1, init="ones")])], (2,), None)
    >>> network(np.array([[1.0, 2.0]], "float32"))
    array([[6.]], dtype=float32)
    """

    layers: Sequence[Layer]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", _listed("layers", self.layers))

    @property
    def inner(self) -> tuple[Layer, ...]:
        return tuple(self.layers)

    @property
    def members(self) -> bool:
        return all(layer.members for layer in self.inner)

    def build(self, shape: Shape, store: Store) -> Shape:
        return store.chain(self.layers, shape)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        return run(self.layers, params, x, context)[0]

    def follow(self, sequences: Any) -> Ragged | None:
        return follow(self.layers, sequences)


@dataclass(frozen=True, repr=False)
class _Around(Layer):
    """Layers with a way around them: the two are built for the same input, and a subclass joins what they make."""

    layers: Sequence[Layer]
    shortcut: Sequence[Layer] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "layers", _listed("layers", self.layers))
        object.__setattr__(self, "shortcut", _listed("shortcut", self.shortcut))
        if not self.layers:
            raise ValueError(f"layers=() is empty: {type(self).__name__} needs at least one layer to go around")

    @property
    def inner(self) -> tuple[Layer, ...]:
        return (*self.layers, *self.shortcut)

    @property
    def ways(self) -> tuple[str, ...]:
        return ("", "shortcut")

    @property
    def members(self) -> bool:
        return all(layer.members for layer in self.inner)

    def build(self, shape: Shape, store: Store) -> Shape:
        through = store.chain(self.layers, shape)
        joined = self._joined_shape(shape, through, store.inside("shortcut").chain(self.shortcut, shape))
        if None in joined:
            self._check_sizes(shape)
        return joined

    def _check_sizes(self, shape: Shape) -> None:
        """Raise ValueError if the two ways make samples of different sizes, which a shape leaves open."""
        given = of_many_sizes(shape[:-1])
        ways = [follow(layers, given) for layers in (self.layers, self.shortcut)]
        through, around = (given.shapes if way is None else way.shapes for way in ways)
        different = np.flatnonzero((through != around).any(axis=1))
        if len(different):
            size, one, other = ("x".join(map(str, sizes[different[0]])) for sizes in (given.shapes, through, around))
            what = ("steps", "lengths") if len(shape) == 2 else ("positions", "sizes")
            raise ValueError(
                f"layers of {type(self).__name__} make {one} {what[0]} of {size}, but what lies around them {other}: "
                f"the {what[1]} must be equal"
            )

    def _joined_shape(self, shape: Shape, through: Shape, around: Shape) -> Shape:
        """The shape of what comes out; ValueError where the two ways do not fit together."""
        raise TypeError(f"{type(self).__name__} defines no _joined_shape")

    def _ways(self, params: dict[str, Any], x: Value, context: Context) -> tuple[Value, Value]:
        """What comes through the layers, and what comes around them."""
        through, _ = run(self.layers, params, x, context)
        return through, run(self.shortcut, params.get("shortcut", {}), x, context)[0]

    def follow(self, sequences: Any) -> Ragged | None:
        return follow(self.layers, sequences)


@dataclass(frozen=True, repr=False)
class Residual(_Around):
    """y = a(x + f(x)), with f the layers within, applied in order; with a shortcut, y = a(s(x) + f(x)).

    Without one nothing lies on the way around the layers, neither a weight nor an activation function, so that the
    gradient comes through any number of such layers undiminished; unless an activation function a comes behind the sum.

    Parameters
    ----------
    layers : sequence of Layer
        What the connection goes around; they must give back the shape that they are given. Their parameters are named
        by their positions: "0.weight" within.
    shortcut : sequence of Layer, default=()
        What lies on the way around them, where they change the shape: it has to make the same of it. Its parameters are
        named "shortcut.0.weight" within.
    activation : str, default="identity"
        A name in :data:`sknn.ops.ACTIVATIONS`.

    Raises
    ------
    ValueError
        If there are no layers, or when they are built for a shape of which the two ways make different ones.

    References
    ----------
    He, Zhang, Ren, Sun (2016). Identity mappings in deep residual networks. ECCV. arXiv:1603.05027.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Dense, Network, Residual
    >>> network = Network([Residual([Dense(2, init="ones"), Dense(2, init="ones")])], (2,), None)
    >>> network(np.array([[1.0, 2.0]], "float32"))
    array([[7., 8.]], dtype=float32)
    >>> list(network.names)
    ['0.0.weight', '0.1.weight', '0.0.bias', '0.1.bias']
    """

    activation: str = choice(ACTIVATIONS, default="identity")

    def _joined_shape(self, shape: Shape, through: Shape, around: Shape) -> Shape:
        if through == around:
            return through
        if self.shortcut:
            raise ValueError(
                f"layers of Residual make {through} of {shape}, but the shortcut {around}: make them equal"
            )
        raise ValueError(f"layers of Residual must keep the shape of their input, {shape}, but make it {through}")

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        through, around = self._ways(params, x, context)
        return join(around, through, activation=self.activation)


@dataclass(frozen=True, repr=False)
class Concat(_Around):
    """y = [x, f(x)], the input and what the layers within make of it, side by side on the last axis.

    Parameters
    ----------
    layers : sequence of Layer
        What the connection goes around; they may change the last axis alone. Their parameters are named by their
        positions: "0.weight" within.
    shortcut : sequence of Layer, default=()
        What lies on the way around them: y = [s(x), f(x)]. Its parameters are named "shortcut.0.weight" within.

    Raises
    ------
    ValueError
        If there are no layers, or when they are built for a shape of which the two ways make shapes that differ in more
        than the last axis.

    References
    ----------
    Huang, Liu, van der Maaten, Weinberger (2017). Densely connected convolutional networks. CVPR. arXiv:1608.06993.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Concat, Dense, Network
    >>> network = Network([Concat([Dense(1, init="ones")])], (2,), None)
    >>> network(np.array([[1.0, 2.0]], "float32"))
    array([[1., 2., 3.]], dtype=float32)
    """

    def _joined_shape(self, shape: Shape, through: Shape, around: Shape) -> Shape:
        if through[:-1] != around[:-1]:
            what = "the shortcut" if self.shortcut else "the way around them"
            raise ValueError(
                f"layers of Concat make {through} of {shape}, but {what} {around}: all axes but the last must be equal"
            )
        return (*through[:-1], around[-1] + through[-1])

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        through, around = self._ways(params, x, context)
        return concat(around, through)
