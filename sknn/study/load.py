"""A data set by its name: a built-in one, a file of a table or of arrays, or one of OpenML."""

import os
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import fetch_openml, load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

from .columns import tidy_column
from .data import LEAVE_OUT, DataSet
from .names import listed, look_up
from .numbers import are_texts
from .readers import ENDINGS, can_read, ending_of, holds_images, label_images, read, read_curves, read_folder
from .readers.content import Arrays, Table
from .readers.options import Options
from .readers.packed import TEXT, packing_of
from .readers.series import check_labelled
from .readers.tables import blank, check_names
from .readers.text import MISSING
from .roles import Parts, Roles, inputs_of, parts_of_arrays, parts_of_table
from .rows import take_rows
from .series import are_ragged
from .targets import as_vector

LOADERS: dict[str, Callable[..., Any]] = {
    "digits": load_digits,
    "iris": load_iris,
    "wine": load_wine,
    "breast_cancer": load_breast_cancer,
    "diabetes": load_diabetes,
}
SHAPES = {"digits": (8, 8, 1)}
OPENML = "openml:"
SERIES = ".ts"
OTHER_WAYS = f"or a file ({ENDINGS}), or a folder of curves or images, or openml:ID or openml:NAME"


def load(
    text: str | os.PathLike[str],
    target: str | None = None,
    *,
    task: str | None = None,
    sample_shape: Any = None,
    groups: str | None = None,
    order: str | None = None,
    features: Iterable[str] = (),
    drop: Iterable[str] = (),
    sep: str | None = None,
    encoding: str | None = None,
    comment: str | None = None,
    na_values: Iterable[str | float] = (),
    not_na: Iterable[str] = (),
    classes: Iterable[Any] | None = None,
    drop_missing_target: bool = False,
    time_channel: int | str | None = None,
    forecast: int | None = None,
    window: int | None = None,
    season: int | None = None,
    known: Iterable[str] = (),
    images: str | os.PathLike[str] | None = None,
    masks: str | os.PathLike[str] | None = None,
) -> DataSet:
    """Load a data set that is built in, in a file, or on OpenML.

    ========================  =======================================================================================
    ``text``                  what it is
    ========================  =======================================================================================
    a built-in name           ``digits``, ``iris``, ``wine``, ``breast_cancer``, ``diabetes``: scikit-learn brings them
    ``.csv``, ``.tsv``,       a table in text, its first line the names of the columns; between them commas, semicolons,
    ``.txt``, ``.dat``        tabulators, bars or blanks; ``.gz``, ``.bz2`` and ``.xz`` behind it are unpacked
    ``.parquet``,             a table; reading it takes ``pip install pyarrow``
    ``.feather``
    ``.fits``, ``.vot``       a table of FITS or of the Virtual Observatory, or images of FITS; this takes
                              ``pip install 'sknn[astronomy]'``; ``stars.fits[2]`` or ``stars.fits[NAME]`` is one of
                              several extensions
    ``.h5``, ``.hdf5``        arrays or a table; this takes ``pip install 'sknn[hdf5]'``; ``stars.h5[NAME]`` is one of
                              several groups or tables
    ``.npz``                  arrays of NumPy: the inputs are ``X`` or ``x``, or the only array of several axes
    ``.ts``                   series and their labels, as the archives of UCR and UEA have them
    a folder                  of texts as above, one for each series, its steps below one another, and ``labels.csv``
                              (or ``.tsv`` and so on), one of whose columns has the names of these files; or of
                              images (PNG, TIFF, JPEG by ``pip install 'sknn[images]'``, NPY, FITS), with such a table
                              or with label maps: ``NAME_mask.png`` beside ``NAME.png``, or in a folder `masks`
    ``openml:ID``,            a table that scikit-learn fetches from https://openml.org and keeps for the next time
    ``openml:NAME``
    ========================  =======================================================================================

    Tables: text becomes categories, dates become days since 1970-01-01 and durations days; ``?`` and what pandas takes
    for missing is missing. Where nearly all cells of a column are numbers, it is one of numbers, and what else stands
    there ("-", "<0.1") is missing, which is said. The nameless column that an index leaves in a CSV file is left out,
    and so are, with a warning, empty columns and columns of text that are another in every row, such as names, a line
    of units under the names, and the names where they stand again. Columns that seem to be identifiers, or to be the
    target over again, and labels that seem to be the same, are only pointed out.

    Arrays: a part for training and one for testing, ``X_train`` and ``X_test``, or ``X`` and ``X_test``, are joined in
    this order, and so are those of targets and groups: a study makes its own folds. Python objects are not read.

    Parameters
    ----------
    text : str or path
        What to load, see above. The name of the data set is the name of the file without its ending.
    target : str, default=None
        The column or array of the targets. Tables in files need it, unless it is their density that is to be learnt;
        None is ``y`` of arrays, and OpenML's own target.
    task : {"classification", "regression", "segmentation", "density"}, default=None
        None: to be found, see ``DataSet.from_arrays``. For a density what would be the target is left out.
    sample_shape : tuple of int, default=None
        The shape of a signal, image or volume; None: to be found, see ``DataSet.from_arrays``.
    groups : str, default=None
        The column or array that says which samples belong together; it is no input.
    order : str, default=None
        The column or array of numbers or dates that the samples are sorted by, for time-ordered splits; it is no input.

    features : iterable of str, default=()
        The columns of a table that are the inputs; none: all that are nothing else.
    drop : iterable of str, default=()
        Columns of a table to be left out.
    sep : str, default=None
        What stands between the columns of a text: one character, or ``"tab"`` or ``"space"``, which is any number of
        blanks. None: what divides all lines alike.
    encoding : str, default=None
        Of a text. None: UTF-8, or UTF-16 if its first bytes say so.
    comment : str, default=None
        What lines of a text that are left out begin with. None: ``#``.
    na_values : iterable of str or float, default=()
        More words and numbers that mean missing, such as -999.
    not_na : iterable of str, default=()
        Words of a text that are values, such as the labels "None" and "NA", though they are usually taken as missing.
    classes : iterable, default=None
        All classes, of which the file, or a fold, may lack some; None: see ``DataSet.from_arrays``.
    drop_missing_target : bool, default=False
        Whether to leave out rows whose target is missing, as of a table that is labelled in part.
    time_channel : int or str, default=None
        Which channel of series holds the times of their steps, by its number, or in a folder of curves by the name of
        its column. None: times in a ``.ts`` file are known as such, and a column of curves that is called ``time``,
        ``date``, ``mjd`` or the like is taken for times if it rises at every step.
    forecast : int, default=None
        How many steps of the target are to be forecast at once, where the rows are those of one series, in the order of
        time or of `order`; the other columns are seen as far as the target is. None: rows are samples.
    window, season : int, default=None
        Of a forecast, see ``DataSet.of_series``.
    known : iterable of str, default=()
        Columns whose values are known in advance of a forecast.
    images : str or path, default=None
        The folder of the images that a column of the table names, which become its inputs.
    masks : str or path, default=None
        The folder of the label maps of a folder of images, under the same names.

    Returns
    -------
    DataSet
        The data set; its notes say what was noticed.

    Raises
    ------
    ValueError
        If there is nothing of that name, it cannot be read, or it lacks what was asked for; the message suggests the
        nearest name there is.

    Warns
    -----
    UserWarning
        For each note: cells that were taken as missing, columns that were left out or should be.

    Examples
    --------
    >>> load("digits").sample_shape
    (8, 8, 1)
    >>> load("iris.csv")
    Traceback (most recent call last):
    ...
    ValueError: there is no file 'iris.csv'
    """
    text, options = os.fspath(text), Options(sep, encoding, comment, _words(na_values), _words(not_na))
    options = replace(options, images=_folder(images), masks=_folder(masks))
    is_density = task == "density"
    if is_density and target is not None:
        raise ValueError(f"target={target!r} was given, but a density has none; --drop {target} (drop=) leaves it out")
    roles = Roles(target, groups, order, _words(features), _words(drop), forecast is not None, is_density)
    ahead: dict[str, Any] = {"window": window, "season": season, "known": _words(known)}
    of_samples = {"task": None if task == "regression" else task, "groups": groups, "sample_shape": sample_shape}
    of_samples |= {"classes": classes, "drop_missing_target": drop_missing_target, "time_channel": time_channel}
    _refuse_what_has_no_meaning(forecast, ahead, of_samples)
    if text in LOADERS:
        parts = _built_in(text, roles, options)
        sample_shape = SHAPES.get(text) if sample_shape is None and not is_density else sample_shape
    elif text.startswith(OPENML):
        parts = _from_openml(text, roles, options)
    else:
        parts = _from_file(text, roles, options, drop_missing_target)
    channel, remarks = _times(parts, time_channel)
    if forecast is not None and parts.order is not None:
        remarks += _steps_of(_in_numbers(parts.order, order), order)
    notes = (*parts.notes, *remarks)
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=2)
    X = None if roles.alone and not parts.X.shape[1] else parts.X
    y, group_of = None if is_density else parts.y, parts.groups
    if parts.order is not None:
        rows = np.argsort(_in_numbers(parts.order, order), kind="stable")
        X, y, group_of = (None if each is None else take_rows(each, rows) for each in (X, y, group_of))
    stated = {"task": task, "groups": group_of, "sample_shape": sample_shape, "classes": classes}
    stated |= {"drop_missing_target": drop_missing_target, "time_channel": channel}
    if forecast is None:
        data = DataSet.from_arrays(parts.name, X, y, **stated, notes=notes)
    else:
        data = DataSet.of_series(parts.name, y, X, horizon=forecast, **ahead, notes=notes)
    data = replace(data, na_values=options.na_values, not_na=options.not_na)
    is_known = sample_shape or is_density or parts.sample_shape is None or are_ragged(data.X)
    return data if is_known else replace(data, sample_shape=parts.sample_shape)


