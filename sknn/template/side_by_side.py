"""Estimators fitted side by side: in much less time than one after the other, and with the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import _safe_indexing

from ..autodiff.tape import Array
from ..train import Training, go_side_by_side, train_side_by_side
from .estimator import nothing_lost
from .fit import NO_VALIDATION, FamilyData, Fit, Task
from .given import new_fit

SHARED = ("_objective", "_outputs", "_batch", "_run", "_train")  # what has to work for members side by side


def fit_side_by_side(
    estimators: Sequence[Any],
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    rows: Sequence[Array] | None = None,
    groups: Any = None,
    validation: tuple[Any, Any, Any] = NO_VALIDATION,
) -> list[Any]:
    """Fit each of several estimators, as its own ``fit(X, y)`` does to the bit: weights, history, warnings.

    Those that have networks of dense layers, norms and dropout that are alike, as many samples, batches of one size and
    the same optimizer take their steps together, each with its own random state, validation and end. They may differ
    in random states, rates, penalties, clipping and limits. What cannot be shared (L-BFGS, sparse X, other layers,
    callbacks, families that say for themselves what a step is) is fitted in turn.

    Parameters
    ----------
    estimators : sequence of Estimator
        Each of its own: no object twice.
    X, y, sample_weight, groups
        As for :meth:`Estimator.fit`.
    rows : sequence of ndarray, default=None
        For each estimator the samples that it is fitted to, as numbers of rows, which may be repeated; None: all.
    validation : tuple
        X_val, y_val and sample_weight_val.

    Returns
    -------
    estimators : list of Estimator
        The same, fitted. If one fit fails, or a parameter is wrong, all are left as they were. After an interruption
        all keep what they have learnt, unless some have not learnt anything yet.

    Raises
    ------
    ValueError
        As ``fit`` does, and if an estimator is given twice or `rows` are not as many as estimators.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import MLPRegressor
    >>> X, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    >>> members = [MLPRegressor(4, max_iter=400, tol=0.01, random_state=seed) for seed in range(3)]
    >>> together = fit_side_by_side(members, X, y)
    >>> alone = MLPRegressor(4, max_iter=400, tol=0.01, random_state=2).fit(X, y)
    >>> bool((together[2].predict(X) == alone.predict(X)).all())
    True
    """
    estimators = list(estimators)
    if len(set(map(id, estimators))) < len(estimators):
        raise ValueError("estimators hold one object twice: each member has to be an estimator of its own")
    if rows is not None and len(rows) != len(estimators):
        raise ValueError(f"rows are given for {len(rows)} estimators, but there are {len(estimators)}")
    parts = [(X, y, sample_weight, groups)] * len(estimators)
    if rows is not None:
        parts = [tuple(_rows_of(each, mine) for each in parts[0]) for mine in rows]
    with ExitStack() as kept:
        for estimator in estimators:
            kept.enter_context(nothing_lost(estimator))
        begun: list[Begun] = []
        for estimator, part in zip(estimators, parts, strict=True):
            if _shares_steps(estimator):
                begun += _begin(estimator, part, validation)
            else:
                _fit_alone(estimator, part, validation)
        interrupted = _train(begun)
    if interrupted:
        raise KeyboardInterrupt
    return estimators


class Begun(NamedTuple):
    """A fit that is ready to train."""

    fit: Fit
    task: Task
    training: Training


def _shares_steps(estimator: Any) -> bool:
    """Whether its steps are those of all estimators, nobody looks on, and its random numbers are its own."""
    marked = all(getattr(getattr(estimator, name, None), "members", False) for name in SHARED)
    return marked and not hasattr(estimator, "_skl_callbacks") and isinstance(estimator.random_state, Integral)


def _fit_alone(estimator: Any, part: tuple, validation: tuple) -> None:
    names = ("X", "y", "sample_weight", "groups", "X_val", "y_val", "sample_weight_val")
    given = zip(names, (*part, *validation), strict=True)
    estimator.fit(**{name: value for name, value in given if value is not None})


def _begin(estimator: Any, part: tuple, validation: tuple) -> list[Begun]:
    """All that a fit does before it trains; an empty list where there is nothing to train."""
    estimator._validate_params()
    estimator._check_options()
    X, y, sample_weight, groups = part
    with np.errstate(over="ignore", invalid="ignore"):
        fit = new_fit(estimator, X, y, sample_weight, groups=groups, validation=validation)
        task = None if fit is None else fit.begin()
    if fit is None or task is None:
        return []
    data = FamilyData(estimator, fit.samples)
    return [Begun(fit, task, Training(fit.network, data, task.stages, task.state, fit.rng, **task.watching))]


def _train(begun: list[Begun]) -> bool:
    """Train all, together where they can; whether the user has interrupted the last that were trained."""
    for group in _groups(begun):
        if len(group) > 1:
            loops = train_side_by_side([each.training for each in group])
        else:
            ((fit, task, _),) = group
            loops = [fit.estimator._run(fit, task.stages, task.state, observer=None, **task.watching)]
        for each, loop in zip(group, loops, strict=True):
            each.fit.finish(loop)
        if any(each.fit.interrupted for each in group):
            if group[-1] is not begun[-1]:
                raise KeyboardInterrupt  # while others have not been trained: all are left as they were
            return True
    return False


def _groups(begun: list[Begun]) -> list[list[Begun]]:
    """Those that can take their steps together."""
    groups: list[list[Begun]] = []
    for each in begun:
        for group in groups:
            first = group[0]
            if _same_objective(first.fit.estimator, each.fit.estimator) and go_side_by_side(
                [first.training, each.training]
            ):
                group.append(each)
                break
        else:
            groups.append([each])
    return groups


def _same_objective(one: Any, other: Any) -> bool:
    targets = [estimator._target for estimator in (one, other)]
    if type(one) is not type(other) or None in targets:
        return False
    return one._minimised(training=True) == other._minimised(training=True)


def _rows_of(values: Any, rows: Array) -> Any:
    return None if values is None else _safe_indexing(values, rows)
