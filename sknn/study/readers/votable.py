"""Tables of the Virtual Observatory, with astropy."""

import warnings
from io import BytesIO
from pathlib import Path

from .astropy_tables import from_astropy
from .content import Part, Table, need, reading
from .options import Options
from .packed import content_of
from .tables import check_names


def read_votable(path: Path, part: Part, options: Options) -> Table:
    """Read the first table of a VOTable.

    Parameters
    ----------
    path : Path
        The file, which may be packed.
    part : None
        There are no parts.
    options : Options
        None of them is of VOTables alone.

    Returns
    -------
    Table
        Its columns by their names.

    Raises
    ------
    ValueError
        If it cannot be read, columns have the same name, or astropy is not installed.
    """
    votable = need("astropy.io.votable", path)
    with reading(path), warnings.catch_warnings():
        warnings.simplefilter("ignore", votable.exceptions.VOWarning)  # of small offences against the standard
        tables = list(votable.parse(BytesIO(content_of(path)), verify="ignore").iter_tables())
        if len(tables) != 1:
            raise ValueError(f"it has {len(tables)} tables; it must have one")
        check_names(field.name for field in tables[0].fields)
        return from_astropy(tables[0].to_table(use_names_over_ids=True))
