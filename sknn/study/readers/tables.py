"""What tables of all formats have in common."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from ..numbers import are_texts, is_number


def check_names(names: Iterable[str]) -> None:
    """Refuse names that several columns have: one of them may be the target, which no input may repeat.

    Parameters
    ----------
    names : iterable of str
        The names of the columns; empty ones do not count.

    Raises
    ------
    ValueError
        If a name occurs twice.
    """
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise ValueError(f"several of its columns are called {twice[0]!r}; every column needs a name of its own")


def blank(frame: pd.DataFrame, words: Sequence[str]) -> pd.DataFrame:
    """Make missing what words, or numbers, mean so.

    Parameters
    ----------
    frame : DataFrame
        A table.
    words : sequence of str
        Texts of cells, without blanks around them; those that are numbers count in columns of numbers, too.

    Returns
    -------
    DataFrame
        A copy, or the same if there are no words.

    Examples
    --------
    >>> blank(pd.DataFrame({"x": [1.5, -999.0], "y": ["a", "lost"]}), ["-999", "lost"]).isna().to_numpy().tolist()
    [[False, False], [True, True]]
    """
    if not words:
        return frame
    numbers = [float(word) for word in words if is_number(word)]
    columns = {}
    for name, column in frame.items():
        if are_texts(column):
            columns[name] = column.where(~column.astype(object).str.strip().isin(words))
        elif pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
            columns[name] = column.where(~column.isin(numbers))
        elif isinstance(column.dtype, pd.CategoricalDtype):
            columns[name] = column.where(~column.astype(str).isin(words))
    return with_columns(frame, columns)


def with_columns(frame: pd.DataFrame, columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Replace columns of a table, whatever they are called: ``frame.assign`` takes none that is called self.

    Parameters
    ----------
    frame : DataFrame
        A table.
    columns : mapping of str to Series
        The new ones.

    Returns
    -------
    DataFrame
        The table with them.
    """
    if not columns:
        return frame
    return pd.DataFrame({name: columns.get(name, column) for name, column in frame.items()}, index=frame.index)
