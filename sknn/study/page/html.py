"""HTML elements from Python: whatever is not markup already is escaped."""

from html import escape
from typing import Any

VOID = {"meta", "col", "br"}


class Markup(str):
    """A text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """Write an element.

    Parameters
    ----------
    name : str
        Of the element.
    *children : Markup, str or other
        What is in it; all but ``Markup`` is escaped.
    **attributes : str, bool or None
        ``class_`` stands for ``class`` and ``aria_label`` for ``aria-label``; None and False leave one out.

    Returns
    -------
    Markup
        The element.

    Examples
    --------
    >>> tag("p", "a < b", tag("br"), class_="note")
    '<p class="note">a &lt; b<br></p>'
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items() if value not in (None, False))
    if name in VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{joined(*children)}</{name}>")


def _attribute(key: str, value: Any) -> str:
    key = key.rstrip("_").replace("_", "-")
    return f" {key}" if value is True else f' {key}="{escape(str(value))}"'


def joined(*parts: Any) -> Markup:
    """Put markup and texts, which are escaped, one after the other."""
    return Markup("".join(part if isinstance(part, Markup) else escape(str(part), quote=False) for part in parts))
