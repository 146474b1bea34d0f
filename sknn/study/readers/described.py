"""Tables in text that describe their own columns, as journals and archives of astronomy have them, with astropy."""

from pathlib import Path

from .astropy_tables import from_astropy
from .content import Part, Table, need, reading
from .encodings import to_utf8
from .options import Options
from .packed import content_of

BYTE_BY_BYTE = b"Byte-by-byte Description of file"


def read_byte_by_byte(path: Path, content: bytes) -> Table:
    """Read a machine-readable table of the journals, or one of the CDS.

    Parameters
    ----------
    path : Path
        The file, for messages.
    content : bytes
        The text, in UTF-8, which contains ``BYTE_BY_BYTE``.

    Returns
    -------
    Table
        Its columns by their labels.

    Raises
    ------
    ValueError
        If it cannot be read, or astropy is not installed.
    """
    form = "mrt" if content.lstrip().startswith(b"Title:") else "cds"
    ascii = need("astropy.io.ascii", path)
    with reading(path):
        return from_astropy(ascii.read(content.decode(), format=form))


def read_ipac(path: Path, part: Part, options: Options) -> Table:
    """Read a table of IPAC, whose first lines have names, types and units between bars.

    Parameters
    ----------
    path : Path
        The file, which may be packed.
    part : None
        There are no parts.
    options : Options
        None of them is of IPAC alone.

    Returns
    -------
    Table
        Its columns by their names.

    Raises
    ------
    ValueError
        If it cannot be read, or astropy is not installed.
    """
    ascii = need("astropy.io.ascii", path)
    with reading(path):
        return from_astropy(ascii.read(to_utf8(content_of(path)).decode(), format="ipac"))
