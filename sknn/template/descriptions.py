"""What lies inside a description, by name: the numbers of an optimizer, the layers of a list, the units of a layer.

A description is an instance of a frozen dataclass; a list or tuple that holds one is described by its items.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any


def parts(description: Any) -> dict[str, Any]:
    """What a description consists of, by name or position; nothing for anything else."""
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
