"""The working tree beside another revision of it: what a change costs, step by step, call by call.

Each side is a process that stays (see :mod:`.worker`), except for imports, which take a fresh one each time; they are
timed as a whole, with the start of Python. The sides take turns, there and back: A B B A. The losses that they reach
tell whether they still do the same; "first results apart" is 0 where they do bit for bit.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from .measure import Goal, Measurement, Sample, Turn
from .revisions import ROOT, commit_of, environment, provide_kernels, worktree
from .timing import timed
from .worker import Fit, Predict, Worker

HERE, THEIRS = "working tree", "sklearn.neural_network"
LIMIT, IMPORT_LIMIT = 1.03, 1.08

MLP = Fit(
    "50-128-128-5 at 128",
    "MLPClassifier",
    {"hidden_layer_sizes": (128, 128), "batch_size": 128, "max_iter": 20},
    shape=(50,),
    n_outputs=5,
    n_samples=10_000,
)
CNN = Fit(
    "8x8x1: 16 32 at 64",
    "CNNClassifier",
    {"filters": ((16,), (32,)), "input_shape": (8, 8, 1), "batch_size": 64, "max_iter": 6},
    shape=(8, 8, 1),
    n_outputs=10,
    n_samples=2_560,
)
STEPS = Fit(
    "8-16-1 at 32",
    "MLPRegressor",
    {"hidden_layer_sizes": (16,), "batch_size": 32, "max_iter": 10},
    shape=(8,),
    n_outputs=1,
    n_samples=32_000,
)
WORK: list[tuple[str, str, Fit | Predict]] = [
    ("mlp", "µs per step", MLP),
    ("cnn", "µs per step", CNN),
    ("predict", "ms per call", Predict(replace(MLP, settings=MLP.settings | {"max_iter": 1}), copies=5, calls=5)),
    ("predict", "ms per call", Predict(replace(CNN, settings=CNN.settings | {"max_iter": 1}), copies=4, calls=5)),
    ("steps", "µs per step", STEPS),
]


class Comparison:
    """Two sides, which are there within a ``with``, and the measurements for which they take turns."""

    def __init__(self, revision: str) -> None:
        self.commit = commit_of(revision)
        self.name = revision if revision != self.commit else revision[:9]

    def __enter__(self) -> Comparison:
        with ExitStack() as stack:
            folder = stack.enter_context(worktree(self.commit))
            provide_kernels(folder, self.commit)
            self.folders = {HERE: ROOT, self.name: folder}
            self.workers = {name: stack.enter_context(Worker(folder)) for name, folder in self.folders.items()}
            kernels = {name: worker.kernels for name, worker in self.workers.items()}
            if len(set(kernels.values())) > 1:
                raise RuntimeError(f"the sides compute with different kernels: {kernels}")
            self._at_the_end = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._at_the_end.close()

    @property
    def measurements(self) -> list[Measurement]:
        held_to = (Goal((self.name,), LIMIT),)
        measurements = [
            Measurement(suite, work.name, unit, work, self.turns, held_to, self.losses_apart, HERE)
            for suite, unit, work in WORK
        ]
        held_to = (Goal((THEIRS,), IMPORT_LIMIT),)
        statements = {HERE: "from sknn import MLPClassifier", THEIRS: f"import {THEIRS}"}
        imports = Measurement("import", "MLPClassifier", "ms", statements, self.imports, held_to, subject=HERE)
        return [*measurements, imports]

    def turns(self, work: Fit | Predict) -> dict[str, Turn]:
        """The turns of the two processes."""
        return {name: partial(worker.turn, work) for name, worker in self.workers.items()}

    def losses_apart(self, work: Fit | Predict) -> float:
        """How far the losses of the sides are apart, relatively; what is too far, who reads must say."""
        here, there = (worker.turn(work).loss for worker in self.workers.values())
        return abs(here / there - 1)

    def imports(self, statements: dict[str, str]) -> dict[str, Turn]:
        """The turns of processes that import the package of each side, and scikit-learn's networks."""
        turns = {name: partial(milliseconds, statements[HERE], folder) for name, folder in self.folders.items()}
        return {**turns, THEIRS: partial(milliseconds, statements[THEIRS], ROOT)}


def milliseconds(statement: str, folder: Path) -> Sample:
    """Of a whole process that does no more than a statement, with the sknn of a folder."""
    command = [sys.executable, "-P", "-c", statement]
    seconds, _ = timed(lambda: subprocess.run(command, check=True, cwd=folder, env=environment(folder)))
    return Sample(1e3 * seconds)
