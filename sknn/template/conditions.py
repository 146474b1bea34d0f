"""Conditions: what a generator or a density is told of each sample, as numbers for its networks."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value
from ..nn.draws import Draws
from .inputs import array_of_targets
from .scaling import Scaling

CHANGED = "conditional was changed after the first fit, to {}; fit anew with warm_start=False"


class ConditionTarget:
    """The y of a conditional model: something known of each sample, not something to predict.

    Whole numbers, words and booleans are classes, one column of zeros and ones for each; numbers with fractions (any
    array of floats) are standardised; images and series, with more than two axes, are standardised as a whole.

    Parameters
    ----------
    y : ndarray of shape (n,), (n, n_columns) or (n, *grid, n_channels)
        Conditions; a table with columns of different kinds is an array of objects.
    weight : ndarray of shape (n,) or None
        Sample weights: how often a condition is drawn.

    Attributes
    ----------
    n_conditions : int
        Numbers that a sample is told by; of grids the channels.
    shape : tuple of int
        Of the encoded condition of one sample.

    Examples
    --------
    >>> target = ConditionTarget(np.array(["ill", "well", "ill"]), None)
    >>> target.encode(np.array(["well"]), np.float64)
    array([[0., 1.]])
    """

    loss = None  # it stands where others have a target, but nothing is compared with it
    n_outputs = 0
    is_certain = False
    per_position = False

    def __init__(self, y: Array, weight: Array | None) -> None:
        self._axes = y.shape[1:]
        self._columns: list[Any] = [_Grid(y)] if y.ndim > 2 else [_column(each, weight) for each in _of(y)]
        self.attributes = self._columns[0].attributes if y.ndim == 1 else {}
        self.stratifies = "classes_" in self.attributes
        known = self.encode(y, np.dtype(np.float32))
        self.n_conditions, self.shape = known.shape[-1], known.shape[1:]
        share = np.ones(len(y)) if weight is None else weight
        if known.ndim == 2:  # a few classes are told by their shares, however many samples there are
            known, index = np.unique(known, axis=0, return_inverse=True)
            share = np.bincount(index.ravel(), share)
        self._known, self._share = known, share / share.sum()

    def check(self, y: Array | None, all_of_them: bool) -> None:
        """Raise ValueError if y is not such as in the first fit."""
        if y is None:
            raise ValueError(CHANGED.format(False))
        if y.shape[1:] != self._axes:
            raise ValueError(f"y has shape {y.shape}, but the conditions of the first fit have {('n', *self._axes)}")
        self.encode(y, np.dtype(np.float64))

    def encode(self, y: Array, dtype: np.dtype) -> Array:
        """Numbers for the networks, shape (n, n_conditions) or (n, *grid, n_channels)."""
        if y.ndim > 2:
            return self._columns[0](y).astype(dtype)
        encoded = [column(values) for column, values in zip(self._columns, _of(y), strict=True)]
        return np.concatenate(encoded, axis=1).astype(dtype)

    def of(self, model: Any, y: Any) -> Array:
        """One condition, or one for each sample, as validated rows."""
        is_one = y is not None and not hasattr(y, "columns") and np.shape(y) == self._axes
        given = read_conditions(model, np.array([y], object if np.ndim(y) == 1 else None) if is_one else y)
        self.check(given, all_of_them=False)
        return given

    def for_each(self, n: int, given: Array, dtype: np.dtype) -> Array:
        """Encoded conditions of n samples, from rows: one for all, or one for each.

        Raises
        ------
        ValueError
            If there are others.
        """
        if len(given) not in (1, n):
            raise ValueError(f"y has {len(given)} conditions for {n} samples: give one for all, or one for each")
        encoded = self.encode(given, dtype)
        return encoded if len(given) == n else np.repeat(encoded, n, axis=0)

    def drawn(self, n: int, draws: Draws) -> Array:
        """Encoded conditions of samples of the fit."""
        return self._known[draws.choice(len(self._known), (n,), self._share)].astype(draws.dtype)


class _Classes:
    """One column of zeros and ones for each class."""

    def __init__(self, values: Array) -> None:
        self.classes = np.unique(values)
        self.attributes = {"classes_": self.classes}

    def __call__(self, values: Array) -> Array:
        number = np.searchsorted(self.classes, values).clip(max=len(self.classes) - 1)
        new = self.classes[number] != values
        if new.any():
            known = ", ".join(map(repr, self.classes[:8].tolist())) + (", ..." if len(self.classes) > 8 else "")
            raise ValueError(
                f"y has the class {values[new][:1].tolist()[0]!r}, which was not there in fit: {known}; a model knows "
                "the classes of its first fit, and has to be fitted anew to know more"
            )
        return np.eye(len(self.classes))[number]


class _Numbers:
    """Numbers, standardised."""

    attributes: ClassVar[dict[str, Any]] = {}

    def __init__(self, values: Array, weight: Array | None) -> None:
        self.scaling = Scaling([(values[:, None].astype(np.float64), weight)])

    def __call__(self, values: Array) -> Array:
        try:
            numbers = values[:, None].astype(np.float64)
        except ValueError:
            raise ValueError(f"y has {values[0]!s} where there were numbers in fit") from None
        scaled: Array = self.scaling(numbers)
        return scaled


class _Grid:
    """Images or series, standardised channel by channel."""

    attributes: ClassVar[dict[str, Any]] = {}

    def __init__(self, y: Array) -> None:
        self.scaling = Scaling([(y.reshape(-1, y.shape[-1]).astype(np.float64), None)])

    def __call__(self, y: Array) -> Array:
        scaled: Array = self.scaling(y.astype(np.float64))
        return scaled


def _column(values: Array, weight: Array | None) -> Any:
    """What a column of conditions is."""
    return _Numbers(values, weight) if values.dtype.kind == "f" else _Classes(values)


def _of(y: Array) -> list[Array]:
    """The columns of y, each of the type that it has by itself."""
    columns = [y] if y.ndim == 1 else list(y.T)
    return [np.asarray(column.tolist()) if column.dtype == object else column for column in columns]


def beside(x: Value, condition: Array | None) -> Value:
    """Samples, or what they are made of, with encoded conditions as further features, of grids as further channels.

    Examples
    --------
    >>> beside(np.zeros((1, 3, 1)), np.array([[5.0]]))[0].tolist()
    [[0.0, 5.0], [0.0, 5.0], [0.0, 5.0]]
    """
    if condition is None:
        return x
    wide = condition.reshape(len(condition), *(1,) * (x.ndim - 2), -1)
    return F.concatenate([x, np.broadcast_to(wide, (*x.shape[:-1], wide.shape[-1]))], axis=-1)


def read_conditions(model: Any, y: Any) -> Array:
    """Conditions as an array with a row for each sample; of one column an array (n,)."""
    name = type(model).__name__
    if y is None:
        raise ValueError(f"{name} with conditional=True needs y, the conditions of the samples")
    conditions = array_of_targets(model, y, numeric=False)
    if issparse(conditions):
        raise ValueError("y is sparse, but conditions have to be dense: give y.toarray()")
    if conditions.ndim > 2 and not model._takes_grids_as_conditions:
        raise ValueError(
            f"y has shape {conditions.shape}, but {name} takes one condition for each sample, (n,), or several, "
            "(n, n_columns); a DiffusionModel takes images"
        )
    return conditions[:, 0] if conditions.ndim == 2 and conditions.shape[1] == 1 else conditions


def names_of(y: Any) -> list[str] | None:
    """The names of the columns of conditions that come as a table."""
    return list(map(str, y.columns)) if hasattr(y, "columns") else None


def check_names(y: Any, expected: list[str] | None) -> None:
    """Raise ValueError if conditions come as a table with other columns than those of the fit."""
    names = names_of(y)
    if names is not None and expected is not None and names != expected:
        raise ValueError(f"y has the columns {names}, but those of the fit were {expected}, in this order")
