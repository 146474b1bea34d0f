"""Checkpoints: a fit on disk as it goes, and the way back from there."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..description import checked_flag
from ..train import FitLoop, Outcome, TrainingState
from .early_stopping import EarlyStopping
from .files import as_path, read, remove_forgotten, write
from .fingerprints import fingerprint
from .generators import random_state, set_random_state
from .observer import Key, Training
from .training_callback import TrainingCallback, positive

FORMAT = 2  # of the files; another one is not read
WITHOUT_INFLUENCE = ("random_state", "verbose", "n_jobs")  # the generator itself is part of the fingerprint
APART = ("runs", "averages", "order", "work", "loss_curves")  # of the state: what is no number, curve or vector
PROGRESS = tuple(each.name for each in fields(TrainingState) if each.name not in APART)


@dataclass
class _Kept:
    training: Training
    loop: FitLoop
    file: Path
    fingerprint: str
    written: int = 0  # the epochs that the file knows of
    finished: bool = False


class Checkpoint(TrainingCallback):
    """Writes a fit to disk as it goes, so that one that was interrupted can be continued.

    Each fit has a directory of its own, named by the SHA-256 fingerprint of what decides its result: the estimator's
    parameters, the data, the initial weights and the state of the random generator. So the clones in a search never
    meet. A fit that finds a file of its own continues from it, and ends with weights that are bit-identical to those of
    a fit without interruption; if the file is that of a finished fit, it is restored at once. What fits again must be
    the same to the bit, which takes an integer `random_state`. Data, NumPy and BLAS must be the same too.

    A file holds weights, running statistics, what the optimizers keep, averages, the random generator, the order of the
    samples, counters, curves, the best weights, and the state of the other callbacks of sknn. It is a ``.npz`` without
    code (numbers, and JSON for the rest) and replaces the last one in a single step, so a crash at any instant leaves a
    whole file. One that is damaged, or of another format, is not used, and a warning says so. A search ("lbfgs") begins
    again from the weights that it began with.

    Parameters
    ----------
    directory : str or path-like
        Made if it is not there.
    every : int, default=10
        Epochs from one file to the next. The end of a fit is written in any case.
    resume : bool, default=True
        Whether a fit continues from what it finds; if not, it starts anew and writes over it.

    Raises
    ------
    ValueError
        If `every` is not a positive integer, or `resume` neither True nor False; in fit,
        for ``solver="perceptron"``, which cannot be continued halfway.
    OSError
        In fit, if a file cannot be written. The last one is still whole.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.callbacks import Checkpoint
    >>> X, y = load_iris(return_X_y=True)
    >>> with TemporaryDirectory() as directory:
    ...     model = MLPClassifier(learning_rate="cosine", max_iter=50, random_state=0)
    ...     first = model.set_callbacks(Checkpoint(directory, every=5)).fit(X, y).predict_proba(X)
    ...     again = model.fit(X, y).predict_proba(X)  # at once, from the file
    >>> bool((first == again).all())
    True
    """

    def __init__(self, directory: str | os.PathLike[str], *, every: int = 10, resume: bool = True) -> None:
        super().__init__()
        self.directory, self.every = as_path("directory", directory), positive("every", every)
        self.resuming: bool = checked_flag("resume", resume)

    def training_begins(self, key: Key, training: Training) -> None:
        if training.loop is None:
            raise ValueError(
                "Checkpoint needs epochs to continue from; solver='perceptron' has none: use another solver"
            )
        name = fingerprint(_what_decides(training))
        file = self.directory / name / "checkpoint.npz"
        self._fits[key] = _Kept(training, training.loop, file, name)
        remove_forgotten(file.parent)

    def resume(self, key: Key) -> Outcome | None:
        kept = self._fits[key]
        if not self.resuming or not kept.file.exists():
            return None
        try:
            tree = read(kept.file)
            if tree["format"] != FORMAT:
                raise ValueError(f"it has format {tree['format']}, of another version of sknn, instead of {FORMAT}")
            if tree["fingerprint"] != kept.fingerprint:
                raise ValueError("it belongs to another fit")
            outcome = None if tree["outcome"] is None else Outcome[tree["outcome"]]
            _restore(tree, kept.training, kept.loop)
        except Exception as error:  # whatever it is, it is the file that is wrong
            warnings.warn(
                f"The checkpoint {kept.file} is damaged and not used: {type(error).__name__}: {error}. Training starts "
                "anew.",
                stacklevel=2,
            )
            return None
        for name, callback in _others(kept.training):
            if name in tree["callbacks"]:
                callback.recall(key, tree["callbacks"][name])
        kept.written, kept.finished = kept.loop.state.epochs, outcome is not None
        kept.loop.report(f"Continuing after {kept.written} epochs from {kept.file}")
        return outcome

    def epoch_comes(self, key: Key) -> None:
        """Write what the last epoch has left: only here is it sure that training goes on after it."""
        kept = self._fits[key]
        state = kept.loop.state
        due = state.epochs == state.stage_epochs if kept.loop.stage.searches else state.epochs % self.every == 0
        if due and state.epochs > kept.written:
            self._write(key, None)

    def training_ends(self, key: Key, outcome: Outcome) -> None:
        """Write the end, if that is what it is and there is something to keep."""
        kept = self._fits[key]
        failed = outcome is Outcome.DIVERGED and kept.loop.state.best_theta is None
        if not (kept.finished or failed or outcome is Outcome.INTERRUPTED):
            self._write(key, outcome)

    def _write(self, key: Key, outcome: Outcome | None) -> None:
        kept = self._fits[key]
        tree = {
            "format": FORMAT,
            "fingerprint": kept.fingerprint,
            "outcome": None if outcome is None else outcome.name,
            **_snapshot(kept.training, kept.loop.state),
            "callbacks": {name: callback.memory(key) for name, callback in _others(kept.training)},
        }
        write(kept.file, tree)
        kept.written = kept.loop.state.epochs


def _others(training: Training) -> Iterator[tuple[str, TrainingCallback]]:
    """The other callbacks of sknn on the same estimator, by a name for each."""
    for number, callback in enumerate(training.estimator._skl_callbacks):
        if isinstance(callback, TrainingCallback) and not isinstance(callback, Checkpoint):
            yield f"{number} {type(callback).__name__}", callback


def _snapshot(training: Training, state: TrainingState) -> dict[str, Any]:
    """All that the rest of a training depends on."""
    return {
        "vectors": _vectors(training, state),
        "steps": {name: run.steps for name, run in state.runs.items()},
        "rng": random_state(training.rng),
        "progress": {name: _compact(getattr(state, name)) for name in PROGRESS},
        "work": state.work,
        "loss_curves": {name: _compact(curve) for name, curve in state.loss_curves.items()},
    }


def _vectors(training: Training, state: TrainingState) -> dict[str, Any]:
    """Those that a training changes in place, by name."""
    network = training.network
    slots = {f"{phase} {name}": slot for phase, run in state.runs.items() for name, slot in run.slots.items()}
    averages = {f"{phase} average": average for phase, average in state.averages.items()}
    return {"theta": network.theta, "state": network.state, "order": state.order, **slots, **averages}


def _compact(value: Any) -> Any:
    """Curves as arrays."""
    return np.array(value, np.float64) if isinstance(value, list) else value


def _restore(tree: dict[str, Any], training: Training, loop: FitLoop) -> None:
    """Set a training to a snapshot; it is as it was if the snapshot does not fit."""
    state, progress = loop.state, tree["progress"]
    at_the_beginning = replace(state)
    try:
        _enter(loop, progress["stage"])
        vectors, values = _vectors(training, state), tree["vectors"]
        _check_that_it_fits(values, vectors)
        known = {
            name: progress[name].tolist() if isinstance(getattr(state, name), list) else progress[name]
            for name in PROGRESS
        }
        curves = {name: curve.tolist() for name, curve in tree["loss_curves"].items()}
        steps = {name: int(tree["steps"][name]) for name in state.runs}
        set_random_state(training.rng, tree["rng"])
    except Exception:
        vars(state).update(vars(at_the_beginning))
        loop.enter(state.stage)
        raise
    for name, vector in vectors.items():
        vector[...] = values[name]
    for name, run in state.runs.items():
        run.steps = steps[name]
    vars(state).update(known, loss_curves=curves, work=tree["work"])
    loop.enter(state.stage)


def _enter(loop: FitLoop, stage: int) -> None:
    """Have the optimizers of this stage at hand."""
    if stage != loop.state.stage:
        loop.state.begin_stage(stage)
        loop.enter(stage)


def _check_that_it_fits(values: dict[str, Any], vectors: dict[str, Any]) -> None:
    if values.keys() != vectors.keys():
        raise ValueError(f"it holds {sorted(values)} instead of {sorted(vectors)}")
    for name, vector in vectors.items():
        if (values[name].shape, values[name].dtype) != (vector.shape, vector.dtype):
            raise ValueError(f"{name} has shape {values[name].shape} and type {values[name].dtype}")


def _what_decides(training: Training) -> dict[str, Any]:
    """All that the result of a training depends on."""
    estimator, network, state = training.estimator, training.network, training.loop.state  # type: ignore[union-attr]
    parameters = estimator.get_params(deep=False)
    return {
        "estimator": type(estimator),
        "parameters": {name: value for name, value in parameters.items() if name not in WITHOUT_INFLUENCE},
        "task": training.identity,
        "network": ([layer for layer, _ in network.walk()], network.theta, network.state),
        "history": {name: getattr(state, name) for name in PROGRESS},
        "stopping": [_parameters(each) for _, each in _others(training) if isinstance(each, EarlyStopping)],
    }


def _parameters(stopping: EarlyStopping) -> dict[str, Any]:
    return {name: value for name, value in vars(stopping).items() if not name.startswith("_")}
