"""Files of data, whatever their format: tables or arrays, as they were written."""

import os
from collections.abc import Callable
from pathlib import Path

from ..names import nearest_name
from .arrays import read_npz
from .content import Arrays, Part, Table, reading
from .described import read_ipac
from .fits import read_fits
from .frames import read_frame
from .hdf5 import read_hdf5
from .images import holds_images as holds_images
from .images import label_images as label_images
from .images import read_folder as read_folder
from .options import Options
from .packed import TEXT, check_kind, packing_of
from .series import read_curves as read_curves
from .series import read_series
from .tables import blank
from .text import read_text
from .votable import read_votable

Reader = Callable[[Path, Part, Options], Table | Arrays]

READERS: dict[str, Reader] = {
    **dict.fromkeys(TEXT, read_text),
    **dict.fromkeys((".fits", ".fit", ".fts"), read_fits),
    **dict.fromkeys((".vot", ".votable", ".xml"), read_votable),
    ".tbl": read_ipac,
    **dict.fromkeys((".h5", ".hdf5", ".hdf"), read_hdf5),
    **dict.fromkeys((".parquet", ".pq", ".feather"), read_frame),
    ".npz": read_npz,
    ".ts": read_series,
}
MAY_BE_PACKED = (read_text, read_fits, read_votable, read_ipac)
MAY_HAVE_PARTS = (read_fits, read_hdf5)
ENDINGS = ".csv, .tsv, .txt, .dat, .parquet, .feather, .npz, .fits, .vot, .h5, .ts"


def ending_of(path: Path) -> str:
    """Return the ending that tells the format, in lower case, without that of gzip, bzip2 or xz behind it.

    Parameters
    ----------
    path : Path
        Of a file that may not be there.

    Returns
    -------
    str
        With its dot; empty if there is none.

    Examples
    --------
    >>> ending_of(Path("stars.CSV.gz"))
    '.csv'
    """
    return os.path.splitext(path.name.removesuffix(packing_of(path)))[1].lower()


def can_read(path: Path) -> bool:
    """Tell whether there is a reader for a file of this name.

    Parameters
    ----------
    path : Path
        Of a file that may not be there.

    Returns
    -------
    bool
        Whether its ending is known, and is one that may be packed if it is packed.
    """
    reader = READERS.get(ending_of(path))
    return reader is not None and (not packing_of(path) or reader in MAY_BE_PACKED)


def read(path: Path, part: Part, options: Options) -> Table | Arrays:
    """Read a file.

    Parameters
    ----------
    path : Path
        A file that `can_read` knows.
    part : str or None
        The extension of a FITS file, or the group or table of an HDF5 file.
    options : Options
        What the user says about it.

    Returns
    -------
    Table or Arrays
        As they were written.

    Raises
    ------
    ValueError
        If there is no such file, it cannot be read, or an option does not go with its format.
    """
    if not path.is_file():
        raise ValueError(_why_no_file(path))
    reader = READERS[ending_of(path)]
    if part is not None and reader not in MAY_HAVE_PARTS:
        raise ValueError(f"[{part}] was given for {path.name}; only FITS and HDF5 files have several parts")
    if reader is not read_text:
        options.refuse_text_options(path.name)
        with reading(path):
            check_kind(path)
    found = reader(path, part, options)
    if isinstance(found, Arrays):
        options.refuse_table_options(path.name)
        return found
    return found._replace(frame=blank(found.frame, options.na_values))


def _why_no_file(path: Path) -> str:
    if path.is_symlink():
        return f"{str(path)!r} is a link to {os.readlink(path)!r}, which is not there"
    beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    nearest = nearest_name(path.name, beside)
    return f"there is no file {str(path)!r}" + (f", did you mean {nearest!r}?" if nearest else "")