def load_inputs(
    text: str | os.PathLike[str],
    *,
    sep: str | None = None,
    encoding: str | None = None,
    comment: str | None = None,
    na_values: Iterable[str | float] = (),
    not_na: Iterable[str] = (),
    texts: Iterable[str] = (),
    words: Iterable[str] = (),
) -> pd.DataFrame | np.ndarray:
    """Load a file, or a built-in data set, without asking for a target: what a fitted model may predict for.

    Parameters
    ----------
    text : str or path
        As of `load`.
    sep, encoding, comment, na_values, not_na : str or iterable of str, default=None or ()
        As of `load`.
    texts : iterable of str, default=()
        Columns that are texts, as when the model learnt, though they may hold nothing but numbers: 007 is not 7.
    words : iterable of str, default=()
        As `not_na`, of what the model has learnt from: not refused of files without such words.

    Returns
    -------
    DataFrame or ndarray
        All columns of a table, as they were written, or the array of inputs.

    Raises
    ------
    ValueError
        If there is nothing of that name, or it cannot be read.

    Warns
    -----
    UserWarning
        For what is to be said about the reading.

    Examples
    --------
    >>> load_inputs("digits").shape
    (1797, 64)
    """
    said, learnt = (_words(na_values), _words(not_na)), (_words(texts), _words(words))
    text, options = os.fspath(text), Options(sep, encoding, comment, *said, *learnt)
    if text in LOADERS:
        return _built_in(text, Roles(None, None, None), replace(options, texts=(), words=())).X
    content, path = _read(text, options)
    for note in content.notes:
        warnings.warn(note, UserWarning, stacklevel=2)
    if path.is_dir() and isinstance(content, Table):
        return next(iter(content.vectors.values()))
    return inputs_of(content, path.name)


