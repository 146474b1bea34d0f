"""Importing a network, beside scikit-learn's own: each time in a fresh process, whose own start does not count."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from .measure import Goal, Measurement, Sample, Turn

PROGRAM = "from time import perf_counter as now; start = now(); {}; print(now() - start)"


def milliseconds(statements: dict[str, str]) -> dict[str, Turn]:
    """The turns of import statements, by the name of the contestant."""

    def turn(statement: str) -> Sample:
        command = [sys.executable, "-c", PROGRAM.format(statement)]
        return Sample(1e3 * float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))

    return {name: partial(turn, statement) for name, statement in statements.items()}


MEASUREMENTS = [
    Measurement(
        "import",
        "sknn",
        "ms",
        {"sknn": "from sknn import MLPClassifier", "scikit-learn": "import sklearn.neural_network"},
        milliseconds,
        (Goal(("scikit-learn",), 1.08),),
    )
]
