"""What stands between the columns of a text, found from its first lines."""

import csv
from collections.abc import Sequence

BLANK = " "  # any number of blanks and tabulators
NAMES = {",": "commas", ";": "semicolons", "\t": "tabulators", "|": "bars", BLANK: "blanks"}
SPELLED = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "bar": "|", "space": BLANK, "whitespace": BLANK}
MOST_SHOWN = 60


def split(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Split lines into their fields.

    Parameters
    ----------
    lines : sequence of str
        Lines; a quoted field may go over several.
    separator : str
        One character; a blank is any number of blanks and tabulators.

    Returns
    -------
    list of list of str
        The fields of each row, without blanks around them.

    Examples
    --------
    >>> split(["a, 'b'", '"x, y", 2'], ",")
    [['a', "'b'"], ['x, y', '2']]
    """
    if separator == BLANK:
        lines = [" ".join(line.split()) for line in lines]
    most = csv.field_size_limit(sum(map(len, lines)) + 1)  # of the module, for all who use it
    try:
        rows = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        return [[field.strip() for field in row] for row in rows if row]
    finally:
        csv.field_size_limit(most)


def shortened(line: str) -> str:
    """Return the beginning of a line, as messages show it.

    Parameters
    ----------
    line : str
        A line of any length.

    Returns
    -------
    str
        At most its first 60 characters.
    """
    return line if len(line) <= MOST_SHOWN else f"{line[:MOST_SHOWN]}..."


def stated(separator: str) -> str:
    """Return the separator that a user means.

    Parameters
    ----------
    separator : str
        One character, or a word for one: ``tab``, ``space``.

    Returns
    -------
    str
        One character.

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    >>> stated("tab"), stated(";")
    ('\\t', ';')
    """
    found = SPELLED.get(separator.lower(), separator) if separator.strip() else separator[:1]
    if len(found) != 1 or found in '"\n\r':
        raise ValueError(
            f"sep={separator!r} is no separator; it must be one character, or tab, comma, semicolon, bar or space"
        )
    return found


def find_separator(lines: Sequence[str]) -> str:
    """Find what separates the columns: what divides the first line and all others into equally many fields.

    Parameters
    ----------
    lines : sequence of str
        The first lines, names of columns before all.

    Returns
    -------
    str
        One character; a comma if there is but one column.

    Raises
    ------
    ValueError
        If several separators would do, or the names are separated in another way than the values.

    Examples
    --------
    >>> find_separator(["a;b", "1,5;2,5"])
    ';'
    """
    if not lines:
        return ","
    counts = {separator: [len(row) for row in split(lines, separator)] for separator in NAMES}
    several = {separator: found for separator, found in counts.items() if found and found[0] > 1}
    by_marks = {separator: found for separator, found in several.items() if separator != BLANK}
    # Rows may have a value more than there are names: one of an index before all, or an empty one at the end.
    for candidates, more in ((by_marks, 0), (several, 0), (by_marks, 1), (several, 1)):
        fitting = [separator for separator, (first, *others) in candidates.items() if _fit(first, others, more)]
        if len(fitting) > 1:
            ways = " or ".join(f"by {NAMES[each]} ({counts[each][0]} columns)" for each in fitting)
            raise ValueError(f"its columns could be separated {ways}; say which with --sep (sep=)")
        if fitting:
            return fitting[0]
    _check_alike(lines, counts, several)
    return max(by_marks or {",": [1]}, key=lambda separator: counts[separator][0])


def _fit(first: int, others: list[int], more: int) -> bool:
    return all(first <= count <= first + more for count in others)


def _check_alike(lines: Sequence[str], counts: dict[str, list[int]], several: dict[str, list[int]]) -> None:
    for separator, (first, *others) in counts.items():
        if separator == BLANK or not others or first > 1 or min(others) < 2 or len(set(others)) > 1:
            continue
        names = max(several, key=lambda each: several[each][0], default=None)
        if names is None or names == BLANK:
            start = lines[0].strip()
            raise ValueError(
                f"its first line, {start[:MOST_SHOWN]!r}, is one field, but the rows have {others[0]} with "
                f"{NAMES[separator]} between them; the first line must have the names of the columns, and lines before "
                "it must begin with #, or as --comment (comment=) says"
            )
        raise ValueError(
            f"its first line has {several[names][0]} names with {NAMES[names]} between them, but its rows have "
            f"{others[0]} values with {NAMES[separator]}; separate both alike"
        )
