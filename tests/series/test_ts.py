"""Files of UCR and UEA: what stands in them, and what is wrong with them."""

import gzip

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.series import read_ts


@pytest.fixture
def written(tmp_path):
    def write(text, name="data.ts"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


EQUAL = """# from an archive
@problemName Waves
@timeStamps false
@univariate true
@classLabel true up down

@data
1,2.5,3:up
-4,5e1,6:down
"""
UNEQUAL = """@timestamps false
@dimensions 2
@equalLength false
@classLabel true 1 2
@data
1,2,3:4,5,?:1
7,8:9,10:2
"""
TIMES = """@timeStamps true
@classLabel false
@data
(0,1.5),(0.5,2.5):(0,3),(0.5,4)
(0,7),(1,8),(4,?):(0,1),(1,2),(4,3)
"""
DATES = """@timeStamps true
@targetLabel true
@data
(1970-01-02 00:00:00,1),(1970-01-02 12:00:00,2):0.5
(1970-01-03,3),(1970-01-04,4):?
"""


def test_series_of_one_length_are_an_array(written):
    X, y = read_ts(written(EQUAL))
    assert_array_equal(X, [[[1], [2.5], [3]], [[-4], [50], [6]]])
    assert y.tolist() == ["up", "down"]


def test_series_of_different_lengths_are_an_array_each(written):
    X, y = read_ts(written(UNEQUAL))
    assert_array_equal(X[0], [[1, 4], [2, 5], [3, np.nan]])
    assert_array_equal(X[1], [[7, 9], [8, 10]])
    assert y.tolist() == ["1", "2"]


def test_times_are_channel_0(written):
    X, y = read_ts(written(TIMES))
    assert_array_equal(X[0], [[0, 1.5, 3], [0.5, 2.5, 4]])
    assert_array_equal(X[1], [[0, 7, 1], [1, 8, 2], [4, np.nan, 3]])
    assert y is None


def test_dates_are_days_and_targets_are_numbers(written):
    X, y = read_ts(written(DATES))
    assert_array_equal(X, [[[1, 1], [1.5, 2]], [[2, 3], [3, 4]]])
    assert_array_equal(y, [0.5, np.nan])


def test_files_packed_by_gzip(written):
    assert_array_equal(read_ts(written(EQUAL, "data.ts.gz"))[0], read_ts(written(EQUAL))[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2:up\n", "line 1: '1,2:up' stands before @data, but begins with no @"),
        ("@classLabel maybe\n@data\n", "line 1: @classlabel must be followed by true or false, got 'maybe'"),
        ("@classLabel true\n@data\n\n1,x:up\n", "line 4: could not convert string to float: .*'x'"),
        ("@data\n1,2:3,4\n1,2\n", "line 3: the series has 1 channels, where the first has 2"),
        ("@data\n1,2:3\n", r"line 2: the channels have different lengths: \[2, 1\]"),
        ("@classLabel true\n@data\nup\n", "line 3: there is a label, but no series before it"),
        ("@timeStamps true\n@data\n1,2\n", r"line 3: '1,2' holds no \(time,value\)"),
        ("@timeStamps true\n@data\n(0,1):(1,2)\n", "line 3: the channels have different times"),
        ("@data\n", "data.ts holds no series"),
    ],
)
def test_errors_name_the_line(written, text, message):
    with pytest.raises(ValueError, match=message):
        read_ts(written(text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_ts(tmp_path / "nothing.ts")
