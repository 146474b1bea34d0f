"""A data set by its name: a built-in one, a file of a table or of arrays, or one of OpenML."""

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import fetch_openml, load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

from .columns import tidy, tidy_column
from .data import DataSet
from .names import listed, look_up, nearest_name
from .rows import take_rows
from .targets import as_vector

LOADERS: dict[str, Callable[..., Any]] = {
    "digits": load_digits,
    "iris": load_iris,
    "wine": load_wine,
    "breast_cancer": load_breast_cancer,
    "diabetes": load_diabetes,
}
SHAPES = {"digits": (8, 8, 1)}
COMPRESSED = (".gz", ".bz2", ".xz")
OPENML = "openml:"
MISSING = ["?"]  # as the files of the UCI repository have it, besides what pandas takes for missing
OTHER_WAYS = "or a file (.csv, .tsv, .parquet, .npz), or openml:ID or openml:NAME"


@dataclass(frozen=True)
class _Roles:
    """The names of the columns, or arrays, that are not inputs."""

    target: str | None
    groups: str | None
    order: str | None


@dataclass(frozen=True)
class _Parts:
    """What was found under these names, as it was read."""

    name: str
    X: Any
    y: Any
    groups: Any
    order: Any


def load(
    text: str | os.PathLike[str],
    target: str | None = None,
    *,
    task: str | None = None,
    sample_shape: Any = None,
    groups: str | None = None,
    order: str | None = None,
) -> DataSet:
    """Load a data set that is built in, in a file, or on OpenML.

    ========================  =======================================================================================
    ``text``                  what it is
    ========================  =======================================================================================
    a built-in name           ``digits``, ``iris``, ``wine``, ``breast_cancer``, ``diabetes``: scikit-learn brings them
    ``.csv``, ``.tsv``        a table, its first line the names of the columns; between them commas, semicolons,
                              tabulators or bars; ``.gz``, ``.bz2`` and ``.xz`` behind it are unpacked
    ``.parquet``              a table; reading it takes ``pip install pyarrow``
    ``.npz``                  arrays of NumPy: the inputs are ``X`` or ``x``, or the only array of several axes
    ``openml:ID``,            a table that scikit-learn fetches from https://openml.org and keeps for the next time
    ``openml:NAME``
    ========================  =======================================================================================

    Tables: text becomes categories and dates become days since 1970-01-01; ``?`` and what pandas takes for missing is
    missing. The nameless column that an index leaves in a CSV file is left out, and so are, with a warning, empty
    columns and columns of text that are another in every row, such as names.

    Arrays: a part for training and one for testing, ``X_train`` and ``X_test``, or ``X`` and ``X_test``, are joined in
    this order, and so are those of targets and groups: a study makes its own folds. Python objects are not read.

    Parameters
    ----------
    text : str or path
        What to load, see above. The name of the data set is the name of the file without its ending.
    target : str, default=None
        The column or array of the targets. Tables in files need it; None is ``y`` of arrays, and OpenML's own target.
    task : {"classification", "regression"}, default=None
        None: to be found, see ``DataSet.from_arrays``.
    sample_shape : tuple of int, default=None
        The shape of a signal, image or volume; None: to be found, see ``DataSet.from_arrays``.
    groups : str, default=None
        The column or array that says which samples belong together; it is no input.
    order : str, default=None
        The column or array of numbers or dates that the samples are sorted by, for time-ordered splits; it is no input.

    Returns
    -------
    DataSet
        The data set.

    Raises
    ------
    ValueError
        If there is nothing of that name, it cannot be read, or it lacks what was asked for; the message suggests the
        nearest name there is.

    Examples
    --------
    >>> load("digits").sample_shape
    (8, 8, 1)
    >>> load("iris.csv")
    Traceback (most recent call last):
    ...
    ValueError: there is no file 'iris.csv'
    """
    text, roles = os.fspath(text), _Roles(target, groups, order)
    if text in LOADERS:
        parts = _built_in(text, roles)
        sample_shape = SHAPES.get(text) if sample_shape is None else sample_shape
    else:
        parts = _from_openml(text, roles) if text.startswith(OPENML) else _from_file(text, roles)
    X, y, group_of = parts.X, parts.y, parts.groups
    if parts.order is not None:
        rows = np.argsort(_in_numbers(parts.order, order), kind="stable")
        y, group_of = (None if each is None else np.asarray(each)[rows] for each in (y, group_of))
        X = take_rows(X, rows)
    return DataSet.from_arrays(parts.name, X, y, task=task, groups=group_of, sample_shape=sample_shape)


