"""What a layer is, and where it declares its parameters.

A layer is a description: a frozen dataclass of hyper-parameters. Its parameters live in the network that it is
built into, so one description may serve in several networks, be cloned and be searched over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..autodiff.tape import Value
from ..description import check_fields
from .init import INITIALISERS, Random

if TYPE_CHECKING:
    from ..ops.windows import Windows
    from .draws import Draws
    from .ragged import Ragged

Shape = tuple[int, ...]
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Context(NamedTuple):
    """How a network is being applied.

    Parameters
    ----------
    training : bool, default=False
        Whether parameters are being fitted: dropout drops and normalisation uses the batch only then.
    draws : Draws, default=None
        Where layers that draw random numbers get them.
    moves : bool, default=True
        Whether training moves running statistics; those of a part that others are trained through stay.
    sequences : Sequences or Grids, default=None
        How the samples lie in x, where they lie one after the other in rows of steps, or of pixels.
    given : mapping, default={}
        Whatever else a layer must know of the batch, by name: a graph, a time, a condition.
    """

    training: bool = False
    draws: Draws | None = None
    moves: bool = True
    sequences: Any = None
    given: Mapping[str, Any] = NOTHING

    def of_samples(self, name: str, width: int, layer: Layer) -> Value:
        """The so many numbers of each sample that a layer is given by a name; ValueError if they are not."""
        numbers = self.given.get(name)
        if numbers is None or numbers.shape[-1] != width:
            found = "None" if numbers is None else f"numbers of shape {numbers.shape}"
            raise ValueError(
                f"{name}={found}: {type(layer).__name__} needs {width} numbers of each sample; "
                f"call network(x, {name}=...)"
            )
        return numbers


class Still(dict[str, Any]):
    """The parameters of a layer of which all are frozen: what it keeps of batches stands still too.

    A layer that in training depends on the batch is applied with them as in prediction.
    """


class Spread(dict[str, Any]):
    """The means of a layer's parameters, of which each is normal by itself; `std` holds how far they spread, by name.

    A layer that knows the distribution of its output for each sample draws that instead.
    """

    def __init__(self, means: Mapping[str, Any], std: Mapping[str, Any]) -> None:
        super().__init__(means)
        self.std = std

    def drawn(self, draws: Any) -> dict[str, Any]:
        """Parameters, of which those with a spread are drawn."""
        return {
            name: mean + self.std[name] * draws.normal(mean.shape) if name in self.std else mean
            for name, mean in self.items()
        }


@dataclass(frozen=True)
class Parameter:
    """One declared parameter (or one array of running statistics): its name, shape and treatment."""

    name: str
    shape: Shape
    init: np.ndarray
    decay: bool = True
    rate: float = 1.0
    trainable: bool = True


@dataclass
class Store:
    """Where layers declare parameters and state while a network is built; knows the way down to each layer."""

    rng: Random
    path: tuple[str, ...] = ()
    parameters: list[Parameter] = field(default_factory=list)
    states: list[Parameter] = field(default_factory=list)
    layers: dict[str, Layer] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)

    def inside(self, name: str) -> Store:
        """The store of a part of this layer, whose names begin with the part's."""
        return Store(self.rng, (*self.path, name), self.parameters, self.states, self.layers, self.shapes)

    def chain(self, layers: Sequence[Layer], shape: Shape) -> Shape:
        """Build layers one after the other, each under the name of its position; the shape after the last.

        Each is kept in `layers` by its full name, ahead of those within it, and the shape of a sample after it in
        `shapes`.
        """
        for position, layer in enumerate(layers):
            inside = self.inside(str(position))
            name = ".".join(inside.path)
            self.layers[name] = layer
            try:
                shape = self.shapes[name] = layer.build(shape, inside)
            except ValueError as error:
                raise ValueError(
                    f"{error} (layer {position}, {layer!r}, to which samples come with shape {shape})"
                ) from None
        return shape

    def parameter(
        self,
        name: str,
        shape: Shape,
        init: str | Sequence[str] = "zeros",
        *,
        fans: tuple[int, int] = (1, 1),
        gain: float = 1.0,
        decay: bool = True,
        rate: float = 1.0,
        trainable: bool = True,
    ) -> None:
        """Declare a parameter; its initial value is drawn at once, in the order of declaration.

        Parameters
        ----------
        name : str
            Its name within the layer.
        shape : tuple of int
            Its shape.
        init : str or sequence of str, default="zeros"
            A name in :data:`sknn.nn.init.INITIALISERS`; or several, of equal parts side by side on the last axis.
        fans : tuple of two int, default=(1, 1)
            How many inputs feed a unit, and how many units an input feeds.
        gain : float, default=1.0
            The factor for the following activation.
        decay : bool, default=True
            Whether weight decay and the L2 penalty apply; biases and norms say False.
        rate : float, default=1.0
            A factor on the learning rate.
        trainable : bool, default=True
            False keeps the initial value.

        Raises
        ------
        ValueError
            If `init` is not in the table, or the layer has declared this name before.
        """
        names = (init,) if isinstance(init, str) else init
        for each in names:
            if each not in INITIALISERS:
                raise ValueError(f"init={each!r} is unknown; choose one of {', '.join(map(repr, INITIALISERS))}")
        part = shape if len(names) == 1 else (*shape[:-1], shape[-1] // len(names))
        parts = [INITIALISERS[each](self.rng, part, *fans, gain) for each in names]
        value = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
        self.parameters.append(Parameter(self._new(name), shape, value, decay, rate, trainable))

    def state(self, name: str, shape: Shape, init: str = "zeros") -> None:
        """Declare running statistics: kept with the network, never differentiated."""
        value = INITIALISERS[init](self.rng, shape, 1, 1)
        self.states.append(Parameter(self._new(name), shape, value))

    def _new(self, name: str) -> str:
        """The full name, which nothing else may have."""
        full = ".".join((*self.path, name))
        if any(full == declared.name for declared in (*self.parameters, *self.states)):
            raise ValueError(f"name={name!r} is declared twice: there is a {full!r} already")
        return full


class Layer:
    """The base of all layers: a frozen dataclass of hyper-parameters with two methods.

    One that holds other layers names them in `inner`, in the order in which it builds them with ``store.chain``. With
    ``repr=False`` in its decorator a layer is shown by what was chosen for it, without what was left alone. Fields that
    ``sknn.description`` makes are checked when a layer is.
    """

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def is_random(self) -> bool:
        """Whether it draws random numbers in training."""
        return False

    @property
    def needs_batch(self) -> bool:
        """Whether in training its output for a sample depends on the others of the batch."""
        return False

    @property
    def accompanies(self) -> bool:
        """Whether it only changes values where they are, so that it belongs to the layer before it."""
        return False

    @property
    def sees_all(self) -> bool:
        """Whether an output may depend on all positions of the input, though there is one for each of them."""
        return False

    @property
    def needs_grid(self) -> bool:
        """Whether an output depends on other positions of its sample, by where these lie on the grid.

        Such a layer is given images of different sizes as arrays (n, *grid, channels), those of one size together.
        """
        return False

    @property
    def members(self) -> bool:
        """Whether an axis of members may stand in front of all others, of parameters and inputs alike."""
        return False

    @property
    def inner(self) -> tuple[Layer, ...]:
        """The layers within this one, for those who look through a network."""
        return ()

    @property
    def ways(self) -> tuple[str, ...]:
        """Below which names the layers within are built, those below each in order, those of each for the same input.

        By default one way, directly below the layer's own name.
        """
        return ("",) if self.inner else ()

    def build(self, shape: Shape, store: Store) -> Shape:
        """Declare parameters for inputs of `shape` (one sample, without the batch axis); return the output's shape."""
        raise TypeError(f"{type(self).__name__} defines no build")

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        """The output for a batch x (n, *shape). `params` holds what `build` declared, by name."""
        raise TypeError(f"{type(self).__name__} defines no apply")

    def follow(self, sequences: Any) -> Ragged | None:
        """How samples that lie in rows lie after this layer: by default as before; None if in rows no more.

        They are Sequences, in rows of steps, or Grids, in rows of pixels.
        """
        return sequences

    def windows(self, grid: Shape) -> Windows | None:
        """Through which windows of a grid its outputs see their inputs; None if that is not how it sees."""
        return None

    def caption(self, shape: Shape) -> str:
        """What it is, in a line or two of a drawing, for inputs of `shape`."""
        return type(self).__name__.lower()

    def __repr__(self) -> str:
        if not is_dataclass(self):
            return super().__repr__()
        words = []
        for each in fields(self):
            value = getattr(self, each.name)
            if each.default is MISSING:
                words.append(repr(value))
            elif value != each.default:
                words.append(f"{each.name}={value!r}")
        return f"{type(self).__name__}({', '.join(words)})"
