"""The splits of a data set: the same folds for every model, an inner split to tune on, and growing training sets."""

import warnings
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    check_cv,
)

from .data import DataSet
from .forecast import Forecast

INNER_FOLDS = 3
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2)  # of the training rows, for learning curves; the whole fold is the last point
FEWEST_ROWS = 10  # of a point on a learning curve


@dataclass(frozen=True, eq=False)
class Fold:
    """One split of a data set.

    Parameters
    ----------
    number : int
        From 0, over all repeats.
    train, test : ndarray of int
        Row numbers.
    """

    number: int
    train: np.ndarray
    test: np.ndarray


def folds_of(data: DataSet, cv: Any, repeats: int, seed: int) -> list[Fold]:
    """Split a data set.

    Parameters
    ----------
    data : DataSet
        What to split.
    cv : int, scikit-learn splitter or list of (train, test)
        A number of shuffled folds, stratified for labels and never dividing a group, and of forecasts a number of steps
        in time, each trained on all that comes before; or a splitter of your own:
        ``TimeSeriesSplit(5)``, say. A shuffling splitter without a seed gets this one.
    repeats : int
        How often to shuffle anew and split again, for a number of folds.
    seed : int
        The seed of the shuffling; repeat ``r`` takes ``seed + r``.

    Returns
    -------
    list of Fold
        ``cv * repeats`` folds, or as many as the splitter yields.

    Raises
    ------
    ValueError
        If there are fewer rows, groups or, unless the classes are stated, samples of some class than folds, or if a
        splitter of your own tests on rows, or on rows of groups, that it trains on.

    Examples
    --------
    >>> data = DataSet.from_arrays("toy", np.zeros((4, 1)), [0, 0, 1, 1])
    >>> [len(fold.test) for fold in folds_of(data, cv=2, repeats=2, seed=0)]
    [2, 2, 2, 2]
    """
    if data.forecast is not None and isinstance(cv, int | np.integer):
        splitters = [TimeSeriesSplit(int(cv))]
    elif isinstance(cv, int | np.integer):
        _check_enough(data, int(cv))
        splitters = [_shuffled(data, int(cv), seed + repeat) for repeat in range(repeats)]
    else:
        splitters = [_seeded(check_cv(cv), seed)]
    rows = np.zeros(data.n_samples)  # splitters ask for the number of rows alone
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The groups parameter is ignored")  # not by us, see below
        warnings.filterwarnings("ignore", "The least populated class in y")  # of classes that were stated
        pairs = [pair for splitter in splitters for pair in splitter.split(rows, data.y, data.groups)]
    folds = [Fold(number, np.asarray(train), np.asarray(test)) for number, (train, test) in enumerate(pairs)]
    for fold in folds:
        _check_apart(fold, data)
        if data.forecast is not None:
            _check_follows(fold, data, data.forecast)
    return folds


def _check_follows(fold: Fold, data: DataSet, forecast: Forecast) -> None:
    """What is forecast comes at once behind what is learnt from, and that is long enough."""
    rows = np.concatenate([fold.train, fold.test])
    if not (np.diff(rows) == 1).all():
        raise ValueError(
            f"cv: the rows that fold {fold.number} tests on do not follow those it trains on, as forecasts of "
            f"{data.name!r} need it; give a number of folds, or TimeSeriesSplit"
        )
    if len(fold.train) < forecast.fewest_rows:
        raise ValueError(
            f"cv: fold {fold.number} of {data.name!r} has {len(fold.train):,} steps to train on, but "
            f"window={forecast.window} and horizon={forecast.horizon} take {forecast.fewest_rows:,}; take fewer folds "
            "or a shorter window"
        )


def _check_apart(fold: Fold, data: DataSet) -> None:
    if n_shared := len(np.intersect1d(fold.train, fold.test)):
        raise ValueError(f"cv: fold {fold.number} trains on {n_shared} of the rows of {data.name!r} that it tests on")
    if data.groups is None:
        return
    if n_shared := len(np.intersect1d(data.groups[fold.train], data.groups[fold.test])):
        raise ValueError(
            f"cv: fold {fold.number} trains and tests on rows of the same {n_shared} groups of {data.name!r}; take a "
            f"number of folds or a splitter that keeps groups together, or leave the groups out"
        )


def check_search(folds: list[Fold], data: DataSet) -> None:
    """Refuse to search for parameters where the inner folds are too short to forecast anything.

    Parameters
    ----------
    folds : list of Fold
        The outer folds.
    data : DataSet
        What they are of.

    Raises
    ------
    ValueError
        If they are.
    """
    if data.forecast is None:
        return
    shortest, needed = min(len(fold.train) for fold in folds), _fewest_to_search(data.forecast)
    if shortest < needed:
        raise ValueError(
            f"tune: {data.name!r} has {shortest:,} steps to train on in the first fold, but a search divides them in "
            f"time again, which takes {needed:,} with window={data.forecast.window} and "
            f"horizon={data.forecast.horizon}; take fewer folds or a shorter window"
        )


