"""Buffers come again after a rewind, in order, to the thread and the context that made the workspace."""

from threading import Thread

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.ops.workspace import SMALL, empty, workspace

F4, F8 = np.dtype(np.float32), np.dtype(np.float64)
LARGE = (SMALL // 16, 16)


def test_the_same_buffer_at_the_same_place_of_every_step():
    with workspace() as buffers:
        first = [empty(LARGE, F4) for _ in range(3)]
        buffers.rewind()
        second = [empty(LARGE, F4) for _ in range(3)]
    for i, a in enumerate(first):
        assert (a.shape, a.dtype) == (LARGE, F4)
        assert [np.shares_memory(a, b) for b in second] == [i == j for j in range(3)]


def test_a_step_gets_no_memory_twice():
    with workspace():
        arrays = [empty(LARGE, F8) for _ in range(4)]
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
        before = empty(LARGE, F4)
        before[...] = 1
        buffers.rewind()
        after = empty(shape, dtype)
        assert (after.shape, after.dtype) == (shape, dtype)
        assert np.shares_memory(before, after) == fits
        after[...] = 2
        assert (before == 1).all() != fits
        buffers.rewind()
        assert np.shares_memory(empty(shape, dtype), after)


def test_a_smaller_array_from_a_larger_buffer():
    with workspace() as buffers:
        large = empty((2 * SMALL,), F8)
        buffers.rewind()
        small = empty(LARGE, F4)
    assert small.shape == LARGE
    assert np.shares_memory(large, small)


def test_small_arrays_are_fresh_and_take_no_place():
    with workspace() as buffers:
        small, large = empty((3,), F8), empty(LARGE, F8)
        buffers.rewind()
        again = empty(LARGE, F8)
        assert not np.shares_memory(small, empty((3,), F8))
    assert np.shares_memory(large, again)


def test_without_a_workspace_every_array_is_fresh():
    assert not np.shares_memory(empty(LARGE, F4), empty(LARGE, F4))


def test_after_an_inner_workspace_the_outer_one_goes_on():
    with workspace() as outer:
        first, _ = empty(LARGE, F4), empty(LARGE, F4)
        with pytest.raises(RuntimeError, match="inner"), workspace():
            inner = empty(LARGE, F4)
            raise RuntimeError("inner")
        outer.rewind()
        again = empty(LARGE, F4)
    assert np.shares_memory(first, again)
    assert not np.shares_memory(first, inner)


def test_other_threads_do_not_see_it():
    found = []
    with workspace() as buffers:
        mine = empty(LARGE, F4)
        buffers.rewind()
        thread = Thread(target=lambda: found.append(empty(LARGE, F4)))
        thread.start()
        thread.join()
        assert np.shares_memory(mine, empty(LARGE, F4))
    assert not np.shares_memory(mine, found[0])
