"""What can be trained: named arrays, side by side in one flat vector with a gradient beside it.

``theta`` holds every parameter, ``grad`` the gradient and ``state`` the running statistics. A named parameter is
a view, so whoever works on the vector (an optimizer, an average of weights, a checkpoint, a sampler) need not
know what a layer is, and a layer need not know where its parameters are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate, groupby, pairwise
from math import prod
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Tensor, Value
from ..optim import Group
from .layer import Parameter, Shape, Still

T = TypeVar("T", bound="Trainable")


class Place(NamedTuple):
    """Where a named array lies in its flat vector."""

    start: int
    stop: int
    shape: Shape


class Trainable:
    """Named parameters and running statistics as views of `theta` and `state`; the base of networks and their parts."""

    theta: Array
    grad: Array
    state: Array
    names: dict[str, Place]
    state_names: dict[str, Place]
    groups: list[Group]
    parameters: dict[str, Any]
    _rates: Mapping[str, float] = MappingProxyType({})
    _declared_groups: list[Group]

    @property
    def n_parameters(self) -> int:
        """The number of parameters, frozen ones included."""
        return self.theta.size

    @property
    def members(self) -> bool:
        """Whether it may be trained side by side with others that are like it: see :attr:`Layer.members`."""
        return False

    @property
    def is_finite(self) -> bool:
        """Whether all parameters and running statistics are: training that diverged leaves others."""
        return bool(np.isfinite(self.theta).all() and np.isfinite(self.state).all())

    @property
    def trained(self) -> list[str]:
        """The names of the parameters that are trained, in the order of `names`."""
        groups = self.groups
        return [
            name
            for name, (start, stop, _) in self.names.items()
            if any(group.start <= start and stop <= group.stop for group in groups)
        ]

    @property
    def still(self) -> set[str]:
        """The names of the layers that :meth:`train_at` has frozen with all that lies within them."""
        rates = self.rates
        if not rates:
            return set()
        moving = {layer for name in self.names if rates.get(name, 1.0) for layer in above(name)}
        return {layer for name in rates for layer in above(name)} - moving

    @property
    def leaves(self) -> list[Tensor]:
        """The trainable parameters as leaves whose gradient goes into `grad`, in the order of `names`."""
        return self._leaves

    def decaying_norm(self, *parts: str) -> float:
        """The sum of squares of the parameters that weight decay applies to: those of parts, if some are named."""
        theta, groups = (self.theta[self.span(*parts)], self.groups_of(*parts)) if parts else (self.theta, self.groups)
        total = 0.0
        for start, decay_stop, _, _ in groups:
            part = theta[start:decay_stop]
            total += float(np.dot(part, part))
        return total

    @property
    def rates(self) -> dict[str, float]:
        """The factors on the learning rate of parameters that :meth:`train_at` has given some, by name."""
        return dict(self._rates)

    def train_at(self, rates: Mapping[str, float]) -> None:
        """Train parameters at a rate of their own from now on, or not at all.

        Parameters
        ----------
        rates : mapping of str to float
            Factors on the learning rates that layers have declared, by the name of the parameter; 0 freezes it. Those
            that are not named have their declared rate again. A layer of which all parameters are frozen keeps its
            running statistics as well. Functions that were made before do not follow.

        Raises
        ------
        ValueError
            If there is no such parameter.

        Examples
        --------
        >>> import numpy as np
        >>> from sknn.nn import Dense, Network
        >>> network = Network([Dense(1), Dense(1)], (1,), np.random.RandomState(0))
        >>> list(network.names), network.groups
        (['0.weight', '1.weight', '0.bias', '1.bias'], [Group(start=0, decay_stop=2, stop=4, rate=1.0)])
        >>> network.train_at({"0.weight": 0.0, "0.bias": 0.0, "1.weight": 0.5})
        >>> network.groups
        [Group(start=1, decay_stop=2, stop=2, rate=0.5), Group(start=3, decay_stop=3, stop=4, rate=1.0)]
        """
        self._check_names(rates)
        self._rates = dict(rates)
        self.groups = list(_at_rates(self._declared_groups, self.names, self._rates))
        self._live_in(self.theta, self.grad, self.state)

    def _check_names(self, rates: Mapping[str, float]) -> None:
        if unknown := sorted(rates.keys() - self.names.keys()):
            raise ValueError(f"rates name {unknown[0]!r}, but the parameters are {tuple(self.names)}")

    # -- the parts of it -------------------------------------------------------------------------------------------

    @property
    def parts(self) -> dict[str, Trainable]:
        """Those that can be trained by themselves, by name, in the order in which they lie in theta."""
        return {}

    def span(self, *parts: str) -> slice:
        """Where parts lie in `theta` and `grad`; the whole of these if none is named.

        Raises
        ------
        ValueError
            If a name is unknown, or the parts do not lie side by side.
        """
        return _joined(parts, {name: part.theta.size for name, part in self.parts.items()}, self.theta.size)

    def state_span(self, *parts: str) -> slice:
        """Where the running statistics of parts lie in `state`, as :meth:`span` does for parameters."""
        return _joined(parts, {name: part.state.size for name, part in self.parts.items()}, self.state.size)

    def groups_of(self, *parts: str) -> list[Group]:
        """The groups of parts, counted from where their span begins; all if none is named."""
        span = self.span(*parts)
        return [moved(each, -span.start) for each in self.groups if span.start <= each.start and each.stop <= span.stop]

    def leaves_of(self, *parts: str) -> list[Tensor]:
        """The leaves of parts; all if none is named."""
        return [leaf for name in known(parts, self.parts) for leaf in self.parts[name].leaves] if parts else self.leaves

    # -- its vectors -----------------------------------------------------------------------------------------------

    def bind(self, theta: Array, grad: Array, state: Array) -> None:
        """Live in these vectors from now on: the values are moved into them, and parameters become views of them.

        Functions that were made before still see the old ones.

        Raises
        ------
        ValueError
            If they are of other sizes than the vectors so far.
        """
        sizes, new = (self.theta.size, self.theta.size, self.state.size), (theta.size, grad.size, state.size)
        if sizes != new:
            raise ValueError(f"theta, grad and state must be of sizes {sizes}, got {new}")
        theta[:], grad[:], state[:] = self.theta, self.grad, self.state
        self._live_in(theta, grad, state)

    def copy(self: T, dtype: str | np.dtype | None = None) -> T:
        """An independent twin with the same values, in the same precision or another."""
        twin = type(self).__new__(type(self))
        theta = self.theta.astype(dtype or self.theta.dtype)
        twin.__setstate__({**self.__getstate__(), "theta": theta, "state": self.state.copy()})
        return twin

    def __getstate__(self) -> dict[str, Any]:
        views = ("grad", "parameters", "_watched", "_leaves")
        return {name: value for name, value in self.__dict__.items() if name not in views}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._live_in(self.theta, np.zeros_like(self.theta), self.state)

    def _declare(self, parameters: Sequence[Parameter], states: Sequence[Parameter], dtype: str | np.dtype) -> None:
        """Lay out all that was declared, with its initial values."""
        ordered = sorted(parameters, key=lambda p: (not p.trainable, -p.rate, not p.decay))
        self.names, self.state_names = _places(ordered), _places(states)
        self.groups = self._declared_groups = _groups(ordered)
        theta = _flat(ordered, dtype)
        self._live_in(theta, np.zeros_like(theta), _flat(states, np.float64))

    def _live_in(self, theta: Array, grad: Array, state: Array) -> None:
        self.theta, self.grad, self.state = theta, grad, state
        views, gradients, states = (
            cut(vector, places)
            for vector, places in ((theta, self.names), (grad, self.names), (state, self.state_names))
        )
        leaves = {name: Tensor(views[name], sink=gradients[name]) for name in self.trained}
        self._leaves, still = list(leaves.values()), self.still
        self.parameters = nest({**views, **states}, still)
        self._watched = nest({**views, **leaves, **states}, still)

    def _parameters_at(self, theta: Value) -> dict[str, Any]:
        """The parameters as pieces of another vector, nested, with the running statistics as they are."""
        self._check_theta(theta)
        return nest({**cut(theta, self.names), **cut(self.state, self.state_names)}, self.still)

    def _check_theta(self, theta: Value) -> None:
        if F.shape_of(theta) != self.theta.shape:
            raise ValueError(f"theta must be of shape {self.theta.shape}, got shape {F.shape_of(theta)}")


def cut(vector: Value, places: dict[str, Place]) -> dict[str, Value]:
    """The named pieces of a vector: views of an array, entries of the tape of a Tensor."""
    return {name: F.reshape(vector[place.start : place.stop], place.shape) for name, place in places.items()}


def nest(flat: dict[str, Any], still: Collection[str] = ()) -> dict[str, Any]:
    """{"0.weight": W} as {"0": {"weight": W}}; what belongs to layers that stand still is marked."""
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        inner, at = nested, ""
        for part in path:
            at = f"{at}.{part}" if at else part
            inner = inner.setdefault(part, Still() if at in still else {})
        inner[last] = value
    return nested


def above(name: str) -> Iterator[str]:
    """The names of the layers that a parameter belongs to, from the innermost on."""
    while name := name.rpartition(".")[0]:
        yield name


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


def _at_rates(groups: Sequence[Group], names: Mapping[str, Place], rates: Mapping[str, float]) -> Iterator[Group]:
    """The groups, cut where parameters have rates of their own; what is frozen lies in none."""
    latest: Group | None = None
    for name, (start, stop, _) in names.items():
        within = next((each for each in groups if each.start <= start and stop <= each.stop), None)
        rate = 0.0 if within is None else within.rate * rates.get(name, 1.0)
        if within is None or rate == 0.0:
            continue
        decays = stop <= within.decay_stop
        goes_on = latest is not None and latest.stop == start and latest.rate == rate
        if latest is not None and goes_on and (latest.decay_stop == start or not decays):
            latest = Group(latest.start, stop if decays else latest.decay_stop, stop, rate)
            continue
        if latest is not None:
            yield latest
        latest = Group(start, stop if decays else start, stop, rate)
    if latest is not None:
        yield latest


def moved(group: Group, by: int) -> Group:
    return Group(group.start + by, group.decay_stop + by, group.stop + by, group.rate)


def known(names: Sequence[str], parts: Mapping[str, Any]) -> Sequence[str]:
    """The names, if there are parts with all of them."""
    for name in names:
        if name not in parts:
            raise ValueError(f"parts={names!r} names {name!r}, but the parts are {tuple(parts)}")
    return names


def _joined(names: Sequence[str], sizes: dict[str, int], size: int) -> slice:
    """Where pieces with these names lie in a vector of such pieces one after the other."""
    if not names:
        return slice(0, size)
    stops = dict(zip(sizes, accumulate(sizes.values()), strict=True))
    known(names, sizes)
    chosen = [name for name in sizes if name in names]
    for before, after in pairwise(chosen):
        if stops[before] != stops[after] - sizes[after]:
            raise ValueError(
                f"parts={names!r} do not lie side by side: the order of all parts is {tuple(sizes)}; put {before!r} "
                f"and {after!r} next to each other there"
            )
    return slice(stops[chosen[0]] - sizes[chosen[0]], stops[chosen[-1]])