def _built_in(name: str, roles: _Roles) -> _Parts:
    for role, value in vars(roles).items():
        if value is not None:
            raise ValueError(
                f"{role}={value!r} was given for {name}, which has its target and nothing else; leave it out"
            )
    X, y = LOADERS[name](return_X_y=True)
    return _Parts(name, X, y, None, None)


def _in_numbers(values: Any, order: str | None) -> np.ndarray:
    column = tidy_column(pd.Series(as_vector(f"order={order!r}", values), name=order), "the data")
    if isinstance(column.dtype, pd.CategoricalDtype):
        raise ValueError(f"order={order!r} holds text such as {column.iloc[0]!r}; it must hold numbers or ISO dates")
    return column.to_numpy()


# ----------------------------------------------------------------------------------------------------------- files


def _from_file(text: str, roles: _Roles) -> _Parts:
    path = Path(text).expanduser()
    stem, ending = os.path.splitext(path.name.removesuffix(_compression(path)))
    read = READERS.get(ending.lower())
    if read is None and not path.exists() and not ending and os.sep not in text:
        _raise_unknown(text)
    if read is None or (_compression(path) and ending.lower() not in (".csv", ".tsv")):
        raise ValueError(f"{text!r} cannot be read; it must be a built-in name ({listed(LOADERS)}), {OTHER_WAYS}")
    if not path.is_file():
        nearest = nearest_name(path.name, _files_beside(path))
        raise ValueError(f"there is no file {text!r}" + (f", did you mean {nearest!r}?" if nearest else ""))
    return read(path, stem, roles)


def _compression(path: Path) -> str:
    return path.suffix if path.suffix.lower() in COMPRESSED else ""


def _raise_unknown(text: str) -> None:
    try:
        look_up("data set", text, LOADERS)
    except ValueError as error:
        raise ValueError(f"{error}; {OTHER_WAYS}") from None


