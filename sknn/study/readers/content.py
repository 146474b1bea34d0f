"""What files hold: a table, or arrays by their names."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

Part = str | None
EXTRAS = {"astropy": "'sknn[astronomy]'", "h5py": "'sknn[hdf5]'", "pyarrow": "pyarrow", "PIL": "'sknn[images]'"}


class Table(NamedTuple):
    """A table, as it was written.

    Parameters
    ----------
    frame : DataFrame
        Columns of any kind, named by texts.
    decimal : {".", ","}, default="."
        What the commas in its texts are where nothing else tells.
    notes : tuple of str, default=()
        What is to be said about the reading.
    vectors : mapping of str to ndarray, default={}
        Columns that hold an array in each row, and are not in the frame.
    time_channel : int or None, default=None
        Which channel of series in `vectors` holds the times of their steps.
    channels : tuple of str, default=()
        The names of the channels of these series.
    """

    frame: pd.DataFrame
    decimal: str = "."
    notes: tuple[str, ...] = ()
    vectors: Mapping[str, np.ndarray] = MappingProxyType({})
    time_channel: int | None = None
    channels: tuple[str, ...] = ()


class Arrays(NamedTuple):
    """Arrays by their names.

    Parameters
    ----------
    arrays : dict of str to ndarray
        Inputs, targets and others.
    time_channel : int or None, default=None
        Which channel of the inputs, if they are series, holds the times of their steps.
    notes : tuple of str, default=()
        What is to be said about the reading.
    """

    arrays: dict[str, np.ndarray]
    time_channel: int | None = None
    notes: tuple[str, ...] = ()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Make one message of whatever goes wrong: each library has its own exceptions for broken files.

    Parameters
    ----------
    path : Path
        The file.
    """
    try:
        yield
    except Exception as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error


def need(module: str, path: Path) -> Any:
    """Import what a format takes, or say what to install.

    Parameters
    ----------
    module : str
        Its full name.
    path : Path
        The file.

    Returns
    -------
    module
        Imported.

    Raises
    ------
    ValueError
        If it is not installed.
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ImportError as error:
        raise ValueError(f"{path.name} cannot be read without {package}: pip install {EXTRAS[package]}") from error
