"""Tables in text: CSV and its kin, and columns with blanks between them."""

import re
from collections.abc import Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path

import pandas as pd

from ..numbers import NO_VALUE, are_texts, is_number, numbers_of
from .content import Part, Table, reading
from .described import BYTE_BY_BYTE, read_byte_by_byte
from .encodings import to_utf8
from .options import Options
from .packed import check_kind, content_of
from .separators import BLANK, find_separator, split, stated
from .tables import blank, check_names, with_columns

COMMENT = "#"
MOST_LINES = 200  # of a text, to find its separator
# What pandas takes for missing, and "?", as the files of the UCI repository have it.
MISSING = (
    *("", "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A"),
    *("NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
FEWEST_ROWS = 3  # with units before all
RULE = r":?[-=]+:?"  # under the names
NEVER_UNITS = ("<", ">", "~")  # but limits


def read_text(path: Path, part: Part, options: Options) -> Table:
    """Read a table in text, in whatever encoding and with whatever separator.

    Lines that begin with # are comments, except that the last one before the values is the line of names where it has
    as many and the first other line has values. A line under the names that has units is left out.

    Parameters
    ----------
    path : Path
        The file.
    part : None
        There are no parts.
    options : Options
        What the user says about it.

    Returns
    -------
    Table
        Its first line are the names.

    Raises
    ------
    ValueError
        If it cannot be read, or columns have the same name.
    """
    with reading(path):
        content = content_of(path)
        check_kind(path, content)
        content = to_utf8(content, options.encoding)
    if BYTE_BY_BYTE in content:
        return read_byte_by_byte(path, content)
    mark = COMMENT if options.comment is None else options.comment
    with reading(path):
        content, separator = _separator_of_excel(content)
        content, remark, n_left_out = _without_comments(content, mark)
        frame, separator = _parse(
            content, remark, stated(options.sep) if options.sep is not None else separator, options
        )
        if not len(frame) and n_left_out:
            raise ValueError(f"all its rows begin with {mark}, as comments do; say what does with --comment (comment=)")
    frame, units = _without_units(_without_index(blank(frame, options.na_values)))
    decimal = "," if separator == ";" else "."
    notes = (
        f"lines of {path.name} that begin with {mark} were left out, {n_left_out:,} of them among its rows",
        f"the line under the names of {path.name} was left out, as it seems to hold units: {units}",
    )
    said = tuple(note for note, count in zip(notes, (n_left_out, units), strict=True) if count)
    return Table(_in_numbers(frame, decimal), decimal, said)


def _separator_of_excel(content: bytes) -> tuple[bytes, str]:
    """Return what is behind a first line such as ``sep=;``, and the separator that it names."""
    found = re.match(rb"\"?sep=(.)\"?\r?\n", content)
    return (content[found.end() :], found[1].decode()) if found else (content, "")


def _without_comments(content: bytes, mark: str) -> tuple[bytes, str, int]:
    """Return what is left, the comment right before it, and how many comments there were further down."""
    start = mark.encode()
    if not mark or start not in content or not re.search(rb"(?m)^[ \t]*" + re.escape(start), content):
        return content, "", 0
    lines = content.replace(b"\r\n", b"\n").split(b"\n")
    are_comments = [line.lstrip().startswith(start) for line in lines]
    kept = [line for line, is_comment in zip(lines, are_comments, strict=True) if not is_comment]
    first = next((at for at, line in enumerate(lines) if line.strip() and not are_comments[at]), len(lines))
    before = [line for line, is_comment in zip(lines[:first], are_comments[:first], strict=True) if is_comment]
    remark = before[-1].lstrip().removeprefix(start).decode().strip() if before else ""
    return b"\n".join(kept), remark, sum(are_comments[first:])


def _first_lines(content: bytes) -> list[str]:
    ends = [found.end() for found in islice(re.finditer(rb"\r\n|\n|\r", content), MOST_LINES)]
    sample = content[: ends[-1]] if len(ends) == MOST_LINES else content
    return [line for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", sample.decode("utf-8")) if line.strip()]


def _names_in(remark: str, lines: Sequence[str], separator: str) -> str:
    """Return the comment if it names the columns of rows that begin with the first line."""
    if not remark or not lines:
        return ""
    names, values = split([remark], separator), split(lines[:1], separator)
    fits = names and values and len(names[0]) == len(values[0]) > 1
    return remark if fits and not any(map(is_number, names[0])) and any(map(is_number, values[0])) else ""


def _parse(content: bytes, remark: str, separator: str, options: Options) -> tuple[pd.DataFrame, str]:
    """Return the table and its separator, which is found unless it is known."""
    lines = _first_lines(content)
    separator = separator or find_separator(lines)
    if names := _names_in(remark, lines, separator):
        content, lines = b"\n".join((names.encode(), content)), [names]
    check_names(next(iter(split(lines, separator)), []))
    missing = [word for word in MISSING if word not in options.not_na]
    frame = pd.read_csv(
        BytesIO(content),
        sep=r"\s+" if separator == BLANK else separator,
        skipinitialspace=True,
        keep_default_na=False,
        na_values=missing,
        low_memory=False,
    ).rename(columns=str.strip)
    stripped = {name: _stripped(column, missing) for name, column in frame.items() if _has_blanks(column)}
    return _without_last(with_columns(frame, stripped)).dropna(how="all", ignore_index=True), separator


def _without_last(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out the empty value that each row has more than there are names if it ends with a separator."""
    if isinstance(frame.index, pd.RangeIndex):
        return frame
    if frame.index.nlevels > 1 or not frame.iloc[:, -1].isna().all():
        raise ValueError("its rows have more values than its first line has names")
    return frame.reset_index().iloc[:, :-1].set_axis(frame.columns, axis=1)


def _has_blanks(column: pd.Series) -> bool:
    """Whether texts end with blanks; pandas leaves out those before them alone."""
    return are_texts(column) and bool(column.str.contains(r"\s$", na=False).any())


def _stripped(column: pd.Series, missing: Sequence[str]) -> pd.Series:
    texts = column.str.strip()
    return texts.where(~texts.isin(missing))


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out the nameless column that an index leaves in a file, and the empty ones of separators at the end."""
    first = frame.columns[0]
    nameless = [name for name in frame if name.startswith("Unnamed:")]
    useless = [name for name in nameless if frame[name].isna().all() or (name == first and frame[name].is_unique)]
    return frame.drop(columns=useless)


def _without_units(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Leave out a first row that has a text where all others have numbers, and a number nowhere, or is a mere rule."""
    if len(frame) and all(re.fullmatch(RULE, str(value)) for value in frame.iloc[0].dropna()):
        return frame.iloc[1:].reset_index(drop=True), ""
    if len(frame) < FEWEST_ROWS or any(is_number(str(value)) for value in frame.iloc[0].dropna()):
        return frame, ""
    units = [str(value) for name, value in frame.iloc[0].items() if _is_unit(value, frame[name].iloc[1:])]
    if not units:
        return frame, ""
    return frame.iloc[1:].reset_index(drop=True), ", ".join(map(repr, units[:3]))


def _is_unit(value: object, others: pd.Series) -> bool:
    if not isinstance(value, str) or value.strip().lower() in NO_VALUE or value.startswith(NEVER_UNITS):
        return False
    return value not in set(others) and numbers_of(others).are_most


def _in_numbers(frame: pd.DataFrame, decimal: str) -> pd.DataFrame:
    """Read columns of text that hold numbers alone, in whatever way they are written."""
    columns = {}
    for name, column in frame.items():
        found = numbers_of(column, decimal) if are_texts(column) else None
        if found is not None and found.are_most and found.odd.empty:
            columns[name] = found.values
    return with_columns(frame, columns)
