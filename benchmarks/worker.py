"""A process of its own with the sknn of a folder, which does work on request: the two ends of a pipe, and the work.

The process imports sknn from its folder first, and then this file, from where the parent has it: so all revisions are
measured by the same code. It stays, with data and estimator at hand, as long as the work is the same.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import dataclass
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np

from .common import loss_curve
from .measure import Sample, Turn
from .revisions import ROOT, environment
from .timing import timed

# ------------------------------------------------------------------------------------------------------------ the work


@dataclass(frozen=True)
class Fit:
    """An estimator by its name in sknn, its parameters, and how much it learns from; more outputs than one: classes.

    The parameters are such as all revisions know.
    """

    name: str
    estimator: str
    settings: dict[str, Any]
    shape: tuple[int, ...]  # of a sample
    n_outputs: int
    n_samples: int

    @property
    def steps(self) -> int:
        return self.settings["max_iter"] * ceil(self.n_samples / self.settings["batch_size"])

    def turn(self) -> Turn:
        """The microseconds of a step, and the loss of the last epoch."""
        X, y = make_data(self)

        def turn() -> Sample:
            seconds, curve = timed(lambda: loss_curve(self.unfitted(), X, y))
            return Sample(1e6 * seconds / self.steps, curve[-1])

        return turn

    def unfitted(self) -> Any:
        import sknn  # here, for it is to be that of the folder, which the parent need not know

        everything = self.settings | {"n_iter_no_change": self.settings["max_iter"], "random_state": 0}
        return getattr(sknn, self.estimator)(**everything)


@dataclass(frozen=True)
class Predict:
    """A fit, and on how many copies of its data the fitted network predicts, so many times in a turn."""

    fit: Fit
    copies: int
    calls: int

    @property
    def name(self) -> str:
        return f"{self.fit.name}, {self.copies * self.fit.n_samples} rows"

    def turn(self) -> Turn:
        """The milliseconds of a call, and the log loss."""
        X, y = make_data(self.fit)
        fitted = self.fit.unfitted()
        loss_curve(fitted, X, y)
        rows = np.concatenate([X] * self.copies)
        true = np.arange(len(rows)), np.tile(y, self.copies)

        def turn() -> Sample:
            seconds, proba = timed(lambda: [fitted.predict_proba(rows) for _ in range(self.calls)][-1])
            return Sample(1e3 * seconds / self.calls, float(-np.log(proba[true]).mean()))

        return turn


def make_data(fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Targets that depend on the inputs through a random linear map."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((fit.n_samples, *fit.shape), dtype=np.float32)
    outputs = X.reshape(len(X), -1) @ rng.standard_normal((prod(fit.shape), fit.n_outputs), dtype=np.float32)
    return X, outputs[:, 0] if fit.n_outputs == 1 else outputs.argmax(axis=1)


# -------------------------------------------------------------------------------------------------------- the two ends

PROGRAM = "import sys, sknn; sys.path.insert(0, sys.argv[1]); from benchmarks.worker import serve; serve()"


class Worker:
    """The parent's end: starts the process, asks it, ends it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Worker:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", PROGRAM, str(ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self.folder,
            env=environment(self.folder),
            start_new_session=True,  # Ctrl-C is for the parent, which then ends this process
        )
        self.kernels: str = self._answer()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def turn(self, work: Fit | Predict) -> Sample:
        """What one turn of the work gives there."""
        pickle.dump(work, self._process.stdin)
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        try:
            return pickle.load(self._process.stdout)
        except EOFError:
            raise RuntimeError(f"the sknn of {self.folder} failed, see above") from None


def serve() -> None:
    """The other end: tells the kernels in use, then answers until it is ended."""
    import sknn
    from sknn.ops._kernels import in_use

    if Path(sknn.__file__).parents[1] != Path.cwd():
        raise ImportError(f"sknn was to come from {Path.cwd()}, and came from {sknn.__file__}")
    _tell(in_use)
    known = None
    while True:
        try:
            work = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        if work != known:
            known, turn = work, work.turn()
        _tell(turn())


def _tell(answer: object) -> None:
    pickle.dump(answer, sys.stdout.buffer)
    sys.stdout.buffer.flush()
