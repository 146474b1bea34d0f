"""Samples of different lengths as rows: read from every form, taken as an array of samples, seen as positions."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GroupKFold, KFold, train_test_split
from sklearn.utils import _safe_indexing, indexable, resample, shuffle

from sknn.nn import Sequences

LENGTHS = (3, 1, 4, 2)


def series(channels: tuple[int, ...] = (2,), lengths=LENGTHS, dtype: str = "float32") -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((n, *channels)).astype(dtype) for n in lengths]


def as_objects(samples: list) -> np.ndarray:
    found = np.empty(len(samples), object)
    for k, each in enumerate(samples):
        found[k] = each
    return found


def assert_same(found: Sequences, samples: list) -> None:
    assert len(found) == len(samples)
    for one, other in zip(found, samples, strict=True):
        assert_array_equal(one, other)
    assert found.lengths.sum() == len(found.values)


def ended_by_nan(samples: list) -> np.ndarray:
    grid = np.full((len(samples), max(map(len, samples)), samples[0].shape[1]), np.nan, samples[0].dtype)
    for k, each in enumerate(samples):
        grid[k, : len(each)] = each
    return grid


FORMS = {
    "list": lambda samples: samples,
    "tuple": tuple,
    "lists of numbers": lambda samples: [each.tolist() for each in samples],
    "objects": as_objects,
    "column": lambda samples: pd.Series(as_objects(samples)),
    "table of one column": lambda samples: pd.DataFrame({"signal": as_objects(samples), "n": 1})[["signal"]],
    "itself": Sequences.of,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("channels", [(), (2,)], ids=["(T,)", "(T, C)"])
@pytest.mark.parametrize("lengths", [LENGTHS, (2, 2, 2), (1,)], ids=["ragged", "equal", "one"])
def test_of_every_form(form, channels, lengths):
    samples = series(channels, lengths)
    x = Sequences.of(form(samples), "float32")
    assert_same(x, samples)
    assert x.sample_shape == (None, *channels)
    assert x.dtype == np.float32


def test_steps_that_are_nan_are_dropped_at_the_end_alone():
    samples = series()
    samples[2][1] = np.nan  # a step inside
    samples[0][-1, 0] = np.nan  # one channel of the last
    x = Sequences.of(ended_by_nan(samples))
    assert_same(x, samples)
    assert x.dtype == np.float32


def test_arrays_of_one_length_are_not_copied():
    grid = np.zeros((3, 4, 2))
    assert np.shares_memory(Sequences.of(grid).values, grid)
    assert_array_equal(Sequences.of(grid.astype(int)).lengths, 4)


@pytest.mark.parametrize(
    ("dtypes", "wanted", "expected"),
    [
        (["float32", "float32"], None, "float32"),
        (["float32", "float64"], None, "float64"),
        (["int64", "float32"], "float32", "float32"),
        (["int32", "int64"], None, "int64"),
    ],
)
def test_all_rows_have_one_precision(dtypes, wanted, expected):
    x = Sequences.of([np.ones((2, 1), dtype) for dtype in dtypes], wanted)
    assert x.dtype == expected


def test_astype_copies_only_where_it_must():
    x = Sequences.of(series())
    assert x.astype("float32") is x
    assert Sequences.of(x) is x
    assert x.astype("float64").dtype == np.float64
    assert_same(x.astype("float64"), series())


ERRORS = {
    "nothing": ([], "X holds no samples"),
    "an empty sample": ([np.ones((2, 1)), np.ones((0, 1))], "sample 1 of X has no steps"),
    "nothing but NaN": (np.array([[[1.0]], [[np.nan]]]), "sample 1 of X has no steps"),
    "other channels": (
        [np.ones((2, 1)), np.ones((2, 3))],
        r"sample 1 of X has shape \(2, 3\), but sample 0 has shape \(2, 1\): all must have the same channels",
    ),
    "channels and none": ([np.ones(2), np.ones((2, 1))], r"sample 1 of X has shape \(2, 1\)"),
    "a number": ([1.0, 2.0], r"sample 0 of X has shape \(\): it must be \(T,\) or \(T, channels\)"),
    "images": ([np.ones((2, 3, 4))], r"sample 0 of X has shape \(2, 3, 4\): it must be"),
    "words": ([["a", "b"]], "sample 0 of X has dtype <U1: it must hold real numbers"),
    "steps that differ": ([[[1.0], [1.0, 2.0]]], "sample 0 of X is no array of numbers: its steps differ"),
    "features": (np.ones((3, 4)), r"X has shape \(3, 4\): series are \(n_samples, T, channels\), or a list"),
    "complex": (np.ones((3, 4, 1), complex), "X has dtype complex128: it must hold real numbers"),
    "columns": (np.empty((3, 2), object), r"X has dtype object and shape \(3, 2\): samples of different lengths come"),
}


@pytest.mark.parametrize(("X", "message"), ERRORS.values(), ids=ERRORS)
def test_what_is_no_series_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        Sequences.of(X)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([2, 2], "lengths add up to 4, but there are 5 positions"),
        ([5, 0], "sample 1 of X has no steps"),
        ([2.0, 3.0], r"lengths must be integers, .* of shape \(2,\) and float64"),
        ([[5]], r"lengths must be integers, one for each sample, but are of shape \(1, 1\)"),
    ],
)
def test_lengths_must_fit(lengths, message):
    with pytest.raises(ValueError, match=message):
        Sequences(np.zeros((5, 1)), lengths)


# -- as an array of samples ----------------------------------------------------------------------------------------

ROWS = {
    "numbers": [3, 0, 0],
    "array": np.array([2, 1]),
    "none": [],
    "mask": np.array([True, False, False, True]),
    "slice": slice(1, 3),
    "all": slice(None),
    "every other": slice(None, None, 2),
    "backwards": slice(None, None, -1),
    "empty": slice(2, 2),
    "from the end": slice(-2, None),
    "negative": [-1],
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("channels", [(), (2,)])
def test_rows(rows, channels):
    samples = series(channels)
    x, expected = Sequences.of(samples), as_objects(samples)[rows]
    for found in (x[rows], x[rows, ...]):
        assert_same(found, list(expected))
        assert found.dtype == np.float32
        assert found.sample_shape == x.sample_shape
        assert found.shape == expected.shape
    assert_same(x[rows][:1], list(expected)[:1])  # rows of rows


def test_one_row_is_the_sample():
    x, samples = Sequences.of(series()), series()
    for k in (0, 3, -1):
        assert_array_equal(x[k], samples[k])
    for k in (4, -5):
        with pytest.raises(IndexError):
            x[k]
    with pytest.raises(IndexError, match="asks for more than rows"):
        x[0, 1]


def test_neighbours_are_a_view():
    x = Sequences.of(series())
    assert np.shares_memory(x[1:3].values, x.values)
    assert np.shares_memory(x[2], x.values)


def test_it_looks_like_an_array_of_samples():
    x = Sequences.of(series())
    assert (len(x), x.shape, x.ndim, x.dtype) == (4, (4,), 1, np.float32)
    for each in (x, Sequences.of(series(lengths=(2, 2)))):
        objects = np.asarray(each)
        assert (objects.shape, objects.dtype) == ((len(each),), object)
        assert_same(Sequences.of(objects), list(each))
    with pytest.raises(ValueError, match=r"is no array of float64: its samples differ in size"):
        np.asarray(x, float)


@pytest.mark.parametrize("channels", [(), (2,)])
def test_scikit_learn_splits_it(channels):
    lengths = np.random.default_rng(1).integers(1, 5, 12)
    samples = series(channels, lengths)
    x, y = Sequences.of(samples), np.arange(12)
    assert indexable(x, y)[0] is x
    for folds in (KFold(3, shuffle=True, random_state=0).split(x, y), GroupKFold(3).split(x, y, groups=y // 2)):
        for rows in folds:
            for part in rows:
                assert_same(_safe_indexing(x, part), [samples[k] for k in part])
    some, others, some_numbers, other_numbers = train_test_split(x, y, random_state=0)
    for part, numbers in (
        (some, some_numbers),
        (others, other_numbers),
        shuffle(x, y, random_state=0),
        resample(x, y, random_state=0),
    ):
        assert_same(part, [samples[k] for k in numbers])


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies(again):
    x = Sequences.of(series())
    x.starts  # noqa: B018 - what has been worked out may be kept
    assert_same(again(x), series())
    assert_same(again(x)[[1, 2]], series()[1:3])


def test_a_slice_is_pickled_alone():
    x = Sequences(np.zeros((100_000, 1)), np.full(1000, 100))
    assert len(pickle.dumps(x[:10])) < 20_000


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (Sequences.of(series()), "Sequences(4 samples of 1 to 4 steps, 2 channels, float32)"),
        (Sequences.of(np.zeros((2, 5, 3))), "Sequences(2 samples of 5 steps, 3 channels, float64)"),
        (Sequences.of(series(()))[[]], "Sequences(0 samples of 0 steps, float32)"),
    ],
)
def test_repr(x, words):
    assert repr(x) == words


# -- as positions --------------------------------------------------------------------------------------------------


def test_where_samples_begin_and_whose_a_position_is():
    x = Sequences.of(series())
    assert_array_equal(x.starts, [0, 3, 4, 8])
    assert_array_equal(x.sample, [0, 0, 0, 1, 2, 2, 2, 2, 3, 3])
    assert_array_equal(x.at_positions(np.array([1.0, 2.0, 3.0, 4.0])), np.array([1.0, 2.0, 3.0, 4.0])[x.sample])
    part = x[[2, 0]]
    assert_array_equal(part.starts, [0, 4])
    assert_array_equal(part.sample, [0, 0, 0, 0, 1, 1, 1])


def test_other_values_and_other_lengths():
    x = Sequences.of(series())
    other = x.like(np.arange(10))
    assert_same(other, [[0, 1, 2], [3], [4, 5, 6, 7], [8, 9]])
    shorter = x.of_lengths((x.lengths + 1) // 2)
    assert_array_equal(shorter.starts, [0, 2, 3, 5])
    assert_same(shorter.like(np.arange(6)), [[0, 1], [2], [3, 4], [5]])
    assert shorter.values.nbytes == 0


@pytest.mark.parametrize(
    ("most", "expected"),
    [(1, [1, 1, 1, 1]), (4, [2, 1, 1]), (5, [2, 1, 1]), (6, [2, 2]), (8, [3, 1]), (10, [4]), (1000, [4])],
)
def test_blocks(most, expected):
    x = Sequences.of(series())
    parts = [x[rows] for rows in x.blocks(most)]
    assert [len(part) for part in parts] == expected
    assert_array_equal(np.concatenate([part.values for part in parts]), x.values)
    assert all(len(part.values) <= most or len(part) == 1 for part in parts)
    assert list(x[[]].blocks(3)) == []
