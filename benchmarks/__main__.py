"""Measure sknn beside scikit-learn, PyTorch, skorch and zuko: everything, or the parts that are named.

The machine is to be idle: beside another busy process PyTorch's threads wait for each other, and may take ten times as
long. SKNN_KERNELS=numpy in the environment measures NumPy alone, against the goals for it. With --against a revision of
the repository, it is the working tree beside that revision that is measured: mlp, cnn, predict, steps, import.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path

from . import (
    bayesian,
    cnn,
    core,
    defaults,
    false_alarms,
    generative,
    grid_search,
    images,
    imports,
    load,
    memory,
    mlp,
    perceptron,
    predict,
    scaling,
    sequences,
    sgemm,
)
from .against import Comparison
from .common import PEERS, installed
from .machine import commit, machine, now
from .measure import Measurement, measure
from .report import Report, goals, tables
from .writers import as_json, markdown, show

MODULES = (mlp, cnn, defaults, predict, imports, perceptron, grid_search, scaling, memory, sgemm, load)
MODULES += (core, sequences, images, generative, bayesian)
MEASUREMENTS = [measurement for module in MODULES for measurement in module.MEASUREMENTS]
FALSE_ALARMS = "false_alarms"  # counts, not times; it takes long, and runs only by name


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of_arguments()
    options = parser.parse_args(arguments)
    against: Comparison | None = options.against
    offered, by_name = (against.measurements, []) if against else (MEASUREMENTS, [FALSE_ALARMS])
    measurements = chosen(options.names, offered)
    unknown = [name for name in options.names if name not in by_name and not chosen([name], offered)]
    if unknown:
        parser.error(f"no suite or measurement {unknown[0]!r}: --list shows all")
    if options.list:
        print("\n".join([measurement.path for measurement in measurements] + by_name * (not options.names)))
        return
    if measurements:
        report = Report(now(), commit(), machine(), options.repeats)
        if against:
            report.machine["beside"] = against.commit
        else:
            tell_who_is_absent()
        with against or nullcontext():
            for _ in run(measurements, report):
                write(report, options)
        if (reached := goals(report.results)).rows:
            show(reached)
    if FALSE_ALARMS in options.names:
        false_alarms.run(options.repeats)


def tell_who_is_absent() -> None:
    for module, name in PEERS.items():
        if not installed(module):
            print(f'{name} takes no part, because it is not installed: pip install ".[peers]"', file=sys.stderr)


def parser_of_arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    suites = dict.fromkeys(measurement.suite for measurement in MEASUREMENTS)
    parts = f"suites ({', '.join(suites)}; {FALSE_ALARMS} runs only by name) or patterns of single ones, 'mlp/784*'"
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {parts}; without a name all")
    parser.add_argument("--against", type=_comparison, metavar="REV", help="measure the working tree beside a revision")
    parser.add_argument("--list", action="store_true", help="list what there is to measure, and stop")
    parser.add_argument("--repeats", type=_positive, default=7, help="counted turns of each contestant (7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single value there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there, as a page")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the scaling curves and the goals there")
    return parser


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def _comparison(revision: str) -> Comparison:
    try:
        return Comparison(revision)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def chosen(names: Sequence[str], offered: Sequence[Measurement]) -> list[Measurement]:
    """The measurements of the suites, or whose paths match the patterns; without a name all."""
    return [
        each
        for each in offered
        if not names or any(name == each.suite or fnmatchcase(each.path, name) for name in names)
    ]


def run(measurements: Sequence[Measurement], report: Report) -> Iterator[str]:
    """Measure suite by suite into the report, showing the tables of each when it ends."""
    for suite, group in groupby(measurements, key=lambda each: each.suite):
        start = time.perf_counter()
        for measurement in group:
            print(f"{measurement.path} ...", file=sys.stderr, flush=True)
            report.results.append(measure(measurement, report.repeats))
        report.seconds[suite] = time.perf_counter() - start
        print(f"\n{suite} ({report.seconds[suite]:.0f} seconds)\n")
        for table in tables(report.of_suite(suite)):
            show(table)
        yield suite


def write(report: Report, options: argparse.Namespace) -> None:
    """The files that were asked for, of all that has been measured so far: an error later on loses nothing."""
    if options.json:
        options.json.write_text(as_json(report), encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(markdown(report), encoding="utf-8")
    if options.plots:
        from .plots import draw

        draw(report, options.plots)


if __name__ == "__main__":
    main()
