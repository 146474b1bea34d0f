"""Values as users have them: what NumPy would read as something else is refused by name before it does.

A mask is dropped in silence, and what lies under it is read; a date becomes a count in some unit, and a missing one
-9.2e18; a generator becomes one object.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np


def rows(name: str, values: Any) -> Any:
    """The values as they came.

    Raises
    ------
    TypeError
        If they have no rows, such as a generator or a dict.
    ValueError
        If some are masked.

    Examples
    --------
    >>> rows("X", np.ma.masked_array([[1.0], [999.0]], mask=[[False], [True]]))
    Traceback (most recent call last):
    ValueError: X is masked in 1 place(s): fill them in, as X.filled(...) does, or leave those rows out
    """
    if not _have_rows(values):
        alone = isinstance(values, str | bytes)  # of which list(...) would make letters
        how = f"[{name}] does" if alone else "list(...), pandas.DataFrame(...) or collect() do"
        raise TypeError(
            f"{name} must be an array, a table or a list, got {type(values).__name__}; make one of it, as {how}"
        )
    parts = values if isinstance(values, list | tuple) else [values]
    masked = sum(int(np.ma.count_masked(part)) for part in parts if isinstance(part, np.ma.MaskedArray))
    if masked:
        raise ValueError(
            f"{name} is masked in {masked} place(s): fill them in, as {name}.filled(...) does, or leave those rows out"
        )
    return values


def numbers(name: str, values: Any) -> Any:
    """The values as they came, of which also none is a date.

    Raises
    ------
    TypeError
        If they have no rows.
    ValueError
        If some are masked, or dates or times.

    Examples
    --------
    >>> numbers("X", np.array([["2020-02-29"], ["NaT"]], "datetime64[D]"))
    Traceback (most recent call last):
    ValueError: X holds dates or times, which are no numbers: measure them, as (t - t.min()) / np.timedelta64(1, "D")
    """
    if values is None or isinstance(values, Real):  # for which scikit-learn has its words
        return values
    dates = _dates(rows(name, values))
    if dates is not None:
        where = f" in column {dates!r}" if dates != "" else ""
        raise ValueError(
            f"{name} holds dates or times{where}, which are no numbers: measure them, as "
            '(t - t.min()) / np.timedelta64(1, "D")'
        )
    return values


def _have_rows(values: Any) -> bool:
    if hasattr(values, "shape") or hasattr(values, "__array__"):
        return True
    indexed = hasattr(values, "__len__") and hasattr(values, "__getitem__")
    return indexed and not isinstance(values, str | bytes | Mapping)


def _dates(values: Any) -> Any:
    """The first column of a table that holds dates or times, "" for what has no columns; None if there are none."""
    if not hasattr(values, "columns"):
        return "" if _is_date(getattr(values, "dtype", None)) else None
    return next((name for name, dtype in zip(values.columns, values.dtypes, strict=True) if _is_date(dtype)), None)


def _is_date(dtype: Any) -> bool:
    return getattr(dtype, "kind", None) in ("m", "M") or bool(getattr(dtype, "is_temporal", bool)())


def why_no_numbers(name: str, values: Any, error: ValueError) -> str:
    """What stands in the way of rows of numbers, with a remedy, where NumPy's error does not tell; "" where it does."""
    text = str(error)
    column = _first_of_words(values) if text.startswith("could not convert string to float") else None
    if column is not None:
        return (
            f"{text} in column {column!r} of {name}: turn words into numbers, as OneHotEncoder does within a "
            "ColumnTransformer"
        )
    if text.startswith("setting an array element with a sequence"):
        return (
            f"{name} must be rows of numbers, all of one length, but some rows or cells are arrays of different "
            "lengths: series, for networks that take them, come as a list of arrays, or one column of a table"
        )
    return ""


def _first_of_words(values: Any) -> Any:
    """The name of the first column of a table that does not become numbers; None for what has no columns."""
    for column in getattr(values, "columns", ()):
        try:
            np.asarray(values[column], np.float64)
        except (ValueError, TypeError):
            return column
    return None
