"""Fair timings: contestants take turns in one process, and what counts are medians and ratios turn by turn."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

Answer = TypeVar("Answer")


class Spread(NamedTuple):
    """The median, the smallest and the largest of several values."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


def timed(task: Callable[[], Answer]) -> tuple[float, Answer]:
    """The seconds that one call takes, with the garbage collector at rest, and its answer."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        answer = task()
        return time.perf_counter() - start, answer
    finally:
        gc.enable()


def interleaved(turns: dict[str, Callable[[], Answer]], repeats: int, warm_up: int = 1) -> dict[str, list[Answer]]:
    """The answers of all contestants, who take turns; the first rounds are a warm-up and do not count.

    Rounds go there and back, A B B A, lest a machine that grows slower (or quicker) favour the first (or the last).
    """
    answers: dict[str, list[Answer]] = {name: [] for name in turns}
    for round_ in range(warm_up + repeats):
        there = list(turns.items())
        for name, turn in there[::-1] if round_ % 2 else there:
            answer = turn()
            if round_ >= warm_up:
                answers[name].append(answer)
    return answers


def ratio(values: dict[str, list[float]], one: str, other: str) -> Spread:
    """One's value over the other's, turn by turn."""
    return Spread.of([a / b for a, b in zip(values[one], values[other], strict=True)])
