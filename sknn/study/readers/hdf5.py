"""Arrays and tables of HDF5, with h5py."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .content import Arrays, Part, Table, need, reading
from .options import Options

FILLS = ("_FillValue", "missing_value")
UNIT, ZERO = ("scale_factor", 1), ("add_offset", 0)


def read_hdf5(path: Path, part: Part, options: Options) -> Table | Arrays:
    """Read the arrays of an HDF5 file, or a table: one array of records, or columns of one length and of one axis.

    Parameters
    ----------
    path : Path
        The file.
    part : str or None
        The name of a group or of an array of records; None: all that is in the file.
    options : Options
        None of them is of HDF5 alone.

    Returns
    -------
    Table or Arrays
        Arrays in groups are called ``group/array``.

    Raises
    ------
    ValueError
        If it cannot be read, there is no such part, or h5py is not installed.
    """
    h5py = need("h5py", path)
    with reading(path), h5py.File(path, "r") as file:
        if part is not None and part not in file:
            raise ValueError(f"it has no [{part}]; it has {', '.join(_arrays(h5py, file)) or 'nothing'}")
        found = file if part is None else file[part]
        arrays = _arrays(h5py, found) if isinstance(found, h5py.Group) else {part or "": found[()]}
        if any(each.endswith(("block0_values", "axis0")) for each in arrays):
            raise ValueError("pandas' to_hdf wrote it, which only pandas reads; write it with to_parquet")
        return _table_or_arrays(arrays)


def _arrays(h5py: Any, group: Any) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape:
            found[name] = _values(h5py, item)

    group.visititems(visit)
    return found


def _values(h5py: Any, item: Any) -> np.ndarray:
    if item.dtype.kind == "S" or h5py.check_string_dtype(item.dtype) is not None:
        return item.asstr()[()].astype(object)
    if item.dtype.kind == "O":
        raise ValueError(
            f"its {item.name.lstrip('/')!r} holds arrays of different lengths, or references; fill them up with NaN, "
            "as in (samples, length, 1)"
        )
    return _decoded(item[()], item.attrs) if item.dtype.kind in "iuf" else item[()]


def _decoded(values: np.ndarray, attributes: Any) -> np.ndarray:
    """Read numbers as netCDF and its kin mean them: a value for missing ones, a unit to count in and a zero."""
    stated = [np.ravel(attributes[name]) for name in FILLS if name in attributes]
    is_missing = np.isin(values, np.concatenate(stated)) if stated else np.zeros(0, bool)
    scale, offset = (np.ravel(attributes.get(name, neutral))[0] for name, neutral in (UNIT, ZERO))
    if scale != 1 or offset != 0:
        values = values * float(scale) + float(offset)
    return np.where(is_missing, np.nan, values) if is_missing.any() else values


def _table_or_arrays(arrays: dict[str, np.ndarray]) -> Table | Arrays:
    records = {name: array.dtype.names for name, array in arrays.items() if array.dtype.names}
    if records and len(arrays) > 1:
        example = f"file.h5[{next(iter(records))}]"
        raise ValueError(f"it has {', '.join(arrays)}, some of them tables; name one as in {example!r}")
    for name, columns in records.items():
        return _of_columns({column: arrays[name][column] for column in columns})
    if all(array.ndim == 1 for array in arrays.values()) and len({len(array) for array in arrays.values()}) == 1:
        return _of_columns(arrays)
    return Arrays({name: array.astype(str) if array.dtype == object else array for name, array in arrays.items()})


def _of_columns(columns: dict[str, np.ndarray]) -> Table:
    vectors = {name: array for name, array in columns.items() if array.ndim > 1}
    plain = {name: _column(array) for name, array in columns.items() if array.ndim == 1}
    return Table(pd.DataFrame(plain), vectors=vectors)


def _column(array: np.ndarray) -> np.ndarray | list:
    if array.dtype.kind in "SO":
        return [text.decode("utf-8", "replace") if isinstance(text, bytes) else text for text in array.tolist()]
    return array.astype(array.dtype.newbyteorder("="), copy=False)
