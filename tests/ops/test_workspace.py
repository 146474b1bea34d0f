"""Buffers come again after a rewind, in order, to the thread and the context that made the workspace."""

from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.nn import Dense, Network
from sknn.ops.workspace import SMALL, in_turn, large, scratch, workspace

F4, F8 = np.dtype(np.float32), np.dtype(np.float64)
LARGE = (SMALL // 16, 16)


def buffer(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    array = large(shape, np.empty(0, dtype))
    assert array is not None
    return array


def place(array: np.ndarray) -> int:
    """Where an array lies in memory, which does not keep it."""
    return array.ctypes.data


def test_the_same_buffer_at_the_same_place_of_every_step():
    with workspace() as buffers:
        first = [place(buffer(LARGE, F4)) for _ in range(3)]
        buffers.rewind()
        second = [buffer(LARGE, F4) for _ in range(3)]
    assert {(a.shape, a.dtype) for a in second} == {(LARGE, F4)}
    assert [place(a) for a in second] == first
    assert len(set(first)) == 3


KEPT = {
    "itself": lambda array: array,
    "a view": lambda array: array[5:, :1],
    "a view of another type": lambda array: array.view(np.uint8)[::3],
    "its memory": memoryview,
    "in a record": lambda array: {"output": [array.T]},
}


@pytest.mark.parametrize("keep", KEPT.values(), ids=KEPT)
def test_what_is_kept_is_not_overwritten_and_only_its_place_gets_new_memory(keep):
    with workspace() as buffers:
        steps = []
        for _ in range(4):
            buffers.rewind()
            steps.append([place(buffer(LARGE, F4)), place(array := buffer(LARGE, F4)), place(buffer(LARGE, F4))])
            if len(steps) == 2:
                kept = keep(array)
            del array
    assert kept is not None
    assert steps[0] == steps[1]
    assert steps[2] == steps[3]
    assert [a == b for a, b in zip(steps[1], steps[2], strict=True)] == [True, False, True]


def test_the_output_of_a_network_outlives_the_step():
    net = Network([Dense(64), Dense(64)], (8,), np.random.RandomState(0))
    x = np.random.RandomState(1).randn(SMALL // 64, 8).astype("float32")
    expected = net(x)
    with workspace() as buffers:
        kept = net(x)
        buffers.rewind()
        other = net(2 * x)
        assert not np.shares_memory(kept, other)
    assert_array_equal(kept, expected)


def test_parts_in_turn_share_the_memory_after_that_of_the_step():
    with workspace() as buffers:
        step = buffer(LARGE, F4)
        places, kept = [], []
        for part in in_turn("abc"):
            places.append([place(buffer(LARGE, F4)), place(array := buffer(LARGE, F4))])
            array[...] = ord(part)
            kept += [array] if part == "b" else []
            del array
        after = buffer(LARGE, F4)
        buffers.rewind()
        assert place(step) not in [where for both in places for where in both]
    assert places[0] == places[1]
    assert places[2][0] == places[0][0]
    assert_array_equal(kept[0], np.full(LARGE, ord("b")))
    assert place(after) not in [where for both in places for where in both]


def test_parts_in_turn_without_a_workspace():
    assert list(in_turn("abc")) == ["a", "b", "c"]


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
        before = place(buffer(LARGE, F4))
        buffers.rewind()
        after = buffer(shape, dtype)
        assert (after.shape, after.dtype) == (shape, dtype)
        assert (place(after) == before) == fits
        before = place(after)
        del after
        buffers.rewind()
        assert place(buffer(shape, dtype)) == before


def test_a_smaller_array_from_a_larger_buffer():
    with workspace() as buffers:
        large = place(buffer((2 * SMALL,), F8))
        buffers.rewind()
        small = buffer(LARGE, F4)
    assert small.shape == LARGE
    assert place(small) == large


def test_the_precision_is_that_of_the_result_of_the_operands():
    with workspace():
        assert large(LARGE, np.ones(1, F4), np.ones(1, F4)).dtype == F4
        assert large(LARGE, np.ones(1, F4), np.ones(1, F8)).dtype == F8


def test_small_arrays_are_left_to_numpy_and_take_no_place():
    with workspace() as buffers:
        assert large((SMALL - 1,), np.ones(1)) is None
        first = place(buffer(LARGE, F8))
        buffers.rewind()
        assert place(buffer(LARGE, F8)) == first


def test_without_a_workspace_all_arrays_are_left_to_numpy():
    assert large(LARGE, np.ones(1)) is None


def test_after_an_inner_workspace_that_failed_the_outer_one_goes_on():
    def fail():
        with workspace():
            failed.append(buffer(LARGE, F4))
            raise RuntimeError("inner")

    failed: list[np.ndarray] = []
    with workspace() as outer:
        first, second = place(buffer(LARGE, F4)), place(buffer(LARGE, F4))
        outer.rewind()
        assert place(buffer(LARGE, F4)) == first
        with pytest.raises(RuntimeError, match="inner"):
            fail()
        assert place(buffer(LARGE, F4)) == second
    assert place(failed[0]) not in (first, second)


def test_other_threads_do_not_see_it():
    found = []
    with workspace() as buffers:
        mine = place(buffer(LARGE, F4))
        buffers.rewind()
        thread = Thread(target=lambda: found.append(large(LARGE, np.ones(1, F4))))
        thread.start()
        thread.join()
        assert place(buffer(LARGE, F4)) == mine
    assert found == [None]


def test_scratch_is_one_buffer_for_each_use_and_thread():
    first = scratch("test", (3, 4), np.dtype("float64"))
    assert first.shape == (3, 4)
    assert first.dtype == np.float64
    assert np.shares_memory(first, scratch("test", (5,), np.dtype("float32")))
    assert not np.shares_memory(first, scratch("other", (3, 4), np.dtype("float64")))
    with ThreadPoolExecutor(1) as pool:
        assert not np.shares_memory(first, pool.submit(scratch, "test", (3, 4), np.dtype("float64")).result())
