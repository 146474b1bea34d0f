"""Tables of Parquet and Feather, which pyarrow reads for pandas."""

from pathlib import Path

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
        Its names as texts.

    Raises
    ------
    ValueError
        If it cannot be read, columns have the same name, or pyarrow is not installed.
    """
    need("pyarrow", path)
    with reading(path):
        frame = pd.read_feather(path) if path.suffix.lower() == ".feather" else pd.read_parquet(path)
        frame = frame.rename(columns=str)
        check_names(frame.columns)
        return Table(frame)
