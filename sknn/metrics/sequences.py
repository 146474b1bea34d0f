"""Scores of sequences: the share that is right as a whole, and how far off the others are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..autodiff.tape import Array
from .weights import checked_weights


def exact_match(y_true: Any, y_pred: Any, *, unlabelled: Any = None, sample_weight: Any = None) -> float:
    """The share of samples that are right as a whole: every position, and as many of them.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples, ...), or list of str, lists or arrays
        Sequences of tokens, strings or label maps.
    unlabelled : label, default=None
        Marks positions in `y_true` whose label is not known: whatever is predicted there is right. None: there are
        none.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each sample counts.

    Returns
    -------
    score : float
        Between 0 and 1; NaN if no sample counts.

    Raises
    ------
    ValueError
        If there are not as many samples in both, or weights are negative.

    Examples
    --------
    >>> from sknn.metrics import exact_match
    >>> exact_match(["run", "walk", "look"], ["run", "walks", "lock"])
    0.3333333333333333
    >>> exact_match([[0, 1, -1], [1, 1, 0]], [[0, 1, 1], [1, 0, 0]], unlabelled=-1)
    0.5
    """
    pairs = _pairs(y_true, y_pred)
    weight = checked_weights(sample_weight, len(pairs))
    right = [_are_equal(truth, predicted, unlabelled) for truth, predicted in pairs]
    return float(np.average(right, weights=weight)) if weight.any() else float("nan")


def _are_equal(truth: Any, predicted: Any, unlabelled: Any) -> bool:
    tokens, others = _tokens(truth), _tokens(predicted)
    if np.shape(truth) != np.shape(predicted) or len(tokens) != len(others):
        return False
    return all(a == b or (unlabelled is not None and a == unlabelled) for a, b in zip(tokens, others, strict=True))


def edit_distance(
    y_true: Any, y_pred: Any, *, average: Literal["mean", "rate"] | None = "mean", sample_weight: Any = None
) -> float | Array:
    """How many tokens have to be inserted, deleted or replaced to make the true sequence of the predicted one.

    That is Levenshtein's distance; 0 is perfect.

    Parameters
    ----------
    y_true, y_pred : list of str, lists or arrays
        Sequences of tokens, in which the tokens of a string are its characters. Those of a pair may differ in length.
    average : {"mean", "rate"} or None, default="mean"
        The mean distance of a pair; all distances over all tokens of the truth, which is the error rate of characters
        or words ("rate"); or (None) the distance of each pair.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each pair counts.

    Returns
    -------
    distance : float, or ndarray of int of shape (n_samples,)
        NaN if nothing counts.

    Raises
    ------
    ValueError
        If there are not as many samples in both, weights are negative, or `average` is something else.

    References
    ----------
    Wagner, Fischer (1974). The string-to-string correction problem. Journal of the ACM 21.

    Examples
    --------
    >>> from sknn.metrics import edit_distance
    >>> edit_distance(["kitten", "run"], ["sitting", "run"], average=None)
    array([3, 0])
    >>> edit_distance([["turn", "left"], ["walk"]], [["turn"], ["walk"]], average="rate")
    0.3333333333333333
    """
    if average not in ("mean", "rate", None):
        raise ValueError(f"average={average!r} must be 'mean', 'rate' or None")
    pairs = [(_tokens(truth), _tokens(predicted)) for truth, predicted in _pairs(y_true, y_pred)]
    distances = np.array([_distance(truth, predicted) for truth, predicted in pairs])
    if average is None:
        return distances
    weight = checked_weights(sample_weight, len(pairs))
    whole = weight if average == "mean" else weight * [len(truth) for truth, _ in pairs]
    return float(weight @ distances / whole.sum()) if whole.any() else float("nan")


def _distance(a: Sequence[Any], b: Sequence[Any]) -> int:
    """Row by row of the table of distances of beginnings; what is inserted along a row is a running minimum."""
    code: dict[Any, int] = {}
    x, y = (np.array([code.setdefault(token, len(code)) for token in tokens], np.intp) for tokens in (a, b))
    steps = np.arange(len(y) + 1)
    row = steps
    for k, token in enumerate(x, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + (y != token))  # deleted, replaced
        row = np.minimum.accumulate(np.concatenate([[k], best]) - steps) + steps
    return int(row[-1])


def _pairs(y_true: Any, y_pred: Any) -> list[tuple[Any, Any]]:
    """Truth and prediction of each sample."""
    for name, y in {"y_true": y_true, "y_pred": y_pred}.items():
        if not hasattr(y, "__len__") or isinstance(y, str):
            raise ValueError(f"{name} must hold a sequence for each sample, got {y!r}")
    if len(y_true) != len(y_pred):
        raise ValueError(f"y_true has {len(y_true)} samples, but y_pred has {len(y_pred)}")
    if not len(y_true):
        raise ValueError("y_true holds no samples")
    return list(zip(y_true, y_pred, strict=True))


def _tokens(sample: Any) -> Sequence[Any]:
    return sample if isinstance(sample, str) else np.asarray(sample).ravel().tolist()
