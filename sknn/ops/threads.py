"""How many threads compute: one reference-counted limit on the BLAS, for fits and predictions side by side.

A limit on the BLAS holds for the whole process and does not nest: of two overlapping limits the last to leave
would restore the wrong count. So the first to enter sets the limit and the last to leave lifts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController


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


_single = _Limit()


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
