"""Scores that scikit-learn does not have: of labels at positions, and of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from .autodiff.tape import Array


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
    weight = _weights(sample_weight, len(pairs))
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
    weight = _weights(sample_weight, len(pairs))
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


def _overlap(y_true: Any, y_pred: Any, average: str | None, unlabelled: Any, sample_weight: Any) -> tuple[Array, Array]:
    """Of each class that occurs, the weight of where truth and prediction are it, and of where each of both is."""
    if average not in ("macro", None):
        raise ValueError(f"average={average!r} must be 'macro' or None")
    truth, n_positions = _positions("y_true", y_true)
    predicted, also = _positions("y_pred", y_pred)
    if not np.array_equal(n_positions, also):
        k = int(np.argmax(n_positions != also)) if len(n_positions) == len(also) else min(len(n_positions), len(also))
        raise ValueError(f"y_true and y_pred must have the same positions, but differ in sample {k}")
    weight = np.repeat(_weights(sample_weight, len(n_positions)), n_positions)
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


def _weights(sample_weight: Any, n: int) -> Array:
    weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, np.float64)
    if weight.shape != (n,):
        raise ValueError(f"sample_weight has shape {weight.shape}, but there are {n} samples")
    if not np.all(weight >= 0):
        raise ValueError("sample_weight must not be negative or NaN")
    return weight
