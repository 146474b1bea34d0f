"""Tables of astropy, as columns of pandas and arrays."""

from typing import Any

import numpy as np
import pandas as pd

from .content import Table
from .tables import check_names


def from_astropy(table: Any) -> Table:
    """Take the columns out of a table of astropy.

    Parameters
    ----------
    table : astropy.table.Table
        Its masked values are missing.

    Returns
    -------
    Table
        Columns of several values in each row are its vectors.

    Raises
    ------
    ValueError
        If columns have the same name.
    """
    check_names(table.colnames)
    arrays = {str(name): table[name] for name in table.colnames}
    columns = {name: _column(array) for name, array in arrays.items() if len(array.shape) == 1}
    vectors = {name: _values(array) for name, array in arrays.items() if len(array.shape) > 1}
    return Table(pd.DataFrame(columns, index=range(len(table))), vectors=vectors)


def _column(array: Any) -> np.ndarray | list:
    """Texts become Python's, with None where there is none; they have blanks at their ends that mean nothing."""
    values = _values(array)
    if values.dtype.kind not in "SUO":
        return values
    missing = np.ma.getmaskarray(array)
    return [None if gone else _text(value) for value, gone in zip(values, missing, strict=True)]


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return (value.strip() or None) if isinstance(value, str) else value


def _values(array: Any) -> np.ndarray:
    """Numbers in the order of the machine; integers and truth values become floats if some are missing."""
    mask = np.ma.getmaskarray(array)
    values = np.asarray(np.ma.getdata(array))
    if values.dtype.kind in "biufc":
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        if mask.any() and values.dtype.kind in "biuf":
            values = np.where(mask, np.nan, values.astype(float if values.dtype.kind != "f" else values.dtype))
    return values
