"""Cells on a Dask cluster: joblib's backend, with word of the tasks that were lost with their workers."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from joblib._dask import DaskDistributedBackend


class DaskBackend(DaskDistributedBackend):
    """Compute on the cluster whatever happens there, and say so when a task is lost.

    Dask computes the tasks of a dead worker again on another one, but gives a task up that several workers died of.
    joblib (1.6) keeps the exception then without telling ``Parallel``, which waits for ever; and it computes in this
    very process while the cluster has but one thread, be it because the other worker has just died.

    Parameters
    ----------
    backend : DaskDistributedBackend
        The one that ``joblib.parallel_config`` made; everything is shared with it.
    """

    def __init__(self, backend: DaskDistributedBackend) -> None:
        self.__dict__ = backend.__dict__

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Tell how many tasks to compute at a time.

        Parameters
        ----------
        n_jobs : int
            Ignored: it is the size of the cluster that counts.

        Returns
        -------
        int
            At least 2, which keeps joblib from computing here.
        """
        return max(2, super().effective_n_jobs(n_jobs))

    def submit(self, func: Any, callback: Callable[[Any], None]) -> Future:
        """Submit a batch of tasks.

        Parameters
        ----------
        func : callable
            The batch.
        callback : callable
            To be called with its result, or with the exception.

        Returns
        -------
        concurrent.futures.Future
            Of the result.
        """

        def tell_if_lost(done: Future) -> None:
            if (error := done.exception()) is not None:
                callback(error)

        future = super().submit(func, callback)
        future.add_done_callback(tell_if_lost)
        return future
