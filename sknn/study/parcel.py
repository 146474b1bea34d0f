"""How cells get to workers, into the store and back: in bytes, and on a Dask cluster with word of dead workers."""

import os
import pickle
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import current_process
from pathlib import Path
from typing import Any, Self

from joblib import Parallel, effective_n_jobs
from joblib.parallel import LokyBackend, ThreadingBackend, get_active_backend

from .cell import Cell, compute, failed
from .data import DataSet
from .outcome import Outcome
from .store import Store, StoreError, commit_to

LOOK_AFTER_PARENT = 1.0  # seconds


def workers(n_jobs: int | None) -> Parallel:
    """Prepare joblib for cells, which are handed out one by one and come back as soon as they are finished.

    Parameters
    ----------
    n_jobs : int or None
        As in joblib; None is one job, or what ``joblib.parallel_config`` says.

    Returns
    -------
    joblib.Parallel
        To be called with tasks.
    """
    backend, _ = get_active_backend()
    if _is_dask(backend):
        from .on_dask import DaskBackend  # loads Dask, which may not be there

        return Parallel(n_jobs, DaskBackend(backend), return_as="generator_unordered", batch_size=1)
    return Parallel(
        n_jobs, return_as="generator_unordered", batch_size=1, initializer=end_with_parent, initargs=(os.getpid(),)
    )


def are_elsewhere(n_jobs: int | None) -> bool:
    """Tell whether the workers are other processes, so that cells must be sent.

    Parameters
    ----------
    n_jobs : int or None
        As in joblib.

    Returns
    -------
    bool
        False where cells are computed in this process, in threads of it, too.
    """
    backend, _ = get_active_backend()
    return _is_dask(backend) or (effective_n_jobs(n_jobs) > 1 and not getattr(backend, "supports_sharedmem", False))


def file_for_workers(store: Store | None) -> Path | None:
    """Tell where workers leave what they have finished, before they take the next cell.

    Parameters
    ----------
    store : Store or None
        The store of the study.

    Returns
    -------
    Path or None
        None where workers have no way to the file: on a cluster, whose machines may share it through a network file
        system without locks, and without a store.
    """
    backend, _ = get_active_backend()
    is_on_this_machine = isinstance(backend, LokyBackend | ThreadingBackend)
    return store.path if store is not None and is_on_this_machine else None


def _is_dask(backend: Any) -> bool:
    return type(backend).__name__ == "DaskDistributedBackend"


@dataclass(frozen=True)
class Parcel:
    """A cell in bytes, so that one that cannot be packed or unpacked fails alone, and takes no worker with it.

    Parameters
    ----------
    cell : Cell
        Without what may make trouble.
    content : bytes
        The estimator and the measures.
    """

    cell: Cell
    content: bytes

    @classmethod
    def pack(cls, cell: Cell) -> Self:
        """Pack a cell, with the classes and functions of a script or notebook.

        Parameters
        ----------
        cell : Cell
            The cell.

        Returns
        -------
        Parcel
            To be sent.

        Raises
        ------
        Exception
            Whatever the estimator raises if it cannot be pickled.
        """
        import cloudpickle  # only where cells are sent

        return cls(replace(cell, estimator=None, measures=()), cloudpickle.dumps((cell.estimator, cell.measures)))

    def compute(self, data: DataSet) -> Outcome:
        """Unpack and compute the cell.

        Parameters
        ----------
        data : DataSet
            The whole data set.

        Returns
        -------
        Outcome
            As of ``sknn.study.cell.compute``.
        """
        try:
            estimator, measures = pickle.loads(self.content)
        except Exception as error:
            return failed(self.cell, error)
        return compute(data, replace(self.cell, estimator=estimator, measures=measures))


def end_with_parent(parent: int) -> None:
    """From now on, end this worker process soon after the process that started it.

    joblib's workers are told to end, but by nobody if their parent was killed: they would go on for minutes, and hold
    open the pipes that they inherited.
    """
    if current_process().name == "MainProcess":  # its threads are the workers
        return
    threading.Thread(target=_watch, args=(parent,), name="sknn-parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_AFTER_PARENT)
    os._exit(1)


def computed(key: str, data: DataSet, work: Any, file: Path | None) -> tuple[str, Outcome]:
    """Compute a cell, wherever this is, and leave its outcome in the store.

    Parameters
    ----------
    key : str
        What identifies the cell.
    data : DataSet
        The whole data set.
    work : Cell, Parcel or Outcome
        What to compute; an outcome, if it is known already.
    file : Path or None
        As of `file_for_workers`.

    Returns
    -------
    tuple of str and Outcome
        The key, and what came out.
    """
    outcome = _computed(data, work)
    if file is not None:
        with suppress(StoreError):  # who gets the outcome tries again, and says what is wrong
            commit_to(file, key, outcome)
    return key, outcome


def _computed(data: DataSet, work: Any) -> Outcome:
    if isinstance(work, Outcome):
        return work
    return work.compute(data) if isinstance(work, Parcel) else compute(data, work)
