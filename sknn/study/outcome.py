"""What came out of one cell of a study, and its form in bytes, which are read without running any code."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np

Value = str | int | float | bool | None
KINDS = "biufcmMSU"  # the dtypes that hold plain values: neither objects nor records


@dataclass(frozen=True, eq=False)
class Outcome:
    """One row of the results and the arrays that belong to it.

    Parameters
    ----------
    row : dict of str to str, int, float, bool or None
        One value for each column. NumPy scalars become Python's.
    arrays : dict of str to ndarray, default={}
        Numbers, texts or times of any shape; no objects and no records.

    Raises
    ------
    TypeError
        If something is of another type. It is raised here, where the value is made, and not when it is stored.

    Notes
    -----
    In bytes, an outcome is one line of JSON (the row and the names of the arrays) and then the arrays one after
    another, each as an ``.npy`` file. Neither is ever read with pickle. Floats come back exactly, NaN and infinities
    as well.

    Examples
    --------
    >>> outcome = Outcome({"model": "ridge", "r2": 0.48}, {"predicted": np.array([1.5, 2.0])})
    >>> again = Outcome.from_bytes(outcome.to_bytes())
    >>> again.row, again.arrays
    ({'model': 'ridge', 'r2': 0.48}, {'predicted': array([1.5, 2. ])})
    """

    row: Mapping[str, Value]
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "row", {_name(name): _value(name, value) for name, value in self.row.items()})
        object.__setattr__(self, "arrays", {_name(name): _array(name, array) for name, array in self.arrays.items()})

    def to_bytes(self) -> bytes:
        """The same outcome always gives the same bytes."""
        file = BytesIO()
        file.write(json.dumps({"row": self.row, "arrays": list(self.arrays)}).encode() + b"\n")
        for array in self.arrays.values():
            np.save(file, array, allow_pickle=False)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Outcome":
        """The outcome that `to_bytes` wrote; ValueError for anything else."""
        file = BytesIO(content)
        head = json.loads(file.readline())
        return cls(head["row"], {name: np.load(file, allow_pickle=False) for name in head["arrays"]})


def _name(name: object) -> str:
    if isinstance(name, str):
        return str(name)
    raise TypeError(f"The names in an outcome must be str, got {name!r}.")


def _value(name: str, value: object) -> Value:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"row[{name!r}] must be a str, int, float, bool or None, got {type(value).__name__}: {value!r}.")


def _array(name: str, array: object) -> np.ndarray:
    if isinstance(array, np.ndarray) and array.dtype.kind in KINDS:
        return array
    kind = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
    raise TypeError(f"arrays[{name!r}] must be an ndarray of numbers, texts or times, got {kind}.")
