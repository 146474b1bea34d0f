"""Long tables as series, and object arrays that are safe."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import KFold

from sknn.series import from_frame, ragged

LONG = pd.DataFrame(
    {
        "star": ["b", "a", "b", "a", "b"],
        "time": [3.0, 1.0, 1.0, 0.0, 2.0],
        "flux": [30, 11, 10, 10, 20],
        "error": [0.3, 0.1, np.nan, 0.0, 0.2],
    }
)


def test_each_case_is_sorted_by_time_which_is_channel_0():
    X, names = from_frame(LONG, "star", "time")
    assert names.tolist() == ["b", "a"]
    assert_array_equal(X[0], [[1, 10, np.nan], [2, 20, 0.2], [3, 30, 0.3]])
    assert_array_equal(X[1], [[0, 10, 0.0], [1, 11, 0.1]])
    assert X.dtype == object


def test_without_time_rows_are_in_order_and_time_is_no_channel():
    X, _ = from_frame(LONG, "star", values="flux")
    assert_array_equal(X[0], [[30], [10], [20]])


def test_channels_are_chosen_in_their_order():
    X, _ = from_frame(LONG, "star", "time", ["error", "flux"])
    assert_array_equal(X[1], [[0, 0.0, 10], [1, 0.1, 11]])


def test_levels_of_rows_are_columns():
    expected, names = from_frame(LONG, "star", "time")
    for index in (["star", "time"], ["star"], ["time"]):
        X, found = from_frame(LONG.set_index(index), "star", "time")
        assert found.tolist() == names.tolist()
        for series, other in zip(X, expected, strict=True):
            assert_array_equal(series, other)


def test_series_of_one_length_stay_one_array_each():
    X, _ = from_frame(LONG.iloc[:4], "star", "time")
    assert X.shape == (2,)


def test_dates_are_days():
    dated = LONG.assign(time=pd.to_datetime("1970-01-02") + pd.to_timedelta(LONG["time"] * 12, "h"))
    X, _ = from_frame(dated, "star", "time", "flux")
    assert X[0][:, 0].tolist() == [1.5, 2.0, 2.5]
    timed = LONG.assign(time=pd.to_timedelta(LONG["time"] * 12, "h"))
    assert from_frame(timed, "star", "time", "flux")[0][0][:, 0].tolist() == [0.5, 1.0, 1.5]


def test_names_bring_classes_in_order():
    classes = pd.Series({"a": "RRab", "b": "RRc"})
    _, names = from_frame(LONG, "star", "time")
    assert classes.loc[names].tolist() == ["RRc", "RRab"]


@pytest.mark.parametrize(
    ("frame", "arguments", "message"),
    [
        (LONG, ("planet",), "there is no column 'planet', but"),
        (LONG, ("star", "day"), "there is no column 'day'"),
        (LONG, ("star", None, ["mass"]), "there is no column 'mass'"),
        (LONG.replace({"star": {"a": None}}), ("star",), r"2 row\(s\) have no 'star'"),
        (LONG.assign(time=[1, 2, np.nan, 3, 4]), ("star", "time"), r"1 row\(s\) have no 'time'"),
        (LONG.assign(flux="bright"), ("star", "time"), "the column 'flux' has dtype .*; channels are numbers"),
        (LONG[["star"]], ("star",), "no column is left for the values"),
    ],
)
def test_errors_of_tables(frame, arguments, message):
    with pytest.raises(ValueError, match=message):
        from_frame(frame, *arguments)


# -- object arrays -------------------------------------------------------------------------------------------------


def test_a_fold_of_equal_lengths_is_like_any_other():
    X = ragged([np.zeros((3, 2)), np.ones((3, 2)), np.ones((4, 2)), np.zeros((5, 2))])
    for train, test in KFold(2).split(X):
        assert X[train].shape == X[test].shape == (2,)


def test_what_becomes_an_array():
    X = ragged([[1.0, 2.0], range(3), np.zeros((2, 2)), ["a", "b"]])
    assert [each.shape for each in X] == [(2,), (3,), (2, 2), (2,)]
    assert ragged([]).shape == (0,)
    assert ragged(x for x in [[1], [2]]).shape == (2,)


@pytest.mark.parametrize("sample", [3.0, "abc", None])
def test_a_sample_without_steps_is_refused(sample):
    with pytest.raises(ValueError, match=r"sample 1 is .*must be an array or a list of steps"):
        ragged([[1.0], sample])
