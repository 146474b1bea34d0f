"""The data of a study: a name, the arrays and the task; and the data sets that have a built-in name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import type_of_target

from .names import look_up

LOADERS: dict[str, Callable[..., Any]] = {
    "digits": load_digits,
    "iris": load_iris,
    "wine": load_wine,
    "breast_cancer": load_breast_cancer,
}

TASKS = {"binary": "classification", "multiclass": "classification", "continuous": "regression"}


@dataclass(frozen=True, eq=False)
class DataSet:
    """One data set of a study.

    Parameters
    ----------
    name : str
        The name in the results.
    X : array-like of shape (n_samples, n_features)
        The inputs.
    y : ndarray of shape (n_samples,)
        The targets.
    task : str
        ``"classification"``, ``"regression"``, or scikit-learn's name of a target that is neither.
    """

    name: str
    X: Any
    y: np.ndarray
    task: str

    @classmethod
    def from_arrays(cls, name: str, X: Any, y: Any) -> "DataSet":
        """Build a data set whose task is read off its targets.

        Parameters
        ----------
        name : str
            The name in the results.
        X : array-like of shape (n_samples, n_features)
            The inputs; a DataFrame stays one.
        y : array-like of shape (n_samples,)
            The targets: labels are classification, fractional numbers are regression.

        Returns
        -------
        DataSet
            The data set.

        Raises
        ------
        ValueError
            If X and y differ in length.

        Examples
        --------
        >>> DataSet.from_arrays("toy", [[0.0], [1.0]], ["no", "yes"]).task
        'classification'
        """
        check_consistent_length(X, y)
        kind = type_of_target(y)
        return cls(name, X, np.asarray(y), TASKS.get(kind, kind))


def load(name: str) -> DataSet:
    """Load a built-in data set by name.

    Parameters
    ----------
    name : {"digits", "iris", "wine", "breast_cancer"}
        One of scikit-learn's bundled data sets; nothing is downloaded.

    Returns
    -------
    DataSet
        The data set.

    Raises
    ------
    ValueError
        If the name is unknown; the message suggests the nearest one.

    Examples
    --------
    >>> load("iris").X.shape
    (150, 4)
    """
    X, y = look_up("data set", name, LOADERS)(return_X_y=True)
    return DataSet.from_arrays(name, X, y)


def as_data_sets(X: Any, y: Any = None) -> list[DataSet]:
    """Turn the arguments of ``Study.run`` into data sets.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), or dict of str to (X, y)
        The inputs, or several data sets by name.
    y : array-like of shape (n_samples,), default=None
        The targets; left out when X is a dict.

    Returns
    -------
    list of DataSet
        The data sets in the order given; a single one is called ``"data"``.

    Raises
    ------
    ValueError
        If y is missing, or given beside a dict.

    Examples
    --------
    >>> [data.name for data in as_data_sets({"a": ([[0], [1]], [0, 1]), "b": ([[2], [3]], [1, 0])})]
    ['a', 'b']
    """
    if isinstance(X, Mapping):
        if y is not None:
            raise ValueError(f"y={type(y).__name__} was given beside a dict of data sets; leave y out")
        return [DataSet.from_arrays(name, *arrays) for name, arrays in X.items()]
    if y is None:
        raise ValueError("y=None: give the targets as run(X, y), or several data sets as run({name: (X, y)})")
    return [DataSet.from_arrays("data", X, y)]
