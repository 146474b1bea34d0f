"""The docstring of an estimator: what was written, and the sections that its declarations make."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from inspect import cleandoc
from textwrap import wrap
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from .parameters import REQUIRED, Attribute, alternatives, declared, parameters

WIDTH = 112  # of the texts, which are indented
TITLES = ("Parameters", "Attributes", "Raises", "Warns", "See Also", "Notes", "References", "Examples")


class Documentation:
    """The docstring of a class, made when it is asked for.

    What a class does not write, the text at the top or a section, is that of its nearest base that does; examples are
    its own alone. Parameters and attributes are told from the declarations, unless it writes them too.

    Parameters
    ----------
    written : str or None
        What stands in the class body.
    """

    def __init__(self, written: str | None) -> None:
        parts = re.split(rf"(?:^|\n\n)(?=(?:{'|'.join(TITLES)})\n-)", cleandoc(written or ""))
        titles = ["", *(part.partition("\n")[0] for part in parts[1:])]
        self.sections = {title: part for title, part in zip(titles, parts, strict=True) if part}

    def __get__(self, instance: Any, cls: Any) -> str:
        sections: dict[str, str] = {}
        for base in reversed(cls.__mro__):
            documentation = vars(base).get("__doc__")
            sections |= documentation.sections if isinstance(documentation, Documentation) else {}
        sections |= {
            "Parameters": _section("Parameters", _parameters(cls)),
            "Attributes": _section("Attributes", _attributes(cls)),
            "Examples": "",
            **self.sections,
        }
        whole = "\n\n".join(sections[title] for title in ("", *TITLES) if sections.get(title))
        return f"\n{whole}\n"  # it begins on the second line, as numpydoc wants it


def _section(title: str, entries: Iterable[tuple[str, str]]) -> str:
    """A section of entries, each a first line and a text."""
    lines = [
        f"{first}\n" + "\n".join(f"    {line}" for line in wrap(" ".join(text.split()), WIDTH))
        for first, text in entries
    ]
    return "\n".join([title, "-" * len(title), *lines]) if lines else ""


def _parameters(cls: type) -> Iterator[tuple[str, str]]:
    for name, each in parameters(cls).items():
        default = f'"{each.default}"' if isinstance(each.default, str) else repr(each.default)
        told = "" if each.default is REQUIRED else f", default={default}"
        yield f"{name} : {words(each.hint, each.named)}{told}", each.text


def _attributes(cls: type) -> Iterator[tuple[str, str]]:
    """Those that are declared, and the properties whose names say that fits leave them."""
    told = set()
    for base in cls.__mro__:
        for name, each in vars(base).items():
            if isinstance(each, property) and re.fullmatch(r"[a-z]\w*_", name) and name not in told:
                told.add(name)
                yield f"{name} : {words(get_type_hints(each.fget).get('return', Any))}", cleandoc(each.__doc__ or "")
    for name, each in declared(cls).items():
        if isinstance(each, Attribute) and name not in told and not name.startswith("_"):
            array = f"ndarray of shape {each.shape}" if each.shape else "ndarray"
            yield f"{name} : {words(each.hint).replace('ndarray', array, 1)}", each.text


def words(hint: Any, named: Iterable[str] = ()) -> str:
    """An evaluated type as numpydoc has it; `named` are the names that a string may be.

    Examples
    --------
    >>> words(int | Sequence[int] | None), words(Literal["a", "b"]), words(str | dict[str, int], named=["c"])
    ('int, sequence of int or None', '{"a", "b"}', '"c" or dict')
    """
    each = [_word(kind, list(named)) for kind in alternatives(hint)]
    return " or ".join(filter(None, [", ".join(each[:-1]), each[-1]]))


def _word(kind: Any, named: list[str]) -> str:
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal or (kind is str and named):
        names = ", ".join(f'"{name}"' for name in inside or named)
        return names if len(inside or named) == 1 else "{" + names + "}"
    if origin in (list, Sequence) and inside:
        return f"{origin.__name__.lower()} of {words(inside[0])}"
    return NAMES.get(origin or kind) or (origin or kind).__name__


NAMES = {Any: "object", type(None): "None", np.ndarray: "ndarray", Callable: "callable"}
