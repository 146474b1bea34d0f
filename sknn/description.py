"""Descriptions: frozen records of hyper-parameters, which are checked when one is made; and what lies inside them.

The numbers of an optimizer, the layers of a list, the units of a layer are reached by their names.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np


def number(interval: str, *, default: Any = MISSING) -> Any:
    """A hyper-parameter in an interval written as mathematicians do, like ``"[0, 1)"``; None too, by default."""
    return _checked(default, partial(_checked_number, interval=interval))


def numbers(interval: str, *, default: Any = MISSING) -> Any:
    """A number in an interval, or a sequence of such."""
    return _checked(default, partial(_checked_numbers, interval=interval))


def integer(interval: str, *, default: Any = MISSING) -> Any:
    """A whole number in an interval."""
    return _checked(default, partial(_checked_integer, interval=interval))


def integers(interval: str, *, default: Any = MISSING, alone: bool = True, words: tuple[str, ...] = ()) -> Any:
    """A whole number for each axis, or (`alone`) one for all, or one of some words."""
    return _checked(default, partial(_checked_integers, interval=interval, alone=alone, words=words))


def flag(*, default: bool) -> Any:
    """A hyper-parameter that is true or false."""
    return _checked(default, checked_flag)


def choice(words: Collection[str], *, default: Any = MISSING) -> Any:
    """One of some words, or of the names in a table as it is when one is chosen."""
    return _checked(default, partial(_checked_choice, words=words))


def _checked(default: Any, check: Callable[[str, Any], Any]) -> Any:
    """A field with a check, which None passes where it is the default."""
    return field(
        default=default,
        metadata={"check": lambda name, value: None if value is default is None else check(name, value)},
    )


@dataclass(frozen=True)
class Description:
    """The base of all descriptions: they say how something is done, and hold no state.

    A subclass is a frozen dataclass, whose fields :func:`number` and :func:`flag` make. So descriptions are equal when
    they say the same, can be hashed, pickled and copied, and :func:`dataclasses.replace` makes another one.

    Raises
    ------
    ValueError
        If a value is not what its field takes.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Spring(Description):
    ...     stiffness: float = number("(0, inf)", default=1.0)
    >>> Spring(2), Spring(2) == Spring(2.0)
    (Spring(stiffness=2.0), True)
    >>> Spring(-1)
    Traceback (most recent call last):
    ValueError: stiffness must be a number in (0, inf); got -1
    """

    def __post_init__(self) -> None:
        check_fields(self)


def check_fields(description: Any) -> None:
    """Check the fields of a dataclass instance; sequences become tuples, NumPy's numbers Python's."""
    for each in fields(description):
        if check := each.metadata.get("check"):
            object.__setattr__(description, each.name, check(each.name, getattr(description, each.name)))


def is_integer(value: Any) -> bool:
    """Whether it is a whole number of Python or NumPy; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether it is a number that a float can hold, be it a fraction; True and False are none."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


def in_order(value: Any) -> bool:
    """Whether it is several things, one after the other: no word, and nothing without an order."""
    return bool(np.iterable(value)) and not isinstance(value, str | bytes | Set | Mapping)


def _checked_choice(name: str, value: Any, words: Collection[str]) -> str:
    if not (isinstance(value, str) and value in words):
        few = f"must be {' or '.join(map(repr, words))}"
        wanted = few if len(words) <= 3 else f"is unknown; choose one of {', '.join(map(repr, words))}"
        raise ValueError(f"{name}={value!r} {wanted}")
    return str(value)


def checked_flag(name: str, value: Any) -> bool:
    """The value as True or False of Python; ValueError if it is neither."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False; got {value!r}")
    return bool(value)


def checked_count(name: str, value: Any, least: int) -> int:
    """A whole number of Python that is not smaller; ValueError if it is none."""
    if not is_integer(value) or value < least:
        raise ValueError(f"{name}={value!r} must be a whole number, at least {least}")
    return int(value)


def checked_share(name: str, value: Any) -> float:
    """A number above 0 and below 1; ValueError if it is none."""
    if not is_number(value) or not 0 < value < 1:
        raise ValueError(f"{name}={value!r} must be a number above 0 and below 1")
    return float(value)


def checked_shares(name: str, values: Any) -> list[float]:
    """Such numbers, one at least; ValueError if they are none."""
    if not in_order(values) or not len(values) or not all(is_number(each) and 0 < each < 1 for each in values):
        raise ValueError(f"{name}={values!r} must be a sequence of numbers above 0 and below 1")
    return [float(each) for each in values]


def _checked_number(name: str, value: Any, interval: str) -> float:
    """The value as a Python number: NumPy's float64 would make float32 arithmetic run, and round, in float64."""
    if not is_number(value) or not _lies_in(interval, value):
        raise ValueError(f"{name} must be a number in {interval}; got {value!r}")
    return float(value)


