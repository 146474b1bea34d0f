"""A data set by its name."""

from collections.abc import Callable
from typing import Any

from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

from .data import DataSet
from .names import look_up

LOADERS: dict[str, Callable[..., Any]] = {
    "digits": load_digits,
    "iris": load_iris,
    "wine": load_wine,
    "breast_cancer": load_breast_cancer,
    "diabetes": load_diabetes,
}
SHAPES = {"digits": (8, 8, 1)}


def load(name: str) -> DataSet:
    """Load a built-in data set by name.

    Parameters
    ----------
    name : {"digits", "iris", "wine", "breast_cancer", "diabetes"}
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
    return DataSet.from_arrays(name, X, y, sample_shape=SHAPES.get(name))
