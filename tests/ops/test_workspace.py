"""Buffers come again after a rewind, in order, to the thread and the context that made the workspace."""

from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.ops.workspace import SMALL, large, scratch, workspace

F4, F8 = np.dtype(np.float32), np.dtype(np.float64)
LARGE = (SMALL // 16, 16)


def buffer(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    array = large(shape, np.empty(0, dtype))
    assert array is not None
    return array


def test_the_same_buffer_at_the_same_place_of_every_step():
    with workspace() as buffers:
        first = [buffer(LARGE, F4) for _ in range(3)]
        buffers.rewind()
        second = [buffer(LARGE, F4) for _ in range(3)]
    for i, a in enumerate(first):
        assert (a.shape, a.dtype) == (LARGE, F4)
        assert [np.shares_memory(a, b) for b in second] == [i == j for j in range(3)]


def test_a_step_gets_no_memory_twice():
    with workspace():
        arrays = [buffer(LARGE, F8) for _ in range(4)]
        for i, array in enumerate(arrays):
            array[...] = i
        for i, array in enumerate(arrays):
            assert_array_equal(array, np.full(LARGE, i))


@pytest.mark.parametrize(
    ("shape", "dtype", "fits"),
    [(LARGE, F4, True), (LARGE[::-1], F4, True), ((SMALL,), F4, True), ((2 * SMALL,), F4, False), (LARGE, F8, False)],
)
def test_a_buffer_takes_another_shape_and_grows(shape, dtype, fits):
    with workspace() as buffers:
        before = buffer(LARGE, F4)
        before[...] = 1
        buffers.rewind()
        after = buffer(shape, dtype)
        assert (after.shape, after.dtype) == (shape, dtype)
        assert np.shares_memory(before, after) == fits
        after[...] = 2
        assert (before == 1).all() != fits
        buffers.rewind()
        assert np.shares_memory(buffer(shape, dtype), after)


def test_a_smaller_array_from_a_larger_buffer():
    with workspace() as buffers:
        large = buffer((2 * SMALL,), F8)
        buffers.rewind()
        small = buffer(LARGE, F4)
    assert small.shape == LARGE
    assert np.shares_memory(large, small)


def test_the_precision_is_that_of_the_result_of_the_operands():
    with workspace():
        assert large(LARGE, np.ones(1, F4), np.ones(1, F4)).dtype == F4
        assert large(LARGE, np.ones(1, F4), np.ones(1, F8)).dtype == F8


def test_small_arrays_are_left_to_numpy_and_take_no_place():
    with workspace() as buffers:
        assert large((SMALL - 1,), np.ones(1)) is None
        first = buffer(LARGE, F8)
        buffers.rewind()
        assert np.shares_memory(first, buffer(LARGE, F8))


def test_without_a_workspace_all_arrays_are_left_to_numpy():
    assert large(LARGE, np.ones(1)) is None


def test_after_an_inner_workspace_that_failed_the_outer_one_goes_on():
    def fail():
        with workspace():
            failed.append(buffer(LARGE, F4))
            raise RuntimeError("inner")

    failed: list[np.ndarray] = []
    with workspace() as outer:
        first, second = buffer(LARGE, F4), buffer(LARGE, F4)
        outer.rewind()
        assert np.shares_memory(first, buffer(LARGE, F4))
        with pytest.raises(RuntimeError, match="inner"):
            fail()
        assert np.shares_memory(second, buffer(LARGE, F4))
    assert not np.shares_memory(first, failed[0])
    assert not np.shares_memory(second, failed[0])


def test_other_threads_do_not_see_it():
    found = []
    with workspace() as buffers:
        mine = buffer(LARGE, F4)
        buffers.rewind()
        thread = Thread(target=lambda: found.append(large(LARGE, np.ones(1, F4))))
        thread.start()
        thread.join()
        assert np.shares_memory(mine, buffer(LARGE, F4))
    assert found == [None]


def test_scratch_is_one_buffer_for_each_use_and_thread():
    first = scratch("test", (3, 4), np.dtype("float64"))
    assert first.shape == (3, 4)
    assert first.dtype == np.float64
    assert np.shares_memory(first, scratch("test", (5,), np.dtype("float32")))
    assert not np.shares_memory(first, scratch("other", (3, 4), np.dtype("float64")))
    with ThreadPoolExecutor(1) as pool:
        assert not np.shares_memory(first, pool.submit(scratch, "test", (3, 4), np.dtype("float64")).result())
