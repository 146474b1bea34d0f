"""The data of a study: built-in names, tasks, and the ways to hand data in."""

import numpy as np
import pytest

from sknn.study.data import LOADERS, DataSet, as_data_sets, load

SHAPES = {"digits": (1797, 64), "iris": (150, 4), "wine": (178, 13), "breast_cancer": (569, 30)}


def test_every_built_in_name_has_a_row():
    assert SHAPES.keys() == LOADERS.keys()


@pytest.mark.parametrize(("name", "shape"), SHAPES.items())
def test_built_in_data(name, shape):
    data = load(name)
    assert (data.name, data.X.shape, data.y.shape, data.task) == (name, shape, shape[:1], "classification")


@pytest.mark.parametrize(
    ("wrong", "suggestion"),
    [("digit", "digits"), ("IRIS", "iris"), ("breast-cancer", "breast_cancer"), ("wines", "wine")],
)
def test_wrong_name_suggests_the_nearest(wrong, suggestion):
    with pytest.raises(ValueError, match=f"unknown data set '{wrong}', did you mean '{suggestion}'"):
        load(wrong)


def test_hopeless_name_lists_all():
    with pytest.raises(ValueError, match=r"unknown data set 'qqq'. Known: digits, iris, wine, breast_cancer"):
        load("qqq")


@pytest.mark.parametrize(
    ("y", "task"),
    [
        ([0, 1, 1], "classification"),
        (["a", "b", "c"], "classification"),
        ([0.5, 1.25, 3.0], "regression"),
        ([[0, 1], [1, 1], [1, 0]], "multilabel-indicator"),
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
        ((np.zeros((3, 2)), [0, 1]), "inconsistent numbers of samples"),
    ],
)
def test_wrong_data(arguments, message):
    with pytest.raises(ValueError, match=message):
        as_data_sets(*arguments)
