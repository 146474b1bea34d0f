"""Files that are written: as a whole or not at all, and what would keep them from being written found out before."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

REPORT, FIGURES = "report.html", "figures"
TABLES = ("results.csv", "summary.csv", "learning_curves.csv")
PIECE = 1_000_000  # bytes


def write_whole(path: Path, content: str | bytes | Callable[[Path], object]) -> Path:
    """Write a file as a whole or not at all: a reader never finds half of it.

    Parameters
    ----------
    path : Path
        The file; missing directories are made.
    content : str, bytes or callable
        What to write, or ``content(path)`` writes it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        With the name of the file, whatever went wrong.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(unfinished)
        else:
            unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(unfinished, path)
    except OSError as error:
        what = error.errno or errno.EIO, error.strerror or str(error)
        raise type(error)(*what, str(path)) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def check_files(folder: Path, with_figures: bool) -> None:
    """Find out whether the files of a study can be written, before it computes.

    Parameters
    ----------
    folder : Path
        There already.
    with_figures : bool
        Whether figures are among them.

    Raises
    ------
    OSError
        With the name of the file that could not be written.
    """
    for name in (*TABLES, REPORT):
        check_file(folder / name)
    if with_figures and (folder / FIGURES).exists():
        check_file(folder / FIGURES / "any")


def check_file(path: Path) -> None:
    """Find out whether a file can be written: its directory is there and may be written to, and it is none itself.

    Parameters
    ----------
    path : Path
        The file; it is left as it is.

    Raises
    ------
    OSError
        With its name.
    """
    if path.is_dir():
        raise _error(errno.EISDIR, path)
    if not path.parent.is_dir():
        raise _error(errno.ENOTDIR if path.parent.exists() else errno.ENOENT, path)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise _error(errno.EACCES, path)


def check_room(path: Path, n_bytes: int) -> None:
    """Find out whether a file of this size has room on its disk and in its quota, by writing one beside it.

    Parameters
    ----------
    path : Path
        The file; it is left as it is.
    n_bytes : int
        How large it may become.

    Raises
    ------
    OSError
        With its name.
    """
    trial = path.with_name(f".{path.name}.{os.getpid()}.trial")
    piece = bytes(PIECE)
    try:
        with open(trial, "wb", buffering=0) as file:
            for start in range(0, n_bytes, PIECE):
                n_left = min(PIECE, n_bytes - start)
                if file.write(piece[:n_left]) < n_left:  # the next byte says what is wrong
                    file.write(b"0")
            os.fsync(file.fileno())
    except OSError as error:
        raise type(error)(
            error.errno, f"{error.strerror} (nothing was computed, as {n_bytes / 1e6:,.1f} MB may be needed)", str(path)
        ) from error
    finally:
        trial.unlink(missing_ok=True)


def _error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))
