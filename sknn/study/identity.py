"""What identifies a cell in a store: a digest of everything that its result depends on."""

import hashlib
import inspect
import json
from functools import cache
from importlib.metadata import version
from types import CodeType, FunctionType
from typing import Any

from joblib.hashing import NumpyHasher
from scipy.stats import rv_continuous, rv_discrete

from .cell import Cell
from .data import DataSet

PACKAGES = {"sknn": "sknn", "sklearn": "scikit-learn", "numpy": "numpy", "scipy": "scipy", "pandas": "pandas"}
UNCHANGING = {*PACKAGES, "builtins", "functools", "operator", "collections", "copyreg", "joblib"}  # or with Python


def key_of(data: DataSet, cell: Cell) -> str:
    """Digest all that determines the outcome of a cell, so that changed data or parameters are never taken for old.

    These are the content of the data, the rows of the fold, the estimator with all its parameters and its seed, the
    measures, the search with its space, budget and inner folds, and the versions of the packages that compute. Of
    functions and classes of your own the code counts, too, but not that of what they call.

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
        If the estimator or a measure cannot be pickled, and so not be identified.
    """
    parts: dict[str, Any] = {
        "dataset": cell.dataset,
        "data": data.fingerprint,
        "model": cell.model,
        "estimator": digest(f"models: {cell.model!r}", cell.estimator),
        "train": digest("cv", cell.fold.train),
        "test": digest("cv", cell.fold.test),
        "measures": [
            (measure.name, measure.greater_is_better, digest(f"scoring: {measure.name!r}", measure.scorer))
            for measure in cell.measures
        ],
        "versions": _versions(),
    }
    if cell.intervals:
        parts["intervals"] = True
    if cell.tune and cell.space:
        parts["tune"] = [cell.tune, cell.seed, digest("cv", cell.inner), digest("tune", dict(cell.space))]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def digest(name: str, value: Any) -> str:
    """Digest an object, the same in any process.

    Parameters
    ----------
    name : str
        What the object is, for the error.
    value : object
        The object.

    Returns
    -------
    str
        Hexadecimal digits.

    Raises
    ------
    TypeError
        If it cannot be pickled.
    """
    try:
        return _Hasher("sha256").hash(value)
    except Exception as error:
        raise TypeError(
            f"{name} cannot be pickled ({error}), so that its cells cannot be told from others in a store; "
            "study without a store"
        ) from error


class _Hasher(NumpyHasher):
    """joblib's digest of what would be pickled, with the code of functions and classes that have no version."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, rv_continuous | rv_discrete):
            # A distribution holds NumPy's global generator, or a copy of it, whose state is of the moment.
            state = {name: part for name, part in value.__getstate__().items() if name != "_random_state"}
            return tuple, (("distribution", type(value), state),)
        if type(value) is frozenset:
            return tuple, (("frozenset", set(value)),)  # joblib puts sets in order, but not these
        if isinstance(value, FunctionType) and _is_own(value):
            return tuple, (("function", value.__qualname__, *_content(value)),)
        if isinstance(value, type) and _is_own(value):
            own = [_source(each) for each in value.__mro__ if _is_own(each)]
            return tuple, (("class", value.__qualname__, own),)
        return NotImplemented


def _is_own(value: Any) -> bool:
    return value.__module__.partition(".")[0] not in UNCHANGING


def _content(function: FunctionType) -> tuple[Any, ...]:
    # A method's cell __class__ leads back to it.
    names = function.__code__.co_freevars
    cells = [
        cell.cell_contents
        for name, cell in zip(names, function.__closure__ or (), strict=True)
        if name != "__class__" and cell.cell_contents is not function
    ]
    return _code(function.__code__), function.__defaults__, function.__kwdefaults__, cells


def _code(code: CodeType) -> tuple[Any, ...]:
    """What code does, without the lines it stands on."""
    constants = [_code(each) if isinstance(each, CodeType) else each for each in code.co_consts]
    return code.co_code, constants, code.co_names, code.co_varnames


def _source(own_class: type) -> str:
    try:
        return inspect.getsource(own_class)
    except (OSError, TypeError):  # typed at a prompt
        return own_class.__qualname__


@cache
def _versions() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES.values()}