def _fewest_to_search(forecast: Forecast) -> int:
    return (INNER_FOLDS + 1) * forecast.fewest_rows


def _check_enough(data: DataSet, cv: int) -> None:
    if data.groups is not None and (n_groups := len(np.unique(data.groups))) < cv:
        raise ValueError(f"cv={cv} needs at least {cv} groups, but {data.name!r} has {n_groups}")
    if data.task != "classification":
        if data.n_samples < cv:
            raise ValueError(f"cv={cv} needs at least {cv} rows, but {data.name!r} has {data.n_samples}")
        return
    labels, counts = np.unique(data.y, return_counts=True)
    may_lack, can_lack = data.classes is not None, counts.max() >= cv
    if counts.min() < cv and not (may_lack and can_lack):
        n_rare = int((counts < cv).sum())
        others = (
            "" if n_rare == 1 else f", and {n_rare - 1:,} other{'s have' if n_rare > 2 else ' has'} fewer than {cv}"
        )
        fewest = f"class {labels[counts.argmin()]!s} of {data.name!r} has {counts.min()}"
        raise ValueError(
            f"cv={cv} needs at least {cv} samples of every class, but {fewest}{others}{_remedy(counts, can_lack)}"
        )


def _remedy(counts: np.ndarray, can_lack: bool) -> str:
    """What to do about classes of which there are too few samples."""
    if np.median(counts) == 1:
        return (
            ": most classes have a single one, as if the target were the name of each sample; give another target, or "
            "if it is a number, say so with --task regression (task='regression')"
        )
    return "; if folds may lack it, state all classes with --classes (classes=)" if can_lack else ""


def _shuffled(data: DataSet, n_splits: int, seed: int) -> Any:
    kinds = {
        (True, False): StratifiedKFold,
        (True, True): StratifiedGroupKFold,
        (False, False): KFold,
        (False, True): GroupKFold,
    }
    kind = kinds[data.task == "classification", data.groups is not None]
    return kind(n_splits, shuffle=True, random_state=seed)


def _seeded(splitter: Any, seed: int) -> Any:
    # KFold() does not shuffle and ShuffleSplit() has no such choice: only what draws needs the seed.
    if getattr(splitter, "random_state", 0) is not None or not getattr(splitter, "shuffle", True):
        return splitter
    splitter = copy(splitter)
    splitter.random_state = seed
    return splitter


def inner_splitter(data: DataSet, cv: Any, seed: int) -> Any:
    """Return the splitter of the inner cross-validation, of the same kind as the outer one.

    Parameters
    ----------
    data : DataSet
        The data set, for its task and whether it has groups.
    cv : int or scikit-learn splitter
        The outer splits: where these go by time, the inner ones do, too.
    seed : int
        The seed of the shuffling.

    Returns
    -------
    scikit-learn splitter
        Of three folds.
    """
    return TimeSeriesSplit(INNER_FOLDS) if is_by_time(cv, data) else _shuffled(data, INNER_FOLDS, seed)


def is_by_time(cv: Any, data: DataSet) -> bool:
    """Tell whether the splits train on the past and test on what follows."""
    return isinstance(cv, TimeSeriesSplit) or data.forecast is not None


def growing(fold: Fold, data: DataSet, by_time: bool, seed: int) -> Iterator[np.ndarray]:
    """Yield ever larger parts of a fold's training rows, for a learning curve; the whole is not among them.

    Parameters
    ----------
    fold : Fold
        Whose test rows stay the same.
    data : DataSet
        The data set; of labels, each part has about the shares of the whole.
    by_time : bool
        Whether a part is the rows that come last, rather than a random choice.
    seed : int
        The seed of the choice.

    Yields
    ------
    ndarray of int
        Row numbers; each part lies within the next one.
    """
    rows = fold.train[::-1] if by_time else np.random.RandomState(seed).permutation(fold.train)
    fewest = FEWEST_ROWS if data.forecast is None else _fewest_to_search(data.forecast)
    if data.task == "classification":
        fewest = max(fewest, 2 * len(np.unique(data.y[rows])))
        if not by_time:
            rows = rows[_evenly_by_class(data.y[rows])]
    for share in SHARES:
        if (n_rows := int(share * len(rows))) >= fewest:
            yield np.sort(rows[:n_rows])


def _evenly_by_class(y: np.ndarray) -> np.ndarray:
    """Order rows so that every beginning holds the classes in the shares of the whole, and each class early."""
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    nth_of_its_class = np.empty(len(y))
    by_class = np.argsort(codes, kind="stable")
    nth_of_its_class[by_class] = np.concatenate([np.arange(count) for count in counts])
    return np.argsort(nth_of_its_class / counts[codes], kind="stable")
