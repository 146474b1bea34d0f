"""The progress of a study in the terminal: a bar with the time left, or plain lines where there is no terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar
from rich.table import Column

from .run import Progress


@contextmanager
def show_progress(console: Console) -> Iterator[Progress]:
    """Show the progress of a study while the block runs.

    Parameters
    ----------
    console : rich.console.Console
        Where to show it.

    Yields
    ------
    callable
        ``progress(done, total, label)``, for ``Study.run``.
    """
    if not console.is_terminal:
        yield lambda done, total, label: _plain_line(console, done, total, label)
        return
    columns = (
        TextColumn("{task.description}", table_column=Column(overflow="fold")),  # wraps, lest numbers be cut
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
    )
    # Few refreshes, so that drawing does not show up in the times that are measured; gone when the table comes.
    with ProgressBar(*columns, console=console, refresh_per_second=4, transient=True, expand=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, label: bar.update(task, completed=done, total=total, description=label)


def _plain_line(console: Console, done: int, total: int, label: str) -> None:
    if done < total:
        console.out(f"[{done + 1}/{total}] {label}", highlight=False)
