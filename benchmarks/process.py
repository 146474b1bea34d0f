"""The memory that a task takes, measured in a fresh process that does nothing else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

CLEAR_REFS = Path("/proc/self/clear_refs")  # Linux alone can forget an earlier peak


def tells_peak() -> bool:
    """Whether the system tells the peak of a process."""
    return CLEAR_REFS.exists()


def peak_growth(prepare: Callable[..., Callable[[], object]], *arguments: object) -> float:
    """Megabytes by which the resident memory of a fresh process grows at most while it runs a task.

    ``prepare(*arguments)``, called in that process, returns the task; what it imports and allocates does not count.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_growth, prepare, *arguments).result()


def _growth(prepare: Callable[..., Callable[[], object]], *arguments: object) -> float:
    task = prepare(*arguments)
    CLEAR_REFS.write_text("5")  # the peak so far; getrusage would tell the parent's, which a child inherits
    before = _resident("VmRSS")
    task()
    return _resident("VmHWM") - before


def _resident(field: str) -> float:
    """A field of the process's status, in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kibibytes = next(line.split()[1] for line in lines if line.startswith(f"{field}:"))
    return int(kibibytes) * 1024 / 1e6
