"""Looking names up in a table, with a helpful error for a name that is not there."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

Entry = TypeVar("Entry")


def look_up(kind: str, name: str, table: Mapping[str, Entry], also: Iterable[str] = ()) -> Entry:
    """Return ``table[name]``, or raise an error that suggests the nearest name.

    Parameters
    ----------
    kind : str
        What the table holds, for the error message.
    name : str
        The name to look up.
    table : mapping of str to object
        All entries by name.
    also : iterable of str, default=()
        Further names that exist elsewhere: too many to be listed in the error, but the nearest one may be among them.

    Returns
    -------
    object
        The entry of that name.

    Raises
    ------
    ValueError
        If the table has no such name.

    Examples
    --------
    >>> look_up("colour", "gren", {"red": 1, "green": 2})
    Traceback (most recent call last):
    ...
    ValueError: unknown colour 'gren', did you mean 'green'? Known: red, green
    """
    if name in table:
        return table[name]
    known = {each.lower(): each for each in (*also, *table)}
    nearest = get_close_matches(name.lower(), known, n=1)
    suggestion = f", did you mean {known[nearest[0]]!r}?" if nearest else "."
    raise ValueError(f"unknown {kind} {name!r}{suggestion} Known: {', '.join(table)}")
