"""Tables of Parquet and Feather, which pyarrow reads for pandas."""

from pathlib import Path

import numpy as np
import pandas as pd

from .content import Part, Table, need, reading
from .options import Options
from .tables import check_names


def read_frame(path: Path, part: Part, options: Options) -> Table:
    """Read a table of Parquet, or of Feather, which is Arrow in a file.

    Parameters
    ----------
    path : Path
        The file.
    part : None
        There are no parts.
    options : Options
        None of them is of these formats alone.

    Returns
    -------
    Table
        Its names as texts. Columns of lists of numbers, all of one length, are its vectors.

    Raises
    ------
    ValueError
        If it cannot be read, columns have the same name, or pyarrow is not installed.
    """
    need("pyarrow", path)
    with reading(path):
        if path.suffix.lower() == ".feather":
            frame = pd.read_feather(path)
        else:
            check_names(need("pyarrow.parquet", path).read_schema(path).names)  # pandas has no message for it
            frame = pd.read_parquet(path)
        named = [name for name in frame.index.names if name is not None]
        frame = frame.reset_index(named).rename(columns=str)  # an index with a name is a column as any other
        check_names(frame.columns)
        vectors = {name: array for name, column in frame.items() if (array := _vector_of(column)) is not None}
        return Table(frame.drop(columns=list(vectors)), vectors=vectors)


def _vector_of(column: pd.Series) -> np.ndarray | None:
    """Return an array if all rows have lists of numbers of the same length."""
    if column.dtype != object or not len(column) or not all(isinstance(value, np.ndarray) for value in column):
        return None
    if len({value.shape for value in column}) > 1:
        return None
    array = np.stack(column.to_list())
    return array if array.dtype.kind in "biuf" else None
