"""The data of a fit: rows are taken as they are asked for, and parts are made without a copy."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sknn.template.samples import Samples

N = 10
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, 3))
Y = RNG.standard_normal((N, 2))
WEIGHT = RNG.uniform(0.5, 2.0, N)


def samples(x, y=None, weight=None, dtype=np.float32, **others) -> Samples:
    return Samples(x, y, weight, weight, y, dtype=np.dtype(dtype), **others)


ROWS = {
    "a slice": slice(2, 5),
    "the rest": slice(8, 10),
    "one row": np.array([3]),
    "rows in any order": np.array([7, 0, 7, 4]),
}


def mapped(array: np.ndarray, folder) -> np.memmap:
    np.save(folder / "x.npy", array)
    return np.load(folder / "x.npy", mmap_mode="r")


CONTAINERS = {
    "array": lambda x, folder: x,
    "column by column": lambda x, folder: np.asfortranarray(x),
    "csr matrix": lambda x, folder: sparse.csr_matrix(x),
    "csr array": lambda x, folder: sparse.csr_array(x),
    "memory-mapped": mapped,
}
each_container = pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)


@each_container
@pytest.mark.parametrize("index", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_batch_has_the_rows_asked_for_in_the_precision_of_the_computation(container, index, dtype, tmp_path):
    data = samples(container(X, tmp_path), Y, WEIGHT, dtype)
    assert len(data) == N
    batch = data.take(index)
    x = batch.x.toarray() if sparse.issparse(batch.x) else batch.x
    assert sparse.issparse(batch.x) == sparse.issparse(data.x)
    assert batch.x.dtype == dtype
    assert_array_equal(x, X[index].astype(dtype))
    assert_array_equal(batch.y, Y[index])
    assert_array_equal(batch.weight, WEIGHT[index])


def test_weights_are_left_out_where_there_are_none():
    assert samples(X, Y).take(slice(0, 2)).weight is None


def test_a_slice_is_a_view_if_nothing_is_to_be_converted():
    batch = samples(X, Y, dtype=np.float64).take(slice(2, 5))
    assert np.shares_memory(batch.x, X)
    assert np.shares_memory(batch.y, Y)


def test_batches_of_a_mapped_file_are_read_into_memory(tmp_path):
    data = samples(mapped(X, tmp_path), Y, dtype=np.float32)
    for index in (slice(0, 3), np.array([1, 5])):
        assert not np.shares_memory(data.take(index).x, data.x)
    assert isinstance(data.x, np.memmap)
    assert data.x.dtype == np.float64


def test_parts_of_parts():
    whole = samples(X, Y, WEIGHT, np.float64)
    part = whole.part(np.array([8, 3, 5, 1])).part(np.array([2, 0]))
    assert len(part) == 2
    assert np.shares_memory(part.x, X)
    assert_array_equal(part.of(part.y), Y[[5, 8]])
    batch = part.take(np.array([1, 1, 0]))
    assert_array_equal(batch.x, X[[8, 8, 5]])
    assert_array_equal(batch.weight, WEIGHT[[8, 8, 5]])
    assert_array_equal(batch.rows, [8, 8, 5])
    assert_array_equal(part.take(slice(0, 1)).y, Y[[5]])


def test_no_targets_and_no_weights():
    batch = samples(X).part(np.array([4, 2])).take(slice(0, 2))
    assert_array_equal(batch.x, X[[4, 2]].astype("f4"))
    assert batch.y is None is batch.weight
    assert dict(batch.given) == {}


def test_inputs_are_prepared_before_they_are_cast():
    seen = []

    def centred(x):
        seen.append(x.dtype)
        return x - 1e9

    batch = samples(1e9 + X, prepare=centred).take(slice(0, 4))
    assert seen == [np.float64]
    assert batch.x.dtype == np.float32
    np.testing.assert_allclose(batch.x, X[:4], atol=1e-6)


WEIGHTS = {
    "none": (None, 4, None),
    "all one": ([1, 1, 1, 1], 4, None),
    "one is zero": ([1, 0, 2, 1], 3, [1, 2, 1]),
    "one and zero": ([1, 0, 1, 1], 3, None),
    "all zero": ([0, 0, 0, 0], 0, None),
}


@pytest.mark.parametrize(("weight", "n", "left"), WEIGHTS.values(), ids=WEIGHTS)
def test_samples_without_weight_have_no_influence(weight, n, left):
    weight = None if weight is None else np.array(weight, float)
    found = samples(X[:4], Y[:4], weight).influential()
    assert len(found) == n
    assert (found.weight is None) == (left is None)
    if left is not None:
        assert_array_equal(found.of(found.weight), left)
