"""The density inside of a detector or a classifier: a clone of the one that is named, or a flow."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any

from sklearn.base import clone

from ...autodiff.tape import Array


def fitted_density(density: Any, X: Any, sample_weight: Array | None) -> Any:
    """A fitted clone of a density; of None, of the default.

    Raises
    ------
    TypeError
        If there are weights, but the density takes none.
    ValueError
        If the density is one under a condition, which nobody gives.
    """
    density = _unfitted(density)
    name = type(density).__name__
    if getattr(density, "conditional", False):
        raise ValueError(f"estimator={name}(conditional=True) needs y of each sample that is scored; say False")
    if sample_weight is None:
        return density.fit(X, None)
    if not _takes_weights(density.fit):
        raise TypeError(
            f"sample_weight was given, but {name} takes none; leave it out, or take a density that does, such as "
            "NormalizingFlow or KernelDensity"
        )
    return density.fit(X, None, sample_weight=sample_weight)


def _unfitted(density: Any) -> Any:
    if density is not None:
        return clone(density)
    from ... import NormalizingFlow

    return NormalizingFlow()


def _takes_weights(fit: Any) -> bool:
    known = signature(fit).parameters
    return "sample_weight" in known or any(each.kind is Parameter.VAR_KEYWORD for each in known.values())
