"""The tape: what was computed, in the order it was computed, and the gradient that plays it backwards.

A :class:`Tensor` is one entry of the record: a value, the operation that made it, that operation's inputs and
the moment at which it happened. Entries are never changed; a later entry refers to earlier ones only. So the
entries behind a result, sorted by time, are a tape, and :func:`grad` reads it in reverse. There is no tape
object to open, pass around or forget: what no result refers to any more is gone.

An operation called without a Tensor among its inputs is a plain NumPy call and leaves no trace.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from heapq import heappop, heappush
from typing import Any

import numpy as np

from .traced import Traced
from .work import running, special

Array = np.ndarray
Scalar = np.generic
Value = Any  # an array or something traced (a Tensor, a Jet): rules and layers are written for either

_clock = itertools.count()
_recording = ContextVar("recording", default=True)
_new = object.__new__


class Tensor(Traced):
    """An array whose computation is recorded.

    Parameters
    ----------
    value : array-like
        The value. A Tensor made this way is a leaf: a variable that gradients are taken for.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.autodiff import Tensor, grad
    >>> x = Tensor(np.array([1.0, 2.0, 3.0]))
    >>> grad((x * x).sum(), x)
    array([2., 4., 6.])
    """

    __slots__ = ("inputs", "moment", "operation", "options", "saved", "sink", "value")

    options: dict
    saved: Any

    def __init__(self, value: Any, *, sink: Array | None = None) -> None:
        self.value = value if isinstance(value, np.ndarray | np.generic) else np.asarray(value)
        self.sink = sink  # where `value_and_grad` leaves the gradient of this leaf
        self.moment = next(_clock)
        self.operation: Operation | None = None
        self.inputs: tuple = ()

    @staticmethod
    def apply(operation: Operation, inputs: tuple, options: dict) -> Value:
        values = [x.value if type(x) is Tensor else x for x in inputs]
        value, saved = operation.forward(*values, **options)
        if special:
            if (work := running.get()) is not None:
                work.add(*operation.work(value, *values, **options))
            if not _recording.get():
                return value
        entry = _new(Tensor)
        entry.value = value
        entry.saved = saved
        entry.operation = operation
        entry.inputs = inputs
        entry.options = options
        entry.moment = next(_clock)
        return entry

    def __repr__(self) -> str:
        return f"Tensor({self.value!r})"


class Operation:
    """A function of arrays that a Tensor can record; see ``Primitive`` and ``Fused``."""

    table: dict[str, Operation] = {}  # noqa: RUF012 - every operation by name, so that the tests can miss none

    def __init__(self, name: str, doc: str | None) -> None:
        self.__name__ = name
        self.__doc__ = doc
        Operation.table[name] = self

    def __call__(self, *inputs: Value, **options: Any) -> Value:
        leader, has_scalars = None, False
        for x in inputs:
            kind = type(x)
            if kind is Tensor:  # asked first, for speed; of the lowest rank
                if leader is None:
                    leader = x
            elif kind is Array:
                continue
            elif isinstance(x, Traced):
                if leader is None or x.rank > leader.rank:
                    leader = x
            elif isinstance(x, Scalar):
                has_scalars = True
        if leader is None:
            y = self.forward(*inputs, **options)[0]
            if special and (work := running.get()) is not None:
                work.add(*self.work(y, *inputs, **options))
            return y
        if has_scalars:  # np.sqrt(0.25) is a number like 0.5: it does not widen float32 to float64, as arrays do
            inputs = tuple(x.item() if isinstance(x, Scalar) else x for x in inputs)
        return leader.apply(self, inputs, options)

    def __repr__(self) -> str:
        return f"<operation {self.__name__}>"

    def forward(self, *inputs: Array, **options: Any) -> tuple[Array, Any]:
        """The result, and what the backward pass wants kept."""
        raise TypeError("Operation is a base class; use Primitive or Fused")

    def work(self, y: Array, *inputs: Array, **options: Any) -> tuple[int, int]:
        """How many multiplications the result y took, and how many values were made: none but y, unless registered."""
        return 0, np.size(y)

    def takes(self, function: Callable) -> Callable:
        """Register the multiplications and values of :meth:`work`, as a function of the same arguments."""
        self.work = function  # type: ignore[method-assign]
        return function

    def pull(self, entry: Tensor, g: Array, out: Sequence) -> Sequence[Array | None]:
        """The gradients of the inputs, as arrays; `out` says where each goes, as ``_places`` does."""
        raise TypeError("Operation is a base class; use Primitive or Fused")

    def pull_recorded(self, entry: Tensor, g: Tensor, wanted: Sequence[bool]) -> Sequence[Tensor | None]:
        """The gradients of the inputs, as Tensors that can be differentiated again."""
        raise TypeError("Operation is a base class; use Primitive or Fused")

    def pull_unknown(self, entry: Tensor, g: Array, position: int) -> Array | None:
        """The gradient of an input for which :meth:`pull` gave None; None if none passes."""
        return None

    has_factors = False  # whether it gives them

    def factors(self, entry: Tensor, g: Array) -> tuple[Array, Array]:
        """Of f(x W + b) the inputs and slopes of each sample, whose products it adds to the gradients of W and b."""
        raise TypeError(f"{self.__name__} does not say what each sample adds to its gradients")


class Primitive(Operation):
    """An elementary operation with one vector-Jacobian rule for each input.

    A rule is called as ``rule(g, y, *inputs, **options)`` and written in primitives itself: given arrays it
    computes, given Tensors it is recorded, so derivatives of every order come from the same line.

    Parameters
    ----------
    function : callable
        Arrays in, one array out.
    *rules : callable or None
        For each input the gradient passed back to it; None for an input that is never differentiated. A rule may
        return None where no gradient passes.
    name, doc : str, default=None
        By default those of the function.
    variadic : bool, default=False
        The operation takes any number of inputs (``concatenate``) and has one rule, which is told ``position=``.
    """

    def __init__(
        self,
        function: Callable,
        *rules: Callable | None,
        name: str | None = None,
        doc: str | None = None,
        variadic: bool = False,
    ) -> None:
        super().__init__(name or function.__name__, doc or function.__doc__)
        self.function = function
        self.rules = rules
        self.variadic = variadic

    def forward(self, *inputs: Array, **options: Any) -> tuple[Array, Any]:
        return self.function(*inputs, **options), None

    def pull(self, entry: Tensor, g: Array, out: Sequence) -> Sequence[Array | None]:
        values = [x.value if isinstance(x, Tensor) else x for x in entry.inputs]
        return self._play(g, entry.value, values, entry.options, [place is not None for place in out])

    def pull_recorded(self, entry: Tensor, g: Tensor, wanted: Sequence[bool]) -> Sequence[Tensor | None]:
        return self._play(g, entry, entry.inputs, entry.options, wanted)

    def _play(self, g: Value, y: Value, inputs: Sequence, options: dict, wanted: Sequence[bool]) -> list:
        return [self.rule(i)(g, y, *inputs, **options) if wanted[i] else None for i in range(len(inputs))]

    def rule(self, position: int) -> Callable:
        """The rule for the input at this position."""
        if self.variadic:
            return partial(self.rules[0], position=position)  # type: ignore[arg-type, misc]
        if position >= len(self.rules) or self.rules[position] is None:
            raise TypeError(f"{self.__name__} cannot be differentiated with respect to its argument {position}")
        return self.rules[position]  # type: ignore[return-value]


class Pieces:
    """The gradient of something of which parts were taken, as the gradients of the parts until all have arrived.

    Each alone in an array of full size would be little but zeros: with many parts, the time would be theirs squared.
    """

    __slots__ = ("gradients", "indices", "put", "whole")

    def __init__(self, put: Callable, g: Value, index: Any) -> None:
        self.put = put
        self.gradients = [g]
        self.indices = [index]
        self.whole: Value = None  # the sum of what arrived in full size

    def add(self, pieces: Pieces) -> None:
        self.gradients += pieces.gradients
        self.indices += pieces.indices

    def add_whole(self, g: Value) -> None:
        self.whole = g if self.whole is None else self.whole + g

    def joined(self, x: Tensor) -> Value:
        """All of it, of the shape of x."""
        together = self.put(self.gradients, self.indices, x.shape)
        return together if self.whole is None else self.whole + together


identity = Primitive(lambda x: x, lambda g, y, x: g, name="identity", doc="The same value, as an entry of its own.")
cast = Primitive(
    lambda x, dtype: x.astype(dtype),
    lambda g, y, x, dtype: g,  # in the precision of x again as soon as it arrives there
    name="cast",
    doc="The same values in the precision `dtype`.",
)


class Fused(Operation):
    """An operation with a hand-written backward pass on arrays and a `reference` composed from primitives.

    Made by the decorator :func:`op`; ``backward`` and ``reference`` are decorators in turn::

        @op
        def scale(x, s):                  # arrays in; (y, saved) out
            return x * s, (x, s)

        @scale.backward
        def _(g, saved, out):             # arrays only; one gradient for each input
            x, s = saved
            return g * s, np.sum(g * x)

        @scale.reference
        def _(x, s):
            return multiply(x, s)

        @scale.takes                      # only where there is more than the result to count
        def _(y, x, s):
            return y.size, y.size         # multiplications, values

    One that is f(x W + b) of samples x may also say what each of them adds to the gradients of W and b, which the
    backward pass adds up: the outer product of an input and a slope, and the slope::

        @dense.each
        def _(g, saved):                  # samples come first
            return inputs, slopes         # (n, ..., n_in), (n, ..., n_out): summed over what lies between

    `out` has one place for each input: None where no gradient is wanted, an array where it is to be written
    (and returned), and ``...`` where the kernel may return an array of its own. The reference is the oracle of
    the tests, and the path taken when the gradient is to be differentiated again, or when a gradient is wanted that the
    backward pass gives as None. A `recorded` backward pass, in operations that can be differentiated again, comes first
    where it answers something: it spares the reference what the result tells already.
    """

    def __init__(self, kernel: Callable) -> None:
        super().__init__(kernel.__name__, kernel.__doc__)
        self.forward = kernel  # type: ignore[method-assign]
        self._backward: Callable | None = None
        self._reference: Callable | None = None
        self._each: Callable | None = None
        self._recorded: Callable | None = None

    def backward(self, function: Callable) -> Callable:
        """Register the backward pass."""
        self._backward = function
        return function

    def each(self, function: Callable) -> Callable:
        """Register what gives the gradients of W and b of each sample, as factors."""
        self._each = function
        self.has_factors = True
        return function

    def reference(self, function: Callable) -> Callable:
        """Register the same function composed from primitives."""
        self._reference = function
        return function

    def recorded(self, function: Callable) -> Callable:
        """Register gradients from (g, y, wanted, *inputs, **options), y an array; None: those of the reference."""
        self._recorded = function
        return function

    def refer(self, *inputs: Value, **options: Any) -> Value:
        """The reference applied; raises TypeError where the operation has none."""
        if self._reference is None:
            raise TypeError(f"{self.__name__} has no reference in primitives, so only its first derivative exists")
        return self._reference(*inputs, **options)

    def pull(self, entry: Tensor, g: Array, out: Sequence) -> Sequence[Array | None]:
        return self.pull_kept(g, entry.saved, out)

    def pull_kept(self, g: Array, kept: Any, out: Sequence) -> Sequence[Array | None]:
        """As :meth:`pull`, from what its forward pass kept: for an operation that has this one within it."""
        if self._backward is None:
            raise TypeError(f"{self.__name__} has no backward pass")
        return self._backward(g, kept, out)

    def factors(self, entry: Tensor, g: Array) -> tuple[Array, Array]:
        return super().factors(entry, g) if self._each is None else self._each(g, entry.saved)

    def pull_unknown(self, entry: Tensor, g: Array, position: int) -> Array:
        values = [x.value if isinstance(x, Tensor) else x for x in entry.inputs]
        leaf = values[position] = Tensor(values[position])
        return grad(self.refer(*values, **entry.options), leaf, seed=g)

    def pull_recorded(self, entry: Tensor, g: Tensor, wanted: Sequence[bool]) -> Sequence[Tensor | None]:
        if self._recorded is not None:
            known = self._recorded(g, entry.value, wanted, *entry.inputs, **entry.options)
            if known is not None:
                return known
        # The aliases end the inner tape at this operation's own inputs, even where one input depends on another.
        aliases = [identity(x) if want else x for x, want in zip(entry.inputs, wanted, strict=True)]
        sources = [alias for alias, want in zip(aliases, wanted, strict=True) if want]
        found = iter(grad(self.refer(*aliases, **entry.options), sources, seed=g, create_graph=True))
        return [next(found) if want else None for want in wanted]


op = Fused  # the decorator


@contextmanager
def no_grad() -> Iterator[None]:
    """Within this context operations on Tensors compute plain arrays and record nothing.

    Examples
    --------
    >>> from sknn.autodiff import Tensor, no_grad
    >>> x = Tensor(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> float(y)
    9.0
    """
    token = _recording.set(False)
    special.append(None)
    try:
        yield
    finally:
        special.pop()
        _recording.reset(token)


def grad(y: Tensor, xs: Any, *, seed: Value = None, create_graph: bool = False) -> Any:
    """The gradient of `y` with respect to one Tensor or several.

    Parameters
    ----------
    y : Tensor
        The result. Unless it is a scalar, `seed` says which combination of its entries is differentiated.
    xs : Tensor or sequence of Tensor
        Leaves or intermediate results.
    seed : array or Tensor of y's shape, default=None
        The vector of the vector-Jacobian product; 1 for a scalar `y`.
    create_graph : bool, default=False
        Record the backward pass too, so that its result can be differentiated again.

    Returns
    -------
    array or Tensor, or a list of them
        Of the shape and in the precision of each x; zeros where `y` does not depend on it. Tensors if `create_graph`.

    Raises
    ------
    TypeError
        If `y` or an x is not a Tensor.
    ValueError
        If `y` is not a scalar and no seed is given, or the seed is not of its shape.

    Examples
    --------
    >>> from sknn.autodiff import Tensor, grad
    >>> x = Tensor(2.0)
    >>> first = grad(x**3, x, create_graph=True)
    >>> float(first.value), float(grad(first, x))
    (12.0, 12.0)
    """
    single = isinstance(xs, Tensor)
    sources = [xs] if single else list(xs)
    if not isinstance(y, Tensor) or not all(isinstance(x, Tensor) for x in sources):
        kinds = [type(item).__name__ for item in (y, *sources)]
        raise TypeError(f"grad takes Tensors y and xs; got {', '.join(kinds)}")
    if seed is None:
        if y.size != 1:
            raise ValueError(f"y has shape {y.shape}: give a seed of that shape, or sum y to a scalar first")
        seed = np.ones(y.shape, y.dtype)
    elif np.shape(seed) != y.shape:
        raise ValueError(f"the seed must have the shape {y.shape} of y; it has {np.shape(seed)}")
    if not isinstance(seed, Traced):
        seed = Tensor(seed) if create_graph else np.asarray(seed)
    arrived = _play_back(y, _as_precise(seed, y), sources, create_graph, sinks=False)
    results = [arrived[x.moment] if x.moment in arrived else _zeros(x, create_graph) for x in sources]
    return results[0] if single else results


def backward(y: Tensor, leaves: Sequence[Tensor]) -> None:
    """Write the gradient of the scalar `y` into the sink of every leaf; zero where `y` does not depend on it."""
    value = y.value
    one = value.dtype.type(1) if value.ndim == 0 else np.ones(value.shape, value.dtype)
    arrived = _play_back(y, one, leaves, create_graph=False, sinks=True)
    for leaf in leaves:
        if leaf.moment not in arrived:
            leaf.sink[...] = 0  # type: ignore[index]


def _zeros(x: Tensor, as_tensor: bool) -> Value:
    zeros = np.zeros(x.shape, x.dtype)
    return Tensor(zeros) if as_tensor else zeros


def _play_back(y: Tensor, seed: Value, sources: Sequence[Tensor], create_graph: bool, sinks: bool) -> dict[int, Value]:
    """Play the tape of `y` backwards; returns what arrived at each source, by its moment.

    The latest entry that something arrived at comes next, so all that depends on it has been played by then. With
    `sinks`, what arrives at a source is written straight into its sink.
    """
    targets = {x.moment for x in sources}
    oldest = min(targets, default=y.moment)  # nothing earlier depends on a source
    arrived: dict[int, Value] = {y.moment: _written(seed, y.sink) if sinks and y.operation is None else seed}
    waiting = [(-y.moment, y)] if y.operation is not None else []
    while waiting:
        entry = heappop(waiting)[1]
        g = arrived[entry.moment] if entry.moment in targets else arrived.pop(entry.moment)
        if type(g) is Pieces:
            g = g.joined(entry)
            if entry.moment in targets:
                arrived[entry.moment] = _written(g, entry.sink) if sinks else g
            if entry.operation is None:
                continue
        places = _places(entry.inputs, targets, oldest, arrived, g if sinks else None)
        if create_graph:
            passed = entry.operation.pull_recorded(entry, g, [place is not None for place in places])  # type: ignore[union-attr]
        else:
            passed = entry.operation.pull(entry, g, places)  # type: ignore[union-attr]
        for position, place in enumerate(places):
            if place is None or (found := passed[position]) is place:
                continue  # not wanted, or in its sink already
            if found is None and not create_graph:
                found = entry.operation.pull_unknown(entry, g, position)  # type: ignore[union-attr]
            if type(found) is Pieces:
                if place is not ...:  # its sink takes them later, put together
                    del arrived[entry.inputs[position].moment]
                _arrive_in_pieces(entry.inputs[position], found, arrived, waiting)
            elif place is not ...:
                place[...] = 0 if found is None else found
            elif found is not None:
                _arrive(entry.inputs[position], found, arrived, waiting, sinks)
    return arrived


def _places(inputs: tuple, targets: set[int], oldest: int, arrived: dict[int, Value], like: Array | None) -> list:
    """Where the gradient of each input goes: nowhere (None), anywhere (...), or into its still untouched sink.

    A sink is handed out only for what comes in the precision of `like`; None: there are no sinks.
    """
    places: list = []
    for x in inputs:
        place = None
        if type(x) is Tensor:
            moment = x.moment
            if x.operation is not None:
                place = ... if moment >= oldest else None
            elif moment in targets:
                place = ...
                if like is not None and moment not in arrived and x.sink.dtype == like.dtype:  # type: ignore[union-attr]
                    place = arrived[moment] = x.sink  # type: ignore[assignment]
        places.append(place)
    return places


def _arrive(x: Tensor, found: Value, arrived: dict[int, Value], waiting: list, sinks: bool) -> None:
    """Add what is passed back to x to what arrived there before, in the precision of x."""
    moment = x.moment
    before = arrived.get(moment)
    in_pieces = type(before) is Pieces
    if sinks and x.operation is None and not in_pieces:
        if before is None:
            arrived[moment] = _written(found, x.sink)
        else:
            arrived[moment] += found
        return
    if found.dtype is not x.value.dtype:
        found = _as_precise(found, x)
    if in_pieces:
        before.add_whole(found)  # type: ignore[union-attr]
        return
    arrived[moment] = found if before is None else before + found
    if before is None and x.operation is not None:
        heappush(waiting, (-moment, x))


def _arrive_in_pieces(x: Tensor, found: Pieces, arrived: dict[int, Value], waiting: list) -> None:
    """Keep the pieces beside what arrived at x before; x waits until all has arrived, a leaf too."""
    before = arrived.get(x.moment)
    if type(before) is Pieces:
        before.add(found)
        return
    arrived[x.moment] = found
    if before is not None:
        found.add_whole(before)
    if before is None or x.operation is None:
        heappush(waiting, (-x.moment, x))


def _as_precise(g: Value, x: Tensor) -> Value:
    """What arrives at x, in the precision of x; a gradient with respect to integers is none of them."""
    dtype = x.value.dtype
    return g if g.dtype == dtype or dtype.kind not in "fc" else cast(g, dtype=dtype)


def _written(found: Array, sink: Array | None) -> Array:
    if sink is None:
        return found
    if found is not sink:
        sink[...] = found
    return sink
