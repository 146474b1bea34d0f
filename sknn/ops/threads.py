"""How many threads compute: one reference-counted limit on the BLAS, for fits and predictions side by side.

A limit on the BLAS holds for the whole process and does not nest: of two overlapping limits the last to leave
would restore the wrong count. So the first to enter sets the limit and the last to leave lifts it.

There are threads of two kinds: those of the BLAS, quick to wake but each time for one product of matrices only, and our
own, which share out whole operations. The former go on spinning for a while after their work, in the way of the latter.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

from ._kernels import native


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


def available_threads() -> int:
    """The threads that the BLAS may use now: as many as the user, the environment or a joblib worker left it."""
    counts = [library["num_threads"] for library in _blas().info()]
    return max(counts, default=1)


def _let_any_thread_set_it() -> None:
    """From version 3.8 on, threadpoolctl hears only the thread that set a count first, until told to forget it."""
    for library in _blas().lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


class _Limit:
    """Sets the BLAS to one thread while anyone wants it so."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.users = 0
        self.limiter: object | None = None

    def enter(self) -> None:
        with self.lock:
            if self.users == 0:
                _let_any_thread_set_it()
                self.limiter = _blas().limit(limits=1)
            self.users += 1

    def leave(self) -> None:
        with self.lock:
            self.users -= 1
            if self.users == 0:
                _let_any_thread_set_it()
                self.limiter.restore_original_limits()  # type: ignore[union-attr]
                self.limiter = None
                _let_any_thread_set_it()

    def forget(self) -> None:
        """In a forked child: the other threads that were here are gone, and with them their wishes and their lock."""
        limiter, self.lock, self.users, self.limiter = self.limiter, Lock(), 0, None
        if limiter is not None:
            _let_any_thread_set_it()
            limiter.restore_original_limits()  # type: ignore[attr-defined]


_single = _Limit()
os.register_at_fork(after_in_child=_single.forget)


@contextmanager
def single_thread(wanted: bool = True) -> Iterator[None]:
    """Within this context the BLAS uses one thread (if `wanted`)."""
    if not wanted:
        yield
        return
    _single.enter()
    try:
        yield
    finally:
        _single.leave()


SMALL_STEP = 1.5e7  # floating-point operations; below this a second thread gains little, and may cost much
LARGE_STEP = 2e8  # from here on handing work to our own threads takes little of the time
SMALL_WORK = 1e7  # multiplications; below this, handing work to another thread costs more than it brings

_own: ContextVar[int | None] = ContextVar("own_threads", default=None)


def threads_for(operations: float) -> AbstractContextManager[None]:
    """For steps of so many operations: one thread, those of the BLAS, or our own."""
    return _way(operations)()


def _way(operations: float) -> Callable[[], AbstractContextManager[None]]:
    if operations < SMALL_STEP:
        return single_thread
    return nullcontext if operations < LARGE_STEP else own_threads


class Threads:
    """As :func:`threads_for`, for steps of which it turns out later how many operations they take."""

    def __init__(self, operations: float) -> None:
        self.way, self.entered = _way(operations), ExitStack()

    def __enter__(self) -> Threads:
        self.entered.enter_context(self.way())
        return self

    def __exit__(self, *error: Any) -> None:
        self.entered.close()

    def follow(self, operations: float) -> None:
        """From here on for steps of so many operations."""
        way = _way(operations)
        if way is not self.way:
            self.entered.close()
            self.way = way
            self.entered.enter_context(way())


@contextmanager
def own_threads() -> Iterator[None]:
    """Within this context the BLAS uses one thread, and :func:`share_out` as many as there are."""
    count = _threads_to_share()
    with single_thread(), _counting_on(count):
        yield


@contextmanager
def _counting_on(count: int) -> Iterator[None]:
    token = _own.set(count)
    try:
        yield
    finally:
        _own.reset(token)


def _threads_to_share() -> int:
    return _own.get() or available_threads()


@cache
def _pool(n_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads, thread_name_prefix="sknn")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked child has none of its parent's threads


def share_out(work: Callable[[Any], Any], parts: Sequence[Any], multiplications: float) -> list[Any]:
    """``[work(part) for part in parts]``, by all available threads where it is much work.

    The parts must be independent of each other; in each the BLAS uses one thread.
    """
    n_threads = 1 if multiplications < SMALL_WORK else min(_threads_to_share(), len(parts))
    if n_threads == 1:
        return [work(part) for part in parts]
    found: list[Any] = [None] * len(parts)

    def share(first: int) -> None:
        with _counting_on(1):
            for k in range(first, len(parts), n_threads):
                found[k] = work(parts[k])

    with single_thread():
        tasks = [_pool(n_threads - 1).submit(copy_context().run, share, first) for first in range(1, n_threads)]
        try:
            share(0)
        finally:
            errors = [task.exception() for task in tasks]
    for error in errors:
        if error is not None:
            raise error
    return found


SMALL_KERNEL = 2e6  # multiplications of two threads of the compiled kernels; with less a second one gains nothing


def threads_of_kernels(multiplications: float) -> int:
    """How many threads the compiled kernels may use for so much work: their own, which the BLAS knows nothing of."""
    if multiplications < SMALL_KERNEL:
        return 1
    most: int = _own.get() or native.threads()
    return most if 2 * multiplications >= most * SMALL_KERNEL else int(2 * multiplications / SMALL_KERNEL)


def share_rows(work: Callable[[slice], Any], n_rows: int, multiplications: float) -> None:
    """``work(rows)`` for slices that make up all rows: one, or where it is much work one for each of our own threads.

    Outside of :func:`own_threads` the BLAS has its own way of sharing a product of matrices.
    """
    count = min(_own.get() or 1, n_rows)
    step = -(-n_rows // count)
    share_out(work, [slice(k, min(k + step, n_rows)) for k in range(0, n_rows, step)], multiplications)
