"""Fair timings: contestants take turns in one process, and what counts are medians and their ratios."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

Contest = dict[str, Callable[[], object]]


def seconds(task: Callable[[], object]) -> float:
    """How long one call takes, with the garbage collector at rest."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        task()
        return time.perf_counter() - start
    finally:
        gc.enable()


def interleaved(contest: Contest, repeats: int) -> dict[str, list[float]]:
    """The times of each contestant, who take turns; the first round is a warm-up and does not count."""
    times: dict[str, list[float]] = {name: [] for name in contest}
    for turn in range(repeats + 1):
        for name, task in contest.items():
            elapsed = seconds(task)
            if turn:
                times[name].append(elapsed)
    return times


def ratio(times: dict[str, list[float]], one: str, other: str) -> tuple[float, float, float]:
    """Median, smallest and largest of one's time over the other's, turn by turn."""
    ratios = [a / b for a, b in zip(times[one], times[other], strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)
