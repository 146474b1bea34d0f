"""The file: a zip without compression that holds JSON, arrays as ``.npy``, and a list of all that has to be in it.

Nothing is unpacked to the disk, so that names in the zip cannot lead anywhere. Since nothing is compressed, nothing is
larger in memory than it is in the file. The list holds a SHA-256 of everything: it tells damage, not forgery.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from ..autodiff.tape import Array
from ..callbacks.files import replacing

LIST, CONTENT = "manifest.json", "content.json"
KINDS = "biufcUSmM"  # of dtypes whose arrays are nothing but numbers, texts and times
PIECE = 1 << 20  # bytes that are read at once


def write(file: Path, about: dict[str, Any], content: Any, arrays: list[Array]) -> None:
    """Replace a file by one that holds this, in a single step that a crash cannot cut in two."""
    with replacing(file) as opened, ZipFile(opened, "w", ZIP_STORED) as archive:
        digests = {CONTENT: _add(archive, CONTENT, partial(_write_json, content))}
        for number, array in enumerate(arrays):
            digests[member(number)] = _add(archive, member(number), partial(_write_array, array))
        _add(archive, LIST, partial(_write_json, {**about, "sha256": digests}))


def member(number: int) -> str:
    """Under which name an array lies in the file."""
    return f"arrays/{number}.npy"


def _write_json(tree: Any, stream: Any) -> None:
    stream.write(json.dumps(tree, allow_nan=False, separators=(",", ":")).encode())


def _write_array(array: Array, stream: Any) -> None:
    np.lib.format.write_array(stream, array, allow_pickle=False)


def _add(archive: ZipFile, name: str, write_into: Callable[[Any], Any]) -> str:
    """Write a member, whose digest is given back. A time would make equal files differ, so there is none."""
    with archive.open(ZipInfo(name), "w", force_zip64=True) as stream:
        hashing = _Hashing(stream)
        write_into(hashing)
    return hashing.digest.hexdigest()


class _Hashing:
    """A stream whose digest is known when all is written."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.digest = stream, sha256()

    def write(self, piece: Any) -> int:
        self.digest.update(piece)
        return self.stream.write(piece)


class Archive:
    """A file that is being read.

    Parameters
    ----------
    opened : binary file
        Its content.

    Raises
    ------
    ValueError
        If it is not such as `write` makes; other errors of ``zipfile``, if it is damaged.
    """

    def __init__(self, opened: BinaryIO) -> None:
        self._zip = ZipFile(opened)
        members = self._zip.infolist()
        self._sizes = {each.filename: each.file_size for each in members}
        for each in members:
            if each.compress_type != ZIP_STORED or each.flag_bits & 1:
                raise ValueError(f"{each.filename!r} is compressed or encrypted, which sknn.save never does")
        if len(self._sizes) < len(members) or sum(self._sizes.values()) > opened.seek(0, 2):
            raise ValueError("its members overlap")
        if LIST not in self._sizes:
            raise ValueError(f"there is no {LIST!r} in it, so it was not written by sknn.save")
        self.about = json.loads(self._zip.read(LIST))
        if not isinstance(self.about, dict):
            raise ValueError(f"{LIST!r} is no list")

    def content(self) -> Any:
        """What was written beside the arrays, if all members are there that should be, and no others."""
        wanted, found = {LIST, *self.about["sha256"]}, set(self._sizes)
        if wanted != found:
            raise ValueError(
                f"it lacks {sorted(wanted - found)}" if wanted - found else f"{sorted(found - wanted)} do not belong in"
            )
        return json.loads(self._read(CONTENT, lambda stream: stream.read()))

    def array(self, number: int) -> Array:
        """The array of this number."""
        name = member(number)
        if name not in self._sizes:
            raise ValueError(f"it lacks {name!r}")
        return self._read(name, lambda stream: _read_array(stream, self._sizes[name]))

    def _read(self, name: str, read: Callable[[_HashingReader], Any]) -> Any:
        """What is read from a member, whose digest has to be the one in the list."""
        with self._zip.open(name) as stream:
            hashing = _HashingReader(stream)
            found = read(hashing)
        if hashing.digest.hexdigest() != self.about["sha256"][name]:
            raise ValueError(f"{name!r} was changed after it had been written")
        return found


class _HashingReader:
    """A stream whose digest is known when all is read, and that counts."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.digest, self.position = stream, sha256(), 0

    def read(self, size: int = -1) -> bytes:
        piece = self.stream.read(size)
        self.digest.update(piece)
        self.position += len(piece)
        return piece


def _read_array(stream: _HashingReader, size: int) -> Array:
    """An array whose header is believed only if it promises as many bytes as there are."""
    major, _ = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, in_columns, dtype = read_header(stream)
    if dtype.kind not in KINDS:
        raise ValueError(f"an array of dtype {dtype} is not allowed")
    if prod(shape) * dtype.itemsize != size - stream.position or min(shape, default=0) < 0:
        raise ValueError(f"an array of shape {shape} and dtype {dtype} cannot be as short or long as it is in the file")
    array = np.empty(shape, dtype, order="F" if in_columns else "C")
    flat = array.reshape(-1, order="A").view(np.uint8) if array.size and dtype.itemsize else array.view(np.uint8)
    at = 0
    while piece := stream.read(PIECE):
        flat[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
        at += len(piece)
    return array
