"""A measurement as a record, and how it is carried out: in turns, each of which gives a value and maybe a loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from sknn.ops._kernels import in_use

from .timing import Spread, interleaved, ratio

Kernels = Literal["compiled", "numpy"]
KERNELS_IN_USE: Kernels = "numpy" if in_use == "numpy" else "compiled"


class Sample(NamedTuple):
    """What one turn gives: the value measured, and the loss (or error) that was reached meanwhile, if there is one."""

    value: float
    loss: float | None = None


Turn = Callable[[], Sample]


@dataclass(frozen=True)
class Goal:
    """What the ratio of the subject's value to another's is to be; of several others the hardest to meet counts."""

    against: tuple[str, ...]
    limit: float
    relation: Literal["<=", ">="] = "<="
    kernels: Kernels | None = None  # with which the goal holds; None: with any

    def reached_by(self, ratio: float) -> bool:
        return ratio <= self.limit if self.relation == "<=" else ratio >= self.limit

    def hardest(self, ratios: dict[str, Spread]) -> str | None:
        """Of those that take part, the contestant whose ratio is the farthest from the goal."""
        present = [name for name in self.against if name in ratios]
        worst = max if self.relation == "<=" else min
        return worst(present, key=lambda name: ratios[name].median) if present else None

    def __str__(self) -> str:
        return f"{self.relation} {self.limit:.2f}"


class Point(NamedTuple):
    """Where a measurement lies on a scaling curve: what varies, and its size."""

    axis: str
    size: int


@dataclass(frozen=True)
class Measurement:
    """Contestants that do the same work.

    `contest` makes of the work the turns of all contestants that are installed, `check` (if any) tells how far apart,
    relatively, their first results are, and raises if that is too far. Ratios are of the value of the `subject` to
    those of the others. `most_repeats` is for values that hardly vary or take long.
    """

    suite: str
    name: str
    unit: str
    work: Any
    contest: Callable[[Any], dict[str, Turn]]
    goals: tuple[Goal, ...] = ()
    check: Callable[[Any], float] | None = None
    subject: str = "sknn"
    point: Point | None = None
    most_repeats: int | None = None
    warm_up: int = 1

    @property
    def path(self) -> str:
        return f"{self.suite}/{self.name}"


@dataclass(frozen=True)
class Result:
    """All values of a measurement, the last losses, and how far apart the first results of its check were."""

    measurement: Measurement
    values: dict[str, list[float]]
    losses: dict[str, float]
    apart: float | None

    @cached_property
    def ratios(self) -> dict[str, Spread]:
        """Of the subject's values to those of each other contestant."""
        subject = self.measurement.subject
        return {name: ratio(self.values, subject, name) for name in self.values if name != subject}

    @cached_property
    def goals(self) -> dict[str, Goal]:
        """The goals that hold with these kernels, by the contestant that each is held against."""
        goals = [goal for goal in self.measurement.goals if goal.kernels in (None, KERNELS_IN_USE)]
        opponents = [goal.hardest(self.ratios) for goal in goals]
        return {name: goal for name, goal in zip(opponents, goals, strict=True) if name}


def measure(measurement: Measurement, repeats: int) -> Result:
    """Carry out a measurement."""
    apart = measurement.check(measurement.work) if measurement.check else None
    repeats = min(repeats, measurement.most_repeats or repeats)
    samples = interleaved(measurement.contest(measurement.work), repeats, measurement.warm_up)
    return Result(
        measurement,
        values={name: [sample.value for sample in each] for name, each in samples.items()},
        losses={name: each[-1].loss for name, each in samples.items() if each[-1].loss is not None},
        apart=apart,
    )
