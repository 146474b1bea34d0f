"""Columns of text that are columns of numbers, but for a few odd cells."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

# What people, spreadsheets and programs write where there is no value; compared without case and blanks at the ends.
NO_VALUE = frozenset(
    """|-|--|---|–|—|.|..|...|…|*|**|***|?|??|???|na|n/a|n.a.|n.a|nan|-nan|<na>|nil|none|null|nd|n.d.|missing|unknown
    |masked|indef|undef|undefined|not available|no data|nodata|#n/a|#na|#ref!|#value!|#div/0!|#num!|#name?
    |#null!""".replace("\n    ", "").split("|")
)
MOST_ODD = 0.1  # of the cells that say anything: with more of them, the column is no column of numbers
MOSTLY = 0.5  # with so many numbers, it is worth a word that a column is none of numbers
MOST_EXAMPLES = 3
SAMPLE = 1000  # of the different texts tell whether it is worth to look at all
FEWEST = 0.1  # of the different texts are numbers where a column may be one of numbers, or nearly so

SIGNS = str.maketrans({"−": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'"})
GROUPS = re.compile(r"(?<=\d)[ '](?=\d{3}(?!\d))")  # 1 234 567 and 1'234'567
# 1.5D+03 and 1.5+103, which leaves no room for the letter; orbitals are called 3d10, and numbers of telephones 12-103.
FORTRAN = re.compile(r"([+-]?(?:\d+\.\d*|\.\d+))(?:[dDqQ]([+-]?\d+)|([+-]\d{3}))|([+-]?\d+)[dDqQ]([+-]\d+)")
CURRENCY = re.compile(r"^([+-]?)[$€£¥]\s*|\s*[€%]$")
QUOTED = re.compile(r"=\"(.*)\"|'([^']*)'?")  # what spreadsheets write so that a number stays as it is
PLAIN = re.compile(r"[+-]?\d*[.,]?\d*")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
POINTS = re.compile(r"[+-]?([1-9]\d{0,2}(\.\d{3})+|\d{1,3})")  # 1.234 where 1,5 has decimals
DECIMALS = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+")
EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # a thousand and some, or a number with three decimals


@dataclass(frozen=True, eq=False)
class Levels:
    """The different texts of a column, which are looked at once, and where they are.

    Parameters
    ----------
    column : Series
        The column.
    texts : list of str
        The different ones, missing values apart.
    places : ndarray of int of shape (n_texts,)
        The rows that have one.
    codes : ndarray of int of shape (n_texts,)
        Which one these have.
    """

    column: pd.Series
    texts: list[str]
    places: np.ndarray
    codes: np.ndarray

    @cached_property
    def counts(self) -> np.ndarray:
        """How many rows have each text."""
        return np.bincount(self.codes, minlength=len(self.texts))

    def are(self, test: Callable[[str], Any]) -> np.ndarray:
        """Whether each different text passes a test."""
        return np.array([test(text) is not None for text in self.texts], bool)

    def count(self, chosen: np.ndarray | list[int]) -> int:
        """How many rows have one of the chosen texts."""
        return int(self.counts[chosen].sum()) if len(chosen) else 0

    def count_empty(self, chosen: np.ndarray | list[int]) -> int:
        """How many rows have one of the chosen texts that is what people write where there is no value."""
        places = np.arange(len(self.texts))[chosen].tolist() if len(chosen) else []
        return self.count([place for place in places if self.texts[place].strip().lower() in NO_VALUE])

    def spread(self, values: np.ndarray) -> pd.Series:
        """A column with the value that belongs to the text of each row, NaN where there is none."""
        column = np.full(len(self.column), np.nan)
        column[self.places] = values[self.codes]
        return pd.Series(column, index=self.column.index, name=self.column.name)

    def where(self, chosen: np.ndarray) -> pd.Series:
        """The cells with one of the chosen texts, as texts."""
        cells = chosen[self.codes]
        texts = np.array(self.texts, dtype=object)[self.codes[cells]]
        return pd.Series(texts, self.column.index[self.places[cells]], "str", self.column.name)


def levels_of(column: pd.Series) -> Levels:
    """Find the different texts of a column.

    Parameters
    ----------
    column : Series
        Texts, and perhaps numbers and missing values.

    Returns
    -------
    Levels
        What is no text counts as the text that it is printed as.
    """
    places = np.flatnonzero(column.notna())
    present = column if len(places) == len(column) else column.iloc[places]
    if not isinstance(column.dtype, pd.StringDtype):
        present = present.astype(object).map(str)
    codes, texts = pd.factorize(present)
    return Levels(column, texts.tolist(), places, codes)


@dataclass(frozen=True, eq=False)
class Numbers:
    """What a column of text holds if it is read as numbers.

    Parameters
    ----------
    levels : Levels
        The texts of the column.
    readings : ndarray of float
        The number that each of them is, or NaN.

    Attributes
    ----------
    values : Series of float
        The numbers, NaN in all other cells.
    odd : Series of str
        The cells that are neither numbers nor missing.
    are_most : bool
        Whether the column is one of numbers: there are some, and at most a tenth of the cells that say anything, which
        words for missing values do not, are anything else.
    """

    levels: Levels
    readings: np.ndarray

    @cached_property
    def values(self) -> pd.Series:
        return self.levels.spread(self.readings)

    @cached_property
    def odd(self) -> pd.Series:
        return self.levels.where(np.isnan(self.readings))

    @cached_property
    def are_most(self) -> bool:
        n_numbers, n_texts = self.levels.count(~np.isnan(self.readings)), len(self.levels.codes)
        if n_numbers <= MOST_ODD * n_texts:
            return False
        n_telling = n_texts - n_numbers - self.levels.count_empty(np.isnan(self.readings))
        return n_telling <= MOST_ODD * (n_numbers + n_telling)

    @property
    def share(self) -> float:
        """The part of the cells with anything in them that are numbers."""
        found = int(self.values.notna().sum())
        return found / max(1, found + len(self.odd))

    def examples(self) -> str:
        """The odd cells with their counts, the most frequent ones first."""
        counts = self.odd.value_counts()
        shown = [f"{text!r} in {rows(count)}" for text, count in counts.head(MOST_EXAMPLES).items()]
        more = len(counts) - len(shown)
        return ", ".join([*shown, *([f"and {more:,} more such texts"] if more else [])])


def rows(count: int) -> str:
    """Count rows in words.

    Examples
    --------
    >>> rows(1), rows(1200)
    ('1 row', '1,200 rows')
    """
    return "1 row" if count == 1 else f"{count:,} rows"


def numbers_of(column: pd.Series, decimal: str = ".") -> Numbers:
    """Read a column of text, or of text among numbers, as numbers.

    Beside what Python takes for a number these are: Fortran's 1.5D+03, thousands set apart as in 1,234 or 1 234, commas
    before decimals where no other number of the column has a point there, the minus sign of typesetters, what stands
    before or behind amounts of money and percentages, and the quotes of spreadsheets, as in ="12" and '12.

    Parameters
    ----------
    column : Series
        Texts, numbers and missing values.
    decimal : {".", ","}, default="."
        What "1,234" is where nothing else in the column tells: a thousand and some, or a number with decimals.

    Returns
    -------
    Numbers
        The numbers and what is left.

    Examples
    --------
    >>> import pandas as pd
    >>> found = numbers_of(pd.Series(["1.5", "2", "-", "1.5D+03", "1 234"]))
    >>> found.values.tolist(), found.examples(), found.are_most
    ([1.5, 2.0, nan, 1500.0, 1234.0], "'-' in 1 row", True)
    >>> numbers_of(pd.Series(["1,5", "1.234,5"])).values.tolist()
    [1.5, 1234.5]
    """
    return read_numbers(levels_of(column), decimal)


def read_numbers(levels: Levels, decimal: str = ".") -> Numbers:
    """Read the texts of a column as numbers.

    Parameters
    ----------
    levels : Levels
        The texts.
    decimal : {".", ","}, default="."
        As of `numbers_of`.

    Returns
    -------
    Numbers
        The numbers and what is left.
    """
    readings = _readings(levels.texts, decimal)
    return Numbers(levels, np.array([np.nan if number is None else number for number in readings], float))


def is_number(text: str) -> bool:
    """Tell whether a text is a number, however it is written.

    Parameters
    ----------
    text : str
        A cell.

    Returns
    -------
    bool
        True for what `numbers_of` takes for a number.

    Examples
    --------
    >>> is_number("1.5D+03"), is_number("M31")
    (True, False)
    """
    return any(_number(each) is not None for each in (_plain(text), _plain(text).translate(SWAPPED)))


def are_texts(column: pd.Series) -> bool:
    """Tell whether a column holds texts and nothing else but missing values.

    Parameters
    ----------
    column : Series
        A column, of categories or not.

    Returns
    -------
    bool
        False for categories.
    """
    if isinstance(column.dtype, pd.StringDtype):
        return bool(column.notna().any())
    return not isinstance(column.dtype, pd.CategoricalDtype) and pd.api.types.infer_dtype(column) == "string"


def may_be_thousands(column: pd.Series) -> bool:
    """Tell whether numbers may have been written with points for thousands, which were taken for those of decimals.

    Parameters
    ----------
    column : Series
        As pandas read it from a text.

    Returns
    -------
    bool
        True if all have at most three decimals, some have any, and none is beyond a thousand.

    Examples
    --------
    >>> may_be_thousands(pd.Series([1.234, 12.0])), may_be_thousands(pd.Series([1.2345, 12.0]))
    (True, False)
    """
    if column.dtype != float:
        return False
    numbers = column.to_numpy()
    numbers = numbers[~np.isnan(numbers)]
    if not len(numbers) or not (np.abs(numbers) < 1000).all() or (numbers == np.round(numbers)).all():
        return False
    return bool((numbers == np.round(numbers, 3)).all())


def are_thousands(column: pd.Series) -> bool:
    """Tell whether texts are whole numbers, some with points for thousands, such as 1.234, if points mean that.

    Parameters
    ----------
    column : Series
        A column.

    Returns
    -------
    bool
        False if one could not be.

    Examples
    --------
    >>> are_thousands(pd.Series(["1.234", "12"])), are_thousands(pd.Series(["1.234", "12.5"]))
    (True, False)
    """
    texts = column.dropna()
    return (
        are_texts(column)
        and bool(texts.str.contains(".", regex=False).any())
        and bool(texts.str.fullmatch(POINTS.pattern).all())
    )


def has_decimal_commas(column: pd.Series) -> bool:
    """Tell whether a column has numbers whose commas can be nothing but those before decimals.

    Parameters
    ----------
    column : Series
        Texts.

    Returns
    -------
    bool
        False for 1,234, which may be a thousand and some.

    Examples
    --------
    >>> has_decimal_commas(pd.Series(["1,5", "2"])), has_decimal_commas(pd.Series(["1,234"]))
    (True, False)
    """
    texts = column.dropna().unique()[:SAMPLE]
    return any(DECIMALS.fullmatch(text) and not EITHER.fullmatch(text) for text in texts) and (
        numbers_of(column, ",").are_most
    )


def _readings(texts: list[str], decimal: str) -> list[float | None]:
    """Return the number that each text is, if it is one."""
    sample = texts[:: 1 + len(texts) // SAMPLE]
    if len(sample) > SAMPLE // 2 and sum(map(is_number, sample)) < FEWEST * len(sample):
        return [None] * len(texts)  # names, say, of which it would take long to see that each is none
    numbers = list(map(_as_python, texts))
    others = [place for place, number in enumerate(numbers) if number is None]
    if any("," in texts[place] for place in others):  # which tell what the points of all are
        return _in_one_style(texts, decimal)
    for place in others:
        numbers[place] = _number(_plain(texts[place]))
    return numbers


def _as_python(text: str) -> float | None:
    """What Python reads, which is faster than to look at the text first; but 1_000 and nan are no numbers."""
    try:
        number = float(text)
    except ValueError:
        return None
    return None if number != number or "_" in text else number


def _in_one_style(texts: list[str], decimal: str) -> list[float | None]:
    plain = list(map(_plain, texts))
    points = list(map(_number, plain))
    commas = [_number(text.translate(SWAPPED)) for text in plain]
    telling = [position for position, text in enumerate(plain) if not EITHER.fullmatch(text)]
    n_points, n_commas = (
        sum(values[position] is not None and mark in plain[position] for position in telling)
        for values, mark in ((points, "."), (commas, ","))
    )
    return commas if n_commas > n_points or (decimal == "," and n_commas == n_points) else points


SWAPPED = str.maketrans(",.", ".,")


def _plain(text: str) -> str:
    if PLAIN.fullmatch(text):
        return text
    text = text.translate(SIGNS).strip()
    if quoted := QUOTED.fullmatch(text):
        text = (quoted[1] or quoted[2] or "").strip()
    text = GROUPS.sub("", text)
    text = CURRENCY.sub(r"\1", text)
    fortran = FORTRAN.fullmatch(text)
    return "e".join(part for part in fortran.groups() if part is not None) if fortran else text


def _number(text: str) -> float | None:
    if "," not in text:
        return _as_python(text)
    return float(text.replace(",", "")) if THOUSANDS.fullmatch(text) else None
