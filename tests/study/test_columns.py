"""The columns of tables: what becomes of them, and what is said about it."""

import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from sknn.study.columns import settle, tidy
from sknn.study.data import DataSet

MANY = [f"{number / 7:.4f}" for number in range(200)]
ODD = [
    "-", "--", "n.a.", "none", "missing", "unknown", "*", "...", "<0.1", "1.2*", "1,5", "#REF!", "masked", "INDEF", ".",
    " ", "nan ", "?", "saturated",
]  # fmt: skip


def tidied(values, name="x", **options):
    frame, notes = tidy(pd.DataFrame({name: values}), "stars.csv", **options)
    return frame.get(name), notes


@pytest.mark.parametrize("odd", ODD)
def test_odd_cells_of_numbers_are_missing_and_said(odd):
    column, notes = tidied([odd, *MANY, odd])
    assert column.dtype == float
    np.testing.assert_array_equal(column[1:-1], np.asarray(MANY, dtype=float))
    assert column.isna().tolist() == [True, *[False] * 200, True]
    assert notes == [
        f"column 'x' of stars.csv holds numbers, and taken as missing what is none in 2 rows of 202: {odd!r} in 2 rows"
    ]


def test_odd_cells_of_dates_are_missing_and_said():
    column, notes = tidied([*pd.date_range("1970-01-01", periods=30).strftime("%Y-%m-%d"), "-"])
    assert column.tolist()[:30] == list(range(30))
    assert np.isnan(column[30])
    assert "holds dates, and taken as missing what is none in 1 row of 31: '-' in 1 row" in notes[0]


def test_numbers_in_half_of_the_cells_are_pointed_out():
    column, notes = tidied([*MANY, *["<0.1"] * 100])
    assert column.dtype == "category"
    assert "holds numbers in 67% of its cells and text in the others ('<0.1' in 100 rows)" in notes[0]
    assert "name what means missing with --na (na_values=), or write limits and flags in another column" in notes[0]


def test_what_is_left_out_for_its_texts_is_told_to_be_numbers_for_the_most_part():
    column, notes = tidied([*MANY, *(f"<{number}" for number in range(100))])
    assert column is None
    assert "holds another text in every row, so it was left out; it holds numbers in 67% of its cells" in notes[0]


SAID = {
    "integers called id": ("ObjID", range(100), "seems to identify the rows"),
    "integers called row_id": ("row_id", np.arange(100.0), "seems to identify the rows"),
    "integers nearly all different": ("specobjid", [*range(95), *range(5)], "seems to identify the rows"),
    "text": ("name", [*(f"M {n}" for n in range(95)), *["M 1"] * 5], "holds 95 different texts in 100 rows"),
    "groups called id": ("plate_id", [*range(10)] * 10, None),
    "fractions called id": ("id", np.linspace(0, 1, 100), None),
    "integers called otherwise": ("counts", range(100), None),
    "a word that ends so": ("acid", range(100), None),
    "labels": ("kind", ["a", "b"] * 50, None),
}


@pytest.mark.parametrize(("name", "values", "said"), SAID.values(), ids=SAID)
def test_identifiers_are_pointed_out_and_stay(name, values, said):
    column, notes = tidied(values, name)
    assert len(column) == 100
    assert (said is None) == (notes == [])
    for note in notes:
        assert said in note
        assert note.endswith(f"leave it out with --drop {name}" if "seems" in note else f"out with --drop {name}")


FAR = ["0001-01-01", "1640-01-01", "2390-01-01", "9999-12-31"]


def test_dates_of_all_centuries_are_dates():
    column, notes = tidied([*FAR, "1970-01-01T12:00"])
    assert column.tolist() == [-719162, -120530, 153402, 2932896, 0.5]
    assert notes == []


