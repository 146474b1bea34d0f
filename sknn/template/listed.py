"""Several estimators as a parameter: a list of them, or of (name, estimator) pairs, in which searches find each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sklearn.pipeline import _name_estimators


def listed(parameter: str, value: Any) -> dict[str, Any]:
    """Estimators by name: those of pairs, otherwise as :func:`sklearn.pipeline.make_pipeline` calls them.

    Raises
    ------
    ValueError
        If it is neither an estimator, nor a list of estimators or of pairs; if there is none in it, or two have one
        name.

    Examples
    --------
    >>> from sklearn.linear_model import Lasso, Ridge
    >>> listed("estimator", [Ridge(), Lasso(), Ridge()])
    {'ridge-1': Ridge(), 'lasso': Lasso(), 'ridge-2': Ridge()}
    >>> listed("estimator", [("weak", Ridge(0.1)), ("strong", Ridge(10.0))])
    {'weak': Ridge(alpha=0.1), 'strong': Ridge(alpha=10.0)}
    """
    pairs = _pairs(value)
    if not pairs:
        raise ValueError(
            f"{parameter}={value!r} must be an estimator, or a list of estimators or of (name, estimator) pairs"
        )
    names = [name for name, _ in pairs]
    for name in names:
        if "__" in name or not name or names.count(name) > 1:
            raise ValueError(f"{parameter} has a member {name!r}: names must differ, and have no '__' in them")
    return dict(pairs)


def inside(value: Any) -> dict[str, Any]:
    """The estimators of a list by name; none of what is no such list, or has names that nobody could say."""
    pairs = _pairs(value) if isinstance(value, list | tuple) else []
    return dict(pairs) if len(dict(pairs)) == len(pairs) else {}


def changed_inside(value: Any, changes: Mapping[str, Any]) -> Any:
    """A list like this one with other estimators, told by name, or with other parameters of them.

    As elsewhere in scikit-learn an estimator of which a parameter is set is the same afterwards.

    Parameters
    ----------
    value : list or tuple
        Of estimators, or of (name, estimator) pairs.
    changes : mapping
        An estimator by its name, or a value by name and parameter, such as ``"net__alpha"``.

    Raises
    ------
    ValueError
        If there is no such estimator, or it has no such parameter.
    """
    members = inside(value)
    for path in sorted(changes, key=lambda path: path.count("__")):  # a whole one before what is set in it
        name, _, rest = path.partition("__")
        if name not in members:
            raise ValueError(f"Invalid parameter {name!r} for {value!r}. Valid parameters are: {list(members)!r}.")
        if rest:
            members[name].set_params(**{rest: changes[path]})
        else:
            members[name] = changes[path]
    named = isinstance(value[0], list | tuple)
    return type(value)(type(value[0])(pair) if named else pair[1] for pair in members.items())


def _pairs(value: Any) -> list[tuple[str, Any]]:
    """Names and estimators; none if it is something else."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    if _all_estimators(values):
        return _name_estimators(values)
    if all(isinstance(each, list | tuple) and len(each) == 2 and isinstance(each[0], str) for each in values):
        pairs = [(name, each) for name, each in values]
        return pairs if _all_estimators(each for _, each in pairs) else []
    return []


def _all_estimators(values: Iterable[Any]) -> bool:
    return all(hasattr(each, "get_params") and hasattr(each, "fit") and not isinstance(each, type) for each in values)
