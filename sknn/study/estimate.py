"""How long a study will still take, from the times of the cells that are finished."""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .cell import Cell
from .outcome import Outcome

TIMES = ("fit_time", "tune_time", "predict_time")
ALIKE = 0.05  # training sets whose sizes differ by no more than this share are about the same


class Left(NamedTuple):
    """Seconds that a study will still take; if not all models have been seen, it will take longer than that."""

    seconds: float
    is_whole: bool


class Estimate:
    """The time left, model by model: a forest may take a hundred times as long as a ridge regression.

    A cell is expected to take as long as the finished ones of the same model on the same data, with about as many
    training rows and in proportion to them; or else as those of the same model on other data. What the running cells
    have done already is taken off, and the rest is shared by the workers. Nothing takes less than its longest cell.

    Parameters
    ----------
    cells : sequence of Cell
        All cells.
    n_workers : int
        How many are computed at a time.
    clock : callable, default=time.monotonic
        Returns the time in seconds.
    """

    def __init__(self, cells: Sequence[Cell], n_workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.n_workers = n_workers
        self.clock = clock
        self.unfinished = Counter(map(_kind, cells))
        self.in_flight: dict[Cell, float | None] = {}  # since when it is running; None while it waits for a worker
        self.times: dict[tuple[str, ...], dict[int, list[float]]] = defaultdict(dict)
        self._expected: dict[tuple[str, str, int], float | None] = {}

    def began(self, cell: Cell) -> None:
        """Note that a cell was handed to a worker."""
        self.in_flight[cell] = None
        self._start()

    def ended(self, cell: Cell, outcome: Outcome) -> None:
        """Note that a cell is finished, whoever computed it."""
        self.in_flight.pop(cell, None)
        self._start()
        kind = _kind(cell)
        self.unfinished[kind] -= 1
        seconds = sum(float(outcome.row.get(name) or 0.0) for name in TIMES)  # a cell that failed has no times
        for known in (kind[:2], kind[1:2]):
            self.times[known].setdefault(kind[2], []).append(seconds)
        self._expected = {each: self._seconds_of(each) for each, count in self.unfinished.items() if count}

    def running(self) -> list[Cell]:
        """The cells that workers are busy with, in the order in which they began."""
        return [cell for cell, since in self.in_flight.items() if since is not None]

    def left(self) -> Left:
        """Estimate the time left at this moment.

        Returns
        -------
        Left
            A model that has not been seen counts for nothing.
        """
        now = self.clock()
        waiting, work, longest, is_whole = Counter(self.unfinished), 0.0, 0.0, True
        for cell, since in list(self.in_flight.items()):
            waiting[_kind(cell)] -= 1
            expected = self._expected.get(_kind(cell))
            rest = max(0.0, (expected or 0.0) - (0.0 if since is None else now - since))
            work, longest, is_whole = work + rest, max(longest, rest), is_whole and expected is not None
        for kind, count in waiting.items():
            if count > 0:
                expected = self._expected.get(kind)
                work += count * (expected or 0.0)
                longest, is_whole = max(longest, expected or 0.0), is_whole and expected is not None
        return Left(max(work / self.n_workers, longest), is_whole)

    def _start(self) -> None:
        # Workers take the cells in the order in which they were handed out.
        for cell in list(self.in_flight)[: self.n_workers]:
            if self.in_flight[cell] is None:
                self.in_flight[cell] = self.clock()

    def _seconds_of(self, kind: tuple[str, str, int]) -> float | None:
        for known in (kind[:2], kind[1:2]):
            if known in self.times:
                return _at(kind[2], self.times[known])
        return None


def _kind(cell: Cell) -> tuple[str, str, int]:
    return cell.dataset, cell.model, len(cell.fold.train)


def _at(n_rows: int, times: dict[int, list[float]]) -> float:
    nearest = min(times, key=lambda each: abs(math.log(each / n_rows)))
    close = [seconds for each in times if abs(each - nearest) <= ALIKE * nearest for seconds in times[each]]
    return sum(close) / len(close) * n_rows / nearest


def spelled(seconds: float) -> str:
    """Write a duration as clocks do, in whole seconds.

    Parameters
    ----------
    seconds : float
        Any duration.

    Returns
    -------
    str
        Minutes and seconds, or hours and minutes with their units.

    Examples
    --------
    >>> spelled(7), spelled(83.2), spelled(3600 * 27 + 125)
    ('0:07', '1:23', '27 h 02 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60} h {minutes % 60:02} min"
