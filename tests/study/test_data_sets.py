"""One data set or several, of what a study is given."""

import numpy as np
import pytest

from sknn.study.data import DataSet
from sknn.study.data_sets import as_data_sets

THREE = np.zeros((3, 2))
OWN = DataSet.from_arrays("own", THREE, [0, 1, 1], groups=[1, 2, 2])


def test_one_data_set_or_several():
    y = [0, 1, 1]
    assert [data.name for data in as_data_sets(THREE, y)] == ["data"]
    assert as_data_sets(OWN) == [OWN]
    several = as_data_sets({"b": (THREE, y), "a": (THREE, y, [1, 1, 2]), "c": OWN})
    assert [data.name for data in several] == ["b", "a", "c"]
    assert [data.groups is None or data.groups.tolist() for data in several] == [True, [1, 1, 2], [1, 2, 2]]


def test_what_is_stated_goes_into_the_data_set():
    (data,) = as_data_sets(np.zeros((3, 64)), [1, 2, 3], groups=[1, 1, 2], sample_shape=(8, 8), task="regression")
    assert (data.task, data.sample_shape, data.groups.tolist()) == ("regression", (8, 8, 1), [1, 1, 2])


PAIR = {"a": (THREE, [0, 1, 1])}
WRONG_ARGUMENTS = {
    "no targets": ((THREE,), {}, "y=None: give the targets as run"),
    "y beside a dict": ((PAIR, [0, 1, 1]), {}, "y was given beside a dict of data sets; leave it out"),
    "groups beside a dict": ((PAIR,), {"groups": [0, 1, 1]}, "groups was given beside a dict"),
    "task beside a data set": ((OWN,), {"task": "regression"}, "task was given beside a data set"),
    "empty dict": (({},), {}, "X={} holds no data set"),
    "inputs alone": (({"a": THREE},), {}, r"'a' is a ndarray; it must be \(X, y\), \(X, y, groups\) or a DataSet"),
    "too many": (({"a": (THREE,) * 4},), {}, "'a' is a tuple"),
    "name": (({1: PAIR["a"]},), {}, "1 is not the name of a data set; it must be a text"),
}


@pytest.mark.parametrize(("arguments", "stated", "message"), WRONG_ARGUMENTS.values(), ids=WRONG_ARGUMENTS)
def test_wrong_arguments(arguments, stated, message):
    with pytest.raises(ValueError, match=message):
        as_data_sets(*arguments, **stated)
