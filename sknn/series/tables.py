"""Long tables, a row for each step of each series, as series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff.tape import Array
from .forms import ragged


def from_frame(
    frame: Any, case: str, time: str | None = None, values: str | Sequence[str] | None = None
) -> tuple[Array, Array]:
    """Read the series of a long table, in which each row is one step of one of them.

    Light curves come so, as one table of all measurements, and so do tables of sktime and aeon with two levels of
    rows. What belongs to a series as a whole, such as its class, is put in order by the names: ``classes.loc[names]``.

    Parameters
    ----------
    frame : DataFrame
        The table; levels of its rows that have names count as columns.
    case : str
        The column that says which series a row belongs to.
    time : str, default=None
        The column of times, numbers or dates, by which the steps of each series are sorted. It becomes channel 0, for
        estimators that are told ``time_channel=0``; dates in days since 1970-01-01. None: rows are in order, and their
        distance means nothing.
    values : str or list of str, default=None
        The columns that are channels, in this order; None: all others.

    Returns
    -------
    X : ndarray of object, of shape (n_series,)
        Arrays (T_i, channels) of float64; what is missing is NaN.
    names : ndarray of shape (n_series,)
        What `case` says of each, in the order in which they come first.

    Raises
    ------
    ValueError
        If there is no column of such a name, or it is none of numbers, or a row has no case or no time.

    Examples
    --------
    >>> import pandas as pd
    >>> from sknn.series import from_frame
    >>> table = pd.DataFrame({"star": ["b", "a", "b"], "day": [2.5, 1.0, 1.5], "magnitude": [17.1, 15.2, 17.4]})
    >>> X, names = from_frame(table, "star", "day")
    >>> names
    array(['b', 'a'], dtype=object)
    >>> X[0]
    array([[ 1.5, 17.4],
           [ 2.5, 17.1]])
    """
    levels = [name for name in frame.index.names if name is not None]
    table = frame.reset_index(levels) if levels else frame
    chosen = [values] if isinstance(values, str) else values
    if chosen is None:
        chosen = [name for name in table.columns if name not in (case, time)]
    times = [] if time is None else [time]
    for name in (case, *times, *chosen):
        if name not in table.columns:
            raise ValueError(f"there is no column {name!r}, but {list(table.columns)}")
    for name in (case, *times):
        if missing := int(table[name].isna().sum()):
            raise ValueError(f"{missing} row(s) have no {name!r}, which says where they belong; leave them out")
    if not chosen and time is None:
        raise ValueError(f"no column is left for the values beside {case!r}")
    names = table[case].unique()
    if time is not None:
        table = table.sort_values(time, kind="stable")
    channels = np.column_stack([_numbers(table[name]) for name in (*times, *chosen)])
    rows = table.groupby(case, sort=False, observed=True).indices
    return ragged(channels[rows[name]] for name in names), np.asarray(names)


def _numbers(column: Any) -> Array:
    kind = getattr(column.dtype, "kind", "O")
    if kind == "M":
        return (column.to_numpy("datetime64[ns]") - np.datetime64(0, "ns")) / np.timedelta64(1, "D")
    if kind == "m":
        return column.to_numpy() / np.timedelta64(1, "D")
    if kind not in "biuf":
        raise ValueError(f"the column {column.name!r} has dtype {column.dtype}; channels are numbers")
    return column.to_numpy(np.float64, na_value=np.nan)
