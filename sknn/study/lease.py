"""The thread that keeps the leases of a store alive while cells are computed."""

import threading
import warnings
from types import TracebackType
from typing import Self

from .store import Store, StoreError


class Heartbeat:
    """Renew the leases of a store, four times per lease, for as long as a block runs.

    Parameters
    ----------
    store : Store
        The store, open for as long as the block runs.

    Warns
    -----
    RuntimeWarning
        At the end of the block, if a renewal failed. Nothing is lost then, but another process may have computed the
        same cells again.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, Store(folder + "/study.sqlite") as store:
    ...     with Heartbeat(store):
    ...         store.claim("a1", "a cell that may take hours")
    True
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stop = threading.Event()
        self._failure: StoreError | None = None
        self._thread = threading.Thread(target=self._beat, name="sknn-heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        if self._failure and error is None:
            message = f"Leases could not be renewed, so that cells may have been computed twice: {self._failure}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)

    def _beat(self) -> None:
        while not self._stop.wait(self._store.lease / 4):
            try:
                self._store.renew()
            except StoreError as failure:  # a disk or a lock that is back next time
                self._failure = failure
