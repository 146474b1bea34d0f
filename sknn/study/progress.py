"""The progress of a study in the terminal: a bar with the time left, or plain lines where there is no terminal."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as ProgressBar
from rich.table import Column
from rich.text import Text

from .cell import Cell
from .estimate import Estimate, spelled
from .outcome import Outcome
from .run import Progress

MOST_LINES = 60  # without a terminal, where every line stays


@contextmanager
def show_progress(console: Console) -> Iterator[Progress]:
    """Show the progress of a study while the block runs.

    Parameters
    ----------
    console : rich.console.Console
        Where to show it.

    Yields
    ------
    Progress
        For ``Run``.
    """
    if not console.is_terminal:
        yield Lines(console)
        return
    shown = Bar()
    columns = (
        TextColumn("{task.description}", markup=False, table_column=Column(overflow="fold")),  # wraps, cuts no number
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        MofNCompleteColumn(),
        _TimeLeft(shown),
    )
    # Few refreshes, so that drawing does not show up in the times that are measured; gone when the table comes.
    with ProgressBar(*columns, console=console, refresh_per_second=4, transient=True, expand=True) as bar:
        shown.show_in(bar)
        yield shown


class Watch(Progress):
    """Counts the finished cells and estimates the time left; what is shown is up to the subclass."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.done, self.total = 0, 0
        self.estimate = Estimate([], 1)

    def started(self, cells: Sequence[Cell], n_workers: int) -> None:
        with self.lock:
            self.done, self.total = 0, len(cells)
            self.estimate = Estimate(cells, n_workers)
            self.show()

    def found(self, cells: Sequence[Cell], outcomes: Sequence[Outcome]) -> None:
        with self.lock:
            for cell, outcome in zip(cells, outcomes, strict=True):
                self.estimate.ended(cell, outcome)
            self.done += len(cells)
            self.show(found=len(cells))

    def began(self, cell: Cell) -> None:
        with self.lock:
            self.estimate.began(cell)
            self.show()

    def ended(self, cell: Cell, outcome: Outcome) -> None:
        with self.lock:
            self.estimate.ended(cell, outcome)
            self.done += 1
            self.show(ended=cell)

    def waiting(self) -> None:
        with self.lock:
            self.show(waits=True)

    def show(self, found: int = 0, ended: Cell | None = None, waits: bool = False) -> None:
        """Show the present state, and what has just happened."""
        raise TypeError(f"{type(self).__name__} defines no show")

    def time_left(self) -> str:
        """Tell how long it will still take: "over", or nothing, as long as some model has not been seen yet."""
        seconds, is_whole = self.estimate.left()
        if is_whole:
            return f"{spelled(seconds)} left"
        return f"over {spelled(seconds)} left" if seconds >= 1 else ""


class Lines(Watch):
    """One line for a finished cell, or for several if there are many.

    Parameters
    ----------
    console : rich.console.Console
        Where to show them.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def show(self, found: int = 0, ended: Cell | None = None, waits: bool = False) -> None:
        is_last = self.done == self.total
        if found:
            what = f"{found:,} finished before"
        elif ended is not None and (is_last or self.done % -(-self.total // MOST_LINES) == 0):
            what = ended.label
        else:
            return
        left = "" if is_last else self.time_left()
        self.console.out(f"[{self.done}/{self.total}] {what}{left and ', '}{left}", highlight=False)


class Bar(Watch):
    """A bar with the cell that a worker began last."""

    def show_in(self, bar: ProgressBar) -> None:
        """Take the bar that is on the screen."""
        self.bar = bar
        self.task = bar.add_task("", total=None)

    def show(self, found: int = 0, ended: Cell | None = None, waits: bool = False) -> None:
        running = [cell.label for cell in self.estimate.running()]
        label = "waiting for another process" if waits else running[-1] if running else ""
        self.bar.update(self.task, completed=self.done, total=self.total, description=label)


class _TimeLeft(ProgressColumn):
    """Drawn anew at every refresh, so that it counts down while a long cell is running."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(table_column=Column(no_wrap=True))
        self.watch = watch

    def render(self, task: Task) -> Text:
        with self.watch.lock:
            return Text(self.watch.time_left() if self.watch.total else "")
