"""A report as text for the terminal, as JSON with every single value, and as a page in Markdown."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from .common import installed
from .measure import Result
from .report import MISSED, Report, Table, curves, goals, tables
from .scaling import LARGEST

# ---------------------------------------------------------------------------------------------------- the terminal


def show(table: Table) -> None:
    """Print a table, on a terminal with rich if it is installed."""
    if not (sys.stdout.isatty() and installed("rich")):
        print(plain(table) + "\n", flush=True)
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable

    drawn = RichTable(title=table.title, title_justify="left", box=SIMPLE_HEAD)
    for k, head in enumerate(table.heads):
        drawn.add_column(head, justify="right" if k else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*row, style="red" if row[-1].endswith(MISSED) else "")
    Console().print(drawn)


def plain(table: Table) -> str:
    """A table in columns as wide as they need be, the first aligned to the left."""
    rows = [table.heads, *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_aligned(row, widths)).rstrip() for row in rows]
    return "\n".join([table.title, *lines])


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = row
    return [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]


# ---------------------------------------------------------------------------------------------------------- the page

INTRODUCTION = """\
# Results

Written by `python -m benchmarks --markdown`. Contestants took turns; a value is the median of {repeats} turns (fewer
where they take long or hardly differ), a ratio that of the values turn by turn; in brackets stand the smallest and the
largest. How a suite measures is told at the top of its file. Goals are those for the kernels in use.
"""


def markdown(report: Report) -> str:
    """What the run stood on, the goals, and all tables."""
    facts = {"date": report.date, "commit": report.commit, **report.machine}
    parts = [
        INTRODUCTION.format(repeats=report.repeats),
        _markdown_table(Table("", ["", ""], list(facts.items()))),
        _markdown_table(goals(report.results), level="##"),
    ]
    for suite, seconds in report.seconds.items():
        parts.append(f"## {suite}\n\nIt took {seconds:.0f} seconds.\n")
        parts += [_markdown_table(table) for table in tables(report.of_suite(suite))]
    return "\n".join(parts)


def _markdown_table(table: Table, level: str = "###") -> str:
    title = f"{level} {table.title}\n\n" if table.title else ""
    rule = [":--", *["--:"] * (len(table.heads) - 1)]
    return title + "\n".join(f"| {' | '.join(row)} |" for row in (table.heads, rule, *table.rows)) + "\n"


# ---------------------------------------------------------------------------------------------------------- the data


def as_json(report: Report) -> str:
    """All that the report knows."""
    slopes = {
        axis: {name: {"all": curve.slope(), f"last {LARGEST}": curve.slope(LARGEST)} for name, curve in of_axis.items()}
        for (axis, _), of_axis in curves(report.results).items()
    }
    facts = {
        "date": report.date,
        "commit": report.commit,
        "machine": report.machine,
        "repeats": report.repeats,
        "seconds": report.seconds,
        "measurements": [_measurement(result) for result in report.results],
        "slopes": slopes,
    }
    return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"


def _measurement(result: Result) -> dict[str, Any]:
    measurement = result.measurement
    judged = [
        {
            "against": name,
            "relation": goal.relation,
            "limit": goal.limit,
            "reached": goal.reached_by(result.ratios[name].median),
        }
        for name, goal in result.goals.items()
    ]
    return {
        "suite": measurement.suite,
        "name": measurement.name,
        "unit": measurement.unit,
        "work": told(measurement.work),
        "values": result.values,
        "losses": result.losses,
        "first results apart": result.apart,
        "subject": measurement.subject,
        "ratios": {name: ratio._asdict() for name, ratio in result.ratios.items()},
        "goals": judged,
    }


def told(work: Any) -> Any:
    """The sizes of the work."""
    return asdict(work) if is_dataclass(work) and not isinstance(work, type) else work
