"""What a line of a class body says of a parameter: its name, type, default, allowed values and text, once.

What is made of such lines is told in :mod:`.declaring`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import Parameter as Argument
from math import isinf
from numbers import Integral, Real
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from sklearn.utils._param_validation import Interval, StrOptions

from ..description import is_number

REQUIRED = Argument.empty  # the default of what has none


@dataclass(frozen=True)
class Parameter:
    """What a line of a class body says of a parameter."""

    text: str
    default: Any
    interval: str
    allowed: Sequence[Any]
    named: Mapping[str, Any]
    kw_only: bool
    hint: Any = Any  # its type, evaluated
    written: str = ""  # its type, as it stands in the class body


@dataclass(frozen=True)
class Attribute:
    """What a line of a class body says of an attribute that fits leave."""

    text: str
    shape: str
    hint: Any = Any
    written: str = ""


@dataclass(frozen=True)
class Fixed:
    """The value of something that is a parameter further up, and none of this class."""

    value: Any
    hint: Any = Any
    written: str = ""


def parameter(
    *,
    text: str,
    default: Any = REQUIRED,
    interval: str = "",
    allowed: Sequence[Any] = (),
    named: Mapping[str, Any] | None = None,
    kw_only: bool = True,
) -> Any:
    """A parameter of an estimator, in the body of a subclass of :class:`Declaring`; its type stands beside its name.

    Parameters
    ----------
    text : str
        What it means, in whole sentences, for the docstring.
    default : Any, default=REQUIRED
        Its default; without, it has to be given.
    interval : str, default=""
        Where its numbers lie, as mathematicians write it: ``"[0, 1)"``; "" is anywhere.
    allowed : sequence, default=()
        Constraints in scikit-learn's words, instead of what the type says; () leaves it to the type.
    named : mapping of str to Any, default=None
        Which names it takes, and what they stand for. Where that is a description, searches reach into it.
    kw_only : bool, default=True
        Whether it has to be given by name; those by position come first.
    """
    return Parameter(text, default, interval, allowed, named or {}, kw_only)


def fitted(text: str, *, shape: str = "", init: Literal[False] = False) -> Any:
    """An attribute that fits leave, in the body of a subclass of :class:`Declaring`; there is none before.

    Properties whose names end in an underscore are told among the attributes without being declared.

    Parameters
    ----------
    text : str
        What it means.
    shape : str, default=""
        That of an array, in words.
    init : False
        Tells checkers that it is no argument of ``__init__``.
    """
    return Attribute(text, shape)


def fixed(value: Any, *, init: Literal[False] = False) -> Any:
    """The value of a parameter of a base that does not apply to this class, which then has no such parameter.

    Parameters
    ----------
    value : Any
        What it is always.
    init : False
        Tells checkers that it is no argument of ``__init__``.
    """
    return Fixed(value)


# -- of a class and its bases ---------------------------------------------------------------------------------------


def declared(cls: type) -> dict[str, Any]:
    """All that a class and its bases declare: what stands nearest to the class comes first, and decides."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        own = vars(base).get("_declared", {})
        found = {**own, **{name: each for name, each in found.items() if name not in own}}
        for name, default in vars(base).get("_defaults", {}).items():
            found[name] = replace(found[name], default=default)
    return found


def parameters(cls: type) -> dict[str, Parameter]:
    """The declared parameters of a class, those by position first."""
    found = {name: each for name, each in declared(cls).items() if isinstance(each, Parameter)}
    return dict(sorted(found.items(), key=lambda item: item[1].kw_only))


# -- what is allowed -----------------------------------------------------------------------------------------------


def constraints(cls: type) -> dict[str, Any]:
    """What scikit-learn validates, by parameter."""
    return {name: list(_constraints(each)) or "no_validation" for name, each in parameters(cls).items()}


def _constraints(each: Parameter) -> Iterator[Any]:
    if each.allowed:
        yield from each.allowed
        return
    for kind in alternatives(each.hint):
        if get_origin(kind) is Literal:
            yield StrOptions(set(get_args(kind)))
        elif kind in (int, float):
            yield interval(Integral if kind is int else Real, each.interval or "(-inf, inf)")
        elif kind is str and each.named:
            yield StrOptions(set(each.named))
        elif kind is not Any:
            kind = get_origin(kind) or kind
            yield SCIKIT_LEARNS.get(kind, kind)


SCIKIT_LEARNS: dict[Any, Any] = {bool: "boolean", type(None): None, Sequence: "array-like", Callable: callable}


def alternatives(hint: Any) -> Iterator[Any]:
    """The types of a union, one after the other."""
    if get_origin(hint) in (Union, UnionType):
        for part in get_args(hint):
            yield from alternatives(part)
    else:
        yield hint


def interval(kind: type, written: str) -> Interval:
    """``"[0, 1)"`` in scikit-learn's words.

    Examples
    --------
    >>> print(interval(Real, "[0, 1)"), "-", interval(Integral, "[1, inf)"))
    a float in the range [0.0, 1.0) - an int in the range [1, inf)
    """
    bounds = (float(bound) for bound in written[1:-1].split(","))
    low, high = (None if isinf(bound) else bound if kind is Real else int(bound) for bound in bounds)
    left, right = written.startswith("[") and low is not None, written.endswith("]") and high is not None
    closed = {(True, True): "both", (True, False): "left", (False, True): "right", (False, False): "neither"}
    return Numbers(kind, low, high, closed=closed[left, right])


class Numbers(Interval):  # of which True and False are none, nor what no float can hold
    def is_satisfied_by(self, value: Any) -> bool:
        return is_number(value) and super().is_satisfied_by(float(value) if self.type is Real else value)
