"""The columns of a table: numbers, truth values and categories, whatever they were written as."""

import re
import unicodedata
from shlex import quote
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .numbers import (
    MOST_EXAMPLES,
    MOST_ODD,
    MOSTLY,
    Levels,
    Numbers,
    are_texts,
    is_number,
    levels_of,
    read_numbers,
    rows,
)

DECIMAL = "sknn_decimal"  # the attribute of a table that says what commas are where a column does not tell
ISO_DATE = re.compile(r"\s*\d{4}-\d{2}-\d{2}([ T].*)?")
NUMBERS = ("boolean", "decimal", "floating", "integer", "mixed-integer-float")
TEXTS = ("string", "mixed-integer", "mixed")  # the last two: texts among other things
DATES = ("date", "datetime", "datetime64")
DURATIONS = ("timedelta", "timedelta64", "time")  # since midnight
MOST_LEVELS = 32  # of text in memory, which may be meant as it is; with more different numbers, these are meant
MOSTLY_DIFFERENT = 0.9  # an identifier is another in so many rows
FEWEST_ROWS = 20  # in fewer, numbers are different by chance
SMALLEST_AMOUNT = 1e-150  # the square of a smaller one is zero
NINES = re.compile(r"9{2,}(\.9+)?|32768|1e\+?[23]0")
BEGINS_WITH_NUMBER = re.compile(r"\s*[(~<>]?[+-]?\.?\d")
NAMELESS = re.compile(r"Unnamed: \d+(\.\d+)?")  # what pandas calls columns without a name
IDENTIFIER = re.compile(
    r"(.*[_\W])?(id|ident|identifier|uid|uuid|index|idx|row|no|nr|number|recno)"
    r"|.*(obj|object|source|star|galaxy|cat|plate|field|run|row|sample|subject|patient|user)_?id",
    re.IGNORECASE,
)


class Tidied(NamedTuple):
    """A table of numbers, truth values and categories, and what is to be said about its making.

    Parameters
    ----------
    frame : DataFrame
        The table.
    notes : list of str
        A sentence for each column that is not what it seemed to be.
    """

    frame: pd.DataFrame
    notes: list[str]


def tidy(frame: pd.DataFrame, source: str, decimal: str = ".") -> Tidied:
    """Make numbers, truth values or categories of all columns.

    Where nearly all texts are numbers the column is one of numbers, and what is none is missing, see `numbers_of`. ISO
    dates (2026-07-31, with or without a time) become days since 1970-01-01, as dates of any other type do, and
    durations become days. Other text becomes categories. A column of text that is another in every row tells nothing
    about other rows: it is left out, and so is an empty column.

    Parameters
    ----------
    frame : DataFrame
        As it was read.
    source : str
        Where it comes from, for messages.
    decimal : {".", ","}, default="."
        What commas are where a column does not tell.

    Returns
    -------
    Tidied
        Columns of NumPy's numbers and truth values, and of categories, where missing values are NaN; and a note about
        each column that is left out, has odd cells, or seems to be an identifier.

    Raises
    ------
    ValueError
        If a column holds anything else, such as lists.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"colour": ["red", "blue", "red"], "day": ["1970-01-02", None, "1970-01-01"]})
    >>> tidy(frame, "example").frame.dtypes.astype(str).to_dict()
    {'colour': 'category', 'day': 'float64'}
    """
    columns: dict[Any, pd.Series] = {}
    notes = []
    for name, column in frame.items():
        remark = "is empty, so it was left out"
        if column.notna().any():
            found, remark = _tidy(column, source, decimal)
            if found is not None:
                columns[name] = found
                remark = remark or _identifies(found) or _means_missing(found) or _is_tiny(found) or labels_alike(found)
        notes += [f"column {name!r} of {source} {remark}"] if remark else []
    return Tidied(pd.DataFrame(columns, index=frame.index), notes)


def tidy_column(column: pd.Series, source: str, decimal: str = ".") -> pd.Series:
    """Make a column of numbers, truth values or categories.

    Parameters
    ----------
    column : Series
        As it was read.
    source : str
        Where it comes from, for messages.
    decimal : {".", ","}, default="."
        What commas are where the column does not tell.

    Returns
    -------
    Series
        See `tidy`.

    Raises
    ------
    ValueError
        If the column holds anything else.
    """
    tidied, _ = _tidy(column, source, decimal)
    return column.astype("category") if tidied is None else tidied


