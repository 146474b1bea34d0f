"""Tables and images of FITS, with astropy."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..numbers import rows
from .astropy_tables import from_astropy
from .content import Arrays, Part, Table, need, reading
from .options import Options
from .packed import content_of
from .tables import check_names

NOTHING = pd.DataFrame()


def read_fits(path: Path, part: Part, options: Options) -> Table | Arrays:
    """Read the table of a FITS file, or its images, with the columns of a table beside them.

    Parameters
    ----------
    path : Path
        The file, which may be packed.
    part : str or None
        The name or number of the one extension to be read; None: all, of which one may be a table.
    options : Options
        None of them is of FITS alone.

    Returns
    -------
    Table or Arrays
        Numbers in the order of the machine, texts without blanks at their ends, missing values as NaN. Images have the
        names of their extensions; the first one without a name is called X.

    Raises
    ------
    ValueError
        If it cannot be read, there is no such extension, there are several tables, or astropy is not installed.
    """
    fits, tables_of = need("astropy.io.fits", path), need("astropy.table", path)
    with reading(path), fits.open(BytesIO(content_of(path)), memmap=False) as file:
        asked = file if part is None else [_one(file, part)]
        for unit in asked:
            check_names(unit.header["TTYPE*"].values())
        units = [unit for unit in asked if unit.data is not None]
        tables = [unit for unit in units if isinstance(unit, fits.BinTableHDU | fits.TableHDU)]
        images = [unit for unit in units if unit not in tables]
        if not units:
            raise ValueError("there is no table and no image in it")
        if len(tables) > 1:
            example = f"{path.name}[{tables[0].name or 1}]"
            raise ValueError(f"it has several tables, {_listed(file)}; name one as in {example!r}")
        found = from_astropy(tables_of.Table.read(tables[0], character_as_bytes=False)) if tables else Table(NOTHING)
        if not images:
            return found
        arrays = {name: _native(unit.data) for name, unit in zip(_names(images), images, strict=True)}
        lengths = {len(each) for each in arrays.values()}
        if tables and lengths != {len(tables[0].data)}:
            example = f"{path.name}[{tables[0].name or 1}]"
            raise ValueError(
                f"it has a table of {rows(len(tables[0].data))} and images of other lengths, {_listed(file)}; name the "
                f"one to be read, as in {example!r}"
            )
        return Arrays({**arrays, **{name: column.to_numpy() for name, column in found.frame.items()}, **found.vectors})


def _one(file: Any, part: str) -> Any:
    try:
        return file[int(part) if part.isdecimal() else part]
    except (KeyError, IndexError):
        raise ValueError(f"it has no extension [{part}]; it has {_listed(file)}") from None


def _names(units: list[Any]) -> list[str]:
    names = [unit.name if unit.name not in ("", "PRIMARY") else "" for unit in units]
    return [name or ("X" if at == 0 else f"image{at}") for at, name in enumerate(names)]


def _listed(units: Any) -> str:
    return ", ".join(f"[{number}] {unit.name or type(unit).__name__}" for number, unit in enumerate(units))


def _native(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder("="), copy=False)
