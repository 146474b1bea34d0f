"""A piece of work of the core: said once in sknn, once in PyTorch and maybe in other ways, and timed in all of them.

All are called before they are timed, and have to agree. PyTorch takes part with as many threads as sknn has and with
one, since on small work it is often the quicker so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn.ops.memory import kept_memory
from sknn.ops.threads import available_threads

from ..common import PYTORCH, installed
from ..measure import Goal, Measurement, Sample, Turn
from ..timing import timed

ONE_THREAD = f"{PYTORCH}, 1 thread"
TOLERANCE = 1e-3  # relatively to the largest entry; in float32, summed up in different orders

Task = Callable[[], Sequence[Any]]  # gives the arrays by which contestants are compared


@dataclass(frozen=True)
class Work(ABC):
    """Something to compute: a subclass adds its sizes and says it in several ways."""

    @abstractmethod
    def sknn(self) -> Task:
        """As the package does it."""

    def others(self) -> dict[str, Task]:
        """The same in other ways that NumPy and SciPy have."""
        return {}

    def pytorch(self, torch: Any) -> Task | None:
        """The same in PyTorch, unless it has nothing of the kind."""
        return None


def contestants(work: Work) -> dict[str, Task]:
    """All that take part, by name."""
    tasks = {"sknn": work.sknn()} | work.others()
    if installed("torch"):
        import torch

        for name, n_threads in ((PYTORCH, available_threads()), (ONE_THREAD, 1)):
            if theirs := work.pytorch(torch):  # each from the start: a step changes what the next one finds
                tasks[name] = with_threads(torch, n_threads, theirs)
    return tasks


def with_threads(torch: Any, n_threads: int, task: Task) -> Task:
    def within() -> Sequence[Any]:
        torch.set_num_threads(n_threads)
        return task()

    return within


def apart(work: Work) -> float:
    """How far the results of all are apart, relatively to the largest entry; an error where they do different work."""
    results = {name: [np.asarray(array) for array in task()] for name, task in contestants(work).items()}
    first, *others = results.values()
    farthest = max(
        (float(np.abs(a - b).max() / np.abs(a).max()) for other in others for a, b in zip(first, other, strict=True)),
        default=0.0,
    )
    if not farthest <= TOLERANCE:
        raise RuntimeError(f"{', '.join(results)} do different work: their results are {farthest:.0e} apart")
    return farthest


def milliseconds(work: Work) -> dict[str, Turn]:
    """The turns of all."""
    return {name: turn_of(task) for name, task in contestants(work).items()}


def turn_of(task: Task) -> Turn:
    """As many calls as take some ten milliseconds."""
    steps(task, 1)
    calls = max(1, round(0.01 / timed(lambda: steps(task, 1))[0]))

    def turn() -> Sample:
        seconds, _ = timed(lambda: steps(task, calls))
        return Sample(1e3 * seconds / calls)

    return turn


def steps(task: Task, calls: int) -> None:
    """Called again and again, with the memory of the call before, as the steps of a fit are."""
    with kept_memory():
        for _ in range(calls):
            task()


def row(name: str, work: Work, *goals: Goal) -> Measurement:
    return Measurement("core", name, "ms", work, milliseconds, goals, check=apart)


def beside_pytorch(limit: float) -> Goal:
    """A goal against the better of PyTorch's two."""
    return Goal((PYTORCH, ONE_THREAD), limit, kernels="compiled")
