"""Series: files of the archives of UCR and UEA, and folders with a file for each curve."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from sknn.series import ragged, read_ts
from sknn.series.ts import has_times

from ..columns import tidy_column
from ..names import listed
from .content import Arrays, Part, Table, reading
from .options import Options
from .packed import TEXT, packing_of
from .text import read_text

LABELS = "labels"
TIMES = ("time", "t", "date", "datetime", "timestamp", "mjd", "jd", "hjd", "bjd")
OF_CURVES = f"one of curves has a file for each, and {LABELS}.csv with the names of these files and what they are"
MASK = "_mask"  # what the name of a label map ends in, where it lies beside its image
OF_IMAGES = (
    f"one of images has {LABELS}.csv, with the names of these files and what they are, or a label map for each, "
    f"NAME{MASK}.png or in a folder that is named with --masks (masks=)"
)
CURVES = "curve"  # what the series are called among the columns of the table of labels


def read_series(path: Path, part: Part, options: Options) -> Arrays:
    """Read a ``.ts`` file.

    Parameters
    ----------
    path : Path
        The file.
    part : None
        There are no parts.
    options : Options
        None of them is of arrays.

    Returns
    -------
    Arrays
        The series ``X``, an object array if they differ in length, and ``y``, unless the file has no labels. Times of
        steps are channel 0.

    Raises
    ------
    ValueError
        If it is not as the format wants it.
    """
    with reading(path):
        X, y = read_ts(path)
        time_channel = 0 if has_times(path) else None
    return Arrays({"X": X} if y is None else {"X": X, "y": y}, time_channel)


def read_curves(folder: Path, options: Options) -> Table:
    """Read a folder of tables in text, each with a row for each step of a curve, and the table that labels them.

    That is called ``labels``, such as ``labels.csv``, and lies in the folder. One of its columns holds the names of the
    files, with or without their endings; what it has beside them are targets, groups and so on. Without it curves come
    in the order of their names, and a model can still predict for them.

    Parameters
    ----------
    folder : Path
        The folder.
    options : Options
        What the user says about all of these texts.

    Returns
    -------
    Table
        The labels, and with them the column of arrays ``curve``, (T_i, channels) each. A column that is called like
        times, and rises at every step, is one of times.

    Raises
    ------
    ValueError
        If there are no curves, labels of curves that are not there, or curves with other columns than the first.
    """
    files = {_stem(each): each for each in sorted(folder.iterdir()) if is_text(each)}
    table = files.pop(LABELS, None)
    if not files:
        raise ValueError(f"{str(folder)!r} is a folder without tables in text; {OF_CURVES}")
    first: list[str] = []
    if table is None:
        curves = ragged(_curve(path, options, first) for path in files.values())
        return Table(pd.DataFrame(index=range(len(curves))), vectors={CURVES: curves}, channels=tuple(first))
    labels = read_text(table, None, options)
    column = names_among(labels.frame, files, folder, lambda name: _stem(Path(str(name))))
    names = [_stem(Path(str(name))) for name in labels.frame[column]]
    left_out = sorted(files.keys() - set(names))
    notes = [f"no row of {table.name} names {listed(map(repr, left_out))}, left out"] if left_out else []
    curves = ragged(_curve(files[name], options, first) for name in names)
    times, of_times = _time_channel(first, curves, names)
    frame, notes = labels.frame.drop(columns=column), [*labels.notes, *notes, *of_times]
    return Table(frame, labels.decimal, tuple(notes), {CURVES: curves}, times, tuple(first))


def check_labelled(content: Table | Arrays, folder: Path) -> None:
    """Refuse curves or images without labels, from which nothing can be learnt.

    Parameters
    ----------
    content : Table or Arrays
        As it was read.
    folder : Path
        Where it comes from, for the message.

    Raises
    ------
    ValueError
        If there is no table of labels.
    """
    if isinstance(content, Table) and not content.frame.shape[1]:
        what = OF_CURVES if CURVES in content.vectors else OF_IMAGES
        raise ValueError(f"{str(folder)!r} is a folder without {LABELS}.csv; {what}")


def is_text(path: Path) -> bool:
    """Tell whether a file is a table in text, which may be packed, by its name."""
    return path.is_file() and not path.name.startswith(".") and _ending(path) in TEXT


def _ending(path: Path) -> str:
    return Path(path.name.removesuffix(packing_of(path))).suffix.lower()


def _stem(path: Path) -> str:
    """The name of a file without its ending, if it is that of a text."""
    name = path.name.removesuffix(packing_of(path))
    return Path(name).stem if Path(name).suffix.lower() in TEXT else name


def names_among(frame: pd.DataFrame, files: Mapping[str, Path], folder: Path, stem: Callable[[object], str]) -> str:
    """Find the column of names of files.

    Parameters
    ----------
    frame : DataFrame
        The table of labels.
    files : mapping of str to Path
        Files by their names without endings.
    folder : Path
        Where they are, for messages.
    stem : callable
        ``stem(name)`` is a name without the ending.

    Returns
    -------
    str
        The name of the column.

    Raises
    ------
    ValueError
        If there is none, or it names a file that is not there.
    """
    share = {name: np.mean([stem(each) in files for each in values]) for name, values in frame.items()}
    best = max(share, key=lambda name: share[name], default=None)
    if best is None or not share[best]:
        raise ValueError(f"no column of {LABELS} names files of {str(folder)!r}, such as {listed(list(files)[:3])}")
    lacking = [str(each) for each in frame[best] if stem(each) not in files]
    if lacking:
        raise ValueError(f"{LABELS} names {listed(map(repr, lacking[:3]))}, but {str(folder)!r} has no such file")
    return str(best)


def _time_channel(names: list[str], curves: np.ndarray, of: list[str]) -> tuple[int | None, list[str]]:
    """The first column that may hold times; and what is said of those that are called so, and hold none."""
    notes: list[str] = []
    for channel, name in enumerate(names):
        if name.lower() not in TIMES:
            continue
        not_rising = [curve for curve, x in zip(of, curves, strict=True) if not (np.diff(x[:, channel]) > 0).all()]
        if not not_rising:
            return channel, notes
        notes.append(
            f"column {name!r} of the curves is not taken for the times of their steps: in {listed(not_rising[:3])} two "
            "steps have the same, or they fall"
        )
    return None, notes


def _curve(path: Path, options: Options, first: list[str]) -> np.ndarray:
    """The columns of a file, which are to be those of the first one."""
    table = read_text(path, None, options)
    names = [str(name) for name in table.frame.columns]
    first += [] if first else names
    if names != first:
        raise ValueError(f"{path.name} has the columns {listed(names)}, but the first curve {listed(first)}")
    columns = {name: tidy_column(table.frame[name], path.name, table.decimal) for name in names}
    if words := [name for name, column in columns.items() if isinstance(column.dtype, pd.CategoricalDtype)]:
        raise ValueError(f"column {words[0]!r} of {path.name} holds text; the steps of curves are numbers or dates")
    return pd.DataFrame(columns).to_numpy(float, na_value=np.nan)
