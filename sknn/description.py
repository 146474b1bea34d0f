"""Descriptions: frozen records of hyper-parameters, which are checked when one is made."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field, fields
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np


def number(interval: str, *, default: Any) -> Any:
    """A hyper-parameter in an interval written as mathematicians do, like ``"[0, 1)"``.

    It is an integer where the default is one, and may be None where the default is.
    """
    return field(default=default, metadata={"check": partial(_checked_number, interval=interval, default=default)})


def flag(*, default: bool) -> Any:
    """A hyper-parameter that is true or false."""
    return field(default=default, metadata={"check": _checked_flag})


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
        for each in fields(self):
            if check := each.metadata.get("check"):
                object.__setattr__(self, each.name, check(each.name, getattr(self, each.name)))


def _checked_flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False; got {value!r}")
    return bool(value)


def _checked_number(name: str, value: Any, interval: str, default: Any) -> float | None:
    """The value as a Python number: NumPy's float64 would make float32 arithmetic run, and round, in float64."""
    if value is default is None:
        return None
    integral = isinstance(default, int)
    kind: Any = Integral if integral else Real
    low, high = (float(bound) for bound in interval[1:-1].split(","))
    above = operator.ge if interval.startswith("[") else operator.gt
    below = operator.le if interval.endswith("]") else operator.lt
    if not (isinstance(value, kind) and above(value, low) and below(value, high)):
        raise ValueError(f"{name} must be {'an integer' if integral else 'a number'} in {interval}; got {value!r}")
    return int(value) if integral else float(value)