def test_a_date_that_there_is_not_is_missing_and_said():
    column, notes = tidied(["1970-01-11"] * 30 + ["0000-00-00", "2021-02-31"])
    assert column.tolist()[:30] == [10] * 30
    assert column.isna().tolist() == [False] * 30 + [True] * 2
    assert "holds dates, and taken as missing what is none in 2 rows of 32: '0000-00-00' in 1 row" in notes[0]


@pytest.mark.parametrize("name", ["Unnamed: 0", "Unnamed: 0.1"])
@pytest.mark.parametrize(("values", "is_told"), [(range(100), True), ([*range(50)] * 2, True), ([0, 1] * 50, False)])
def test_numbers_without_a_name_are_pointed_out_as_an_index(name, values, is_told):
    column, notes = tidied(list(values), name)
    assert len(column) == 100
    told = f"column '{name}' of stars.csv has no name and whole numbers, as an index that was written with the table; "
    assert notes == [f"{told}leave it out with --drop '{name}'"] * is_told


RANDOM = np.random.RandomState(0)
FAR_OFF, ALONE_NEGATIVE = "far from all others", "where else no number is negative"


@pytest.mark.parametrize(
    ("number", "others", "said"),
    [
        (-999, [15.5, 20.5], FAR_OFF),
        (99.99, [15.5, 20.5], FAR_OFF),
        (-9999.0, range(100), FAR_OFF),
        (-99, range(500), ALONE_NEGATIVE),
        (-999.0, RANDOM.lognormal(5, 2, size=200), ALONE_NEGATIVE),
        (-9999, [*range(0, 20_000, 7), -99, -99], ALONE_NEGATIVE),
        (9999, range(0, 6_000, 7), "apart from all others, none of which occurs as often"),
    ],
)
def test_numbers_that_may_mean_missing_are_pointed_out(number, others, said):
    column, notes = tidied([*others, number, number])
    assert (column == number).sum() == 2
    assert notes == [
        f"column 'x' of stars.csv has {number:.12g} in 2 rows, {said}; if it means missing, say --na {number:.12g}"
    ]


ORDINARY = {
    "not written with nines": [15.5, 20.5, -998, -998],
    "once": [*range(500), -99],
    "up to it": [*range(0, 100, 2), 99, 99],
    "degrees Celsius": [*RANDOM.normal(0, 60, size=200).clip(-98).round(), -99, -99],
    "logarithms": [*RANDOM.normal(-60, 30, size=200), -99, -99],
    "magnitudes": [*RANDOM.normal(18, 3, size=200).round(2), 9.9, 9.9],
    "counts": [*RANDOM.poisson(90, size=400), 99, 99],
    "a counter that ends": RANDOM.lognormal(3, 2, size=400).round().clip(max=999),
    "prices": [*[1999, 2499, 7499] * 9, 9999, 9999],
    "two states": [-99, -99, 99, 99],
    "per cent": [*RANDOM.uniform(0, 99, size=200).round(1), 99.9, 99.9],
}


@pytest.mark.parametrize("what", ORDINARY)
def test_ordinary_numbers_are_not_pointed_out(what):
    assert tidied(ORDINARY[what])[1] == []


@pytest.mark.parametrize("text", ["{}/12/2020", "{}.5±0.1", "12:{}:05", "{} km"])
def test_texts_that_only_begin_with_numbers_are_told(text):
    column, notes = tidied([text.format(number) for number in range(10, 31)])
    assert column is None
    assert "its texts begin with numbers but are none, such as" in notes[0]


@pytest.mark.parametrize("text", ["({})", "{}±1", "0x{}", "{} km", "{}.12.2020", "14:{}"])
def test_many_labels_that_begin_with_numbers_are_told_however_often_they_occur(text):
    column, notes = tidied([text.format(number) for number in range(100)] * 5)
    assert column.nunique() == 100
    told = "column 'x' of stars.csv is taken for 100 different labels; its texts begin with numbers but are none, such"
    assert notes[0].startswith(f"{told} as {text.format(0)!r}")


