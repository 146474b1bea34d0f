"""The columns of a table from a file: numbers, truth values and categories, whatever they were written as."""

import warnings
from typing import Any

import numpy as np
import pandas as pd

ISO_DATE = r"\d{4}-\d{2}-\d{2}([ T].*)?"
NUMBERS = ("boolean", "decimal", "floating", "integer", "mixed-integer-float")
DATES = ("date", "datetime", "datetime64")


def tidy(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Make numbers, truth values or categories of all columns.

    Text becomes categories, except that ISO dates (2026-07-31, with or without a time) become days since 1970-01-01, as
    dates of any other type do. A column of text that is another in every row tells nothing about other rows: it is left
    out with a warning, and so is an empty column.

    Parameters
    ----------
    frame : DataFrame
        As it was read.
    source : str
        Where it comes from, for messages.

    Returns
    -------
    DataFrame
        Columns of NumPy's numbers and truth values, and of categories; missing values are NaN.

    Raises
    ------
    ValueError
        If a column holds anything else, such as lists.

    Warns
    -----
    UserWarning
        For each column that is left out.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"colour": ["red", "blue", "red"], "day": ["1970-01-02", None, "1970-01-01"]})
    >>> tidy(frame, "example").dtypes.astype(str).to_dict()
    {'colour': 'category', 'day': 'float64'}
    """
    columns = {name: tidy_column(column, source) for name, column in frame.items() if _tells(column, source)}
    return pd.DataFrame(columns, index=frame.index)


def tidy_column(column: pd.Series, source: str) -> pd.Series:
    """Make a column of numbers, truth values or categories.

    Parameters
    ----------
    column : Series
        As it was read.
    source : str
        Where it comes from, for messages.

    Returns
    -------
    Series
        See ``tidy``.

    Raises
    ------
    ValueError
        If the column holds anything else.
    """
    kind = _kind(column)
    if kind == "categorical" or (isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf"):
        return column
    if kind == "string":
        text = column.astype(object)
        return _days(text) if _are_iso_dates(text) else text.astype("category")
    if kind in NUMBERS:
        return pd.Series(column.to_numpy(dtype=float, na_value=np.nan), index=column.index)
    if kind in DATES:
        return _days(column)
    example = column.dropna().iloc[0]
    raise ValueError(
        f"column {column.name!r} of {source} holds {kind} values such as {example!r} ({type(example).__name__}); "
        "it must hold numbers, text, truth values or dates"
    )


def _kind(column: pd.Series) -> str:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "categorical"
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "datetime64"
    return pd.api.types.infer_dtype(column, skipna=True)


def _tells(column: pd.Series, source: str) -> bool:
    if column.isna().all():
        reason = "is empty"
    elif _kind(column) == "string" and column.is_unique and not _are_iso_dates(column):
        reason = "holds another text in every row"
    else:
        return True
    warnings.warn(f"column {column.name!r} of {source} {reason}, so it was left out", stacklevel=2)
    return False


def _are_iso_dates(column: pd.Series) -> bool:
    text = column.dropna().astype(str)
    if not text.str.fullmatch(ISO_DATE).all():
        return False
    try:
        _days(text)
    except ValueError:
        return False
    return True


def _days(column: Any) -> pd.Series:
    dates = pd.to_datetime(column, format="ISO8601", utc=True)
    return (dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
