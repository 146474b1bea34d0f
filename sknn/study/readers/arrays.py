"""Arrays in a file of NumPy."""

from pathlib import Path
from typing import Any

import numpy as np

from .content import Arrays, Part, reading
from .options import Options


def read_npz(path: Path, part: Part, options: Options) -> Arrays:
    """Read arrays that ``np.savez`` wrote; Python objects are not read.

    Parameters
    ----------
    path : Path
        The file.
    part : None
        There are no parts.
    options : Options
        None of them is of arrays.

    Returns
    -------
    Arrays
        By their names, without single numbers.

    Raises
    ------
    ValueError
        If it cannot be read, or holds Python objects.
    """
    with reading(path), np.load(path, allow_pickle=False) as file:
        arrays = {key: _read_array(file, key) for key in file.files}
        return Arrays({key: array for key, array in arrays.items() if array.ndim})


def _read_array(file: Any, key: str) -> np.ndarray:
    try:
        return file[key]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise ValueError(
            f"its array {key!r} holds Python objects, which could run code; text is stored as such with astype(str)"
        ) from None