def _files_beside(path: Path) -> list[str]:
    return [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []


@contextmanager
def _reading(path: Path) -> Any:
    try:
        yield
    except Exception as error:  # a file can be broken in many ways, and each library has its own exceptions for them
        raise ValueError(f"{path.name} cannot be read: {error}") from error


def _from_csv(path: Path, name: str, roles: _Roles) -> _Parts:
    with _reading(path):
        names = pd.read_csv(path, nrows=0).columns
        separator = next((each for each in ";\t|" if len(names) == 1 and each in names[0]), ",")
        # Where semicolons separate, commas may stand before the decimals: they do if that makes more numbers.
        readings = [_read_csv(path, separator, decimal) for decimal in (".," if separator == ";" else ".")]
        frame = max(readings, key=lambda frame: frame.select_dtypes("number").shape[1])
    first = frame.columns[0]
    if first.startswith("Unnamed:") and frame[first].is_unique:
        frame = frame.drop(columns=first)
    return _from_frame(frame, name, path.name, roles)


def _read_csv(path: Path, separator: str, decimal: str) -> pd.DataFrame:
    frame = pd.read_csv(
        path, sep=separator, decimal=decimal, skipinitialspace=True, na_values=MISSING, low_memory=False
    )
    if not isinstance(frame.index, pd.RangeIndex):
        raise ValueError("its rows have more values than its first line has names")
    return frame


def _from_parquet(path: Path, name: str, roles: _Roles) -> _Parts:
    try:
        with _reading(path):
            frame = pd.read_parquet(path)
    except ValueError as error:
        if isinstance(error.__cause__, ImportError):
            raise ValueError(f"{path.name} cannot be read without pyarrow: pip install pyarrow") from error
        raise
    return _from_frame(frame.rename(columns=str), name, path.name, roles)


def _from_frame(frame: pd.DataFrame, name: str, source: str, roles: _Roles) -> _Parts:
    if frame.empty:
        raise ValueError(f"{source} has no rows")
    if roles.target is None:
        raise ValueError(f"{source} needs a target (--target NAME); its columns are {listed(frame.columns)}")
    columns = {role: _column(frame, source, role, column) for role, column in vars(roles).items()}
    X, notes = tidy(frame.drop(columns=[column for column in vars(roles).values() if column is not None]), source)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return _Parts(name, X, columns["target"], columns["groups"], columns["order"])


def _column(frame: pd.DataFrame, source: str, role: str, column: str | None) -> pd.Series | None:
    return (
        None
        if column is None
        else look_up(f"{role} column of {source}", column, {str(name): values for name, values in frame.items()})
    )


def _from_npz(path: Path, name: str, roles: _Roles) -> _Parts:
    with _reading(path), np.load(path, allow_pickle=False) as file:
        arrays = {key: _read_array(file, key) for key in file.files}
    inputs = _inputs_of(arrays, path.name)
    target = roles.target or next((key for key in ("y", "Y") if _joined(arrays, key) is not None), None)
    if target is None:
        raise ValueError(f"{path.name} has no array y, so it needs a target (--target NAME) out of {listed(arrays)}")
    found = [
        None if key is None else _array(arrays, path.name, role, key)
        for role, key in vars(_Roles(target, roles.groups, roles.order)).items()
    ]
    return _Parts(name, inputs, *found)


def _read_array(file: Any, key: str) -> np.ndarray:
    try:
        return file[key]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise ValueError(
            f"its array {key!r} holds Python objects, which could run code; text is stored as such with astype(str)"
        ) from None


def _inputs_of(arrays: Mapping[str, np.ndarray], source: str) -> np.ndarray:
    for key in ("X", "x"):
        joined = _joined(arrays, key)
        if joined is not None:
            return joined
    several = [array for array in arrays.values() if array.ndim > 1]
    if len(several) != 1:
        raise ValueError(
            f"{source} has {len(several)} arrays of several axes and none is called X, x or X_train; "
            f"its arrays are {listed(arrays)}"
        )
    return several[0]


def _array(arrays: Mapping[str, np.ndarray], source: str, role: str, key: str) -> np.ndarray:
    joined = _joined(arrays, key)
    return look_up(f"{role} array of {source}", key, arrays) if joined is None else joined


def _joined(arrays: Mapping[str, np.ndarray], key: str) -> np.ndarray | None:
    # A whole array beside both of its parts would count twice.
    keys: Iterable[str] = (key,) if key in arrays and f"{key}_train" in arrays else (key, f"{key}_train", f"{key}_test")
    parts = {each: arrays[each] for each in keys if each in arrays}
    if len({part.shape[1:] for part in parts.values()}) > 1:
        shapes = ", ".join(f"{each} {part.shape}" for each, part in parts.items())
        raise ValueError(f"arrays of different shapes cannot be joined: {shapes}")
    return np.concatenate(list(parts.values())) if parts else None


READERS: dict[str, Callable[[Path, str, _Roles], _Parts]] = {
    ".csv": _from_csv,
    ".tsv": _from_csv,
    ".parquet": _from_parquet,
    ".npz": _from_npz,
}


# ---------------------------------------------------------------------------------------------------------- OpenML


def _from_openml(text: str, roles: _Roles) -> _Parts:
    asked = text.removeprefix(OPENML).strip()
    if not asked:
        raise ValueError(f"{text!r} names no data set; it must be openml:ID or openml:NAME, such as openml:61")
    try:
        which = {"data_id": int(asked)} if asked.isdecimal() else {"name": asked}
        bunch = fetch_openml(**which, as_frame=True, parser="pandas")
    except Exception as error:  # of the network, of the server, or of its answer
        raise ValueError(f"{text} could not be fetched from openml.org: {error}") from error
    targets = list(bunch.target_names or [])
    if roles.target is None and len(targets) == 1:
        roles = _Roles(targets[0], roles.groups, roles.order)
    name = bunch.get("details", {}).get("name", asked)
    return _from_frame(bunch.frame, name, text, roles)
