"""The bytes of a file, unpacked, and what their first ones tell about the format."""

import bz2
import gzip
import lzma
import re
from collections.abc import Callable
from pathlib import Path

PACKED: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": (".gz", gzip.decompress),
    b"BZh": (".bz2", bz2.decompress),
    b"\xfd7zXZ\x00": (".xz", lzma.decompress),
}
# What files of each format begin with, what to say of it, and the endings that it goes by.
KINDS: tuple[tuple[bytes, str, tuple[str, ...]], ...] = (
    (b"PAR1", "a Parquet table", (".parquet", ".pq")),
    (b"ARROW1", "a Feather table", (".feather",)),
    (b"FEA1", "a Feather table", (".feather",)),
    (b"\x89HDF\r\n\x1a\n", "HDF5", (".h5", ".hdf5", ".hdf")),
    (b"SIMPLE  =", "FITS", (".fits", ".fit", ".fts")),
    (b"PK\x03\x04", "a ZIP archive, as arrays of NumPy (.npz) are, and spreadsheets (.xlsx, .ods)", (".npz",)),
    (b"\x93NUMPY", "one array of NumPy, without its targets: save both with np.savez", ()),
    (b"SQLite format 3", "an SQLite database", ()),
    (b"%PDF", "a PDF document", ()),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet: save it as CSV", ()),
    (b"(\xb5/\xfd", "what zstd has packed: unpack it", ()),
)
TEXT = (".csv", ".tsv", ".tab", ".txt", ".dat", ".asc", ".ascii", ".ecsv")
XML = (b"<?xml", b"<VOTABLE")
HTML = (b"<!DOCTYPE", b"<!doctype", b"<html", b"<HTML")
JSON = re.compile(rb"\{\s*\"|\[\s*\{")
HEAD_BYTES = 512


def packing_of(path: Path) -> str:
    """Return the ending of a packed file, such as ``.gz``, as it is written, or an empty text.

    Parameters
    ----------
    path : Path
        Of a file that may not be there.

    Returns
    -------
    str
        With its dot.
    """
    return path.suffix if path.suffix.lower() in {ending for ending, _ in PACKED.values()} else ""


def content_of(path: Path) -> bytes:
    """Read a file, and unpack it if gzip, bzip2 or xz packed it, whatever its name says.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bytes
        The content.

    Raises
    ------
    ValueError
        If the name says that it is packed and it is not.
    """
    content = path.read_bytes()
    for start, (_, unpack) in PACKED.items():
        if content.startswith(start):
            return unpack(content)
    if content and packing_of(path):
        raise ValueError(f"it is not packed, though its name ends in {packing_of(path)}; give it the name that it is")
    return content


def check_kind(path: Path, content: bytes | None = None) -> None:
    """Refuse a file that begins like one of another format.

    Parameters
    ----------
    path : Path
        The file.
    content : bytes, default=None
        What is in it, unpacked; None: its first bytes are read.

    Raises
    ------
    ValueError
        If its ending is of another format.
    """
    if content is None:
        with path.open("rb") as file:
            content = file.read(HEAD_BYTES)
    ending = path.with_name(path.name.removesuffix(packing_of(path))).suffix.lower()
    what, endings = _kind_of(content)
    if what and ending not in endings:
        hint = f"; if that is right, its ending should be {endings[0]}" if endings else ""
        raise ValueError(f"it holds {what}{hint}")


def _kind_of(content: bytes) -> tuple[str, tuple[str, ...]]:
    start = content[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    for first, what, endings in KINDS:
        if start.startswith(first):
            return what, endings
    if start.startswith(HTML):
        return "a page of the web, as a download that failed", ()
    if JSON.match(start):
        return "JSON, which is no table", ()
    if start.lower().startswith(b"@relation"):
        return "ARFF, which scipy.io.arff reads", ()
    if start.startswith(XML):
        return "XML, as VOTables are", (".vot", ".votable", ".xml")
    if start and b"\x00" not in start and all(byte >= 32 or byte in b"\t\r\n\f" for byte in start):
        return "text", (*TEXT, ".tbl", ".ts")
    return "", ()
