"""The data of a study: the ways to hand them in, and what is found out about them."""

import numpy as np
import pytest

from sknn.study.data import DataSet, as_data_sets


@pytest.mark.parametrize(
    ("y", "task"),
    [
        ([0, 1, 1], "classification"),
        (["a", "b", "c"], "classification"),
        ([0.5, 1.25, 3.0], "regression"),
    ],
)
def test_task_is_read_off_the_targets(y, task):
    assert DataSet.from_arrays("toy", np.zeros((3, 2)), y).task == task


def test_one_data_set_or_several():
    X, y = np.zeros((3, 2)), [0, 1, 1]
    assert [data.name for data in as_data_sets(X, y)] == ["data"]
    assert [data.name for data in as_data_sets({"b": (X, y), "a": (X, y)})] == ["b", "a"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((3, 2)),), "y=None"),
        (({"a": (np.zeros((3, 2)), [0, 1, 1])}, [0, 1, 1]), "beside a dict"),
        ((np.zeros((3, 2)), [0, 1]), "y of 'data' has 2 values, but X has 3 samples"),
    ],
)
def test_wrong_data(arguments, message):
    with pytest.raises(ValueError, match=message):
        as_data_sets(*arguments)
