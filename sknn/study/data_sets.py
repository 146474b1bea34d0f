"""One or several data sets of whatever a study is run on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .data import DataSet


def as_data_sets(
    X: Any,
    y: Any = None,
    groups: Any = None,
    sample_shape: Any = None,
    task: str | None = None,
    classes: Any = None,
    drop_missing_target: bool = False,
    time_channel: int | None = None,
) -> list[DataSet]:
    """Turn the arguments of ``Study.run`` into data sets.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), DataSet, or dict of str to (X, y), (X, y, groups) or DataSet
        The inputs, or one or several data sets.
    y : array-like of shape (n_samples,), or label maps, default=None
        The targets; this and what follows only beside inputs.
    groups : array-like of shape (n_samples,), default=None
        Samples of one group come into the same fold.
    sample_shape : tuple of int, default=None
        The shape of a signal, image or volume; None: to be found, see ``DataSet.from_arrays``.
    task : {"classification", "regression", "segmentation", "density"}, default=None
        None: to be found, see ``DataSet.from_arrays``; a density, which has no target, is to be stated.
    classes : array-like of shape (n_classes,), default=None
        All classes; None: those in y, see ``DataSet.from_arrays``.
    drop_missing_target : bool, default=False
        Whether to leave out rows whose target is missing.
    time_channel : int, default=None
        Which channel of series holds the times of their steps; None: none does.

    Returns
    -------
    list of DataSet
        The data sets in the order given; a single one is called ``"data"``, or has the name it brings along.

    Raises
    ------
    ValueError
        If y is missing, or given beside data sets; and for everything that ``DataSet.from_arrays`` refuses.

    Examples
    --------
    >>> [data.name for data in as_data_sets({"a": ([[0], [1]], [0, 1]), "b": ([[2], [3]], [1, 0])})]
    ['a', 'b']
    """
    if isinstance(X, DataSet | Mapping):
        beside = {"y": y, "groups": groups, "sample_shape": sample_shape, "task": task, "classes": classes}
        beside |= {"drop_missing_target": drop_missing_target, "time_channel": time_channel}
        for argument, value in beside.items():
            if value is not None and value is not False:
                raise ValueError(
                    f"{argument} was given beside {'a data set' if isinstance(X, DataSet) else 'a dict of data sets'}; "
                    "leave it out, and make each with DataSet.from_arrays(name, X, y, ...)"
                )
        return [X] if isinstance(X, DataSet) else _named(X)
    if y is None and task != "density":
        raise ValueError(
            "y=None: give the targets as run(X, y), or several data sets as run({name: (X, y)}), or say "
            "task='density' for the density of X"
        )
    stated = {"task": task, "groups": groups, "sample_shape": sample_shape, "classes": classes}
    stated |= {"drop_missing_target": drop_missing_target, "time_channel": time_channel}
    return [DataSet.from_arrays("data", X, y, **stated)]


def _named(data_sets: Mapping[str, Any]) -> list[DataSet]:
    if not data_sets:
        raise ValueError("X={} holds no data set; it must be a dict of at least one name to (X, y)")
    return [_named_one(name, value) for name, value in data_sets.items()]


def _named_one(name: str, value: Any) -> DataSet:
    if not isinstance(name, str):
        raise ValueError(f"{name!r} is not the name of a data set; it must be a text")
    if isinstance(value, DataSet):
        return replace(value, name=name)
    if not isinstance(value, tuple | list) or len(value) not in (2, 3):
        raise ValueError(f"{name!r} is a {type(value).__name__}; it must be (X, y), (X, y, groups) or a DataSet")
    X, y, *groups = value
    return DataSet.from_arrays(name, X, y, groups=groups[0] if groups else None)
