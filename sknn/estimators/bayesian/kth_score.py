r"""Which of the scores of n samples those of a new one does not exceed, with a given confidence.

If all n + 1 samples are exchangeable, the rank of the new score among them is any of 1, ..., n + 1 with the same
probability, so that it is at most the k-th smallest of the others with a probability of at least :math:`k / (n + 1)`.
For a confidence :math:`c` that takes

.. math:: k = \lceil c \, (n + 1) \rceil,

and where k exceeds n no score is large enough: the bound is infinite. (Vovk, Gammerman, Shafer 2005.)

With weights, scores count as much as their samples weigh, and the new sample as much as they weigh on average, so that
equal weights change nothing and nothing depends on their scale (Tibshirani, Barber, Candès, Ramdas 2019, where the
weight of the new sample is known).
"""

from __future__ import annotations

import warnings
from fractions import Fraction
from math import ceil, inf

import numpy as np

from ...autodiff.tape import Array

ROUNDING = 1e-12  # of sums of weights, as a share of their total


def reach(confidence: float, n: int, weight: Array | None = None) -> float:
    """How much the scores have to weigh together that lie at or below the bound; without weights, how many they are.

    Examples
    --------
    >>> reach(0.9, 9), reach(0.9, 10)
    (9, 10)
    >>> reach(0.55, 99)  # 0.55 * 100 is 55.00000000000001 in floating point
    55
    """
    if weight is None:
        return ceil(_meant(confidence) * (n + 1))
    total = float(weight.sum())
    return confidence * (total + total / n) - ROUNDING * total


def warn_if_too_few(confidence: float, n: int, weight: Array | None = None) -> None:
    """Say so if no score is large enough."""
    if reach(confidence, n, weight) <= (n if weight is None else weight.sum()):
        return
    level = _meant(confidence)
    warnings.warn(
        f"{n} conformity scores are too few for confidence={confidence:g}, which takes {ceil(level / (1 - level))} of "
        "them, or more where weights differ: nothing can be ruled out",
        UserWarning,
        stacklevel=3,
    )


def kth_smallest(values: Array, reach: float, weight: Array | None = None) -> Array:
    """The smallest value, along the last axis, at or below which values weigh as much as `reach`; inf if none does.

    Examples
    --------
    >>> scores = np.array([3.0, 1.0, 2.0])
    >>> float(kth_smallest(scores, 2)), float(kth_smallest(scores, 4))
    (2.0, inf)
    >>> float(kth_smallest(scores, 2, np.array([1.0, 2.0, 1.0])))
    1.0
    """
    n = values.shape[-1]
    if weight is None:
        k = int(reach)
        return np.partition(values, k - 1, axis=-1)[..., k - 1] if k <= n else np.full(values.shape[:-1], inf)
    order = np.argsort(values, axis=-1, kind="stable")
    position = (np.cumsum(weight[order], axis=-1) < reach).sum(axis=-1, keepdims=True)
    found = np.take_along_axis(np.take_along_axis(values, order, -1), np.minimum(position, n - 1), -1)
    return np.where(position < n, found, inf)[..., 0]


def weight_below(scores: Array, values: Array, weight: Array | None = None) -> Array:
    """How much the scores weigh that are smaller than each value; without weights, how many they are."""
    if weight is None:
        return np.searchsorted(np.sort(scores), values, side="left")
    order = np.argsort(scores, kind="stable")
    reached = np.concatenate([[0.0], np.cumsum(weight[order])])
    return reached[np.searchsorted(scores[order], values, side="left")]


def _meant(confidence: float) -> Fraction:
    """The number that is meant, 9/10 by 0.9 and 5/6 by 5 / 6, and not the binary fraction that is nearest to it."""
    simple = Fraction(confidence).limit_denominator(1_000_000)
    return simple if float(simple) == confidence else Fraction(repr(float(confidence)))