def _words(values: Any) -> tuple[str, ...]:
    """One word, or several."""
    return (str(values),) if isinstance(values, str | float | int) else tuple(map(str, values))


def _folder(path: str | os.PathLike[str] | None) -> Path | None:
    return None if path is None else Path(path).expanduser()


def _built_in(name: str, roles: Roles, options: Options) -> Parts:
    for argument, value in {**vars(roles), **vars(options), "forecast": roles.alone}.items():
        if argument not in ("alone", "untargeted") and value not in (None, (), False):
            raise ValueError(
                f"{argument}={value!r} was given for {name}, which has its target and nothing else; leave it out"
            )
    X, y = LOADERS[name](return_X_y=True)
    return Parts(name, X, y)


def _times(parts: Parts, asked: int | str | None) -> tuple[int | None, list[str]]:
    """Which channel holds times, and what is to be said if a name was all that told it."""
    numbers = {name: number for number, name in enumerate(parts.channels)}
    if asked is None:
        if parts.time_channel is None or not parts.channels:
            return parts.time_channel, []
        name = parts.channels[parts.time_channel]
        return parts.time_channel, [f"column {name!r} of the curves is taken for the times of their steps"]
    if asked not in numbers and str(asked).isdecimal():
        return int(asked), []
    return look_up(f"channel of {parts.name!r}", str(asked), numbers), []