def _checked_numbers(name: str, value: Any, interval: str) -> Any:
    if not in_order(value):
        return _checked_number(name, value, interval)
    if len(value) == 0:
        raise ValueError(f"{name} must be a number in {interval} or a sequence of such; got {value!r}")
    return tuple(_checked_number(f"{name}[{k}]", each, interval) for k, each in enumerate(value))


def _checked_integer(name: str, value: Any, interval: str) -> int:
    if not (is_integer(value) and _lies_in(interval, value)):
        raise ValueError(f"{name} must be an integer in {interval}; got {value!r}")
    return int(value)


def _checked_integers(name: str, value: Any, interval: str, alone: bool, words: tuple[str, ...]) -> Any:
    if isinstance(value, str) and value in words:
        return value
    several = in_order(value)
    values = tuple(value) if several else (value,)
    if not (values and (several or alone) and all(is_integer(each) and _lies_in(interval, each) for each in values)):
        choices = [*map(repr, words), *(["an integer"] if alone else []), "a sequence of integers"]
        raise ValueError(f"{name} must be {' or '.join(choices)} in {interval}; got {value!r}")
    return tuple(map(int, values)) if several else int(value)


def _lies_in(interval: str, value: Any) -> bool:
    low, high = (float(bound) for bound in interval[1:-1].split(","))
    above = operator.ge if interval.startswith("[") else operator.gt
    below = operator.le if interval.endswith("]") else operator.lt
    return bool(above(value, low) and below(value, high))


# -- what lies inside ----------------------------------------------------------------------------------------------


def parts(description: Any) -> dict[str, Any]:
    """What a description consists of, by name or position; nothing for anything else.

    Any instance of a frozen dataclass is one; a list or tuple that holds one is described by its items.
    """
    if _is_description(description):
        return {each.name: getattr(description, each.name) for each in fields(description) if each.init}
    if isinstance(description, list | tuple) and any(map(_is_description, description)):
        return {str(position): each for position, each in enumerate(description)}
    return {}


def _is_description(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type) and value.__dataclass_params__.frozen  # type: ignore


def nested(description: Any, name: str) -> dict[str, Any]:
    """All that lies inside a description, with its path.

    Examples
    --------
    >>> from sknn.nn import Dropout
    >>> nested([Dropout(0.2)], "layers")
    {'layers__0': Dropout(rate=0.2), 'layers__0__rate': 0.2}
    """
    found = {}
    for key, part in parts(description).items():
        inner = f"{name}__{key}"
        found.update({inner: part, **nested(part, inner)})
    return found


def changed(description: Any, changes: dict[str, Any]) -> Any:
    """A new description with some of its parts changed, told by their paths; the old one stays as it is.

    Parameters
    ----------
    description : dataclass instance, list or tuple
        The old one.
    changes : dict
        New values by path, such as ``"0__units"``; a part as a whole comes before what is inside it.

    Raises
    ------
    ValueError
        If there is no such part, or the description refuses the value.

    Examples
    --------
    >>> from sknn.nn import Dropout
    >>> changed([Dropout(0.5)], {"0__rate": 0.2})
    [Dropout(rate=0.2)]
    """
    known = parts(description)
    by_part: dict[str, dict[str, Any]] = {}
    for path, value in changes.items():
        part, _, rest = path.partition("__")
        by_part.setdefault(part, {})[rest] = value
    for part, inner in by_part.items():
        if part not in known:
            raise ValueError(f"Invalid parameter {part!r} for {description!r}. Valid parameters are: {list(known)!r}.")
        whole = inner.pop("", known[part])
        known[part] = changed(whole, inner) if inner else whole
    return replace(description, **known) if _is_description(description) else type(description)(known.values())
