"""The density that is taken where none is named."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone


def unfitted(density: Any) -> Any:
    """A clone of a density; of None the default, a flow."""
    if density is not None:
        return clone(density)
    from ... import NormalizingFlow

    return NormalizingFlow()