def only_numbers(column: pd.Series, decimal: str = ".") -> pd.Series:
    """Read what are numbers or dates in a column of texts, however many are none.

    Parameters
    ----------
    column : Series
        Texts, or texts among numbers.
    decimal : {".", ","}, default="."
        What commas are where the column does not tell.

    Returns
    -------
    Series of float
        Numbers and days, and NaN for all else.

    Examples
    --------
    >>> only_numbers(pd.Series(["1.5", "big", "1970-01-03"])).tolist()
    [1.5, nan, 2.0]
    """
    levels = levels_of(column)
    numbers, days = read_numbers(levels, decimal).readings, _days(_as_dates(levels.texts)).to_numpy()
    return levels.spread(np.where(np.isnan(numbers), days, numbers))


def _tidy(column: pd.Series, source: str, decimal: str = ".") -> tuple[pd.Series | None, str]:
    """Return the column, unless it is to be left out, and what is to be said about it, which may be nothing."""
    kind = _kind(column)
    if kind == "categorical" or (isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf"):
        return column, ""
    if kind == "string" or (kind in TEXTS and _are_scalars(column)):
        return _tidy_texts(column, decimal)
    if kind in NUMBERS:
        return _as_floats(column), ""
    if kind in DATES:
        return _days(column), ""
    if kind == "period":
        return _days(column.dt.to_timestamp()), ""
    if kind in DURATIONS:
        return pd.to_timedelta(column.astype(str) if kind == "time" else column) / pd.Timedelta(days=1), ""
    example = column.dropna().iloc[0]
    raise ValueError(
        f"column {column.name!r} of {source} holds {kind} values such as {example!r} ({type(example).__name__}); "
        f"it must hold numbers, text, truth values or dates, or be left out (--drop {quote(str(column.name))})"
    )


def _tidy_texts(column: pd.Series, decimal: str) -> tuple[pd.Series | None, str]:
    levels = levels_of(column)
    found = read_numbers(levels, decimal)
    if found.are_most:
        return found.values, _what_is_no("number", found.odd, found.examples(), len(column))
    days, dated = _dates_of(levels)
    if days is not None:
        others = levels.where(~dated)
        return days, _what_is_no("date", others, _listed(others), len(column))
    if column.is_unique:
        why = _why_text(found) or _only_begin_with_numbers(levels)
        return None, f"holds another text in every row, so it was left out{why}"
    return column.astype(object).astype("category"), _why_text(found).removeprefix("; it ") or _differs(levels)


def _what_is_no(kind: str, odd: pd.Series, examples: str, n_rows: int) -> str:
    if not len(odd):
        return ""
    return f"holds {kind}s, and taken as missing what is none in {rows(len(odd))} of {n_rows:,}: {examples}"


def _why_text(found: Numbers) -> str:
    if found.share < MOSTLY:
        return ""
    return (
        f"; it holds numbers in {found.share:.0%} of its cells and text in the others ({found.examples()}), so all are "
        "taken for text: name what means missing with --na (na_values=), or write limits and flags in another column"
    )


def _only_begin_with_numbers(levels: Levels) -> str:
    if levels.count(levels.are(BEGINS_WITH_NUMBER.match)) <= MOSTLY_DIFFERENT * len(levels.codes):
        return ""
    example = next((text for text in levels.texts if not is_number(text)), levels.texts[0])
    return (
        f"; its texts begin with numbers but are none, such as {example!r}: dates are read as 2026-07-31, and "
        "values, errors and units have columns of their own"
    )


def _differs(levels: Levels) -> str:
    n_rows, n_texts = len(levels.codes), len(levels.texts)
    only_begin = _only_begin_with_numbers(levels)
    if n_rows < FEWEST_ROWS or n_texts < MOSTLY_DIFFERENT * n_rows:
        is_doubtful = only_begin and n_texts > MOST_LEVELS
        return f"is taken for {n_texts:,} different labels{only_begin}" if is_doubtful else ""
    return (
        f"holds {n_texts:,} different texts in {rows(n_rows)}, such as {levels.texts[0]!r}; if they "
        f"only identify the rows, leave them out with --drop {quote(str(levels.column.name))}{only_begin}"
    )


def _means_missing(column: pd.Series) -> str:
    """Say that a number seems to mean missing: it is written with nines, occurs again and stands apart."""
    if not isinstance(column.dtype, np.dtype) or column.dtype.kind not in "if":
        return ""
    numbers = column.to_numpy().astype(float)
    numbers = numbers[np.isfinite(numbers)]
    for extreme in (numbers.min(), numbers.max()) if len(numbers) else ():
        others = numbers[numbers != extreme]
        count = len(numbers) - len(others)
        if _is_written_with_nines(extreme) and (apart := _stands_apart(extreme, others, count)):
            number = f"{extreme:.12g}"
            return f"has {number} in {rows(count)}, {apart}; if it means missing, say --na {number}"
    return ""


def _is_written_with_nines(number: float) -> bool:
    return NINES.fullmatch(f"{abs(number):.12g}") is not None


def _stands_apart(extreme: float, others: np.ndarray, count: int) -> str:
    """Say how an extreme that occurs so often differs from all others, or nothing if it is much like them."""
    if count == 1 or not len(others) or others.min() == others.max():
        return ""
    distance = min(abs(extreme - others.min()), abs(extreme - others.max()))
    reach = others.max() - others.min()
    if distance > reach:
        return "far from all others"
    if extreme < 0:
        negative = np.unique(others[others < 0])
        return "where else no number is negative" if all(map(_is_written_with_nines, negative)) else ""
    most = np.unique(others, return_counts=True)[1].max()
    return "apart from all others, none of which occurs as often" if distance > reach / 2 and count > most else ""


def _is_tiny(column: pd.Series) -> str:
    """Say that numbers are so small that their squares are zero, as if they were all the same."""
    if not isinstance(column.dtype, np.dtype) or column.dtype.kind != "f":
        return ""
    largest = column.abs().max()
    if not 0 < largest < SMALLEST_AMOUNT:
        return ""
    told = f"goes up to {largest:.3g} in size, whose square is zero, so that models take it for constant"
    return f"{told}; give it in other units"


def _identifies(column: pd.Series) -> str:
    """Say that integers seem to be identifiers, by their name and as they are hardly ever the same."""
    if not isinstance(column.dtype, np.dtype) or column.dtype.kind not in "iuf":
        return ""
    name = str(column.name)
    is_nameless = NAMELESS.fullmatch(name) is not None
    if not (is_nameless or IDENTIFIER.fullmatch(name)):
        return ""
    present = column.dropna()
    if len(present) < FEWEST_ROWS or (present != np.round(present)).any():
        return ""
    n_different, remedy = present.nunique(), f"leave it out with --drop {quote(name)}"
    if is_nameless and n_different > MOST_LEVELS:
        return f"has no name and whole numbers, as an index that was written with the table; {remedy}"
    if is_nameless or n_different < MOSTLY_DIFFERENT * len(present):
        return ""
    return f"seems to identify the rows and to say nothing else; {remedy}"


TRUTH = {word: truth for truth, words in enumerate(("no n false f 0", "yes y true t 1")) for word in words.split()}


def labels_alike(column: pd.Series) -> str:
    """Say that labels seem to be the same: they differ in case, blanks or what is not seen, or mean the same truth.

    Parameters
    ----------
    column : Series
        Categories or texts.

    Returns
    -------
    str
        An end of a sentence, or nothing.

    Examples
    --------
    >>> labels_alike(pd.Series(["red", "Red", "blue"]))
    "has labels that seem to be the same, 'Red' and 'red'; if they are, write them alike"
    """
    if not (are_texts(column) or (isinstance(column.dtype, pd.CategoricalDtype) and are_texts(column.cat.categories))):
        return ""
    seen: dict[str | int, list[str]] = {}
    labels = sorted(column.dropna().unique())
    are_truths = all(_as_seen(label) in TRUTH for label in labels)
    for label in labels:
        key = _as_seen(label)
        seen.setdefault(TRUTH[key] if are_truths else key, []).append(label)
    alike = [" and ".join(map(repr, each)) for each in seen.values() if len(each) > 1]
    if not alike:
        return ""
    more = f", and {len(alike) - MOST_EXAMPLES:,} more such" if len(alike) > MOST_EXAMPLES else ""
    return (
        f"has labels that seem to be the same, {', '.join(alike[:MOST_EXAMPLES])}{more}; if they are, write them alike"
    )


def _as_seen(label: str) -> str:
    normal = unicodedata.normalize("NFKC", label).casefold()
    return " ".join("".join(mark for mark in normal if mark.isprintable() or mark.isspace()).split())


def _kind(column: pd.Series) -> str:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "categorical"
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "datetime64"
    if isinstance(column.dtype, pd.StringDtype) and are_texts(column):
        return "string"  # without a look at each
    return pd.api.types.infer_dtype(column, skipna=True)


def _are_scalars(column: pd.Series) -> bool:
    return bool(column.dropna().map(lambda value: isinstance(value, str | int | float | np.number)).all())


def _as_floats(column: pd.Series) -> pd.Series:
    return pd.Series(column.to_numpy(dtype=float, na_value=np.nan), index=column.index, name=column.name)


# ------------------------------------------------------------------------------------------------------------ dates


def _dates_of(levels: Levels) -> tuple[pd.Series | None, np.ndarray]:
    """Return days, NaN where there is no ISO date, and which texts are dates; no days if others are many."""
    if not _may_be_dates(levels):
        return None, np.zeros(len(levels.texts), bool)
    dates = _as_dates(levels.texts)
    dated = dates.notna().to_numpy()
    n_dated = levels.count(dated)
    n_telling = len(levels.codes) - n_dated - levels.count_empty(~dated)
    if not n_dated or n_telling > MOST_ODD * (n_dated + n_telling):
        return None, dated
    return levels.spread(_days(dates).to_numpy()), dated


def _as_dates(texts: list[str]) -> pd.Series:
    in_form = pd.Series([text if ISO_DATE.fullmatch(text) else None for text in texts], dtype=object)
    return pd.to_datetime(in_form, format="ISO8601", utc=True, errors="coerce")  # 0000-00-00 is none


def _may_be_dates(levels: Levels) -> bool:
    """Whether the first texts leave it open, as more than a tenth of all rows may not be something else."""
    first = range(int(2 * MOST_ODD * len(levels.texts)))
    others = [place for place in first if not ISO_DATE.fullmatch(levels.texts[place])]
    return levels.count(others) - levels.count_empty(others) <= MOST_ODD * len(levels.codes)


def are_dates(column: pd.Series) -> bool:
    """Tell whether texts are ISO dates, but for what is missing and a few odd cells.

    Parameters
    ----------
    column : Series
        Texts.

    Returns
    -------
    bool
        Whether `tidy` makes days of them.
    """
    return _dates_of(levels_of(column))[0] is not None


def _days(column: Any) -> pd.Series:
    dates = pd.to_datetime(column, format="ISO8601", utc=True)
    # In the unit of the dates: nanoseconds do not reach the year 1600.
    return (dates - pd.Timestamp("1970-01-01", tz="UTC").as_unit(dates.dt.unit)) / pd.Timedelta(days=1)


def _listed(texts: pd.Series) -> str:
    return ", ".join(f"{text!r} in {rows(count)}" for text, count in texts.value_counts().head(3).items())


# -------------------------------------------------------------------------------------------------- tables in memory


def settle(frame: pd.DataFrame, source: str) -> Tidied:
    """Make numbers of the columns of a table in memory that hold them in another way; all others stay as they are.

    These are decimals (`decimal.Decimal`), dates, times and durations of Python, periods of pandas, and text, alone or
    among numbers, that is nearly always a number or an ISO date, as where two cells of a file were "-". Text of a few
    different numbers or dates may be meant as it is, and stays.

    Parameters
    ----------
    frame : DataFrame
        A table; columns of categories are left alone.
    source : str
        Where it comes from, for messages.

    Returns
    -------
    Tidied
        The table, itself if nothing changes, and a note about each column of text that became one of numbers, or is not
        what it seems.

    Raises
    ------
    ValueError
        If a column holds lists or complex numbers.

    Examples
    --------
    >>> from decimal import Decimal
    >>> import pandas as pd
    >>> settle(pd.DataFrame({"price": [Decimal("1.5"), None]}), "example").frame["price"].tolist()
    [1.5, nan]
    """
    changed, notes = {}, []
    for position, (name, column) in enumerate(frame.items()):
        found, remark = _settled(column, source)
        if found is not None:
            changed[position] = found
        notes += [f"column {name!r} of {source} {remark}"] if remark else []
    if not changed:
        return Tidied(frame, notes)
    columns = [changed.get(position, frame.iloc[:, position]) for position in range(frame.shape[1])]
    return Tidied(pd.concat(columns, axis=1).set_axis(frame.columns, axis=1), notes)


def _settled(column: pd.Series, source: str) -> tuple[pd.Series | None, str]:
    """Return the column if it becomes another, and what is to be said about it."""
    is_plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufMm"
    if is_plain or isinstance(column.dtype, pd.CategoricalDtype) or column.isna().all():
        return None, _is_tiny(column)
    kind = _kind(column)
    if kind in TEXTS and _are_scalars(column):
        return _settled_texts(column, may_be_meant=kind == "string")
    is_settled = kind in ("complex", "mixed", "period") or (
        column.dtype == object and kind in (*DATES, *DURATIONS, "decimal")
    )
    return _tidy(column, source) if is_settled else (None, "")


def _settled_texts(column: pd.Series, may_be_meant: bool) -> tuple[pd.Series | None, str]:
    levels = levels_of(column)
    found = read_numbers(levels)
    if found.are_most and (not may_be_meant or found.values.nunique() > MOST_LEVELS):
        return found.values, _what_is_no("number", found.odd, found.examples(), len(column)) or "holds numbers as text"
    n_different = len(levels.texts)
    if n_different <= MOST_LEVELS:
        return None, ""
    days, dated = _dates_of(levels)
    if days is not None:
        others = levels.where(~dated)
        return days, _what_is_no("date", others, _listed(others), len(column)) or "holds dates as text"
    only_begin = _only_begin_with_numbers(levels)
    return None, f"is taken for {n_different:,} different labels{only_begin}" if only_begin else ""
