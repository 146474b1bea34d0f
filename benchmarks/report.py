"""The results of a run, and the tables that show them; :mod:`.writers` turns these into text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress, groupby
from typing import NamedTuple

from .measure import Result
from .scaling import LARGEST, slope
from .timing import Spread

REACHED, MISSED = "reached", "missed"


@dataclass
class Report:
    """What a run stands on, all results so far, and how many seconds each suite took."""

    date: str
    commit: str
    machine: dict[str, str]
    repeats: int
    results: list[Result] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def of_suite(self, suite: str) -> list[Result]:
        return [result for result in self.results if result.measurement.suite == suite]


class Table(NamedTuple):
    """A title, column heads and rows of text."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


class Curve(NamedTuple):
    """The costs of one contestant at growing sizes."""

    sizes: Sequence[int]
    costs: Sequence[Spread]

    def slope(self, last: int = 0) -> float:
        """Of all points, or of the last so many, on axes of logarithms."""
        return slope(self.sizes[-last:], [cost.median for cost in self.costs[-last:]])


def curves(results: Sequence[Result]) -> dict[tuple[str, str], dict[str, Curve]]:
    """The curve of each contestant, by axis and unit, of the results that are points on one; one point makes none."""
    points = [(result.measurement.point, result) for result in results if result.measurement.point]
    found = {}
    for key, group in groupby(points, key=lambda each: (each[0].axis, each[1].measurement.unit)):
        sizes, of_axis = zip(*((point.size, result) for point, result in group), strict=True)
        names = of_axis[0].values if len(sizes) > 1 else {}
        found[key] = {name: Curve(sizes, [Spread.of(result.values[name]) for result in of_axis]) for name in names}
    return {key: of_axis for key, of_axis in found.items() if of_axis}


# ------------------------------------------------------------------------------------------------------ the tables


def tables(results: Sequence[Result]) -> Iterator[Table]:
    """One for each measurement that stands alone, and one for each scaling curve."""
    found = curves(results)
    axes = {axis for axis, _ in found}
    for result in results:
        point = result.measurement.point
        if result.values and not (point and point.axis in axes):
            yield _contest(result)
    for (axis, unit), of_axis in found.items():
        yield _growth(axis, unit, of_axis)


def goals(results: Sequence[Result]) -> Table:
    """What was to be reached, and whether it is."""
    rows = [
        [result.measurement.path, result.measurement.subject, name, _ratio(result, name), _goal(result, name)]
        for result in results
        for name in result.goals
    ]
    reached = sum(row[-1].endswith(REACHED) for row in rows)
    return Table(f"{reached} of {len(rows)} goals reached", ["measurement", "", "to", "ratio", "goal"], rows)


def _contest(result: Result) -> Table:
    measurement = result.measurement
    apart = "" if result.apart is None else f" (first results {result.apart:.0e} apart)"
    rows = [
        [name, _value(Spread.of(values)), _loss(result, name), _ratio(result, name), _goal(result, name)]
        for name, values in result.values.items()
    ]
    heads = ["", measurement.unit, "loss", f"{measurement.subject} to it", "goal"]
    told = [any(column) for column in zip(*rows, strict=True)]
    return Table(measurement.name + apart, list(compress(heads, told)), [list(compress(row, told)) for row in rows])


def _loss(result: Result, name: str) -> str:
    return f"{result.losses[name]:.4f}" if name in result.losses else ""


def _ratio(result: Result, name: str) -> str:
    if name not in result.ratios:
        return ""
    median, low, high = (format(value, _digits(value)) for value in result.ratios[name])
    return f"{median} [{low}, {high}]"


def _digits(value: float) -> str:
    """Two of a ratio; three where it is small, or so close to one that goals of a few hundredths decide."""
    return ".3f" if value < 0.1 or 0.9 < value < 1.1 else ".2f"


def _goal(result: Result, name: str) -> str:
    goal = result.goals.get(name)
    if goal is None:
        return ""
    return f"{goal} {REACHED if goal.reached_by(result.ratios[name].median) else MISSED}"


def _value(spread: Spread) -> str:
    return f"{_number(spread.median)} [{_number(spread.low)}, {_number(spread.high)}]"


def _number(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def _growth(axis: str, unit: str, of_axis: dict[str, Curve]) -> Table:
    sizes = next(iter(of_axis.values())).sizes
    costs = zip(*([_number(cost.median) for cost in curve.costs] for curve in of_axis.values()), strict=True)
    rows = [[f"{size}", *row] for size, row in zip(sizes, costs, strict=True)]
    rows.append(["slope", *(f"{curve.slope():.2f}" for curve in of_axis.values())])
    rows.append([f"of the last {LARGEST}", *(f"{curve.slope(LARGEST):.2f}" for curve in of_axis.values())])
    return Table(f"{unit} against {axis}", [axis, *of_axis], rows)
