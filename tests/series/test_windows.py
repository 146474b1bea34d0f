"""Windows and what follows them, counted by hand."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.nn import Sequences
from sknn.series import ragged, windows

SEVEN = np.arange(7)


@pytest.mark.parametrize(
    ("stride", "starts"), [(1, [0, 1, 2]), (2, [0, 2]), (3, [0]), (9, [0])], ids=lambda value: str(value)
)
def test_every_window_that_fits(stride, starts):
    past, future = windows(SEVEN, 3, 2, stride)
    assert past.tolist() == [[s, s + 1, s + 2] for s in starts]
    assert future.tolist() == [[s + 3, s + 4] for s in starts]


def test_the_shortest_series_has_one():
    past, future = windows(SEVEN[:5], 3, 2)
    assert (past.tolist(), future.tolist()) == ([[0, 1, 2]], [[3, 4]])


def test_channels_stay_together():
    series = np.arange(14).reshape(7, 2)
    past, future = windows(series, 3, 2, 2)
    assert_array_equal(past, [series[:3], series[2:5]])
    assert_array_equal(future, [series[3:5], series[5:]])


@pytest.mark.parametrize("form", [list, tuple, ragged, Sequences.of], ids=["list", "tuple", "objects", "rows"])
def test_windows_never_reach_from_one_series_into_another(form):
    past, future = windows(form([np.arange(6.0), 10 + np.arange(5.0)]), 3, 2)
    assert past.tolist() == [[0, 1, 2], [1, 2, 3], [10, 11, 12]]
    assert future.tolist() == [[3, 4], [4, 5], [13, 14]]


def test_an_array_of_series_is_several():
    past, _ = windows(np.zeros((4, 7, 2)), 3, 2)
    assert past.shape == (4 * 3, 3, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SEVEN, 5, 3), "the series has 7 steps, too few for window=5 and horizon=3, which take 8"),
        (([SEVEN, SEVEN[:4], SEVEN[:2]], 3, 2), "2 of 3 series have 4, 2 steps, too few for window=3 and horizon=2"),
        ((SEVEN, 0, 1), "window=0 must be a positive integer"),
        ((SEVEN, 2, 1.5), "horizon=1.5 must be a positive integer"),
        ((SEVEN, 2, 1, True), "stride=True must be a positive integer"),
        (([SEVEN, np.zeros((7, 2))], 2, 1), "must have the same channels"),
        ((np.zeros((9, 2, 2, 2)), 2, 1), r"a series has shape \(9, 2, 2, 2\)"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        windows(*arguments)
