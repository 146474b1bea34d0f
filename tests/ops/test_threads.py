"""One limit on the BLAS for all who want one: the first to enter sets it, the last to leave lifts it."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, get_ident

import pytest
from threadpoolctl import threadpool_limits

from sknn.ops.threads import (
    LARGE_STEP,
    SMALL_STEP,
    Threads,
    available_threads,
    own_threads,
    share_out,
    share_rows,
    single_thread,
    threads_for,
)


@pytest.fixture(autouse=True)
def two_threads():
    """A BLAS that uses two threads, whatever the environment says."""
    with threadpool_limits(2, user_api="blas"):
        if available_threads() != 2:
            pytest.skip("the threads of this BLAS cannot be counted")
        yield


def test_one_thread_inside_as_many_as_before_outside():
    with single_thread():
        assert available_threads() == 1
    assert available_threads() == 2


def test_only_if_wanted():
    with single_thread(False):
        assert available_threads() == 2
        with single_thread():
            assert available_threads() == 1
        assert available_threads() == 2


def test_nested():
    with single_thread():
        with single_thread():
            assert available_threads() == 1
        assert available_threads() == 1
    assert available_threads() == 2


def test_after_an_exception():
    with single_thread():
        with pytest.raises(RuntimeError, match="inside"), single_thread():
            raise RuntimeError("inside")
        assert available_threads() == 1
    assert available_threads() == 2


def test_a_count_set_by_the_user_between_two_limits_is_kept():
    with single_thread():
        pass
    with threadpool_limits(3, user_api="blas"):
        with single_thread():
            assert available_threads() == 1
        assert available_threads() == 3


@pytest.mark.parametrize("fails", [False, True])
def test_overlapping_in_two_threads(fails):
    """The first to enter leaves first, while the second is still inside."""
    second_entered, first_left = Event(), Event()

    def first():
        with single_thread():
            assert second_entered.wait(60)
            if fails:
                raise RuntimeError("first")

    def second():
        with single_thread():
            second_entered.set()
            assert first_left.wait(60)
            return available_threads()

    with ThreadPoolExecutor(2) as pool:
        leaving, staying = pool.submit(first), pool.submit(second)
        assert isinstance(leaving.exception(5), RuntimeError) == fails
        first_left.set()
        assert staying.result(5) == 1
    assert available_threads() == 2


def test_many_at_once():
    n = 8
    together = Barrier(n)

    def enter_and_leave(_):
        counts = []
        for _ in range(20):
            together.wait(60)
            with single_thread():
                counts.append(available_threads())
        return counts

    with ThreadPoolExecutor(n) as pool:
        assert list(pool.map(enter_and_leave, range(n))) == [[1] * 20] * n
    assert available_threads() == 2


FORKS_WHILE_ANOTHER_THREAD_COMPUTES = """
import os, sys, threading
from threadpoolctl import threadpool_limits
from sknn.ops.threads import available_threads, share_out, single_thread

threadpool_limits(2, user_api="blas")
entered, done = threading.Event(), threading.Event()

def compute():
    with single_thread():
        entered.set()
        done.wait()

threading.Thread(target=compute).start()
entered.wait()
share_out(abs, [-1, -2], 1e9)  # a pool whose threads the child will not have
child = os.fork()
if child == 0:
    with single_thread():
        pass
    os._exit(0 if available_threads() == 2 and share_out(abs, [-1, -2], 1e9) == [1, 2] else 1)
done.set()
sys.exit(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_starts_afresh():
    command = [sys.executable, "-W", "ignore", "-c", FORKS_WHILE_ANOTHER_THREAD_COMPUTES]
    assert subprocess.run(command, timeout=200).returncode == 0


def test_work_shared_out_comes_back_in_order():
    caller = get_ident()
    found = share_out(lambda k: (k, available_threads(), get_ident()), list(range(7)), multiplications=1e9)
    assert [k for k, _, _ in found] == list(range(7))
    assert {threads for _, threads, _ in found} == {1}
    assert {thread for _, _, thread in found[::2]} == {caller}
    assert caller not in {thread for _, _, thread in found[1::2]}
    assert available_threads() == 2


def test_little_work_is_not_shared_out():
    assert set(share_out(lambda k: get_ident(), [1, 2, 3], multiplications=10)) == {get_ident()}


@pytest.mark.parametrize("bad", [0, 1])
def test_an_error_in_any_thread_is_raised(bad):
    def work(k):
        if k == bad:
            raise ArithmeticError(f"part {k}")

    with pytest.raises(ArithmeticError, match=f"part {bad}"):
        share_out(work, [0, 1], multiplications=1e9)
    assert available_threads() == 2


def threads_seen(multiplications: float = 1e9) -> set[tuple[int, int]]:
    """Who takes part in work that is shared out, and how many threads the BLAS has there."""
    return set(share_out(lambda k: (get_ident(), available_threads()), [1, 2, 3], multiplications))


def test_our_own_threads_are_as_many_as_the_blas_had():
    with own_threads():
        assert available_threads() == 1
        assert len(threads_seen()) == 2
        with own_threads():
            assert len(threads_seen()) == 2
    assert available_threads() == 2
    with single_thread(), own_threads():
        assert len(threads_seen()) == 1


def test_what_is_shared_out_does_not_share_out_again():
    with own_threads():
        inner = share_out(lambda k: threads_seen(), [1, 2], multiplications=1e9)
    assert [len(threads) for threads in inner] == [1, 1]


@pytest.mark.parametrize(
    ("operations", "of_the_blas", "sharing"),
    [(SMALL_STEP / 2, 1, 1), (SMALL_STEP, 2, 2), (LARGE_STEP / 2, 2, 2), (LARGE_STEP, 1, 2)],
)
def test_the_size_of_a_step_decides_whose_threads_compute(operations, of_the_blas, sharing):
    with threads_for(operations):
        assert available_threads() == of_the_blas
        assert len(threads_seen()) == sharing


WAYS = {SMALL_STEP / 2: (1, 1), SMALL_STEP: (2, 2), LARGE_STEP: (1, 2)}  # threads of the BLAS, and that share


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("then", WAYS)
def test_threads_follow_what_a_step_turns_out_to_be(first, then):
    before = available_threads()
    with Threads(first) as threads:
        for operations in (first, then, then, first):
            threads.follow(operations)
            assert (available_threads(), len(threads_seen())) == WAYS[operations]
    assert available_threads() == before


@pytest.mark.parametrize("n_rows", [1, 2, 7])
def test_rows_are_shared_among_our_own_threads_only(n_rows):
    def parts() -> list[slice]:
        seen = []
        share_rows(seen.append, n_rows, 1e9)
        return sorted(seen, key=lambda rows: rows.start)

    assert parts() == [slice(0, n_rows)]
    with own_threads():
        assert [rows for part in parts() for rows in range(n_rows)[part]] == list(range(n_rows))
        assert len(parts()) == min(n_rows, 2)
