"""Targets at positions: a label, or a number, for every step of a series, every pixel of an image, every token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autodiff.tape import Array, Value
from ..losses import Loss
from .targets import Target
from .values import rows


class PositionLoss(Loss):
    """A loss of raw outputs at positions, (n, *grid, n_outputs) or rows without padding: one value a position."""

    def __init__(self, loss: Loss) -> None:
        self.loss, self.link, self.outputs_averaged = loss, loss.link, loss.outputs_averaged

    def __call__(self, raw: Any, y: Array) -> Value:
        raw = in_a_row(raw)
        positions = raw.shape[:-1]
        if y.shape[: len(positions)] != positions:
            raise ValueError(
                f"y has labels at positions of shape {y.shape[1 : len(positions)]}, but the network has outputs at "
                f"positions of shape {positions[1:]}"
                if len(positions) > 1
                else f"y has {len(y)} labels, but the network has outputs at {len(raw)} positions"
            )
        if len(positions) == 1:
            return self.loss(raw, y)
        values = self.loss(raw.reshape(-1, raw.shape[-1]), y.reshape(-1, *y.shape[len(positions) :]))
        return values.reshape(*positions)


class PositionTarget(Target):
    """Any target, behind positions.

    Labelled positions are what the target is about; the others count for nothing, neither in its classes and scales nor
    in the loss, so that the fit is that of the same positions left out.

    Parameters
    ----------
    y : ndarray of shape (n_samples, *grid), Sequences or Grids
        A label or a number for each position.
    weight : ndarray of shape (n_samples,) or None
        Sample weights, which hold for all positions of a sample.
    make : callable
        Called as ``make(y, weight)`` with the labelled positions in a row; the target for them.
    unlabelled : label, default=None
        Marks positions whose label is not known. None: numbers that are NaN.

    Raises
    ------
    ValueError
        If no position is labelled, or the labels are exactly -1 and 1 and -1 marks unknown ones: these are common
        labels, of which one would be lost without a word.

    Examples
    --------
    >>> from sknn.template.targets import ClassTarget
    >>> y = np.array([["sky", "tree"], ["tree", "?"]])
    >>> target = PositionTarget(y, None, lambda labels, weight: ClassTarget(labels), unlabelled="?")
    >>> target.attributes["classes_"].tolist(), target.encode(y, np.float64)[..., 0].tolist()
    (['sky', 'tree'], [[0.0, 1.0], [1.0, 0.0]])
    >>> target.weights(y, None).tolist()
    [[1.0, 1.0], [1.0, 0.0]]
    """

    per_position = True

    def __init__(
        self, y: Any, weight: Array | None, make: Callable[[Array, Array | None], Target], unlabelled: Any = None
    ) -> None:
        self.unlabelled = unlabelled
        labels, known = self._labels(y)
        if unlabelled is not None and unlabelled == -1 and set(np.unique(labels).tolist()) == {-1, 1}:
            raise ValueError(
                "y has the labels -1 and 1, of which unlabelled=-1 says that the first marks positions that are not "
                "labelled; say unlabelled=None if it is a label"
            )
        if not known.any():
            raise ValueError(f"y has no labelled position: all are {unlabelled!r} (unlabelled={unlabelled!r})")
        inner = self.inner = make(labels[known], None if weight is None else at_positions(weight, y).ravel()[known])
        self.loss, self.n_outputs, self.attributes = PositionLoss(inner.loss), inner.n_outputs, inner.attributes
        self.exclusive, self.is_certain = inner.exclusive, inner.is_certain

    def check(self, y: Any, all_of_them: bool) -> None:
        """Raise ValueError if labelled positions have other classes than in the first fit."""
        labels, known = self._labels(y)
        self.inner.check(labels[known], all_of_them)

    def encode(self, y: Any, dtype: np.dtype) -> Any:
        """As the loss takes them, in the form of y; positions without a label are encoded as one that has one."""
        labels, known = self._labels(y)
        some = labels[int(np.argmax(known))] if known.any() else self.inner.decode(np.zeros((1, self.n_outputs)))[0]
        return _like(y, self.inner.encode(np.where(known, labels, some), dtype))

    def weights(self, y: Any, weight: Array | None, factors: Callable[[Array], Array] | None = None) -> Any:
        """Those of all positions, in the form of y: of its sample, 0 where it has no label, times that of its label."""
        labels, known = self._labels(y)
        found = known.astype(np.float64)
        if weight is not None:
            found *= at_positions(weight, y).ravel()
        if factors is not None:
            found *= factors(labels)
        return _like(y, found)

    def decode(self, raw: Any) -> Any:
        """Predictions at all positions, in the form of `raw`; an object array where samples differ in length."""
        return self._of_positions(self.inner.decode, raw)

    def proba(self, raw: Any) -> Any:
        """Probabilities of the classes, along a last axis."""
        return self._of_positions(self.inner.proba, raw)  # type: ignore[attr-defined]

    def _of_positions(self, of_rows: Callable[[Array], Array], raw: Any) -> Any:
        rows = in_a_row(raw)
        found = of_rows(rows.reshape(-1, rows.shape[-1]))
        found = found.reshape(*rows.shape[:-1], *found.shape[1:])
        return np.asarray(raw.like(found)) if hasattr(raw, "lengths") else found

    def _labels(self, y: Any) -> tuple[Array, Array]:
        """All labels in a row, and which of them are known."""
        labels = in_a_row(y).ravel()
        if self.unlabelled is not None:
            return labels, labels != self.unlabelled
        return labels, ~np.isnan(labels) if labels.dtype.kind == "f" else np.ones(len(labels), bool)


def aligned(x: Any, y: Any) -> Any:
    """Labels at the positions of x: in rows without padding as its samples are, or as an array (n, *grid).

    Raises
    ------
    ValueError
        If the labels of a sample have not the shape of its grid, labels of samples on one grid differ in shape, or some
        are masked.
    """
    y = rows("y", y)
    if not hasattr(x, "lengths"):
        grid = x.shape[1:-1]
        for k, labels in enumerate(y):
            if np.shape(labels) != grid:
                raise ValueError(
                    f"y must hold a label for each position of each sample, but that of sample {k} has shape "
                    f"{np.shape(labels)}, and the sample positions of shape {grid}"
                    f"{_remedy(np.shape(labels), x.shape[1:])}"
                )
        if isinstance(y, np.ndarray) and y.dtype != object:
            return np.asarray(y)  # of a masked array without a mask
        return np.stack([np.asarray(labels) for labels in y])
    for k, (labels, grid) in enumerate(zip(y, x.shapes.tolist(), strict=True)):
        if np.shape(labels) != tuple(grid):
            size = f"has {grid[0]} steps" if len(grid) == 1 else f"is {' x '.join(map(str, grid))}"
            raise ValueError(f"sample {k} {size}, but labels of shape {np.shape(labels)} in y")
    return y if hasattr(y, "lengths") else x.like(np.concatenate([np.ravel(labels) for labels in y]))


def _remedy(labels: tuple[int, ...], sample: tuple[int, ...]) -> str:
    """What to do about the labels of one sample, where their shape tells."""
    if labels == sample and sample[-1] > 1:
        return "; if X has no axis for the channel, give X[..., None]"
    return "; give y[..., 0]" if labels == (*sample[:-1], 1) else ""


def in_a_row(y: Any) -> Any:
    """The values at all positions."""
    return y.values if hasattr(y, "lengths") else y


def at_positions(each: Array, y: Any) -> Array:
    """What belongs to each sample, at all of its positions."""
    if hasattr(y, "lengths"):
        return y.at_positions(each)
    return np.broadcast_to(each.reshape(-1, *[1] * (y.ndim - 1)), y.shape)


def _like(y: Any, values: Array) -> Any:
    """Values at all positions, in the form of y."""
    return y.like(values) if hasattr(y, "lengths") else values.reshape(*y.shape, *values.shape[1:])
