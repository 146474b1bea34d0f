"""Looking names up in a table, with a helpful error for a name that is not there."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

Entry = TypeVar("Entry")

MOST_LISTED = 30


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
    >>> look_up("colour", "GREN", {"red": 1, "green": 2})
    Traceback (most recent call last):
    ...
    ValueError: unknown colour 'GREN', did you mean 'green'? Known: red, green
    """
    if name in table:
        return table[name]
    nearest = nearest_name(name, (*also, *table))
    suggestion = f", did you mean {nearest!r}?" if nearest else "."
    raise ValueError(f"unknown {kind} {name!r}{suggestion} Known: {listed(table)}")


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """Return the most similar name, whatever its case.

    Parameters
    ----------
    name : str
        What was typed.
    names : iterable of str
        What there is.

    Returns
    -------
    str or None
        None if none of them is similar.

    Examples
    --------
    >>> nearest_name("incme", ["Age", "Income"])
    'Income'
    """
    by_lower_case = {each.lower(): each for each in names}
    nearest = get_close_matches(name.lower(), by_lower_case, n=1)
    return by_lower_case[nearest[0]] if nearest else None


def listed(names: Iterable[str]) -> str:
    """List names in a line, the first 30 of many.

    Parameters
    ----------
    names : iterable of str
        The names.

    Returns
    -------
    str
        The names with commas between them.

    Examples
    --------
    >>> listed(["red", "green"])
    'red, green'
    """
    names = list(names)
    more = f" and {len(names) - MOST_LISTED:,} more" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more
