"""Where ``tune`` searches for the parameters of each model."""

from typing import Any

from .data import DataSet

Space = dict[str, Any]


def search_space(estimator: Any, data: DataSet) -> Space:
    return {}
