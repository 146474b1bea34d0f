"""Importing sknn, beside scikit-learn's own networks: each time in a fresh process, whose own start does not count."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from .measure import Goal, Measurement, Sample, Turn

PROGRAM = "from time import perf_counter as now; start = now(); import {}; print(now() - start)"


def milliseconds(modules: dict[str, str]) -> dict[str, Turn]:
    """The turns of modules, by the name of the contestant."""

    def turn(module: str) -> Sample:
        command = [sys.executable, "-c", PROGRAM.format(module)]
        return Sample(1e3 * float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))

    return {name: partial(turn, module) for name, module in modules.items()}


MEASUREMENTS = [
    Measurement(
        "import",
        "sknn",
        "ms",
        {"sknn": "sknn", "scikit-learn": "sklearn.neural_network"},
        milliseconds,
        (Goal(("scikit-learn",), 1.10),),
    )
]
