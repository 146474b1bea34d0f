"""Members of an ensemble: what parameters say of them, and how they are fitted, side by side where they can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone
from sklearn.utils import _safe_indexing, gen_even_slices, indexable
from sklearn.utils.validation import _num_samples

from ...autodiff.tape import Array
from ...template.estimator import Estimator
from ...template.inputs import checked_weight
from ...template.listed import listed
from ...template.side_by_side import fit_side_by_side
from ...template.wrapped import seeded, weight_for

SINGLE = 5  # members that are copies of one estimator, where nobody says how many


class Given(NamedTuple):
    """What members are fitted to."""

    X: Any
    y: Any
    weight: Array | None
    groups: Any

    def take(self, rows: Array | None) -> Given:
        """Some of the samples; None: all."""
        return self if rows is None else Given(*(None if each is None else _safe_indexing(each, rows) for each in self))


def given(X: Any, y: Any, sample_weight: Any, groups: Any) -> Given:
    """What a call of fit is given, without samples that count for nothing."""
    X, y, groups = indexable(X, y, groups)
    weight = checked_weight(sample_weight, X, allow_all_zero=False)
    whole = Given(X, y, weight, groups)
    return whole if weight is None or weight.all() else whole.take(np.flatnonzero(weight))


def new_members(
    estimator: Any,
    n_members: int | Literal["auto"],
    rng: np.random.RandomState,
    check: Callable[[str, Any], None],
) -> dict[str, Any]:
    """Unfitted members by name, with their random states.

    Parameters
    ----------
    estimator : estimator, list of estimators or list of (name, estimator) pairs
        What there is a member of, or several.
    n_members : int or "auto"
        How many of each.
    rng : RandomState
        What random states are drawn from.
    check : callable
        Raises ValueError on an estimator that cannot be a member; it is told the name of the parameter, too.
    """
    named = listed("estimator", estimator)
    for each in named.values():
        check("estimator", each)
    times = n_members if n_members != "auto" else SINGLE if not isinstance(estimator, list | tuple) else 1
    members = [(name, seeded(clone(each), rng, anew=times > 1)) for name, each in named.items() for _ in range(times)]
    if times > 1:
        members = [(f"{name}-{k % times + 1}", member) for k, (name, member) in enumerate(members)]
    return dict(members)


def fit_members(
    members: Sequence[Any], data: Given, n_jobs: int | None, bootstrap: np.random.RandomState | None = None
) -> list[Any]:
    """Fit clones of members; `bootstrap` draws the samples of each, with replacement.

    Raises
    ------
    TypeError
        If there are weights, but one of them takes none.
    """
    members, n_samples = [clone(member) for member in members], _num_samples(data.X)
    rows = None if bootstrap is None else [bootstrap.randint(n_samples, size=n_samples) for _ in members]
    for member in members:
        weight_for(member, data.weight)  # all that cannot be told of weights are refused before one is fitted
    shares = gen_even_slices(len(members), min(len(members), effective_n_jobs(n_jobs)))
    fitted = Parallel(n_jobs=n_jobs)(
        delayed(_fit_share)(members[share], data, None if rows is None else rows[share]) for share in shares
    )
    return [member for share in fitted for member in share]


def _fit_share(members: Sequence[Any], data: Given, rows: Sequence[Array] | None) -> Sequence[Any]:
    """Networks side by side, all others in turn."""
    networks = [k for k, member in enumerate(members) if isinstance(member, Estimator)]
    fit_side_by_side(
        [members[k] for k in networks],
        data.X,
        data.y,
        data.weight,
        rows=None if rows is None else [rows[k] for k in networks],
        groups=data.groups,
    )
    for k in sorted(set(range(len(members))) - set(networks)):
        fit_weighted(members[k], data.take(None if rows is None else rows[k]))
    return members


def fit_weighted(estimator: Any, data: Given) -> Any:
    """Fit any estimator, with weights if there are some; TypeError if it takes none."""
    return estimator.fit(data.X, data.y, **weight_for(estimator, data.weight))
