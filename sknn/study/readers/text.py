"""Tables in text: CSV and its kin, and columns with blanks between them."""

import re
from collections.abc import Sequence
from io import BytesIO
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd

from ..names import listed
from ..numbers import (
    MOST_EXAMPLES,
    NO_VALUE,
    are_texts,
    are_thousands,
    has_decimal_commas,
    is_number,
    may_be_thousands,
    numbers_of,
    rows,
)
from .content import Part, Table, reading
from .described import BYTE_BY_BYTE, read_byte_by_byte
from .encodings import to_utf8
from .options import Options
from .packed import check_kind, content_of
from .separators import BLANK, find_separator, shortened, split, stated
from .tables import blank, check_names, with_columns

COMMENT = "#"
MOST_LINES = 200  # of a text, to find its separator
# What pandas takes for missing, and "?", as the files of the UCI repository have it.
MISSING = (
    *("", "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A"),
    *("NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
FEWEST_ROWS = 3  # with units before all
LAST = itemgetter(slice(-1, None))  # of a text
FEW = 100  # rows tell of most columns that they do not hold numbers alone
RULE = r":?[-=]+:?"  # under the names
RULED = rb"[-+=|:\s]*"  # from side to side, or empty
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
        frame, separator, short = _parse(
            content, remark, stated(options.sep) if options.sep is not None else separator, options
        )
        if not len(frame) and n_left_out:
            raise ValueError(f"all its rows begin with {mark}, as comments do; say what does with --comment (comment=)")
    frame, n_repeated = _without_repeated_names(blank(frame, options.na_values))
    frame, units = _without_units(_without_index(frame), options.texts)
    decimal = "," if separator == ";" else "."
    thousands = _thousands_in(frame, options.texts)
    notes = {
        f"lines of {path.name} that begin with {mark} were left out, {n_left_out:,} of them among its rows": n_left_out,
        f"the names of the columns stand again in {rows(n_repeated)} of {path.name}, left out": n_repeated,
        f"the line under the names of {path.name} was left out, as it seems to hold units: {units}": units,
        f"there are fewer values than names in {rows(len(short))} of {path.name}, and what lacks is taken as missing: "
        f"{', '.join(repr(shortened(line.decode())) for line in short[:MOST_EXAMPLES])}": len(short),
        f"points in {listed(map(repr, thousands))} of {path.name} are those of thousands, as others have commas before "
        "decimals": len(thousands),
    }
    return Table(
        _in_numbers(with_columns(frame, thousands), decimal, options.texts),
        decimal,
        tuple(note for note, count in notes.items() if count),
    )


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


def _parse(content: bytes, remark: str, separator: str, options: Options) -> tuple[pd.DataFrame, str, list[bytes]]:
    """Return the table, its separator, which is found unless it is known, and the lines that lack values."""
    lines = _first_lines(content)
    if not lines:
        raise ValueError("it is empty")
    separator = separator or find_separator(lines)
    if names := _names_in(remark, lines, separator):
        content, lines = b"\n".join((names.encode(), content)), [names]
    check_names(next(iter(split(lines, separator)), []))
    missing = [word for word in MISSING if word not in options.not_na + options.words]
    frame = _table_in(content, separator, missing, options.texts)
    stripped = {name: _stripped(column, missing) for name, column in frame.items() if _has_blanks(column)}
    frame = with_columns(frame, stripped)
    short = _short_lines(content, separator, frame.shape[1]) if frame.iloc[:, -1].isna().any() else []
    return frame.dropna(how="all", ignore_index=True), separator, short


def _table_in(content: bytes, separator: str, missing: Sequence[str], texts: Sequence[str]) -> pd.DataFrame:
    """Return the table; texts that look like numbers, and numbers that may be thousands, are read again as written."""
    frame = _read_csv(content, separator, missing)
    wanted = [name for name in texts if name in frame and not are_texts(frame[name])]
    others = {name: column for name, column in frame.items() if name not in texts}
    doubtful = [name for name, column in others.items() if may_be_thousands(column)]
    if not any(has_decimal_commas(column) for column in others.values() if doubtful and are_texts(column)):
        doubtful = []
    if not wanted and not doubtful:
        return frame
    as_written = _read_csv(content, separator, missing, dtype=str)
    wanted += [name for name in doubtful if are_thousands(as_written[name])]
    return with_columns(frame, {name: as_written[name] for name in wanted})


def _read_csv(content: bytes, separator: str, missing: Sequence[str], **options: Any) -> pd.DataFrame:
    try:
        frame = pd.read_csv(
            BytesIO(content),
            sep=r"\s+" if separator == BLANK else separator,
            skipinitialspace=True,
            keep_default_na=False,
            na_values=missing,
            low_memory=False,
            **options,
        )
    except pd.errors.ParserError as error:
        raise ValueError(_why_no_table(content, str(error))) from None
    return _without_last(frame.rename(columns=str.strip))


def _why_no_table(content: bytes, message: str) -> str:
    """Say which line has more values than there are names, if that is what pandas says."""
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if found is None:
        return message
    lines = _lines(content)
    names, wrong = (repr(shortened(lines[at].decode().strip())) for at in (0, int(found[2]) - 1))
    return (
        f"its line {wrong} has {found[3]} values, but its first line, {names}, has {found[1]}; the first line "
        "must have the names of all columns, lines before it must begin with #, or as --comment (comment=) says, and "
        "values with separators in them must be in quotes"
    )


def _lines(content: bytes) -> list[bytes]:
    return re.split(rb"\r\n|\n|\r", content)


def _short_lines(content: bytes, separator: str, n_columns: int) -> list[bytes]:
    """Return the lines with fewer values than there are columns; with blanks between them, nobody knows which lack."""
    if separator == BLANK:
        short = [line for line in _lines(content) if 0 < len(line.split()) < n_columns]
        if short:
            raise ValueError(
                f"its line {shortened(short[0].decode())!r} has {len(short[0].split())} values for {n_columns} "
                "columns; where values are missing blanks cannot separate the others: write NaN there, or separate "
                "by commas"
            )
        return []
    if b'"' in content:  # a line may be a part of a row
        return []
    mark = separator.encode()
    return [line for line in _lines(content) if line.count(mark) < n_columns - 1 and not re.fullmatch(RULED, line)]


def _without_last(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out the empty value that each row has more than there are names if it ends with a separator."""
    if isinstance(frame.index, pd.RangeIndex):
        return frame
    if frame.index.nlevels > 1 or not frame.iloc[:, -1].isna().all():
        raise ValueError(
            "its rows have more values than its first line has names; where they begin with the name of the row, as R "
            "writes it, that column needs a name, too"
        )
    return frame.reset_index().iloc[:, :-1].set_axis(frame.columns, axis=1)


def _has_blanks(column: pd.Series) -> bool:
    """Whether texts end with blanks; pandas leaves out those before them alone."""
    return are_texts(column) and any(map(str.isspace, set(map(LAST, column.dropna().unique().tolist()))))


def _stripped(column: pd.Series, missing: Sequence[str]) -> pd.Series:
    texts = column.str.strip()
    return texts.where(~texts.isin(missing))


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out the nameless column that an index leaves in a file, and the empty ones of separators at the end."""
    first = frame.columns[0]
    nameless = [name for name in frame if name.startswith("Unnamed:")]
    useless = [name for name in nameless if frame[name].isna().all() or (name == first and frame[name].is_unique)]
    return frame.drop(columns=useless)


def _without_repeated_names(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Leave out the lines of names that files have in their middle after they were put one behind the other."""
    named = frame[[name for name in frame if not name.startswith("Unnamed:")]]
    if not len(frame) or not all(map(pd.api.types.is_string_dtype, named.dtypes)):
        return frame, 0  # no text in one of the columns
    repeated = (named == named.columns).all(axis=1)
    return (frame[~repeated].reset_index(drop=True) if repeated.any() else frame), int(repeated.sum())


def _without_units(frame: pd.DataFrame, texts: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """Leave out a line of units under the names, and rules above and below it."""
    frame, units = _without_line_of_units(_without_rule(frame), texts)
    return _without_rule(frame), units


def _without_rule(frame: pd.DataFrame) -> pd.DataFrame:
    is_rule = len(frame) > 0 and all(re.fullmatch(RULE, str(value)) for value in frame.iloc[0].dropna())
    return frame.iloc[1:].reset_index(drop=True) if is_rule else frame


def _without_line_of_units(frame: pd.DataFrame, texts: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """Leave out a first row that has a text where all others have numbers, and a number nowhere."""
    if len(frame) < FEWEST_ROWS or any(is_number(str(value)) for value in frame.iloc[0].dropna()):
        return frame, ""
    may_have = frame.iloc[0].drop(labels=list(texts), errors="ignore")
    units = [str(value) for name, value in may_have.items() if _is_unit(value, frame[name].iloc[1:])]
    if not units:
        return frame, ""
    return frame.iloc[1:].reset_index(drop=True), ", ".join(map(repr, units[:3]))


def _is_unit(value: object, others: pd.Series) -> bool:
    if not isinstance(value, str) or value.strip().lower() in NO_VALUE or value.startswith(NEVER_UNITS):
        return False
    return value not in set(others) and numbers_of(others).are_most


def _thousands_in(frame: pd.DataFrame, texts: Sequence[str]) -> dict[str, pd.Series]:
    """Return columns whose points are those of thousands, without them, if another has commas before decimals."""
    columns = {name: column for name, column in frame.items() if name not in texts and are_texts(column)}
    if not any(map(has_decimal_commas, columns.values())):
        return {}
    return {name: column.str.replace(".", "") for name, column in columns.items() if are_thousands(column)}


def _in_numbers(frame: pd.DataFrame, decimal: str, texts: Sequence[str]) -> pd.DataFrame:
    """Read columns of text that hold numbers alone, in whatever way they are written, but for those that are texts."""
    columns = {}
    for name, column in frame.items():
        may_be = name not in texts and are_texts(column) and all(map(is_number, column.iloc[:FEW].dropna()))
        found = numbers_of(column, decimal) if may_be else None
        if found is not None and found.are_most and found.odd.empty:
            columns[name] = found.values
    return with_columns(frame, columns)
