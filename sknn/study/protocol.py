"""The protocol of a study: every model is fitted and scored on the same folds, and a failure is a result, too."""

from collections.abc import Callable, Sequence
from itertools import product
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import _safe_indexing
from threadpoolctl import threadpool_limits

from .data import DataSet
from .models import Model
from .size import model_size

if TYPE_CHECKING:
    from pandas import DataFrame

MEASURES = ("accuracy", "log_loss", "fit_time", "predict_time", "n_parameters")
COLUMNS = ("dataset", "model", "fold", *MEASURES, "parameter_unit", "error")

Fold = tuple[np.ndarray, np.ndarray]
Progress = Callable[[int, int, str], None]


def no_progress(done: int, total: int, label: str) -> None:
    """Show nothing."""


def cross_validate(
    data_sets: Sequence[DataSet],
    models: Sequence[Model],
    cv: int,
    random_state: int | None,
    progress: Progress = no_progress,
) -> "DataFrame":
    """Cross-validate every model on the same stratified, shuffled folds of every data set.

    All models compute on one thread, one after the other: otherwise the times would tell how well each of them gets
    along with the threads of this machine, not how much it computes.

    Parameters
    ----------
    data_sets : sequence of DataSet
        Classification data.
    models : sequence of Model
        The competitors.
    cv : int
        The number of folds, at least 2.
    random_state : int or None
        The seed of the folds and of every model.
    progress : callable, default=no_progress
        ``progress(done, total, label)`` is called before each fit with the number of fits done and what comes next,
        and once at the end with ``done == total``.

    Returns
    -------
    DataFrame
        One row per data set, fold and model, with the columns ``COLUMNS``. Times are in seconds. A fit that failed
        has its error text in ``error``, which is missing otherwise, and no measures.

    Raises
    ------
    ValueError
        If a data set is not a classification task or a class is too small for the number of folds.
    """
    import pandas as pd

    folds_of = {data.name: stratified_folds(data, cv, random_state) for data in data_sets}
    # Fold by fold, not model by model: then the first fold already tells how long the others will take.
    fits = [(data, fold, model) for data in data_sets for fold, model in product(range(cv), models)]
    rows: list[dict[str, Any]] = []
    for data, fold, model in fits:
        progress(len(rows), len(fits), f"{data.name}: {model.name}, fold {fold + 1} of {cv}")
        with threadpool_limits(limits=1):
            scores = _fit_and_score(model, data, folds_of[data.name][fold], random_state)
        rows.append({"dataset": data.name, "model": model.name, "fold": fold, **scores})
    progress(len(rows), len(fits), "")
    types = dict.fromkeys(MEASURES, "float") | {"parameter_unit": "string", "error": "string"}
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(types)


def stratified_folds(data: DataSet, cv: int, random_state: int | None) -> list[Fold]:
    """Split a data set into stratified, shuffled folds.

    Parameters
    ----------
    data : DataSet
        Classification data with at least ``cv`` samples of every class.
    cv : int
        The number of folds, at least 2.
    random_state : int or None
        The seed of the shuffling.

    Returns
    -------
    list of (train, test)
        The indices of each fold.

    Raises
    ------
    ValueError
        If the task is not classification or a class is too small.

    Examples
    --------
    >>> data = DataSet.from_arrays("toy", [[0], [1], [2], [3]], [0, 0, 1, 1])
    >>> [len(test) for train, test in stratified_folds(data, cv=2, random_state=0)]
    [2, 2]
    """
    if data.task != "classification":
        raise ValueError(
            f"y of {data.name!r} is a {data.task} target; a study compares classifiers, so y must be labels"
        )
    labels, counts = np.unique(data.y, return_counts=True)
    if counts.min() < cv:
        raise ValueError(
            f"cv={cv} needs at least {cv} samples of every class, "
            f"but class {labels[counts.argmin()]!s} of {data.name!r} has {counts.min()}"
        )
    splitter = StratifiedKFold(cv, shuffle=True, random_state=random_state)
    return list(splitter.split(np.zeros(len(data.y)), data.y))


def _fit_and_score(model: Model, data: DataSet, fold: Fold, random_state: int | None) -> dict[str, Any]:
    (X_train, y_train), (X_test, y_test) = ((_safe_indexing(data.X, rows), data.y[rows]) for rows in fold)
    try:
        estimator = model.build(random_state)
        _, fit_time = _timed(estimator.fit, X_train, y_train)
        predicted, predict_time = _timed(estimator.predict, X_test)
        n_parameters, unit = model_size(estimator)
        return {
            "accuracy": accuracy_score(y_test, predicted),
            "log_loss": _log_loss(estimator, X_test, y_test),
            "fit_time": fit_time,
            "predict_time": predict_time,
            "n_parameters": n_parameters,
            "parameter_unit": unit,
            "error": None,
        }
    except Exception as error:  # whatever a model does, the others still get their turn
        return {"error": f"{type(error).__name__}: {error}"}


def _timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    start = perf_counter()
    result = function(*arguments)
    return result, perf_counter() - start


def _log_loss(estimator: Any, X: Any, y: np.ndarray) -> float | None:
    if not hasattr(estimator, "predict_proba"):
        return None
    return log_loss(y, estimator.predict_proba(X), labels=estimator.classes_)
