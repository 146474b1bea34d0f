"""The classes whose objects a file may hold, and functions, by name. Nothing else that a file names is looked up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, TypeVar

from .. import augment, losses, nn, optim, posteriors, schedules, series
from ..nn import trainable
from ..posteriors import structures
from ..template import (
    bounds,
    conditions,
    density_target,
    forward,
    likelihoods,
    pixels,
    positions,
    power,
    quantiles,
    residuals,
    scaling,
    series_inputs,
    sides,
    targets,
    ties,
    tokens,
)
from ..train import state

C = TypeVar("C", bound=type)

PACKAGES = (augment, nn, optim, posteriors, series)  # all that they offer
MODULES = (
    trainable,
    losses,
    schedules,
    state,
    targets,
    positions,
    pixels,
    conditions,
    density_target,
    residuals,
    likelihoods,
    scaling,
    bounds,
    power,
    ties,
    series_inputs,
    quantiles,
    forward,
    tokens,
    sides,
    structures,
)  # and all that is defined there
SCIKIT_LEARN = {  # what stands around a network, and reads or runs nothing when it is made of what a file says
    **dict.fromkeys(("ColumnTransformer", "TransformedTargetRegressor", "make_column_selector"), "sklearn.compose"),
    "PCA": "sklearn.decomposition",
    "FrozenEstimator": "sklearn.frozen",
    **dict.fromkeys(("MissingIndicator", "SimpleImputer"), "sklearn.impute"),
    **dict.fromkeys(
        (
            "GroupKFold",
            "GroupShuffleSplit",
            "KFold",
            "LeaveOneGroupOut",
            "LeaveOneOut",
            "ShuffleSplit",
            "StratifiedGroupKFold",
            "StratifiedKFold",
            "StratifiedShuffleSplit",
            "TimeSeriesSplit",
        ),
        "sklearn.model_selection",
    ),
    **dict.fromkeys(("LogisticRegression", "Ridge", "RidgeCV"), "sklearn.linear_model"),
    **dict.fromkeys(("FeatureUnion", "Pipeline"), "sklearn.pipeline"),
    **dict.fromkeys(
        (
            "FunctionTransformer",
            "MaxAbsScaler",
            "MinMaxScaler",
            "Normalizer",
            "OneHotEncoder",
            "OrdinalEncoder",
            "PolynomialFeatures",
            "PowerTransformer",
            "QuantileTransformer",
            "RobustScaler",
            "StandardScaler",
        ),
        "sklearn.preprocessing",
    ),
    **dict.fromkeys(("MetadataRequest", "MethodMetadataRequest"), "sklearn.utils._metadata_requests"),
}
STUDY = {  # and what stands before a network that a study keeps; loaded when a file names it, as it needs pandas
    "SameColumns": "sknn.study.same_columns",
    "MappedScaler": "sknn.study.mapped",
    "RowsOfPixels": "sknn.study.images",
    **dict.fromkeys(("PaddedRows", "SeriesFiller"), "sknn.study.series"),
}
FUNCTIONS = dict.fromkeys(("as_floats", "as_signals", "as_texts", "flatten"), "sknn.study.preprocess")
_registered: dict[str, type] = {}


def register(cls: C) -> C:
    """Let files hold objects of a class of your own, such as a layer, an optimizer or an estimator.

    A file names the class and says what its objects hold; the class itself is code and stays where you wrote it. So it
    has to be registered where a file is saved and, before :func:`load` is called, where it is loaded.

    Parameters
    ----------
    cls : type
        A dataclass is made again by a call with its fields, anything else as pickle and copy do it: from what
        ``__reduce__`` says of itself, or by ``__setstate__`` from what ``__getstate__`` gave.

    Returns
    -------
    cls : type
        The same, so that this is a decorator.

    Raises
    ------
    TypeError
        If it is no class.
    ValueError
        If the name belongs to another class.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import sknn
    >>> from sknn.nn import Layer
    >>> @sknn.register
    ... @dataclass(frozen=True)
    ... class Twice(Layer):
    ...     def build(self, shape, store):
    ...         return shape
    ...
    ...     def apply(self, params, x, context):
    ...         return 2.0 * x
    """
    if not isinstance(cls, type):
        raise TypeError(f"register takes a class, got {cls!r}; of an object register its class")
    name = cls.__name__
    other = known(name)
    if other is not None and _home(other) != _home(cls):  # the same one, defined again, takes the place of the first
        raise ValueError(f"{_home(cls)} cannot be registered: {name!r} is the name of {_home(other)}; take another")
    _registered[name] = cls
    return cls


def known(name: str) -> type | None:
    """The class of this name that files may hold; None if there is none."""
    return next((each for each in _candidates(name) if isinstance(each, type)), None)


def name_in_files(cls: type) -> str | None:
    """What files call a class: its name, after that of its package where another class is found by the name alone.

    None if files may not hold it.

    Examples
    --------
    >>> from sknn import nn, posteriors
    >>> name_in_files(nn.Dropout), name_in_files(posteriors.Dropout), name_in_files(dict)
    ('Dropout', 'posteriors.Dropout', None)
    """
    package = cls.__module__.split(".")[1:2]
    names = (cls.__name__, ".".join([*package, cls.__name__]))
    return next((name for name in names if known(name) is cls), None)


def _candidates(name: str) -> Iterator[Any]:
    *home, own = name.split(".")
    if home:
        packages = [each for each in PACKAGES if home == each.__name__.split(".")[1:]]
        yield from (getattr(each, own) for each in packages if own in each.__all__)
    if name in _registered:
        yield _registered[name]
    for package in (sys.modules[__name__.partition(".")[0]], *PACKAGES):  # that of the estimators is loaded by now
        if name in package.__all__:
            yield getattr(package, name)
    for module in MODULES:
        if getattr(vars(module).get(name), "__module__", None) == module.__name__:
            yield vars(module)[name]
    for table in (SCIKIT_LEARN, STUDY):
        if name in table:
            yield getattr(import_module(table[name]), name)


def function(name: str) -> Callable | None:
    """The function of this name that files may name; None if there is none."""
    return getattr(import_module(FUNCTIONS[name]), name) if name in FUNCTIONS else None


def _home(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
