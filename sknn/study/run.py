"""All cells of a study: through joblib, into the store, and again where a worker died or another process gave up."""

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any

from joblib import delayed, effective_n_jobs

from .cell import Cell, failed
from .data import DataSet
from .lease import Heartbeat
from .outcome import Outcome
from .parcel import Parcel, are_elsewhere, computed, file_for_workers, workers
from .store import Store

POLL = 0.5  # seconds between two looks at the cells that another process computes
TRIES_TOGETHER = 2  # with how many dying workers a cell may be in flight before it is tried alone


class Progress:
    """What a run tells while it computes; this one shows nothing. The calls come from several threads."""

    def started(self, cells: Sequence[Cell], n_workers: int) -> None:
        """These are all cells, finished or not, and so many are computed at a time."""

    def found(self, cells: Sequence[Cell], outcomes: Sequence[Outcome]) -> None:
        """These had been finished before, or by another process."""

    def began(self, cell: Cell) -> None:
        """This one is handed to a worker, which may have others to finish first; again, if a worker died."""

    def ended(self, cell: Cell, outcome: Outcome) -> None:
        """This one is computed and kept."""

    def waiting(self) -> None:
        """Another process computes all that is left."""


class Run:
    """The computation of a list of cells.

    Cells are handed out one by one. With a store each outcome is in it before its worker takes the next cell, so that
    a kill costs no worker more than the cell it is at. Workers of a cluster have no way to the store: their outcomes
    are kept as they come back, and a kill also costs what is on its way. A cell whose lease another process holds is
    waited for. Should a worker die, the cells in flight are submitted again; one that keeps dying is tried alone, and
    then it is a failed cell.

    Parameters
    ----------
    cells : sequence of (DataSet, Cell)
        What to compute.
    keys : sequence of str
        What identifies each cell in the store; cells of one key have one outcome.
    store : Store or None
        Where finished cells are kept.
    n_jobs : int or None
        As in joblib; None is one job, or what ``joblib.parallel_config`` says.
    progress : Progress, default=None
        Who is told; None: nobody.
    """

    def __init__(
        self,
        cells: Sequence[tuple[DataSet, Cell]],
        keys: Sequence[str],
        store: Store | None,
        n_jobs: int | None,
        progress: Progress | None = None,
    ) -> None:
        self.keys = keys
        self.cells = dict(zip(keys, cells, strict=True))
        self.store = store
        self.n_jobs = n_jobs
        self.progress = progress or Progress()
        self.pack = _parcel if are_elsewhere(n_jobs) else _as_it_is
        self.file = file_for_workers(store)
        self.outcomes: dict[str, Outcome] = {}
        self.in_flight: dict[str, None] = {}
        self.deaths = dict.fromkeys(self.cells, 0)

    def outcomes_in_order(self) -> list[Outcome]:
        """Compute what is missing.

        Returns
        -------
        list of Outcome
            One for each cell.

        Raises
        ------
        StoreError
            If the store cannot be read or written.
        """
        with nullcontext() if self.store is None else Heartbeat(self.store):
            self.progress.started([cell for _, cell in self.cells.values()], effective_n_jobs(self.n_jobs))
            self._take_finished()
            while missing := [key for key in self.cells if key not in self.outcomes]:
                together = [key for key in missing if self.deaths[key] < TRIES_TOGETHER]
                n_before = len(self.outcomes)
                self._compute(together or missing[:1])
                self._take_finished()
                if len(self.outcomes) == n_before and not self.in_flight:
                    self.progress.waiting()
                    time.sleep(POLL)
        return [self.outcomes[key] for key in self.keys]

    def _take_finished(self) -> None:
        if self.store is not None:
            found = self.store.finished([key for key in self.cells if key not in self.outcomes])
            self.outcomes |= found
            if found:
                self.progress.found([self.cells[key][1] for key in found], list(found.values()))

    def _compute(self, keys: Sequence[str]) -> None:
        self.in_flight.clear()
        trouble: list[Exception] = []
        results = workers(self.n_jobs)(self._claimed(keys, trouble))
        try:
            while (result := self._next(results, alone=len(keys) == 1)) is not None:
                self._keep(*result)
        except BaseException as error:
            results.throw(error)  # joblib ends its workers, and raises it again
        if trouble:
            raise trouble[0]

    def _next(self, results: Iterator[tuple[str, Outcome]], alone: bool) -> tuple[str, Outcome] | None:
        try:
            return next(results, None)
        except Exception as error:  # cells catch their own: this is the machinery around them, a dead worker
            self._count_deaths(error, alone)
            return None

    def _claimed(self, keys: Sequence[str], trouble: list[Exception]) -> Iterator[Any]:
        # joblib draws from here in threads of its own, where an exception would be lost or hang.
        try:
            for key in keys:
                data, cell = self.cells[key]
                if self.store is None or self.store.claim(key, cell.label):
                    self.in_flight[key] = None
                    self.progress.began(cell)
                    yield delayed(computed)(key, data, self.pack(cell), self.file)
        except Exception as error:
            trouble.append(error)

    def _keep(self, key: str, outcome: Outcome) -> None:
        if self.store is not None:
            self.store.commit(key, outcome)  # changes nothing where the worker has done so
        self.outcomes[key] = outcome
        self.in_flight.pop(key, None)
        self.progress.ended(self.cells[key][1], outcome)

    def _count_deaths(self, error: Exception, alone: bool) -> None:
        for key in list(self.in_flight):
            self.deaths[key] += 1
            if alone and self.deaths[key] > TRIES_TOGETHER:
                self._keep(key, failed(self.cells[key][1], error))


def _as_it_is(cell: Cell) -> Cell:
    return cell


def _parcel(cell: Cell) -> Parcel | Outcome:
    try:
        return Parcel.pack(cell)
    except Exception as error:
        return failed(cell, error)
