"""The columns that a model has learnt from, found again in tables that come later."""

import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from .columns import DECIMAL, only_numbers, tidy_column
from .data import check_size
from .names import listed
from .readers.tables import blank


class SameColumns(TransformerMixin, BaseEstimator):
    """Give a table the columns, in order and kind, of the table that was learnt from.

    Columns are found by name, and others are ignored. Where there were numbers, text is read as such and ISO dates
    become days since 1970-01-01, as in files that studies read; what is no number is missing, with a warning. Where
    there was text, numbers become text.

    Parameters
    ----------
    na_values : sequence of str, default=()
        Words and numbers that meant missing in the table that was learnt from, and do so in those that come later.
    not_na : sequence of str, default=()
        Words that did not, though they look like it: what is read for the model must not take them for it.

    Attributes
    ----------
    names_ : list
        The names of the columns.
    kinds_ : list of {"numbers", "times", "texts", "others"}
        What each of them held; others are categories that are no texts, and durations.

    Examples
    --------
    >>> columns = SameColumns().fit(pd.DataFrame({"day": [1.0, 2.0], "kind": ["a", "b"]}))
    >>> columns.transform(pd.DataFrame({"kind": [7, 8], "more": [0, 0], "day": ["1970-01-04", None]}))
       day kind
    0  3.0    7
    1  NaN    8
    """

    def __init__(self, na_values: Sequence[str] = (), not_na: Sequence[str] = ()) -> None:
        self.na_values = na_values
        self.not_na = not_na

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Note the columns.

        Parameters
        ----------
        X : DataFrame
            The table.
        y : None
            Ignored.

        Returns
        -------
        SameColumns
            Itself.
        """
        self.names_ = X.columns.tolist()
        self.kinds_ = [_kind_of(dtype) for dtype in X.dtypes]
        return self

    @property
    def texts(self) -> list[str]:
        """The names of the columns that held text: what is read for them must be read as such."""
        return [str(name) for name, kind in zip(self.names_, self.kinds_, strict=True) if kind == "texts"]

    def transform(self, X: Any) -> pd.DataFrame:
        """Find the columns.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            An array has the columns in the order in which they were learnt.

        Returns
        -------
        DataFrame
            The columns alone.

        Raises
        ------
        ValueError
            If some are missing or hold infinite values, or an array has another number of them.
        """
        names = self.names_
        if not isinstance(X, pd.DataFrame):
            X = np.asarray(X)
            if X.ndim != 2 or X.shape[1] != len(names):
                raise ValueError(f"X has shape {X.shape}; it must have the columns {listed(map(str, names))}")
            X = pd.DataFrame(X, columns=names)
        check_columns(X, names)
        X = blank(X, self.na_values)
        decimal = X.attrs.get(DECIMAL, ".")
        columns = {name: _of_kind(X[name], kind, decimal) for name, kind in zip(names, self.kinds_, strict=True)}
        found = pd.DataFrame(columns, index=X.index)
        check_size("new data", found)
        return found


def check_columns(X: pd.DataFrame, names: Iterable[Any]) -> None:
    """Refuse a table that lacks columns.

    Parameters
    ----------
    X : DataFrame
        The table.
    names : iterable
        Of the columns that a model has learnt from.

    Raises
    ------
    ValueError
        If some are missing.
    """
    missing = [str(name) for name in names if name not in X]
    if missing:
        raise ValueError(
            f"X lacks the columns {listed(missing)}, which the model has learnt from; "
            f"it has {listed(map(str, X.columns))}"
        )


def _kind_of(dtype: Any) -> str:
    if pd.api.types.is_numeric_dtype(dtype):
        return "numbers"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "times"
    return "texts" if _held_text(dtype) else "others"


def _held_text(dtype: Any) -> bool:
    if isinstance(dtype, pd.CategoricalDtype):
        return pd.api.types.infer_dtype(dtype.categories) == "string"
    return pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype)


def _of_kind(column: pd.Series, kind: str, decimal: str) -> pd.Series:
    if kind == "numbers":
        return _numbers(column, decimal)
    if kind == "times":
        return pd.to_datetime(column, format="ISO8601")
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.map(_as_text, na_action="ignore").astype(object)
    return column


def _numbers(column: pd.Series, decimal: str) -> pd.Series:
    if column.isna().all():
        return pd.Series(np.nan, index=column.index, name=column.name)
    numbers = tidy_column(column, "X", decimal)
    if isinstance(numbers.dtype, pd.CategoricalDtype):  # too many are none to take it for one of numbers
        numbers = only_numbers(column, decimal)
    odd = column[numbers.isna() & column.notna()]
    if len(odd):
        warnings.warn(
            f"column {column.name!r} held numbers when the model learnt; {len(odd):,} of {len(column):,} cells, such "
            f"as {odd.iloc[0]!r}, are none and count as missing",
            stacklevel=_level_of_the_caller(),
        )
    return numbers


def _level_of_the_caller() -> int:
    """How far up, for a warning, the first code stands that is neither ours nor scikit-learn's."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("sknn", "sklearn"):
        frame, level = frame.f_back, level + 1
    return level


def _as_text(value: Any) -> str:
    # A missing value makes floats of integers.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
