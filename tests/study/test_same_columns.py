"""Columns are found again by name, and have the kinds that were learnt, however a later file spells them."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.pipeline import make_pipeline

from sknn.study.columns import DECIMAL
from sknn.study.same_columns import SameColumns

LEARNT = pd.DataFrame(
    {
        "size": [1.5, 2.5],
        "kind": pd.Categorical(["7", "x"]),
        "flag": [True, False],
        "day": [0.0, 1.0],
        "at": pd.to_datetime(["2020-01-01", "2021-01-01"]),
    }
)


def again(**columns):
    table = pd.DataFrame({name: [LEARNT[name].iloc[0]] * 2 for name in LEARNT.columns} | columns)
    return SameColumns().fit(LEARNT).transform(table)


def again_of(size):
    return SameColumns().fit(LEARNT[["size"]]).transform(pd.DataFrame({"size": size}))


def test_order_and_other_columns_do_not_matter():
    shuffled = LEARNT.iloc[:, ::-1].assign(more=0)
    pd.testing.assert_frame_equal(SameColumns().fit(LEARNT).transform(shuffled), LEARNT)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("size", ["1.5", "2"], [1.5, 2.0]),
        ("size", [1, 2], [1, 2]),
        ("size", [None, None], [np.nan, np.nan]),
        ("kind", [7, 8], ["7", "8"]),
        ("kind", [7.0, np.nan], ["7", np.nan]),
        ("kind", ["x", "y"], ["x", "y"]),
        ("flag", [True, None], [1.0, np.nan]),
        ("day", ["1970-01-03", "1970-01-04"], [2.0, 3.0]),
        ("at", ["2020-01-02", None], [pd.Timestamp("2020-01-02"), pd.NaT]),
    ],
)
def test_other_spellings_of_what_was_learnt(name, values, expected):
    found = again(**{name: values})[name]
    pd.testing.assert_series_equal(found, pd.Series(expected, name=name), check_dtype=False)


def test_what_is_no_number_is_missing_and_said():
    with pytest.warns(UserWarning, match=r"column 'size' .* 2 of 2 cells, such as 'big', are none"):
        assert again(size=["big", "small"])["size"].isna().all()


def test_the_warning_points_at_who_called():
    table = pd.DataFrame({"size": [1.5, 2.5]})
    model = make_pipeline(SameColumns(), DummyRegressor()).fit(table, [0, 1])
    for use in (model[0].transform, model.predict):
        with pytest.warns(UserWarning, match="'big'") as caught:
            use(pd.DataFrame({"size": ["1", "big"]}))
        assert [each.filename for each in caught] == [__file__]


def test_numbers_among_much_else_are_kept():
    with pytest.warns(UserWarning, match=r"column 'size' .* 2 of 5 cells, such as 'big', are none"):
        found = again_of(size=["1,5", "2.500,0", "1970-01-02", "big", "0000-00-00"])["size"]
    np.testing.assert_array_equal(found, [1.5, 2500, 1, np.nan, np.nan])


def test_a_few_odd_cells_are_said():
    with pytest.warns(UserWarning, match=r"column 'size' .* 1 of 21 cells, such as '<0.1', are none"):
        assert again_of(size=["1.5"] * 20 + ["<0.1"])["size"].tolist()[:20] == [1.5] * 20


@pytest.mark.parametrize(("decimal", "size"), [(",", 1.234), (".", 1234)])
def test_what_commas_are_comes_with_the_table(decimal, size):
    table = pd.DataFrame({"size": ["1,234"] * 20})
    table.attrs[DECIMAL] = decimal
    assert SameColumns().fit(LEARNT[["size"]]).transform(table)["size"].tolist() == [size] * 20


@pytest.mark.parametrize(("value", "told"), [("-inf", "has 1 infinite values in 'size'"), (1e200, "goes up to 1e+200")])
def test_what_no_model_can_take_is_named(value, told):
    with pytest.raises(ValueError, match=re.escape(f"X of 'new data' {told}")):
        again_of(size=[value, "1.5"])


def test_missing_columns_are_named():
    with pytest.raises(ValueError, match=r"X lacks the columns size, flag, .* it has kind, day, at"):
        SameColumns().fit(LEARNT).transform(LEARNT.drop(columns=["size", "flag"]))


def test_arrays_have_the_columns_in_order():
    table = pd.DataFrame({"a": [1.0], "b": [2.0]})
    columns = SameColumns().fit(table)
    pd.testing.assert_frame_equal(columns.transform([[1.0, 2.0]]), table)
    with pytest.raises(ValueError, match=r"shape \(1, 3\); it must have the columns a, b"):
        columns.transform([[1.0, 2.0, 3.0]])
