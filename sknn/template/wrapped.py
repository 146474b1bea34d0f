"""The estimator that another one wraps: what its random numbers depend on, and how its fit is told of weights."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any, TypeVar

import numpy as np
from sklearn.pipeline import Pipeline

from ..autodiff.tape import Array

E = TypeVar("E")


def seeded(estimator: E, rng: np.random.RandomState, anew: bool = False) -> E:
    """The same, with a number for each ``random_state`` that is None, in it and in what lies inside; `anew`: for all.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import QuantileTransformer
    >>> from sklearn.svm import SVC
    >>> pipeline = seeded(make_pipeline(QuantileTransformer(), SVC(random_state=3)), np.random.RandomState(0))
    >>> pipeline[0].random_state, pipeline[1].random_state
    (209652396, 3)
    """
    params = estimator.get_params(deep=True)  # type: ignore[attr-defined]
    names = [name for name in sorted(params) if f"__{name}".endswith("__random_state")]
    drawn = {name: rng.randint(np.iinfo(np.int32).max) for name in names if anew or params[name] is None}
    if drawn:
        estimator.set_params(**drawn)  # type: ignore[attr-defined]
    return estimator


def weight_for(estimator: Any, sample_weight: Array | None) -> dict[str, Any]:
    """The arguments by which the fit of an estimator is told of weights; none where there are no weights.

    Of a pipeline it is the last step that gets them.

    Raises
    ------
    TypeError
        If there are weights, but the estimator takes none.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> list(weight_for(make_pipeline(StandardScaler(), Ridge()), [1.0, 2.0]))
    ['ridge__sample_weight']
    """
    if sample_weight is None:
        return {}
    path, end = "", estimator
    while isinstance(end, Pipeline):
        name, end = end.steps[-1]
        path += f"{name}__"
    if not _takes_weights(end.fit):
        raise TypeError(
            f"sample_weight was given, but {type(end).__name__} takes none; leave it out, or take an estimator whose "
            "fit has sample_weight"
        )
    return {f"{path}sample_weight": sample_weight}


def _takes_weights(fit: Any) -> bool:
    known = signature(fit).parameters
    return "sample_weight" in known or any(each.kind is Parameter.VAR_KEYWORD for each in known.values())
