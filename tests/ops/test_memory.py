"""Large arrays leave their memory to later ones, in the context and thread that asked for it, and nowhere else."""

import gc
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from numpy._core.multiarray import get_handler_name
from numpy.testing import assert_array_equal

from sknn.ops._kernels import native
from sknn.ops.memory import kept_memory, scratch

LARGE = 1 << 20  # elements
with_kernels = pytest.mark.skipif(native is None, reason="without compiled kernels all memory is NumPy's own")


def place(array: np.ndarray) -> int:
    """Where an array lies, which does not keep it."""
    return array.ctypes.data


def of_fit(array: np.ndarray) -> bool:
    """Whether the memory of an array is that of a fit."""
    return get_handler_name(array) == "sknn"


@with_kernels
@pytest.mark.parametrize("dtype", ["float32", "float64", "bool", "complex128"])
def test_the_next_array_of_a_size_lies_where_the_last_one_lay(dtype):
    with kept_memory():
        places = {place(np.empty(LARGE, dtype)) for _ in range(5)}
        kept = [np.empty(LARGE, dtype) for _ in range(5)]
    assert len(places) == 1
    assert len({place(array) for array in kept}) == 5


@with_kernels
def test_a_block_takes_nearly_its_size_and_no_array_much_smaller():
    with kept_memory():
        np.empty(2 * LARGE, np.uint8)  # so much may be held
        first = place(np.empty(LARGE, np.uint8))
        assert place(np.empty(LARGE * 9 // 10, np.uint8)) == first
        assert place(np.empty(LARGE, np.uint8)) == first
        assert place(np.empty(LARGE // 2, np.uint8)) != first


KEPT = {
    "itself": lambda array: array,
    "a view": lambda array: array[5:, None],
    "a view of another type": lambda array: array.view(np.uint8)[::3],
    "its memory": memoryview,
    "in a record": lambda array: {"output": [array.T]},
}


@pytest.mark.parametrize("keep", KEPT.values(), ids=KEPT)
def test_what_is_referred_to_is_not_overwritten(keep):
    with kept_memory():
        array = np.full(LARGE, 7.0)
        before, kept = place(array), keep(array)
        del array
        others = [np.zeros(LARGE) for _ in range(3)]
        assert before not in [place(other) for other in others]
    del kept


@pytest.mark.parametrize("size", [0, 1, 100, LARGE])
def test_arrays_are_as_always(size):
    with kept_memory():
        np.full(size, 5.0)
        zeros = np.zeros(size)
        assert_array_equal(zeros, [0.0] * size)
        grown = np.arange(float(size))
        grown.resize(2 * size + 1, refcheck=False)
        assert_array_equal(grown, [*range(size)] + [0] * (size + 1))
        grown.resize(size // 3, refcheck=False)
        assert_array_equal(grown, range(size // 3))
        objects = np.array([[i] for i in range(min(size, 1000))] + [None], object)
        gc.collect()
        assert objects[-1] is None


@with_kernels
@pytest.mark.parametrize("size", [3, 5_000, LARGE])
def test_data_begin_at_whole_numbers_and_lines(size):
    with kept_memory():
        for _ in range(5):
            array = np.zeros(size, np.complex128)
            assert array.flags.aligned
            assert place(array) % (64 if array.nbytes > 1 << 15 else 16) == 0


@with_kernels
def test_arrays_outlive_the_context():
    with kept_memory():
        kept = [np.full(LARGE, float(i)) for i in range(3)]
        small = np.arange(5)
    others = [np.zeros(LARGE) for _ in range(3)]
    for i, array in enumerate(kept):
        assert_array_equal(array, np.full(LARGE, float(i)))
    assert_array_equal(small, range(5))
    assert [of_fit(array) for array in (*kept, small, *others)] == [True] * 4 + [False] * 3


@with_kernels
def test_an_inner_context_that_failed_leaves_the_outer_one():
    with kept_memory():
        first = place(np.empty(LARGE))
        with suppress(RuntimeError), kept_memory():
            assert place(np.empty(LARGE)) != first
            raise RuntimeError("inner")
        assert place(np.empty(LARGE)) == first
    assert not of_fit(np.empty(LARGE))


@with_kernels
def test_other_threads_do_not_see_it_but_may_end_an_array():
    with kept_memory(), ThreadPoolExecutor(1) as thread:
        arrays = [np.empty(LARGE)]
        first = place(arrays[0])
        assert not of_fit(thread.submit(np.empty, LARGE).result())
        thread.submit(arrays.clear).result()
        assert place(np.empty(LARGE)) == first


def resident() -> int:
    """The bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@with_kernels
@needs_proc
def test_no_more_is_held_than_was_in_use_at_once():
    sizes = [int(2e6 * 1.3**k) for k in range(12)]
    before = resident()
    with kept_memory():
        for size in sizes:
            np.ones(size)
            assert resident() - before < 1.5 * 8 * sizes[-1]
    assert resident() - before < 8 * sizes[-1] / 4


@with_kernels
@needs_proc
@pytest.mark.parametrize("size", [20_000, 300_000])
def test_steps_after_the_first_touch_no_new_page(size):
    import resource

    def step() -> float:
        a = np.ones(size)
        b = np.exp(-a * a)
        return ((b + a) * a).sum()

    with kept_memory():
        step()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(20):
            step()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 20


def test_scratch_is_one_buffer_for_each_use_and_thread():
    first = scratch("test", (3, 4), np.dtype("float64"))
    assert first.shape == (3, 4)
    assert first.dtype == np.float64
    assert np.shares_memory(first, scratch("test", (5,), np.dtype("float32")))
    assert not np.shares_memory(first, scratch("other", (3, 4), np.dtype("float64")))
    with ThreadPoolExecutor(1) as pool:
        assert not np.shares_memory(first, pool.submit(scratch, "test", (3, 4), np.dtype("float64")).result())
