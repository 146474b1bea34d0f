"""Tables of numbers and categories as rows of numbers: which columns are categories, and the codes of these."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.utils.validation import _check_feature_names, _check_n_features

from ..autodiff.tape import Array
from ..description import in_order, is_integer
from .parameters import parameter

CATEGORICAL_FEATURES = parameter(
    default="from_dtype",
    text='Which columns of X are categories: "from_dtype", of a table those that hold categories or words; or their '
    "numbers or names, or a mask. None: none. What is missing, or has not been seen in training, is one more category.",
)
WORDS = ("category", "categorical", "object", "str", "string", "utf8", "enum")  # dtypes of tables


def read_mixed(estimator: Any, X: Any, fresh: bool) -> Array | None:
    """X as numbers, categories as 1, 2, ... in their order, 0 where missing or unknown; None if there are none.

    A first fit sets `_categories`, the values of each column that are known (None for numbers), and n_features_in_.

    Raises
    ------
    ValueError
        If a column that is none of categories does not hold numbers, or an infinite one, or X has other columns than
        in the fit.
    """
    chosen = _chosen(estimator, X) if fresh else {k for k, each in enumerate(estimator._categories) if each is not None}
    if not chosen:
        if fresh:
            estimator._categories = []
        return None
    X = X if hasattr(X, "columns") or hasattr(X, "shape") else np.array(X, dtype=object)
    _check_feature_names(estimator, X, reset=fresh)
    _check_n_features(estimator, X, reset=fresh)
    columns = list(_columns(X))
    if fresh:
        estimator._categories = [_known(column) if k in chosen else None for k, column in enumerate(columns)]
    known = estimator._categories
    return np.column_stack(
        [_numbers(column, k) if known[k] is None else _coded(column, known[k]) for k, column in enumerate(columns)]
    )


def _chosen(estimator: Any, X: Any) -> set[int]:
    """The numbers of the columns that are categories."""
    wanted = estimator.categorical_features
    names = list(getattr(X, "columns", ()))
    if wanted is None:
        return set()
    if isinstance(wanted, str):
        dtypes = [str(getattr(dtype, "name", dtype)).lower() for dtype in (X.dtypes if names else ())]
        return {k for k, dtype in enumerate(dtypes) if dtype.startswith(WORDS)}
    n_features = len(names) or np.shape(X)[1]
    listed = list(wanted) if in_order(wanted) else [wanted]
    if len(listed) == n_features and all(isinstance(each, bool | np.bool_) for each in listed):
        return set(np.flatnonzero(listed).tolist())
    found = set()
    for each in listed:
        if each in names:
            found.add(names.index(each))
        elif is_integer(each) and -n_features <= each < n_features:
            found.add(int(each) % n_features)
        else:
            raise ValueError(
                f"categorical_features={wanted!r} must hold numbers or names of columns of X, or be a mask of its "
                f"{n_features}; there is no column {each!r}"
            )
    return found


def _columns(X: Any) -> Iterable[Any]:
    if hasattr(X, "columns"):
        return (X[name] for name in X.columns)
    return np.asarray(X).T


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ == "NAType" or value != value  # NaN is not itself, pandas' NA neither


def _objects(column: Any) -> list[Any]:
    return np.asarray(column, dtype=object).tolist()


def _known(column: Any) -> list[Any]:
    """The different values of a column, in order; words after numbers."""
    values = {value for value in _objects(column) if not _is_missing(value)}
    return sorted(values, key=lambda value: (isinstance(value, str), value))


def _coded(column: Any, known: list[Any]) -> Array:
    codes = {value: float(k) for k, value in enumerate(known, 1)}
    return np.array([0.0 if _is_missing(value) else codes.get(value, 0.0) for value in _objects(column)])


def _numbers(column: Any, number: int) -> Array:
    name = getattr(column, "name", number)
    try:
        values = np.array([np.nan if _is_missing(value) else float(value) for value in _objects(column)])
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"column {name!r} of X: {error}; name it in categorical_features if it holds categories"
        ) from error
    if np.isinf(values).any():
        raise ValueError(f"Input X contains infinity: column {name!r}, row {int(np.argmax(np.isinf(values)))}")
    return values