def _refuse_what_has_no_meaning(forecast: int | None, ahead: Mapping[str, Any], of_samples: Mapping[str, Any]) -> None:
    """Refuse options of forecasts where there is none, and of samples where rows are steps."""
    given, why = ahead, "but belongs to --forecast (forecast=)"
    if forecast is not None:
        given, why = of_samples, f"beside forecast={forecast}, which is of numbers in one series without gaps"
    for name, value in given.items():
        if not (value is None or value is False or value == ()):
            raise ValueError(f"{name}={value!r} was given {why}; leave it out")


def _steps_of(times: np.ndarray, order: str | None) -> list[str]:
    """What is to be said of steps in time, which a forecast takes for even."""
    gaps = np.diff(np.sort(times))
    if not (gaps > 0).all():
        raise ValueError(f"order={order!r} holds the same time twice; a forecast is of one series, each step once")
    usual = float(np.median(gaps))
    n_odd = int((np.abs(gaps - usual) > usual / 2).sum())
    told = f"{n_odd:,} of {len(gaps):,} steps of {order!r} are much shorter or longer than the usual {usual:.4g}"
    return [f"{told}; a forecast takes all for even"] if n_odd else []


def _in_numbers(values: Any, order: str | None) -> np.ndarray:
    column = tidy_column(pd.Series(as_vector(f"order={order!r}", values), name=order), "the data")
    if isinstance(column.dtype, pd.CategoricalDtype):
        raise ValueError(f"order={order!r} holds text such as {column.iloc[0]!r}; it must hold numbers or ISO dates")
    if column.isna().any():
        odd = pd.Series(values)[column.isna().to_numpy()].iloc[0]
        raise ValueError(f"order={order!r} holds {odd!r} among its numbers or dates; leave such rows out")
    return column.to_numpy()


# ----------------------------------------------------------------------------------------------------------- files


