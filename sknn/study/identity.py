"""What identifies a cell in a store: a digest of everything that its result depends on."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

import joblib

from .cell import Cell
from .data import DataSet
from .measures import MEASURES, Measure

PACKAGES = ("sknn", "scikit-learn", "numpy", "scipy", "pandas")  # whose versions may change a result


def key_of(data: DataSet, cell: Cell) -> str:
    """Digest all that determines the outcome of a cell, so that changed data or parameters are never taken for old.

    These are the content of the data, the rows of the fold, the estimator with all its parameters and its seed, the
    measures, the search with its space, budget and inner folds, and the versions of the packages that compute. Of
    an estimator or scorer of your own the name counts, and of a scorer its source, but not the code of an estimator.

    Parameters
    ----------
    data : DataSet
        The data.
    cell : Cell
        The cell.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    TypeError
        If the estimator cannot be pickled, and so not be identified.
    """
    parts = {
        "dataset": cell.dataset,
        "data": data.fingerprint,
        "model": cell.model,
        "estimator": _digest(cell.model, cell.estimator),
        "train": joblib.hash(cell.fold.train),
        "test": joblib.hash(cell.fold.test),
        "measures": [_spelled(measure) for measure in cell.measures],
        "versions": _versions(),
    }
    if cell.tune and cell.space:
        parts["tune"] = [cell.tune, cell.seed, repr(cell.inner), _spelled_space(cell.space)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _digest(model: str, estimator: Any) -> str:
    try:
        return joblib.hash(estimator)
    except Exception as error:
        raise TypeError(
            f"models: {model!r} cannot be pickled ({error}), so its cells cannot be told from others in a store; "
            f"define its functions in a module, or study without a store"
        ) from error


def _spelled(measure: Measure) -> list[str]:
    if MEASURES.get(measure.name) is measure:
        return [measure.name]
    return [measure.name, str(measure.greater_is_better), _source(measure.scorer)]


def _source(scorer: Any) -> str:
    if not inspect.isfunction(scorer):
        return repr(scorer)
    try:
        return inspect.getsource(scorer)
    except OSError:  # typed at a prompt
        return scorer.__code__.co_code.hex() + repr(scorer.__code__.co_consts)


def _spelled_space(space: Mapping[str, Any]) -> dict[str, str]:
    # A distribution of SciPy is pickled with NumPy's global generator: its name and arguments say what it is.
    return {
        name: f"{values.dist.name}{values.args}{sorted(values.kwds.items())}"
        if hasattr(values, "dist")
        else repr(values)
        for name, values in space.items()
    }


@cache
def _versions() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES}
