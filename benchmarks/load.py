"""Fits beside other processes that keep the processors busy: what our threads cost where they are not alone.

As many loops that never rest as there are processors, and one more, run beside every turn. The fit on all threads is
held against the same fit on one: threads that wait awake for each other take many times as long here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from threadpoolctl import threadpool_limits

from sknn import MLPClassifier

from . import mlp
from .common import loss_curve
from .measure import Goal, Measurement, Sample, Turn
from .timing import timed

ALL, ONE = "all threads", "one thread"
LIMIT = 1.5
LOOP = "import os; parent = os.getppid()\nwhile os.getppid() == parent: sum(range(100_000))"  # no longer than this one


@dataclass(frozen=True)
class Beside:
    """A network's case, and how many busy processes there are beside it."""

    case: mlp.Case
    busy: int


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Within this context so many processes do nothing, as fast as they can."""
    with ExitStack() as stack:
        for _ in range(count):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-S", "-c", LOOP]))
            stack.callback(process.kill)
        yield


def microseconds_per_step(work: Beside) -> dict[str, Turn]:
    """The turns of the same fit on all threads and on one."""
    X, y = mlp.make_data(work.case)

    def turn(limit: int | None) -> Sample:
        estimator = MLPClassifier(**mlp.settings(work.case))
        with busy_processes(work.busy), threadpool_limits(limit):
            seconds, curve = timed(lambda: loss_curve(estimator, X, y))
        return Sample(1e6 * seconds / work.case.steps, curve[-1])

    return {ALL: partial(turn, None), ONE: partial(turn, 1)}


CASES = [
    mlp.Case(200, 1_800, 60, sizes=(64, 100, 10)),
    mlp.Case(200, 1_800, 30, sizes=(64, 200, 200, 10)),
    mlp.Case(256, 2_560, 60, sizes=(2, 128, 128, 2)),
    mlp.Case(128, 2_560, 5, sizes=(784, 512, 256, 10)),
]
MEASUREMENTS = [
    Measurement(
        "load",
        f"{case.name}, {busy} busy",
        "µs per step",
        Beside(case, busy),
        microseconds_per_step,
        (Goal((ONE,), LIMIT),) if busy else (),
        subject=ALL,
    )
    for case in CASES
    for busy in (0, (os.cpu_count() or 1) + 1)
]
