"""Outcomes of cells: their form in bytes, and what they refuse."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sknn.study.outcome import Outcome

VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
DTYPES = hnp.scalar_dtypes() | hnp.unicode_string_dtypes() | hnp.byte_string_dtypes()
ARRAYS = hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=4))


@settings(max_examples=100, deadline=None)
@given(row=st.dictionaries(st.text(), VALUES), arrays=st.dictionaries(st.text(), ARRAYS, max_size=3))
def test_rows_and_arrays_come_back_exactly(row, arrays):
    again = Outcome.from_bytes(Outcome(row, arrays).to_bytes())
    assert repr(again.row) == repr(row)
    assert list(again.arrays) == list(arrays)
    for name, array in arrays.items():
        back = again.arrays[name]
        assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1 + 0.2])
def test_special_floats_come_back_exactly(number):
    assert repr(Outcome.from_bytes(Outcome({"score": number}).to_bytes()).row["score"]) == repr(number)


def test_numpy_scalars_become_pythons():
    row = Outcome({"float": np.float32(0.5), "int": np.int64(3), "bool": np.True_, "text": np.str_("a")}).row
    assert {name: type(value) for name, value in row.items()} == {"float": float, "int": int, "bool": bool, "text": str}


def test_views_and_foreign_byte_orders_come_back():
    arrays = {"view": np.arange(12).reshape(3, 4)[::2, ::-1], "big": np.arange(3, dtype=">f4"), "fortran": np.eye(3).T}
    again = Outcome.from_bytes(Outcome({}, arrays).to_bytes()).arrays
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array, strict=True)


def test_workers_can_hand_outcomes_back():
    outcome = Outcome({"score": 0.5}, {"predicted": np.arange(3)})
    assert pickle.loads(pickle.dumps(outcome)).to_bytes() == outcome.to_bytes()


@pytest.mark.parametrize(
    ("row", "arrays", "message"),
    [
        ({"params": {"alpha": 1}}, {}, r"row\['params'\] must be a str, int, float, bool or None, got dict"),
        ({"score": 1j}, {}, r"row\['score'\] must be .*, got complex"),
        ({"when": np.datetime64("2000-01-01")}, {}, r"row\['when'\] must be .*, got date"),
        ({1: "one"}, {}, "names in an outcome must be str, got 1"),
        ({}, {1: np.zeros(1)}, "names in an outcome must be str, got 1"),
        ({}, {"predicted": [1, 2]}, r"arrays\['predicted'\] must be an ndarray .*, got list"),
        ({}, {"labels": np.array(["a", None])}, r"arrays\['labels'\] must be .*, got an array of object"),
        ({}, {"records": np.zeros(1, "i4, O")}, r"arrays\['records'\] must be .*, got an array of"),
    ],
)
def test_what_cannot_be_stored_is_refused_when_the_outcome_is_made(row, arrays, message):
    with pytest.raises(TypeError, match=message):
        Outcome(row, arrays)


class Trap:
    """Whoever unpickles it gets to know."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was read",)


def test_reading_never_unpickles():
    object_array = b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117)
    for content in (object_array + b"\n" + pickle.dumps([Trap()]), pickle.dumps(Trap())):
        with pytest.raises(ValueError, match="allow_pickle"):
            Outcome.from_bytes(b'{"row": {}, "arrays": ["trap"]}\n' + content)
