"""Tables of Parquet and Feather, which pyarrow reads for pandas."""

from pathlib import Path

import pandas as pd

from .content import Part, Table, need, reading
from .options import Options
from .tables import check_names


def read_parquet(path: Path, part: Part, options: Options) -> Table:
    """Read a table of Parquet.

    Parameters
    ----------
    path : Path
        The file.
    part : None
        There are no parts.
    options : Options
        None of them is of Parquet alone.

    Returns
    -------
    Table
        Its names as texts.

    Raises
    ------
    ValueError
        If it cannot be read, columns have the same name, or pyarrow is not installed.
    """
    need("pyarrow", path)
    with reading(path):
        return _table(pd.read_parquet(path))


def read_feather(path: Path, part: Part, options: Options) -> Table:
    """Read a table of Feather, which is Arrow in a file.

    Parameters
    ----------
    path : Path
        The file.
    part : None
        There are no parts.
    options : Options
        None of them is of Feather alone.

    Returns
    -------
    Table
        Its names as texts.

    Raises
    ------
    ValueError
        If it cannot be read, columns have the same name, or pyarrow is not installed.
    """
    need("pyarrow", path)
    with reading(path):
        return _table(pd.read_feather(path))


def _table(frame: pd.DataFrame) -> Table:
    frame = frame.rename(columns=str)
    check_names(frame.columns)
    return Table(frame)
