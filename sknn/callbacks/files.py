"""Files of numbers, strings and arrays without code, replaced in a single step."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import numpy as np

from ..autodiff.tape import Array

FORGOTTEN = 3600  # seconds after which a file half written is taken for one that its writer will not finish


def as_path(name: str, path: Any) -> Path:
    """The path that an argument of this name says; TypeError if it is none."""
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str) or not os.fspath(path):
        raise TypeError(f"{name} must be a path, such as a word that is not empty, got {path!r}")
    return Path(path)


def write(file: Path, tree: dict[str, Any]) -> None:
    """Replace a file by one that holds the tree, in a single step that a crash cannot cut in two."""
    arrays: list[Array] = []
    text = json.dumps(_packed(tree, arrays), default=lambda number: number.item())
    contents: dict[str, Any] = {
        "json": np.frombuffer(text.encode(), np.uint8),
        **{f"array_{k}": a for k, a in enumerate(arrays)},
    }
    if not file.parent.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _sync_directory(file.parent.parent)
    with replacing(file) as opened:
        np.savez(opened, **contents)


@contextmanager
def replacing(file: Path) -> Iterator[BinaryIO]:
    """A file to write into, which takes the place of another once all is written, and is gone if something fails."""
    half_written = file.with_name(f"{uuid4().hex}.tmp")
    try:
        with open(half_written, "xb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(half_written, file)
    finally:
        half_written.unlink(missing_ok=True)
    _sync_directory(file.parent)


def _sync_directory(directory: Path) -> None:
    """Have the names of its files written to disk; Windows does that by itself."""
    if os.name != "posix":
        return
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def remove_forgotten(directory: Path) -> None:
    """Remove what writers that were killed have left."""
    for file in directory.glob("*.tmp"):
        if time.time() - file.stat().st_mtime > FORGOTTEN:
            file.unlink(missing_ok=True)


def read(file: Path) -> dict[str, Any]:
    with open(file, "rb") as opened, np.load(opened, allow_pickle=False) as stored:
        return _unpacked(json.loads(stored["json"].tobytes()), stored)


def _packed(tree: Any, arrays: list[Array]) -> Any:
    """The tree with numbers in place of the arrays, which are appended to the list."""
    if isinstance(tree, dict):
        return {name: _packed(value, arrays) for name, value in tree.items()}
    if isinstance(tree, np.ndarray):
        arrays.append(tree)
        return {"__array__": len(arrays) - 1}
    return tree


def _unpacked(tree: Any, arrays: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if tree.keys() == {"__array__"}:
        return arrays[f"array_{tree['__array__']}"]
    return {name: _unpacked(value, arrays) for name, value in tree.items()}
