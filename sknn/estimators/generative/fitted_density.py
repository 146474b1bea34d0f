"""The density inside of a detector or a classifier: a clone of the one that is named, or a flow."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone

from ...autodiff.tape import Array
from ...template.wrapped import weight_for


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
    if getattr(density, "conditional", False):
        name = type(density).__name__
        raise ValueError(f"estimator={name}(conditional=True) needs y of each sample that is scored; say False")
    return density.fit(X, None, **weight_for(density, sample_weight))


def _unfitted(density: Any) -> Any:
    if density is not None:
        return clone(density)
    from ... import NormalizingFlow

    return NormalizingFlow()
