"""Members of an ensemble: what parameters say of them, and how they are fitted, side by side where they can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone
from sklearn.utils import _safe_indexing, gen_even_slices, get_tags, indexable
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import _num_samples, has_fit_parameter

from ...autodiff.tape import Array
from ...template.estimator import Estimator
from ...template.inputs import checked_weight
from ...template.listed import inside, listed
from ...template.parameters import parameter
from ...template.side_by_side import fit_side_by_side

SINGLE = 5  # members that are copies of one estimator, where nobody says how many

N_MEMBERS = parameter(
    default="auto",
    interval="[1, inf)",
    text='How many members there are of each estimator. "auto": 5 of a single one, of a list one each.',
    kw_only=False,
)
WEIGHTS = parameter(
    default=None,
    text='How much each member counts; None: all alike. Not for "stacking", which learns that.',
)
BOOTSTRAP = parameter(
    default=False,
    text="Whether each member is fitted to as many samples drawn with replacement. Networks differ by their initial "
    "weights and orders already, and learn less from two thirds of the samples; a sample that is drawn twice may "
    "also train a network and stop it early.",
)
CV = parameter(
    default=5,
    allowed=("cv_object",),
    text='The folds of "stacking": their number (of each class as many, for a classifier), or a splitter, in whose '
    "test parts no sample comes twice.",
)
N_JOBS = parameter(
    default=None,
    text="Processes among which members are divided, each of which fits its share side by side; -1: one for each "
    "processor. The results are the same. None: one, unless joblib is told otherwise.",
)
RANDOM_STATE = parameter(
    default=None,
    interval="[0, 4294967295]",
    text="Determines the random states of members, and which samples `bootstrap` draws. Several members of one "
    "estimator get new ones each; one alone keeps its own, unless that is None.",
)
ALLOWED = [HasMethods(["fit", "predict"]), list, tuple, None]


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
        Raises ValueError on an estimator that cannot be a member; it is told the name, too.
    """
    named = listed("estimator", estimator)
    for name, each in named.items():
        check(name, each)
    times = n_members if n_members != "auto" else SINGLE if not isinstance(estimator, list | tuple) else 1
    members = [(name, seeded(clone(each), rng, anew=times > 1)) for name, each in named.items() for _ in range(times)]
    if times > 1:
        members = [(f"{name}-{k % times + 1}", member) for k, (name, member) in enumerate(members)]
    return dict(members)


def seeded(estimator: Any, rng: np.random.RandomState, anew: bool = False) -> Any:
    """The estimator with random states that are numbers, where they are None; `anew`: everywhere."""
    params = estimator.get_params()
    names = [name for name in sorted(params) if f"__{name}".endswith("__random_state")]
    drawn = {name: rng.randint(np.iinfo(np.int32).max) for name in names if anew or params[name] is None}
    return estimator.set_params(**drawn) if drawn else estimator


def check_weights(ensemble: Any, n_members: int) -> None:
    """Raise ValueError if the weights of members are not one for each, or do not apply."""
    given, method = ensemble.weights, ensemble.method
    if given is None:
        return
    if method == "stacking":
        raise ValueError(f"weights={given!r} does not apply with method='stacking', whose final estimator weighs")
    weights = np.asarray(given, np.float64)
    if weights.shape != (n_members,) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        raise ValueError(f"weights={given!r} must be {n_members} numbers, one for each member, none below 0, not all 0")


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
    for member in members if data.weight is not None else ():
        _check_takes_weights(member)
    shares = gen_even_slices(len(members), min(len(members), effective_n_jobs(n_jobs)))
    fitted = Parallel(n_jobs=n_jobs)(
        delayed(_fit_share)(members[share], data, None if rows is None else rows[share]) for share in shares
    )
    return [member for share in fitted for member in share]


def _fit_share(members: Sequence[Any], data: Given, rows: Sequence[Array] | None) -> Sequence[Any]:
    """Networks side by side, all others in turn."""
    are_networks = [isinstance(member, Estimator) for member in members]
    networks = [k for k, is_network in enumerate(are_networks) if is_network]
    fit_side_by_side(
        [members[k] for k in networks],
        data.X,
        data.y,
        data.weight,
        rows=None if rows is None else [rows[k] for k in networks],
        groups=data.groups,
    )
    for k in np.flatnonzero(np.logical_not(are_networks)).tolist():
        fit_weighted(members[k], data.take(None if rows is None else rows[k]))
    return members


def fit_weighted(estimator: Any, data: Given) -> Any:
    """Fit any estimator, with weights if there are some; TypeError if it takes none."""
    if data.weight is None:
        return estimator.fit(data.X, data.y)
    _check_takes_weights(estimator)
    return estimator.fit(data.X, data.y, sample_weight=data.weight)


def _check_takes_weights(estimator: Any) -> None:
    if not has_fit_parameter(estimator, "sample_weight"):
        raise TypeError(
            f"sample_weight was given, but {type(estimator).__name__} takes none; leave it out, or take an estimator "
            "that does, such as a network with input_scaling='standard' in place of a pipeline"
        )


def tags_of_members(tags: Any, estimator: Any) -> Any:
    """Tags of an ensemble, which takes the X that all its members take; of nonsense, which fit refuses, as they are."""
    inputs = [get_tags(member).input_tags for member in inside([estimator]).values()] or [
        get_tags(member).input_tags for member in inside(estimator).values()
    ]
    for name in ("one_d_array", "two_d_array", "three_d_array", "sparse", "categorical", "string", "allow_nan") * bool(
        inputs
    ):
        setattr(tags.input_tags, name, all(getattr(each, name) for each in inputs))
    return tags


def feature_names(ensemble: Any, columns: Sequence[int]) -> Array:
    """Names for what members say, each in so many columns: ``ensembleclassifier_network_2``."""
    prefix = type(ensemble).__name__.lower()
    return np.array(
        [
            f"{prefix}_{name}" + (f"_{k}" if n > 1 else "")
            for name, n in zip(ensemble._names, columns, strict=True)
            for k in range(n)
        ],
        dtype=object,
    )