def test_few_labels_that_begin_with_numbers_are_labels():
    column, notes = tidied(["0-10", "10-20", "20-30"] * 20)
    assert column.nunique() == 3
    assert notes == []


# --------------------------------------------------------------------------------------------------- tables in memory

FEW = ["1", "2", "2", "1"] * 50
DAYS = pd.date_range("1970-01-01", periods=40)
SETTLED = {
    "decimals": ([Decimal("1.5"), None, Decimal("2")], [1.5, np.nan, 2.0], None),
    "text": ([*MANY, "-"], [*map(float, MANY), np.nan], "what is none in 1 row of 201: '-' in 1 row"),
    "text among numbers": ([1.5] * 20 + ["n/a"], [1.5] * 20 + [np.nan], "'n/a' in 1 row"),
    "dates": (DAYS.date, range(40), None),
    "dates as text": (DAYS.strftime("%Y-%m-%d"), range(40), "holds dates as text"),
    "dates as text, and odd cells": (
        [*DAYS.strftime("%Y-%m-%d"), "unknown"],
        [*range(40), np.nan],
        "holds dates, and taken as missing what is none in 1 row of 41: 'unknown' in 1 row",
    ),
    "periods": (pd.period_range("1970-01-01", periods=3, freq="D"), range(3), None),
    "times of the day": ([pd.Timestamp("2026-07-31 06:00").time()], [0.25], None),
    "too small numbers": ([1e-200, 2e-200], [1e-200, 2e-200], "goes up to 2e-200 in size, whose square is zero"),
    "numbers as text": (MANY, list(map(float, MANY)), "holds numbers as text"),
}


@pytest.mark.parametrize(("values", "numbers", "said"), SETTLED.values(), ids=SETTLED)
def test_numbers_in_another_form_become_numbers(values, numbers, said):
    frame = pd.DataFrame({"x": values, "y": 1}, index=range(5, 5 + len(values)))
    found, notes = settle(frame, "'toy'")
    np.testing.assert_array_equal(found["x"], numbers)
    assert found.index.equals(frame.index)
    assert [said in note for note in notes] == ([] if said is None else [True])


@pytest.mark.parametrize("values", [FEW, ["a", "b"] * 100, pd.Categorical(MANY), [True, None] * 100])
def test_other_columns_stay(values):
    frame = pd.DataFrame({"x": values})
    assert settle(frame, "'toy'").frame is frame


@pytest.mark.parametrize("values", [[[1.0], [2.0]], [{"a": 1}, {}], [{1}, {2}], [1 + 2j, 3j]])
def test_what_is_neither_number_nor_label_is_refused(values):
    with pytest.raises(ValueError, match=r"column 'x' of 'toy' holds (mixed|complex) values such as"):
        settle(pd.DataFrame({"x": values}), "'toy'")


def test_labels_that_begin_with_numbers_stay_and_are_told():
    frame = pd.DataFrame({"x": [f"{number} km" for number in range(40)]})
    found, notes = settle(frame, "'toy'")
    assert found is frame
    assert "column 'x' of 'toy' is taken for 40 different labels; its texts begin with numbers" in notes[0]


def test_a_data_set_keeps_and_says_what_was_noticed():
    X = pd.DataFrame({"x": [*MANY, "-"]})
    with pytest.warns(UserWarning, match="column 'x' of 'toy' holds numbers, and taken as missing"):
        data = DataSet.from_arrays("toy", X, np.arange(201) % 2, notes=["read before"])
    assert data.notes[0] == "read before"
    assert re.search("'-' in 1 row", data.notes[1])


def test_decimals_count_as_numbers_wherever_they_are():
    decimals = [Decimal(number) / 4 for number in range(40)]
    data = DataSet.from_arrays("toy", np.array(decimals, dtype=object).reshape(20, 2), decimals[:20])
    assert data.X.dtypes.tolist() == [float, float]
    assert (data.task, data.y[1]) == ("regression", 0.25)
