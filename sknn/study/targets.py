"""The targets of a study: a vector without gaps, and the task that it sets."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from .columns import SMALLEST_AMOUNT, are_dates
from .numbers import numbers_of, rows

TASKS = ("classification", "regression", "segmentation", "density")
MOST_LABELS = 20  # up to here whole numbers are labels, however rare
FEWEST = 5  # of more labels than that, each has to occur so often, enough for five folds,
FEWEST_ON_AVERAGE = 20  # and so often on average
LARGEST_LABEL = 2.0**53  # beyond, floats are not all whole numbers, and scikit-learn takes none for a label
LARGEST_AMOUNT = 1e150  # the square of a larger one is infinite


def as_vector(argument: str, values: Any, remedy: str = "leave these out") -> np.ndarray:
    """Turn targets or groups into an array of one axis without missing values.

    Parameters
    ----------
    argument : str
        Its name in error messages.
    values : array-like of shape (n_samples,) or (n_samples, 1)
        A list, an array, a pandas or polars series, categorical or not, or a table of one column.
    remedy : str, default="leave these out"
        What the error says is to be done about missing values.

    Returns
    -------
    ndarray of shape (n_samples,)
        Text, Python's numbers and pandas' own types become NumPy's, so that equal values have equal types.

    Raises
    ------
    ValueError
        If it is no vector, empty, or has missing or infinite values.

    Examples
    --------
    >>> as_vector("y", [[1], [2]])
    array([1, 2])
    """
    array = as_column(argument, values)
    missing = int(pd.isna(array).sum())
    if missing:
        raise ValueError(f"{argument} is missing in {rows(missing)} of {len(array):,}; {remedy}")
    array = _plain(array)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{argument} is infinite in {np.isinf(array).sum():,} of {len(array):,} rows; leave these out")
    return array


def as_column(argument: str, values: Any) -> np.ndarray:
    """Turn targets or groups into an array of one axis, where values may be missing.

    Parameters
    ----------
    argument : str
        Its name in error messages.
    values : array-like of shape (n_samples,) or (n_samples, 1)
        As of `as_vector`.

    Returns
    -------
    ndarray of shape (n_samples,)
        Of any type.

    Raises
    ------
    ValueError
        If it is no vector, or empty.
    """
    if hasattr(values, "toarray"):
        raise ValueError(f"{argument} is sparse; it must be a vector with one value for each sample")
    if np.ma.is_masked(values):
        values = values.astype(object).filled(np.nan)
    # A list of text and NaN would become an array of text with a label "nan".
    array = np.asarray(values, dtype=object if isinstance(values, list | tuple) else None)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"{argument} has shape {array.shape}; it must be a vector with one value for each sample")
    if not len(array):
        raise ValueError(f"{argument} is empty; it must have one value for each sample")
    return array


def as_integers(y: np.ndarray) -> np.ndarray:
    """Turn floats that are all whole into integers, as missing values make floats of labels.

    Examples
    --------
    >>> as_integers(np.array([0.0, 2.0])), as_integers(np.array([0.5]))
    (array([0, 2]), array([0.5]))
    """
    is_whole = y.dtype.kind == "f" and (y == np.round(y)).all() and np.abs(y).max() < LARGEST_LABEL
    return y.astype(int) if is_whole else y


def categories_of(values: Any) -> np.ndarray | None:
    """Tell the categories of targets that have some which no row has.

    Parameters
    ----------
    values : array-like
        Targets.

    Returns
    -------
    ndarray or None
        All of them, the unused ones, too; None where all are used, or there are no categories.

    Examples
    --------
    >>> categories_of(pd.Categorical(["a", "c"], ["a", "b", "c"]))
    array(['a', 'b', 'c'], dtype=object)
    """
    if isinstance(values, pd.DataFrame) and values.shape[1] == 1:
        values = values.iloc[:, 0]
    if not isinstance(getattr(values, "dtype", None), pd.CategoricalDtype):
        return None
    categories = values.dtype.categories
    return None if categories.isin(values).all() else categories.to_numpy()


def all_classes(name: str, classes: Any, y: np.ndarray) -> np.ndarray:
    """Check the classes that were stated of targets.

    Parameters
    ----------
    name : str
        Of the data set.
    classes : array-like of shape (n_classes,)
        Labels; texts that are numbers do for targets that are numbers, and "True" and "False" for truth values.
    y : ndarray of shape (n_samples,)
        The targets.

    Returns
    -------
    ndarray of shape (n_classes,)
        Sorted, of the kind that the targets are.

    Raises
    ------
    ValueError
        If they are of another kind, or lack a label of the targets.

    Examples
    --------
    >>> all_classes("toy", ["2", "1", "3"], np.array([1, 3]))
    array([1, 2, 3])
    """
    if isinstance(classes, str):
        raise ValueError(f"classes={classes!r} is a single text; it must be a list of all classes of {name!r}")
    stated = as_vector(f"classes of {name!r}", classes)
    if stated.dtype.kind == "U" and y.dtype.kind in "biuf":
        stated = _as_numbers(stated)
    if (stated.dtype.kind == "U") != (y.dtype.kind == "U"):
        raise ValueError(f"classes of {name!r}, such as {_example(stated)}, are no labels like {_example(y)} in y")
    unknown = np.setdiff1d(y, stated)
    if len(unknown):
        labels = ", ".join(map(repr, unknown[:3].tolist()))
        raise ValueError(f"classes of {name!r} lack {labels}, which y holds; state all classes, or none")
    every = np.unique(stated)
    alike = every if y.dtype.kind == "U" else every.astype(y.dtype)
    return alike if (alike == every).all() else every


def _as_numbers(texts: np.ndarray) -> np.ndarray:
    words = pd.Series(texts, dtype=object).str.lower().replace({"true": "1", "false": "0"})
    numbers = pd.to_numeric(words, errors="coerce").to_numpy(float)
    return texts if np.isnan(numbers).any() else numbers


def _plain(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8")
    if array.dtype != object:
        return array
    if pd.api.types.infer_dtype(array, skipna=False) == "string":
        return array.astype(str)
    if all(isinstance(value, Decimal) for value in array):
        return array.astype(float)
    return pd.Series(array, dtype=object).infer_objects().to_numpy()


def find_task(y: np.ndarray, task: str | None = None) -> str:
    """Find out whether targets are labels or amounts, or check what was stated.

    Text, truth values and categories are labels, fractional numbers are amounts. Whole numbers can be either: they are
    labels if there are at most 20 different ones, or if each of them occurs at least 5 times and 20 times on average.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        The targets.
    task : {"classification", "regression"}, default=None
        What was stated, None: to be found.

    Returns
    -------
    {"classification", "regression"}
        The task.

    Raises
    ------
    ValueError
        If the task is not one of these or does not go with the targets, or they are all the same.

    Examples
    --------
    >>> import numpy as np
    >>> find_task(np.array(["no", "yes"])), find_task(np.array([0, 1, 1])), find_task(np.arange(100))
    ('classification', 'classification', 'regression')
    """
    if task is not None and task not in TASKS:
        raise ValueError(f"task={task!r} is not a task; it must be {', '.join(map(repr, TASKS))} or None")
    kind = _kind(y)
    if (y == y[0]).all():
        raise ValueError(f"y is {_example(y)} for every sample; there must be something to tell apart")
    if task is None:
        task = "regression" if kind == "fractions" or (kind == "integers" and _are_amounts(y)) else "classification"
    if kind == "labels":
        _check_texts(y)
    else:
        _check_size(y, task)
    if task == "regression" and kind == "labels":
        raise ValueError(f"task='regression' needs numbers as y, but y holds labels such as {_example(y)}")
    if task == "classification" and kind == "fractions":
        fraction = y[y != np.round(y)][0]
        raise ValueError(f"task='classification' needs labels as y, but y holds fractions such as {fraction}")
    return task


def _kind(y: np.ndarray) -> str:
    if y.dtype.kind in "biuf":
        if y.dtype.kind == "f":
            return "integers" if (y == np.round(y)).all() else "fractions"
        return "labels" if y.dtype.kind == "b" else "integers"
    if y.dtype.kind == "U":
        return "labels"
    if y.dtype.kind in "Mm" or pd.api.types.infer_dtype(y) in ("date", "datetime", "timedelta"):
        raise ValueError(f"y holds dates or times such as {y[0]}; {NO_DATES}")
    types = ", ".join(sorted({type(value).__name__ for value in y}))
    raise ValueError(f"y holds values of type {types}; it must hold text, truth values or numbers, of one kind alone")


NO_DATES = "it must hold labels or numbers: years as labels, say, or the days since the first date"


def _check_texts(y: np.ndarray) -> None:
    """Text of many numbers or dates is refused: it would be as many labels, hardly ever the same."""
    if y.dtype.kind != "U":
        return
    labels = np.unique(y)
    if len(labels) <= MOST_LABELS:
        return
    texts = pd.Series(y)
    if are_dates(texts):
        raise ValueError(f"y holds dates such as {labels[0]}; {NO_DATES}")
    found = numbers_of(texts)
    if found.are_most and found.values.nunique() > MOST_LABELS:
        others = "; give"
        if len(found.odd):
            others = (
                f" but for {found.examples()}; leave these rows out, of a file with --na (na_values=) and "
                "--drop-missing-target (drop_missing_target=True), and give"
            )
        raise ValueError(f"y holds numbers as text{others} it as floats")


def _check_size(y: np.ndarray, task: str) -> None:
    largest = np.abs(y.astype(float)).max()
    if task == "classification" and largest > LARGEST_LABEL:
        raise ValueError(
            f"y holds labels such as {_example(y)}; labels that are numbers must be at most 2**53 in size, "
            "or else text: y.astype(str)"
        )
    if largest > LARGEST_AMOUNT:
        raise ValueError(
            f"y goes up to {largest:.3g} in size, whose square is infinite; give y in other units, or its logarithm"
        )
    if task == "regression" and largest < SMALLEST_AMOUNT:
        raise ValueError(
            f"y goes up to {largest:.3g} in size, whose square is zero; give y in other units, or its logarithm"
        )


def _are_amounts(y: np.ndarray) -> bool:
    counts = np.unique(y, return_counts=True)[1]
    return len(counts) > MOST_LABELS and (counts.min() < FEWEST or counts.mean() < FEWEST_ON_AVERAGE)


def _example(y: np.ndarray) -> str:
    return repr(y[:1].tolist()[0])
