"""Stacking: a final estimator that learns from what members say of samples that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing

from ...autodiff.tape import Array
from ...template.wrapped import seeded
from .members import Given, fit_members, fit_weighted


def fitted_final(
    final_estimator: Any,
    members: Sequence[Any],
    says: Callable[[Sequence[Any], Any], Array],
    data: Given,
    cv: Any,
    n_jobs: int | None,
    rng: np.random.RandomState,
    bootstrap: np.random.RandomState | None,
) -> Any:
    """A fitted clone of the final estimator.

    Parameters
    ----------
    final_estimator : estimator
        Not fitted.
    members : sequence of estimator
        Not fitted; in each fold clones of them are.
    says : callable
        What fitted members say of samples, (n, n_features) for the final estimator.
    data : Given
        The training samples.
    cv : int, splitter or iterable
        The folds; samples that are in no test part, as the first of a series, only train members.
    n_jobs : int or None
        Among how many processes members are divided.
    rng : RandomState
        What the random states of the final estimator are drawn from.
    bootstrap : RandomState or None
        What draws the samples of each member, with replacement; None: each has all.

    Raises
    ------
    ValueError
        If a sample is in several test parts.
    """
    folds = list(check_cv(cv, data.y, classifier=is_classifier(final_estimator)).split(data.X, data.y, data.groups))
    tested = np.concatenate([test for _, test in folds])
    if len(np.unique(tested)) < len(tested):
        raise ValueError(f"cv={cv!r} has samples in several test parts, but stacking needs one answer for each")
    said = [
        says(fit_members(members, data.take(train), n_jobs, bootstrap), _safe_indexing(data.X, test))
        for train, test in folds
    ]
    order = np.argsort(tested)
    learns = data.take(tested[order])._replace(X=np.concatenate(said)[order], groups=None)
    return fit_weighted(seeded(clone(final_estimator), rng), learns)
