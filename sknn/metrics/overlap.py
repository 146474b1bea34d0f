"""How far labels at positions overlap with those predicted."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ..autodiff.tape import Array
from .weights import checked_weights


def dice_score(
    y_true: Any,
    y_pred: Any,
    *,
    average: Literal["macro"] | None = "macro",
    unlabelled: Any = None,
    sample_weight: Any = None,
) -> float | Array:
    r"""The Dice coefficient of labels at positions: the overlap of truth and prediction.

    For each class, over all labelled positions of all samples together,

    .. math:: D_k = \frac{2\, |T_k \cap P_k|}{|T_k| + |P_k|},

    where :math:`T_k` are the positions of the class and :math:`P_k` those that are predicted to be. It is the F1 score
    of the class. 1 is perfect.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples, ...), or list of arrays
        Labels, one for each position: label maps of one shape, or for each sample an array of its own.
    average : {"macro"} or None, default="macro"
        The mean over the classes that occur in truth or prediction, or (None) the score of each of these, sorted by
        label.
    unlabelled : label, default=None
        Marks positions in `y_true` whose label is not known: they count for nothing. None: there are none.
    sample_weight : array-like of shape (n_samples,), default=None
        How much the positions of each sample count.

    Returns
    -------
    score : float, or ndarray of shape (n_classes,)
        NaN if no position is labelled.

    Raises
    ------
    ValueError
        If truth and prediction do not have the same positions, or contain NaN, if weights are negative, or `average` is
        something else.

    References
    ----------
    Dice (1945). Measures of the amount of ecologic association between species. Ecology 26.

    Examples
    --------
    >>> from sknn.metrics import dice_score
    >>> truth = [[0, 0, 1, 1], [0, 0, 0, -1]]
    >>> dice_score(truth, [[0, 0, 0, 1], [0, 0, 0, 1]], average=None, unlabelled=-1).round(3)
    array([0.909, 0.667])
    """
    both, sizes = _overlap(y_true, y_pred, average, unlabelled, sample_weight)
    return _averaged(2 * both / sizes, average)


def iou_score(
    y_true: Any,
    y_pred: Any,
    *,
    average: Literal["macro"] | None = "macro",
    unlabelled: Any = None,
    sample_weight: Any = None,
) -> float | Array:
    r"""Intersection over union of labels at positions, the Jaccard index: the overlap of truth and prediction.

    For each class, over all labelled positions of all samples together,

    .. math:: J_k = \frac{|T_k \cap P_k|}{|T_k \cup P_k|},

    where :math:`T_k` are the positions of the class and :math:`P_k` those that are predicted to be. It is
    :math:`D_k / (2 - D_k)` of the Dice coefficient :math:`D_k`. 1 is perfect.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples, ...), or list of arrays
        Labels, one for each position: label maps of one shape, or for each sample an array of its own.
    average : {"macro"} or None, default="macro"
        The mean over the classes that occur in truth or prediction, or (None) the score of each of these, sorted by
        label.
    unlabelled : label, default=None
        Marks positions in `y_true` whose label is not known: they count for nothing. None: there are none.
    sample_weight : array-like of shape (n_samples,), default=None
        How much the positions of each sample count.

    Returns
    -------
    score : float, or ndarray of shape (n_classes,)
        NaN if no position is labelled.

    Raises
    ------
    ValueError
        If truth and prediction do not have the same positions, or contain NaN, if weights are negative, or `average` is
        something else.

    References
    ----------
    Jaccard (1912). The distribution of the flora in the alpine zone. New Phytologist 11.

    Examples
    --------
    >>> from sknn.metrics import iou_score
    >>> truth = [[0, 0, 1, 1], [0, 0, 0, -1]]
    >>> iou_score(truth, [[0, 0, 0, 1], [0, 0, 0, 1]], average=None, unlabelled=-1).round(3)
    array([0.833, 0.5  ])
    """
    both, sizes = _overlap(y_true, y_pred, average, unlabelled, sample_weight)
    return _averaged(both / (sizes - both), average)


def _overlap(y_true: Any, y_pred: Any, average: str | None, unlabelled: Any, sample_weight: Any) -> tuple[Array, Array]:
    """Of each class that occurs, the weight of where truth and prediction are it, and of where each of both is."""
    if average not in ("macro", None):
        raise ValueError(f"average={average!r} must be 'macro' or None")
    truth, n_positions = _positions("y_true", y_true)
    predicted, also = _positions("y_pred", y_pred)
    if not np.array_equal(n_positions, also):
        k = int(np.argmax(n_positions != also)) if len(n_positions) == len(also) else min(len(n_positions), len(also))
        raise ValueError(f"y_true and y_pred must have the same positions, but differ in sample {k}")
    weight = np.repeat(checked_weights(sample_weight, len(n_positions)), n_positions)
    labelled = np.ones(len(truth), bool) if unlabelled is None else truth != unlabelled
    truth, predicted, weight = truth[labelled], predicted[labelled], weight[labelled]
    if not len(truth):
        return np.empty(0), np.empty(0)
    labels, codes = np.unique(np.concatenate([truth, predicted]), return_inverse=True)
    t, p = codes[: len(truth)], codes[len(truth) :]
    both = np.bincount(t, weight * (t == p), len(labels))
    sizes = np.bincount(t, weight, len(labels)) + np.bincount(p, weight, len(labels))
    return both[sizes > 0], sizes[sizes > 0]


def _averaged(scores: Array, average: str | None) -> float | Array:
    if average is None:
        return scores
    return float(scores.mean()) if len(scores) else float("nan")


def _positions(name: str, y: Any) -> tuple[Array, Array]:
    """All labels in one row, and how many belong to each sample."""
    if not hasattr(y, "__len__") or isinstance(y, str):
        raise ValueError(f"{name} must hold the labels of each sample, got {y!r}")
    if not len(y):
        raise ValueError(f"{name} holds no samples")
    if any(map(np.ma.is_masked, [y] if isinstance(y, np.ndarray) and y.dtype != object else y)):
        raise ValueError(f"{name} is masked in places: fill them with a label, as filled(-1), and say unlabelled=-1")
    samples = [np.asarray(sample) for sample in y]
    labels = np.concatenate([sample.ravel() for sample in samples])
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError(f"{name} contains NaN, which is no label: give those positions one, and say unlabelled=...")
    return labels, np.array([sample.size for sample in samples])
