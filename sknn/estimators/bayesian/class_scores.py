"""How little a classifier expected a class: what becomes of its probabilities in prediction sets."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autodiff.tape import Array


def least_ambiguous(probability: Array) -> Array:
    """What is missing of a class to certainty, (n_samples, n_classes); its sets are the smallest on average.

    Sadinle, Lei, Wasserman (2019).
    """
    return 1 - probability


def adaptive(probability: Array) -> Array:
    """The probability of all classes that are more probable, (n_samples, n_classes); 0 for the most probable one.

    The smallest level at which sets of the most probable classes, filled up until their probabilities reach the level,
    hold the class (Romano, Sesia, Candès 2020, without their randomisation).

    Examples
    --------
    >>> adaptive(np.array([[0.2, 0.5, 0.2, 0.1]])).round(1).tolist()
    [[0.5, 0.0, 0.5, 0.9]]
    """
    order = np.argsort(-probability, axis=1, kind="stable")
    falling = np.take_along_axis(probability, order, axis=1)
    before = np.cumsum(falling, axis=1) - falling
    column = np.arange(probability.shape[1])
    first_of_equals = np.maximum.accumulate(np.where(np.diff(falling, prepend=np.inf, axis=1) != 0, column, 0), axis=1)
    scores = np.empty_like(probability)
    np.put_along_axis(scores, order, np.take_along_axis(before, first_of_equals, axis=1), axis=1)
    return scores


SCORES = {"lac": least_ambiguous, "aps": adaptive}


def probabilities(estimator: Any, X: Any, classes: Array) -> Array:
    """What a fitted estimator says of each class, in double precision; 0 of a class that it has never seen.

    Raises
    ------
    ValueError
        If it says NaN.
    """
    found = np.asarray(estimator.predict_proba(X), np.float64)
    if np.isnan(found).any():
        raise ValueError(f"predict_proba of the estimator gave NaN for {np.isnan(found).any(axis=1).sum()} sample(s)")
    every = np.zeros((len(found), len(classes)))
    every[:, np.searchsorted(classes, estimator.classes_)] = found
    return every
