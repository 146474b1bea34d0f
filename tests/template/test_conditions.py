"""What a conditional model is told of a sample: classes, numbers, tables of both, images."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.nn import Draws
from sknn.template.conditions import ConditionTarget

WORDS = np.array(["ill", "well", "ill", "ill"])
NUMBERS = np.array([1.0, 3.0, 1.0, 3.0])
TABLE = pd.DataFrame({"state": WORDS, "size": NUMBERS, "new": [True, False, True, True]}).to_numpy(object)
IMAGES = np.random.default_rng(0).normal(7.0, 2.0, (4, 3, 3, 2))

# y of a fit -> conditions of one sample, encoded
ENCODED = {
    "words": (WORDS, "well", [0, 1]),
    "whole numbers": (np.array([7, 9, 7, 8]), 9, [0, 0, 1]),
    "booleans": (WORDS == "ill", True, [0, 1]),
    "numbers": (NUMBERS, 5.0, [3]),
    "numbers asked for in whole ones": (NUMBERS, 5, [3]),
    "columns of numbers": (np.c_[NUMBERS, -NUMBERS], [5.0, -1.0], [3, 1]),
    "a table": (TABLE, ["ill", 1.0, False], [1, 0, -1, 1, 0]),
}
each = pytest.mark.parametrize(("y", "one", "encoded"), ENCODED.values(), ids=ENCODED)


@each
def test_conditions_become_numbers(y, one, encoded):
    target = ConditionTarget(y, None)
    given = target.of(None, one)
    assert_allclose(target.for_each(3, given, np.dtype("float64")), [encoded] * 3)
    assert target.n_conditions == len(encoded)
    assert target.for_each(0, given, np.dtype("float32")).shape == (0, len(encoded))


@each
def test_rows_are_one_for_each(y, one, encoded):
    target = ConditionTarget(y, None)
    assert_array_equal(target.for_each(4, target.of(None, y), np.dtype("float32")), target.encode(y, np.float32))
    with pytest.raises(ValueError, match="4 conditions for 3 samples: give one for all, or one for each"):
        target.for_each(3, target.of(None, y), np.dtype("float32"))


@pytest.mark.parametrize("weight", [None, np.array([3.0, 1.0, 0.0, 0.0])], ids=["alike", "weighted"])
@pytest.mark.parametrize("y", [WORDS, TABLE, IMAGES], ids=["words", "table", "images"])
def test_conditions_are_drawn_as_often_as_they_occur(y, weight):
    target = ConditionTarget(y, weight)
    drawn = target.drawn(4000, Draws(0))
    known = target.encode(y, np.float32)
    share = [(drawn == row).reshape(4000, -1).all(axis=1).mean() for row in known]
    alike = [(known == row).reshape(4, -1).all(axis=1) for row in known]
    expected = [np.average(same, weights=weight) for same in alike]
    assert_allclose(share, expected, atol=0.03)


def test_images_have_one_scale_for_each_channel():
    encoded = ConditionTarget(IMAGES, None).encode(IMAGES, np.dtype("float64"))
    assert encoded.shape == IMAGES.shape
    assert_allclose(encoded.mean(axis=(0, 1, 2)), 0.0, atol=1e-12)
    assert_allclose(encoded.std(axis=(0, 1, 2)), 1.0)


REFUSED = {
    "a new class": (WORDS, "dead", r"class 'dead', which was not there in fit: 'ill', 'well'"),
    "other columns": (np.c_[NUMBERS, NUMBERS], [[1.0, 2.0, 3.0]], r"shape \(1, 3\), but the conditions of the first"),
    "a word for a number": (NUMBERS, "ill", "y has ill where there were numbers in fit"),
    "NaN": (NUMBERS, np.nan, "contains NaN"),
}


@pytest.mark.parametrize(("y", "asked", "message"), REFUSED.values(), ids=REFUSED)
def test_others_are_refused(y, asked, message):
    target = ConditionTarget(y, None)
    with pytest.raises(ValueError, match=message):
        target.of(None, asked)