def _from_file(text: str, roles: Roles, options: Options, drop_missing_target: bool) -> Parts:
    found, path = _read(text, options)
    if path.is_dir():
        check_labelled(found, path)
    if isinstance(found, Table) and (path.is_dir() or options.images is not None):
        roles = replace(roles, features=roles.features or tuple(found.vectors))
    name = os.path.splitext(path.name.removesuffix(packing_of(path)))[0]
    if isinstance(found, Arrays):
        parts = parts_of_arrays(found, name, path.name, roles)
        is_signal = ending_of(path) == SERIES and parts.X.ndim == 3
        return replace(parts, sample_shape=parts.X.shape[1:]) if is_signal else parts
    parts = parts_of_table(found, name, path.name, roles)
    if (
        parts.y is not None
        and ending_of(path) in TEXT
        and parts.y.isna().any()
        and (are_texts(parts.y) or parts.y.isna().all())
    ):
        remedy = "" if drop_missing_target else f"{LEAVE_OUT}, or "
        words = _labels_or_missing(path, options, roles.target, parts.y, remedy)
        if words and not drop_missing_target:
            raise ValueError(words)
        parts = replace(parts, notes=[*parts.notes, *([words] if words else [])])
    return parts


def _read(text: str, options: Options) -> tuple[Table | Arrays, Path]:
    path, part = _path_and_part(text)
    if path.is_dir():
        are_images = options.masks is not None or holds_images(path)
        options.refuse_images(path.name)
        return (read_folder if are_images else read_curves)(path, options), path
    options.refuse_masks(path.name)
    if not can_read(path):
        if not path.exists() and not ending_of(path) and os.sep not in text:
            _raise_unknown(text)
        raise ValueError(f"{text!r} cannot be read; it must be a built-in name ({listed(LOADERS)}), {OTHER_WAYS}")
    found = read(path, part, options)
    if isinstance(found, Arrays):
        options.refuse_images(path.name)
        return found, path
    return (found if options.images is None else label_images(found, options.images, path.name)), path


def _path_and_part(text: str) -> tuple[Path, str | None]:
    """Part the name of an extension, as in ``stars.fits[2]``, from that of the file."""
    found = re.fullmatch(r"(.+)\[([^\[\]]+)\]", text)
    if found is None or Path(text).expanduser().exists():
        return Path(text).expanduser(), None
    return Path(found[1]).expanduser(), found[2]


def _raise_unknown(text: str) -> None:
    try:
        look_up("data set", text, LOADERS)
    except ValueError as error:
        raise ValueError(f"{error}; {OTHER_WAYS}") from None


def _labels_or_missing(path: Path, options: Options, target: str | None, y: pd.Series, remedy: str) -> str:
    """Name the words that were taken as missing among labels, as they may be labels, too."""
    as_written = read(path, None, replace(options, not_na=tuple(word for word in MISSING if word)))
    if not isinstance(as_written, Table) or len(as_written.frame) != len(y):
        return ""  # words of missing values fill whole rows
    written = as_written.frame[target][y.isna().to_numpy()].dropna()
    words = list(dict.fromkeys(written))
    if not words:
        return ""
    return (
        f"the target {target!r} of {path.name} is {' or '.join(map(repr, words))}, which means missing, in "
        f"{len(written):,} of {len(y):,} rows; {remedy}if it is a label, say so with "
        f"--not-na {' '.join(words)} (not_na={words})"
    )


# ---------------------------------------------------------------------------------------------------------- OpenML


def _from_openml(text: str, roles: Roles, options: Options) -> Parts:
    options.refuse_text_options(text)
    options.refuse_images(text)
    options.refuse_masks(text)
    asked = text.removeprefix(OPENML).strip()
    if not asked:
        raise ValueError(f"{text!r} names no data set; it must be openml:ID or openml:NAME, such as openml:61")
    try:
        which = {"data_id": int(asked)} if asked.isdecimal() else {"name": asked}
        bunch = fetch_openml(**which, as_frame=True, parser="pandas")
    except Exception as error:  # of the network, of the server, or of its answer
        raise ValueError(f"{text} could not be fetched from openml.org: {error}") from error
    check_names(bunch.frame.columns)
    targets = list(bunch.target_names or [])
    if roles.target is None and len(targets) == 1:
        roles = replace(roles, target=targets[0])
    name = bunch.get("details", {}).get("name", asked)
    return parts_of_table(Table(blank(bunch.frame, options.na_values)), name, text, roles)
