"""Which columns of a table, or which arrays, are the inputs, the targets, the groups and the order of a data set."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

import numpy as np
import pandas as pd

from .columns import DECIMAL, labels_alike, tidy
from .names import listed, look_up
from .numbers import is_number
from .readers.content import Arrays, Table
from .series import are_ragged

FEW = 50  # rows tell that most columns are not the same, without looking at millions


@dataclass(frozen=True)
class Roles:
    """The names of the columns, or arrays, and what they are.

    Parameters
    ----------
    target, groups, order : str, default=None
        Columns that are no inputs.
    features : tuple of str, default=()
        The columns that are inputs; none: all others.
    drop : tuple of str, default=()
        Columns that are nothing.
    alone : bool, default=False
        Whether the target may be all there is, as a series that is forecast from its own past.
    untargeted : bool, default=False
        Whether there need be no target, as where a density of the inputs is learnt.
    """

    target: str | None = None
    groups: str | None = None
    order: str | None = None
    features: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    alone: bool = False
    untargeted: bool = False

    @property
    def single(self) -> dict[str, str | None]:
        """The columns that are no inputs, by what they are."""
        return {"target": self.target, "groups": self.groups, "order": self.order}


@dataclass(frozen=True)
class Parts:
    """What was found under these names, as it was read.

    Parameters
    ----------
    name : str
        Of the data set.
    X, y : array or DataFrame, array or Series
        Inputs and targets.
    groups, order : array or Series, default=None
        As the roles say.
    notes : list of str, default=()
        What is to be said about the reading.
    sample_shape : tuple of int, default=None
        The shape of a sample, where the file leaves no doubt.
    time_channel : int, default=None
        The channel of series that holds times.
    channels : tuple of str, default=()
        The names of the channels of series, where they have some.
    """

    name: str
    X: Any
    y: Any
    groups: Any = None
    order: Any = None
    notes: Iterable[str] = ()
    sample_shape: tuple[int, ...] | None = None
    time_channel: int | None = None
    channels: tuple[str, ...] = ()


# ------------------------------------------------------------------------------------------------------------ tables


def parts_of_table(table: Table, name: str, source: str, roles: Roles) -> Parts:
    """Divide a table into inputs, targets, groups and order.

    Parameters
    ----------
    table : Table
        As it was read.
    name : str
        Of the data set.
    source : str
        Where it comes from, for messages.
    roles : Roles
        What the user says about its columns.

    Returns
    -------
    Parts
        Inputs of numbers, truth values and categories, or of one array for each row.

    Raises
    ------
    ValueError
        If there are no rows, no target or no inputs, or no columns of these names.
    """
    frame, known = table.frame, [*table.frame.columns, *table.vectors]
    if not len(frame):
        raise ValueError(f"{source} has no rows")
    if roles.target is None and not roles.untargeted:
        raise ValueError(f"{source} needs a target (--target NAME); its columns are {listed(known)}{_hint(known)}")
    found = {role: _column(frame, source, role, column) for role, column in roles.single.items()}
    inputs = _inputs_of_table(known, source, roles)
    notes = list(table.notes)
    one_by_one = [each for each in inputs if each in table.vectors and are_ragged(table.vectors[each])]
    if one_by_one and len(inputs) > 1:
        raise ValueError(
            f"{source} has series of different lengths or images of different sizes ({one_by_one[0]}) and other "
            "inputs, which no model takes together; say which with --features (features=)"
        )
    if len(inputs) == 1 and inputs[0] in table.vectors:
        X: Any = table.vectors[inputs[0]]
    else:
        X, remarks = tidy(_with_vectors(table, inputs), source, table.decimal)
        notes += remarks if found["target"] is None else [*remarks, *_copies(X, found["target"], source, roles.target)]
        for column in (found["target"], found["groups"]):
            if column is not None and (alike := labels_alike(column)):
                notes.append(f"column {column.name!r} of {source} {alike}")
        if not X.shape[1] and not roles.alone:
            raise ValueError(f"{source} has no inputs: {'; '.join(remarks)}")
    y, groups, order = (found[role] for role in ("target", "groups", "order"))
    return Parts(name, X, y, groups, order, notes, time_channel=table.time_channel, channels=table.channels)


def _column(frame: pd.DataFrame, source: str, role: str, column: str | None) -> pd.Series | None:
    if column is None:
        return None
    try:
        return look_up(f"{role} column of {source}", column, {str(name): values for name, values in frame.items()})
    except ValueError as error:
        raise ValueError(f"{error}{_hint(frame.columns)}") from None


def _hint(names: Iterable[str]) -> str:
    """Say what may be wrong with names among which one is missed."""
    names = list(map(str, names))
    if len(names) == 1:
        return ". It is one column; if it should be several, say with --sep (sep=) what separates them"
    strange = [name for name in names if is_number(name) or name.startswith("Unnamed:")]
    if not strange:
        return ""
    return f". Some are no names ({listed(strange[:3])}): the first line must have those of all columns"


def _inputs_of_table(known: list[str], source: str, roles: Roles) -> list[str]:
    if roles.features and roles.drop:
        raise ValueError("features and drop were both given; name the inputs, or what is to be left out")
    table = {name: name for name in known}
    for role, names in (("features", roles.features), ("drop", roles.drop)):
        for name in names:
            look_up(f"{role} column of {source}", name, table)
            taken = next((other for other, column in roles.single.items() if column == name), None)
            if taken:
                raise ValueError(f"{role}={name!r} is the {taken} column of {source}, which is no input anyway")
    others = {*roles.single.values(), *roles.drop}
    inputs = list(dict.fromkeys(roles.features)) or [name for name in known if name not in others]
    if not inputs and not roles.alone:
        but = ", ".join(f"{name} ({role})" for role, name in roles.single.items() if name is not None)
        raise ValueError(
            f"{source} has no columns but {', '.join([but, *roles.drop])}; a table needs inputs beside them"
        )
    return inputs


def _with_vectors(table: Table, inputs: list[str]) -> pd.DataFrame:
    """Each value of a column of arrays becomes a column, numbered."""
    columns: dict[str, Any] = {}
    for name in inputs:
        if name in table.vectors:
            flat = table.vectors[name].reshape(len(table.frame), -1)
            columns |= {f"{name}_{position}": flat[:, position] for position in range(flat.shape[1])}
        else:
            columns[name] = table.frame[name]
    return pd.DataFrame(columns, index=table.frame.index)


def _copies(X: pd.DataFrame, target: Any, source: str, name: str | None) -> list[str]:
    """Say which inputs are the target over again: whatever is learnt from them is of no use."""
    return [
        f"column {column!r} of {source} is the same as the target {name!r} in every row; leave it out with "
        f"--drop {quote(str(column))}"
        for column, values in X.items()
        if _are_same(values[:FEW], target[:FEW]) and _are_same(values, target)
    ]


def _are_same(values: Any, others: Any) -> bool:
    return bool((np.asarray(values).astype(str) == np.asarray(others).astype(str)).all())


def inputs_of(content: Table | Arrays, source: str) -> pd.DataFrame | np.ndarray:
    """Return all that may be inputs, for a model that knows what it takes.

    Parameters
    ----------
    content : Table or Arrays
        As it was read.
    source : str
        Where it comes from, for messages.

    Returns
    -------
    DataFrame or ndarray
        All columns of a table, as they were written; or the inputs among arrays, as of `parts_of_arrays`.

    Raises
    ------
    ValueError
        If there are no rows or no inputs.
    """
    if isinstance(content, Arrays):
        return _inputs_of(content.arrays, source)
    if not len(content.frame):
        raise ValueError(f"{source} has no rows")
    alone = [each for each in content.vectors.values() if are_ragged(each) or not content.frame.shape[1]]
    if len(alone) == 1:
        return alone[0]
    found = _with_vectors(content, [*content.frame.columns, *content.vectors])
    found.attrs[DECIMAL] = content.decimal
    return found


# ------------------------------------------------------------------------------------------------------------ arrays


def parts_of_arrays(content: Arrays, name: str, source: str, roles: Roles) -> Parts:
    """Find inputs, targets, groups and order among arrays.

    Parameters
    ----------
    content : Arrays
        As they were read. Those for training and testing are joined.
    name : str
        Of the data set.
    source : str
        Where they come from, for messages.
    roles : Roles
        What the user says about them; single features are not named.

    Returns
    -------
    Parts
        The inputs are ``X`` or ``x``, or the only array of several axes; the targets ``y`` or ``Y``.

    Raises
    ------
    ValueError
        If there are no inputs or targets, or no arrays of these names.
    """
    arrays = content.arrays
    for role in ("features", "drop"):
        if names := getattr(roles, role):
            raise ValueError(f"{role}={list(names)} was given for {source}, which is no table but arrays; leave it out")
    inputs = _inputs_of(arrays, source)
    target = roles.target or next((key for key in ("y", "Y") if _joined(arrays, key) is not None), None)
    if target is None and not roles.untargeted:
        raise ValueError(f"{source} has no array y, so it needs a target (--target NAME) out of {listed(arrays)}")
    found = {
        role: None if key is None else _array(arrays, source, role, key)
        for role, key in (roles.single | {"target": target}).items()
    }
    columns = (found["target"], found["groups"], found["order"])
    return Parts(name, inputs, *columns, content.notes, time_channel=content.time_channel)


def _inputs_of(arrays: Mapping[str, np.ndarray], source: str) -> np.ndarray:
    for key in ("X", "x"):
        joined = _joined(arrays, key)
        if joined is not None:
            return joined
    several = [array for array in arrays.values() if array.ndim > 1]
    if len(several) != 1:
        raise ValueError(
            f"{source} has {len(several)} arrays of several axes and none is called X, x or X_train; "
            f"its arrays are {listed(arrays) or 'none'}"
        )
    return several[0]


def _array(arrays: Mapping[str, np.ndarray], source: str, role: str, key: str) -> np.ndarray:
    joined = _joined(arrays, key)
    return look_up(f"{role} array of {source}", key, arrays) if joined is None else joined


def _joined(arrays: Mapping[str, np.ndarray], key: str) -> np.ndarray | None:
    # A whole array beside both of its parts would count twice.
    keys: Iterable[str] = (key,) if key in arrays and f"{key}_train" in arrays else (key, f"{key}_train", f"{key}_test")
    parts = {each: arrays[each] for each in keys if each in arrays}
    if len({part.shape[1:] for part in parts.values()}) > 1:
        shapes = ", ".join(f"{each} {part.shape}" for each, part in parts.items())
        raise ValueError(f"arrays of different shapes cannot be joined: {shapes}")
    return np.concatenate(list(parts.values())) if parts else None
