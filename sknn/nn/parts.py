"""Several networks, and numbers beside them, that are trained together: all their parameters in one flat vector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np

from ..autodiff.tape import Array, Value
from .draws import Draws
from .layer import Layer, Parameter
from .trainable import Place, Trainable, known, moved

P = TypeVar("P", bound="Parts")


class Parts(Trainable):
    """Named networks whose parameters are views of one theta: a generator and a critic, an encoder and a decoder.

    It answers what a network does, so that all of them can be trained, averaged and kept as one; ``parts.critic`` is
    the network itself. What is trained by turns takes its own stretch: :meth:`span`, :meth:`groups_of`.

    Parameters
    ----------
    **parts : Network or Constants
        In the order in which they are to lie in theta. From now on their values live there.

    Attributes
    ----------
    theta, grad, state : ndarray
        Those of the parts, one after the other.
    names : dict of str to Place
        Where each parameter lies in theta, under a name such as "critic.0.weight".
    parts : dict of str to Network or Constants
        The parts.

    Raises
    ------
    ValueError
        If there are none, their precisions differ, one is given twice or has a name that stands for something else.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Constants, Dense, Network, Parts
    >>> network = Network([Dense(1, init="ones")], (2,), None)
    >>> parts = Parts(solution=network, constants=Constants(c=3.0))
    >>> parts.theta
    array([1., 1., 0., 3.], dtype=float32)
    >>> parts.theta[:] = 2.0
    >>> parts.solution(np.array([[1.0, 1.0]], "float32"))
    array([[6.]], dtype=float32)
    >>> parts.span("constants")
    slice(3, 4, None)
    """

    def __init__(self, **parts: Any) -> None:
        _check_parts(parts)
        self._parts = parts
        self._join()

    def _join(self) -> None:
        """Move the values of the parts into common vectors."""
        parts = self._parts.values()
        theta, grad, state = (np.concatenate([getattr(part, each) for part in parts]) for each in _VECTORS)
        self.names, self.state_names, self.groups = {}, {}, []
        at, state_at = 0, 0
        for name, part in self._parts.items():
            self.names.update(_below(name, part.names, at))
            self.state_names.update(_below(name, part.state_names, state_at))
            self.groups += [moved(group, at) for group in part.groups]
            at += part.theta.size
            state_at += part.state.size
        self._live_in(theta, grad, state)

    def _live_in(self, theta: Array, grad: Array, state: Array) -> None:
        self.theta, self.grad, self.state = theta, grad, state
        for name, part in self._parts.items():
            place = self.span(name)
            part.bind(theta[place], grad[place], state[self.state_span(name)])
        self.parameters = {name: part.parameters for name, part in self._parts.items()}
        self._leaves = [leaf for part in self._parts.values() for leaf in part.leaves]

    @property
    def parts(self) -> dict[str, Any]:
        return self._parts

    @property
    def rates(self) -> dict[str, float]:
        return {f"{name}.{own}": rate for name, part in self._parts.items() for own, rate in part.rates.items()}

    def train_at(self, rates: Mapping[str, float]) -> None:
        self._check_names(rates)
        for name, part in self._parts.items():
            part.train_at({own: rates[full] for own in part.names if (full := f"{name}.{own}") in rates})
        self._join()

    def __getattr__(self, name: str) -> Any:
        parts = self.__dict__.get("_parts", {})
        if name not in parts:
            raise AttributeError(f"{type(self).__name__} has neither an attribute nor a part {name!r}: {tuple(parts)}")
        return parts[name]

    def __getitem__(self, name: str) -> Any:
        """A part by its name."""
        return self._parts[name]

    @property
    def multiplications(self) -> int:
        """About how many a sample takes that every part is applied to once."""
        return sum(part.multiplications for part in self._parts.values())

    def walk(self) -> Iterator[tuple[Layer, dict[str, Any]]]:
        """Every layer of every part with its parameters."""
        return chain.from_iterable(part.walk() for part in self._parts.values())

    def function(
        self,
        trained: Sequence[str] | None = None,
        *,
        watched: bool = False,
        training: bool = False,
        draws: Draws | None = None,
        moves: bool = True,
    ) -> Nets:
        """The parts as functions of batches, for many calls; they follow the values in `theta`.

        Parameters
        ----------
        trained : sequence of str, default=None
            The parts that are trained; None, or none named: all. The others are applied as in prediction and keep their
            running statistics; gradients pass through them to what they are applied to, but not to their parameters.
        watched : bool, default=False
            Whether parameters of trained parts are leaves of the tape, so that the result is recorded.
        training, draws, moves
            See :class:`Context`.

        Raises
        ------
        ValueError
            If there is no part with one of the names.
        """
        chosen = known(trained, self._parts) if trained else self._parts
        functions = {
            name: part.function(watched=watched, training=training, draws=draws, moves=moves)
            if name in chosen
            else part.function(draws=draws, moves=False)
            for name, part in self._parts.items()
        }
        return Nets(functions, training)

    def at(self, theta: Value) -> Nets:
        """The parts as functions of batches with other parameters, as they predict; see :meth:`Network.at`."""
        self._check_theta(theta)
        return Nets({name: part.at(theta[self.span(name)]) for name, part in self._parts.items()}, training=False)

    def copy(self: P, dtype: str | np.dtype | None = None) -> P:
        """Independent twins with the same values, in the same precision or another."""
        return type(self)(**{name: part.copy(dtype) for name, part in self._parts.items()})

    def __copy__(self: P) -> P:
        return self.copy()  # two that shared their networks would take them from each other

    def __repr__(self) -> str:
        return f"Parts({', '.join(f'{name}={part!r}' for name, part in self._parts.items())})"

    def __getstate__(self) -> dict[str, Any]:
        return {"_parts": self._parts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._join()


class Nets:
    """The parts as functions: ``nets.generator(z)``; numbers beside them: ``nets.constants.c``.

    Attributes
    ----------
    training : bool
        Whether this is a step of training, and not validation or prediction.
    progress : float
        The share of the fit that is done, which the loop keeps up; 1 outside of a fit.
    """

    def __init__(self, functions: dict[str, Any], training: bool) -> None:
        self.__dict__.update(functions)
        self.training, self.progress = training, 1.0

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"there is no part {name!r}")


class Constants(Trainable):
    """Numbers that are trained: the unknown constants of an equation, beside the network that solves it.

    Parameters
    ----------
    dtype : str or dtype, default="float32"
        That of the networks beside them.
    **numbers : float or array
        Where they begin, by name. They do not decay.

    Examples
    --------
    >>> from sknn.nn import Constants, Parts, value_and_grad
    >>> constants = Constants(c=3.0, dtype="float64")
    >>> value_and_grad(lambda numbers: numbers.c**2, [constants])
    (9.0, [array([6.])])
    """

    multiplications = 0

    def __init__(self, dtype: str | np.dtype = "float32", **numbers: Any) -> None:
        values = {name: np.asarray(value, np.float64) for name, value in numbers.items()}
        self._declare([Parameter(name, value.shape, value, decay=False) for name, value in values.items()], [], dtype)

    def walk(self) -> Iterator[tuple[Layer, dict[str, Any]]]:
        """No layers."""
        return iter(())

    def function(
        self,
        trained: Sequence[str] | None = None,
        *,
        watched: bool = False,
        training: bool = False,
        draws: Draws | None = None,
        moves: bool = True,
    ) -> SimpleNamespace:
        """The numbers by name, leaves of the tape if they are watched; the rest is for networks."""
        return SimpleNamespace(**(self._watched if watched else self.parameters))

    def at(self, theta: Value) -> SimpleNamespace:
        """The numbers by name, taken from another vector."""
        return SimpleNamespace(**self._parameters_at(theta))

    def __repr__(self) -> str:
        return f"Constants({', '.join(f'{name}={value}' for name, value in self.parameters.items())})"


_VECTORS = ("theta", "grad", "state")
_TAKEN = {*_VECTORS, "names", "state_names", "groups", "parameters", "training", "progress"}


def _check_parts(parts: dict[str, Any]) -> None:
    if not parts:
        raise ValueError("Parts() has no parts: name at least one network")
    for name in parts:
        if name in _TAKEN or hasattr(Parts, name):
            raise ValueError(f"{name}={parts[name]!r} has a name that stands for something else: take another")
    if len({id(part) for part in parts.values()}) < len(parts):
        raise ValueError(
            f"parts={tuple(parts)} name one network twice: name it once, and apply it as often as you like"
        )
    dtypes = {name: part.theta.dtype.name for name, part in parts.items()}
    if len(set(dtypes.values())) > 1:
        raise ValueError(f"parts must have one dtype, got {dtypes}")


def _below(name: str, places: dict[str, Place], by: int) -> dict[str, Place]:
    """The places of a part, among those of all."""
    return {f"{name}.{own}": Place(start + by, stop + by, shape) for own, (start, stop, shape) in places.items()}
