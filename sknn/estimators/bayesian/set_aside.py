"""Samples that are set aside, so that an estimator that has not learnt from them shows how wrong it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, Literal, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    ShuffleSplit,
    check_cv,
)
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _num_samples

from ...autodiff.tape import Array
from ...description import is_integer, is_number
from ...template.estimator import Estimator
from ...template.parameters import interval, parameter
from ...template.side_by_side import fit_side_by_side
from ...template.wrapped import seeded, weight_for

FOLDS, SHARE = 10, 0.25  # unless `cv` says something else

METHOD: Literal["cv+", "split", "jackknife+"] = parameter(
    default="cv+",
    text='How samples are kept for calibration. "split": a share is set aside, and one estimator learns from the rest; '
    'the cheapest. "cv+": each fold is set aside once, by an estimator that learns from the others, and one more '
    'learns from all samples, for `predict`. "jackknife+": each sample is a fold of its own, with groups each group; '
    "for estimators that fit in no time.",
)
CV: int | float | Sequence | Any = parameter(
    default=None,
    allowed=("cv_object", interval(Real, "(0, 1)")),
    text='Which samples are set aside. For "cv+" a number of folds, a splitter whose test sets hold no sample twice, '
    'or a list of training and test rows. For "split" a share, a number of folds of which one is set aside, or a '
    "splitter, of which the first split is taken. Shares and folds are drawn at random, and keep `groups` together. "
    'None: ten folds; a quarter; for "jackknife+" it has to be None. Of a ``FrozenEstimator``, which learns nothing, '
    "all samples are for calibration.",
)
CONFIDENCE: float = parameter(
    default=0.9, interval="(0, 1)", text="The probability with which y is to be covered, unless a prediction says one."
)
N_JOBS: int | None = parameter(
    default=None,
    text="How many estimators are fitted at a time, in processes of their own; None: one, but networks that are alike "
    "take their steps side by side, which changes no bit.",
)
RANDOM_STATE: int | np.random.RandomState | None = parameter(
    default=None,
    interval="[0, 4294967295]",
    text="Determines which samples are set aside, and every ``random_state`` of the estimator that is None.",
)


class Fold(NamedTuple):
    """Rows that an estimator learns from, and rows that it has not seen."""

    training: Array
    aside: Array


class Fitted(NamedTuple):
    """An estimator for each fold, and the one that predicts."""

    folds: list[Fold]
    members: list[Any]
    final: Any


def fitted_aside(wrapper: Any, estimator: Any, X: Any, y: Array, weight: Array | None, groups: Any) -> Fitted:
    """Fit clones of the estimator to all samples but those set aside, and where it takes another one, to all.

    The wrapper has the parameters above.
    """
    if isinstance(estimator, FrozenEstimator):
        rows = np.arange(_num_samples(X))
        return Fitted([Fold(rows[:0], rows)], [estimator], estimator)
    rng = check_random_state(wrapper.random_state)
    folds = _folds(wrapper, X, y, groups, rng)
    learnt = [each.training for each in folds]
    if wrapper.method != "split":
        learnt.append(np.arange(_num_samples(X)))
    members = _fits([seeded(clone(estimator), rng) for _ in learnt], X, y, weight, learnt, wrapper.n_jobs)
    return Fitted(folds, members[: len(folds)], members[-1])


class Calibration(NamedTuple):
    """The scores of samples that were set aside and count, in the order of the samples."""

    scores: Array
    fold: Array  # which of the folds each comes from
    weight: Array | None


def calibration(
    folds: list[Fold], shape: tuple[int, ...], weight: Array | None, score: Callable[[int, Array], Array]
) -> Calibration:
    """The scores of all samples, of which there are shape[0], where `score(k, aside)` gives those of a fold.

    Raises
    ------
    ValueError
        If none of them counts.
    """
    scores, fold = np.full(shape, np.nan), np.full(shape[0], -1)
    for k, (_, aside) in enumerate(folds):
        scores[aside], fold[aside] = score(k, aside), k
    counts = (fold >= 0) & (True if weight is None else weight > 0)
    if not counts.any():
        raise ValueError("no sample that was set aside has a weight above 0, so that there is nothing to go by")
    return Calibration(scores[counts], fold[counts], None if weight is None else weight[counts])


# -- which samples --------------------------------------------------------------------------------------------------


def _folds(wrapper: Any, X: Any, y: Array, groups: Any, rng: np.random.RandomState) -> list[Fold]:
    splitter = _splitter(wrapper, _num_samples(X), groups, int(rng.randint(1 << 31)))
    folds = [Fold(*map(np.asarray, each)) for each in splitter.split(X, y, groups)]
    folds = folds[:1] if wrapper.method == "split" else folds
    aside = np.concatenate([each.aside for each in folds])
    if len(np.unique(aside)) < len(aside):
        raise ValueError(
            f'cv={wrapper.cv!r} sets a sample aside more than once, but method="cv+" takes one score of each: give '
            "folds that do not overlap, such as KFold(10, shuffle=True)"
        )
    if any(np.isin(each.aside, each.training).any() for each in folds):
        raise ValueError(f"cv={wrapper.cv!r} sets samples aside that are learnt from in the same fold")
    return folds


def _splitter(wrapper: Any, n_samples: int, groups: Any, seed: int) -> Any:
    method, cv, grouped = wrapper.method, wrapper.cv, groups is not None
    if method == "jackknife+":
        if cv is not None:
            raise ValueError(
                f'cv={cv!r} does not apply with method="jackknife+", which sets each sample aside by itself; for folds '
                'take method="cv+"'
            )
        return LeaveOneGroupOut() if grouped else LeaveOneOut()
    if cv is None:
        n_units = len(np.unique(groups)) if grouped else n_samples
        cv = SHARE if method == "split" else min(FOLDS, max(n_units, 2))
    if is_integer(cv):
        return (GroupKFold if grouped else KFold)(cv, shuffle=True, random_state=seed)
    if not is_number(cv):
        return check_cv(cv)
    if method != "split":
        raise ValueError(f'cv={cv!r} is a share, which method="split" takes; for "cv+" give a number of folds')
    return (GroupShuffleSplit if grouped else ShuffleSplit)(1, test_size=cv, random_state=seed)


# -- what is learnt from the others ---------------------------------------------------------------------------------


def _fits(
    estimators: list[Any], X: Any, y: Array, weight: Array | None, learnt: list[Array], n_jobs: int | None
) -> list[Any]:
    """Each fitted to its rows, those that count."""
    if weight is not None:
        learnt = [rows[weight[rows] > 0] for rows in learnt]
    if effective_n_jobs(n_jobs) == 1 and all(isinstance(each, Estimator) for each in estimators):
        return fit_side_by_side(estimators, X, y, weight, rows=learnt)
    return Parallel(n_jobs=n_jobs)(
        delayed(_fit)(estimator, X, y, weight, rows) for estimator, rows in zip(estimators, learnt, strict=True)
    )


def _fit(estimator: Any, X: Any, y: Array, weight: Array | None, rows: Array) -> Any:
    part = None if weight is None else weight[rows]
    return estimator.fit(_safe_indexing(X, rows), y[rows], **weight_for(estimator, part))
