"""Predictions of a fitted model for new data, in one table, with what the model can say about how sure they are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import joblib
import numpy as np
import pandas as pd
from sklearn.base import is_classifier

import sknn
from sknn.pipeline import end_of, predict_interval, predict_quantiles, predicts_std

from .columns import DECIMAL, tidy_column
from .densities import is_density
from .forecast import BlockForecasts
from .quantiles import levels_of
from .same_columns import SameColumns, check_columns


def read_model(path: Path) -> Any:
    """Read a fitted model from a file of joblib, pickle or ``sknn.save``.

    Parameters
    ----------
    path : Path
        The file; one of joblib or pickle can run any code.

    Returns
    -------
    estimator
        Fitted.

    Raises
    ------
    ValueError
        If there is no such file, or no model in it.
    """
    if not path.is_file():
        raise ValueError(f"there is no file {str(path)!r}; a study keeps its best model with --keep {path}")
    try:
        model = sknn.load(path) if is_zipfile(path) else joblib.load(path)
    except Exception as error:  # whatever opening such a file runs
        raise ValueError(f"{path} cannot be read as a model: {type(error).__name__}: {error}") from error
    if not (hasattr(model, "predict") or is_density(model)):
        raise ValueError(f"{path} holds no model that predicts, but {type(model).__name__}")
    return model


def reading_of(model: Any) -> dict[str, Sequence[str]]:
    """Tell how a table was read when a model learnt, so that another is read likewise.

    Parameters
    ----------
    model : fitted scikit-learn estimator
        As of `read_model`.

    Returns
    -------
    dict of str to sequence of str
        ``texts``, the columns that held text, and ``words``, those that are values though they look as if there was
        none; empty where the model does not know.
    """
    first = model.steps[0][1] if hasattr(model, "steps") else model
    return {"texts": getattr(first, "texts", ()), "words": getattr(first, "not_na", ())}


def what_is_missing(model: Any, table: pd.DataFrame) -> str:
    """Say plainly that a model tells nothing of how sure its predictions are.

    Parameters
    ----------
    model : fitted scikit-learn estimator
        What predicted.
    table : DataFrame
        What `predictions` made.

    Returns
    -------
    str
        A sentence, or "" if there is more than the predictions.
    """
    if table.shape[1] > 1 or is_density(model):
        return ""
    if is_classifier(model):
        return "The model has no probabilities, so none stand beside its predictions."
    if predicts_std(end_of(model)) or hasattr(end_of(model), "predict_interval"):
        return "The model knows how sure it is: with --intervals 0.9 it tells intervals around its numbers."
    lacking = "The model predicts no quantiles, so there are no intervals around its numbers"
    if isinstance(model.steps[-1][1] if hasattr(model, "steps") else model, BlockForecasts):
        return f"{lacking}."
    return f"{lacking}; a study with --quantiles 0.05 0.5 0.95 keeps one that does."


def predictions(model: Any, X: Any, intervals: float | None = None) -> pd.DataFrame:
    """Predict for every row of X.

    Parameters
    ----------
    model : fitted scikit-learn estimator
        As of ``Study.best``, or any other.
    X : DataFrame or array-like of shape (n_samples, ...)
        A table may have more columns than a model that knows its columns by name.
    intervals : float or None, default=None
        With a confidence, models of numbers that know how sure they are tell intervals of it.

    Returns
    -------
    DataFrame
        ``predicted``, and beside it ``probability_<class>`` for each class of a model with probabilities, or
        ``quantile_<level>`` for each quantile of a model that predicts these, the lowest first, or ``low_<confidence>``
        and ``high_<confidence>``, if intervals are wanted. Of a density ``log_density`` alone, in nats.

    Raises
    ------
    ValueError
        If the table lacks columns that the model takes, or the model cannot predict for such inputs, or tells no
        such intervals.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> predictions(DummyClassifier().fit([[0], [1], [2], [3]], ["no", "no", "no", "yes"]), [[4]])
      predicted  probability_no  probability_yes
    0        no            0.75             0.25
    """
    if isinstance(X, pd.DataFrame):
        X = _columns_for(model, X)
    if is_density(model):
        return pd.DataFrame({"log_density": np.ravel(model.score_samples(X))})
    columns = {"predicted": np.ravel(model.predict(X))}
    if hasattr(model, "predict_proba"):
        names = [f"probability_{label}" for label in model.classes_]
        columns |= dict(zip(names, np.asarray(model.predict_proba(X)).T, strict=True))
    if intervals is not None:
        return pd.DataFrame(columns | _ends(model, X, intervals))
    try:
        levels = levels_of(model)
    except AttributeError:
        return pd.DataFrame(columns)
    values = predict_quantiles(model, X)
    columns |= {f"quantile_{levels[at]:g}": values[:, at] for at in np.argsort(levels)}
    return pd.DataFrame(columns)


def _ends(model: Any, X: Any, confidence: float) -> dict[str, Any]:
    try:
        found = predict_interval(model, X, confidence)
    except AttributeError as error:
        raise ValueError(f"intervals={confidence!r} were asked for, but {error}") from None
    return {f"low_{confidence:g}": found[:, 0], f"high_{confidence:g}": found[:, 1]}


def _columns_for(model: Any, X: pd.DataFrame) -> Any:
    """What a model takes of a table, unless it finds its columns itself."""
    if hasattr(model, "feature_names_in_"):
        names = model.feature_names_in_
        check_columns(X, names)
        decimal = X.attrs.get(DECIMAL, ".")
        learnt = {name: X[name][:0] if _holds_text(X[name], decimal) else np.zeros(0) for name in names}
        return SameColumns().fit(pd.DataFrame(learnt)).transform(X)
    n_columns = getattr(model, "n_features_in_", None)
    if n_columns is None:
        return X
    if X.shape[1] != n_columns:
        raise ValueError(
            f"the table has {X.shape[1]:,} columns, but the model has learnt {n_columns:,} without names; give it a "
            "table with these alone, in their order"
        )
    return X.to_numpy()


def _holds_text(column: pd.Series, decimal: str) -> bool:
    """Whether a column holds text, for a model that does not say what it has learnt from."""
    return column.notna().any() and isinstance(tidy_column(column, "the table", decimal).dtype, pd.CategoricalDtype)
