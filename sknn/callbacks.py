"""Callbacks in scikit-learn's own protocol (:mod:`sklearn.callback`), and what tells callbacks of a fit.

Every estimator of sknn takes callbacks by ``set_callbacks``: scikit-learn's ``ProgressBar`` and ``ScoringMonitor``,
those of this module, and any other that follows the protocol. Each epoch (of L-BFGS each iteration) is a subtask of the
fit; a callback whose ``on_fit_task_end`` returns True there ends the training. ``partial_fit``, where the loop is the
caller's own, calls none.

Those of this module look into the training, so they are set on the network itself, not on a search or a pipeline around
it. What they remember belongs to one fit; one object may serve in many, one after the other or at the same time.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, fields
from functools import partial
from hashlib import sha256
from math import inf, nan
from numbers import Integral, Real
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from scipy.sparse import issparse

from .autodiff.tape import Array
from .nn.init import Random
from .nn.network import Network
from .train import FitLoop, Outcome, TrainingState, Verdict

Key = tuple[UUID, tuple[int, ...]]  # of a task: which tree it is in, and the way from there


def key_of(context: Any) -> Key:
    """The place of a task in its tree, the same in all contexts of a fit."""
    path = []
    node = context
    while node is not None:
        path.append(node.task_id)
        node = node.parent
    return context.root_uuid, tuple(reversed(path))


# -- telling callbacks of a fit ------------------------------------------------------------------------------------


@dataclass
class Training:
    """What the callbacks of this module see of a fit.

    Attributes
    ----------
    network : Network
        As it is now.
    rng : RandomState or Generator
        Draws whatever is random in the training.
    estimator : estimator
        Whose fit it is.
    attributes : callable
        Gives the attributes that the estimator would have if training ended now.
    identity : dict
        All that decides what comes out, besides the estimator's parameters and the network.
    verdict : callable, default=None
        Gives what validation says of the last epoch; None without validation samples.
    by_gradient : bool, default=True
        False for rules that are not told of their loss and keep no state.
    loop : FitLoop or None
        The loop of epochs; None for L-BFGS, and before it begins.
    losses : list of float
        That of each epoch, or iteration, of which callbacks were told.
    """

    network: Network
    rng: Random
    estimator: Any
    attributes: Callable[[], dict[str, Any]]
    identity: dict[str, Any]
    verdict: Callable[[], Verdict] | None = None
    by_gradient: bool = True
    loop: FitLoop | None = None
    losses: list[float] = field(default_factory=list)

    @property
    def last_loss(self) -> float:
        """That of the last epoch."""
        return self.losses[-1] if self.losses else nan

    def fitted_estimator(self) -> Any:
        """A copy of the estimator as it would be if training ended now."""
        twin = copy(self.estimator)
        vars(twin).update(self.attributes())
        return twin

    def network_to_keep(self) -> Network:
        """A copy of the network with the weights that it would keep if training ended now."""
        network = self.network.copy()
        if self.loop is not None and self.loop.stops_early and self.loop.state.best_theta is not None:
            network.theta[:], network.state[:] = self.loop.state.best_theta, self.loop.state.best_state
        return network


class FitObserver:
    """Tells an estimator's callbacks of a fit, and of each of its epochs as a subtask.

    Parameters
    ----------
    estimator : estimator
        Whose callbacks are told.
    context : CallbackContext
        Of the fit.
    X, y, sample_weight : array-like
        What the fit was given.
    """

    def __init__(self, estimator: Any, context: Any, X: Any, y: Any, sample_weight: Any) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.context = self.epoch = context
        self.given = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        # by what they do and not by their class, which another import of this module would make anew
        self.own = [callback for callback in estimator._skl_callbacks if hasattr(callback, "training_begins")]
        self.training: Training
        self.stopped = False

    def fit_begins(self) -> None:
        """Tell of the beginning of the fit, before anything is known of it."""
        self.context.call_on_fit_task_begin(**self.given)

    def fit_ends(self, attributes: Callable[[], dict[str, Any]] = dict) -> None:
        """Tell of its end; the estimator is fitted, or `attributes` gives what it would need for that."""
        self.context.call_on_fit_task_end(**self.given, reconstruction_attributes=attributes)

    def begins(self, loop: FitLoop | None) -> Outcome | None:
        """Tell those that look into the training; how it ended, if one of them knows, otherwise None."""
        self.training.loop = loop
        key = key_of(self.context)
        for callback in self.own:
            callback.training_begins(key, self.training)
        outcomes = [callback.resume(key) for callback in self.own]
        for _ in range(0 if loop is None else loop.state.epochs):
            self.context.subcontext("epoch")  # those done before, so that all others keep their numbers
        return next((outcome for outcome in outcomes if outcome is not None), None)

    def epoch_begins(self) -> None:
        for callback in self.own:
            callback.epoch_comes(key_of(self.context))
        self.epoch = self.context.subcontext("epoch")
        self.epoch.call_on_fit_task_begin(**self.given, reconstruction_attributes=self.training.attributes)

    def epoch_ends(self, loss: float) -> bool:
        self.training.losses.append(loss)
        stop = self.epoch.call_on_fit_task_end(**self.given, reconstruction_attributes=self.training.attributes)
        self.stopped = self.stopped or bool(stop)
        return bool(stop)

    def ends(self, outcome: Outcome) -> None:
        for callback in self.own:
            callback.training_ends(key_of(self.context), outcome)

    def unit(self, number: int, max_subtasks: int) -> FitObserver:
        """The observer of one of several trainings, all parts of this fit."""
        twin = copy(self)
        twin.context = self.context.subcontext("unit", number, max_subtasks)
        return twin


class TrainingCallback:
    """What the callbacks of this module share: a state for each fit, which ends with it."""

    def __init__(self) -> None:
        self._fits: dict[Key, Any] = {}

    def setup(self, estimator: Any, context: Any) -> None:
        """Refuse estimators that are no networks; called by scikit-learn."""
        if not hasattr(estimator, "_new_observer"):
            name = type(self).__name__
            raise TypeError(
                f"{name} is a callback of sknn's networks, got {type(estimator).__name__}: set it on the network "
                f"inside, as in make_pipeline(StandardScaler(), MLPClassifier().set_callbacks({name}(...)))"
            )

    def teardown(self, estimator: Any, context: Any) -> None:
        """Forget the fit; called by scikit-learn."""
        self._fits.pop(key_of(context), None)

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Called by scikit-learn before the fit and before each epoch."""

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        """Called by scikit-learn after each epoch and after the fit."""
        return False

    def training_begins(self, key: Key, training: Training) -> None:
        """All is ready for the first epoch."""

    def resume(self, key: Key) -> Outcome | None:
        """Set the training to an earlier one; how it ended, if it did."""

    def epoch_comes(self, key: Key) -> None:
        """Another epoch will begin; all callbacks have seen the last one, and none has seen this one."""

    def training_ends(self, key: Key, outcome: Outcome) -> None:
        """All epochs are done; weights may still be changed."""

    def memory(self, key: Key) -> dict[str, Any]:
        """What a resume needs of the state of a fit: numbers, strings, lists and arrays, by name."""
        return {}

    def recall(self, key: Key, memory: dict[str, Any]) -> None:
        """Set the state of a fit to what `memory` gave."""

    def _of_epoch(self, context: Any) -> Any:
        """The state of the fit that an epoch belongs to; None if the task is no epoch."""
        return None if context.parent is None else self._fits.get(key_of(context.parent))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_fits": {}}


# -- early stopping ------------------------------------------------------------------------------------------------


@dataclass
class _Watch:
    training: Training
    best: float = -inf
    waited: int = 0
    theta: Array | None = None
    state: Array | None = None


class EarlyStopping(TrainingCallback):
    """Ends training when what it watches no longer improves, and restores the best weights.

    With values :math:`v_t` (of a loss its negative) an epoch improves if :math:`v_t > \\max_{s<t} v_s + tol`; training
    ends after `patience` epochs in a row that do not. It works beside the estimators' own ``early_stopping``, and with
    L-BFGS, iteration by iteration.

    Parameters
    ----------
    monitor : {"loss", "validation_loss", "validation_score"} or callable, default="loss"
        The training loss; loss or score on validation samples, which the fit must have (`X_val`, or a split by
        ``early_stopping=True``); or a function of the estimator as fitted so far, larger is better, such as
        ``lambda model: f1_score(y_val, model.predict(X_val))``.
    patience : int, default=10
        Epochs without improvement before training ends.
    tol : float, default=0.0
        By no more than this is no improvement.
    restore_best : bool, default=True
        Whether the fit keeps the weights of the best epoch instead of the last.

    Raises
    ------
    ValueError
        If a parameter is out of range; in fit, if there are no validation samples to watch, or for
        ``solver="perceptron"``, whose units are trained one by one.

    References
    ----------
    Prechelt (1998). Early stopping, but when? Neural networks: tricks of the trade. Springer.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> from sknn import MLPClassifier
    >>> from sknn.callbacks import EarlyStopping
    >>> X, X_val, y, y_val = train_test_split(*load_iris(return_X_y=True), random_state=0)
    >>> stopping = EarlyStopping(lambda model: model.score(X_val, y_val), patience=20)
    >>> model = MLPClassifier(learning_rate_init=0.01, random_state=0).set_callbacks(stopping).fit(X, y)
    >>> model.n_iter_ < 200, model.score(X_val, y_val) > 0.9
    (True, True)
    """

    def __init__(
        self,
        monitor: str | Callable[[Any], float] = "loss",
        *,
        patience: int = 10,
        tol: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        super().__init__()
        if not (callable(monitor) or monitor in MONITORS):
            raise ValueError(f"monitor must be a function or one of {sorted(MONITORS)}; got {monitor!r}")
        if not (isinstance(tol, Real) and tol >= 0):
            raise ValueError(f"tol must be a number that is not negative; got {tol!r}")
        self.monitor: str | Callable[[Any], float] = monitor
        self.patience: int = _positive("patience", patience)
        self.tol: float = float(tol)
        self.restore_best: bool = restore_best

    def training_begins(self, key: Key, training: Training) -> None:
        if not training.by_gradient:
            raise ValueError("EarlyStopping needs a loss that is minimised; solver='perceptron' has none")
        if self.monitor in ("validation_loss", "validation_score") and training.verdict is None:
            raise ValueError(
                f"EarlyStopping(monitor={self.monitor!r}) needs validation samples: give X_val and y_val to fit, or "
                "use a stochastic solver with early_stopping=True, or give a function as monitor"
            )
        self._fits[key] = _Watch(training)

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        watch = self._of_epoch(context)
        if watch is None:
            return False
        value = self._value(watch.training)
        improved = value > watch.best + self.tol
        watch.waited = 0 if improved else watch.waited + 1
        if improved:
            watch.best = value
            if self.restore_best:
                network = watch.training.network
                watch.theta, watch.state = network.theta.copy(), network.state.copy()
        return watch.waited >= self.patience

    def training_ends(self, key: Key, outcome: Outcome) -> None:
        watch = self._fits[key]
        if watch.theta is not None:
            watch.training.network.theta[:], watch.training.network.state[:] = watch.theta, watch.state

    def memory(self, key: Key) -> dict[str, Any]:
        watch = self._fits[key]
        return {name: getattr(watch, name) for name in ("best", "waited", "theta", "state")}

    def recall(self, key: Key, memory: dict[str, Any]) -> None:
        vars(self._fits[key]).update(memory)

    def _value(self, training: Training) -> float:
        if callable(self.monitor):
            return float(self.monitor(training.fitted_estimator()))
        return MONITORS[self.monitor](training)


def _verdict(training: Training) -> Verdict:
    assert training.verdict is not None
    return training.verdict()


MONITORS: dict[str, Callable[[Training], float]] = {
    "loss": lambda training: -training.last_loss,
    "validation_loss": lambda training: -_verdict(training).loss,
    "validation_score": lambda training: _verdict(training).score,
}


# -- the learning rate ---------------------------------------------------------------------------------------------


@dataclass
class LearningRateLog:
    """The learning rates of one fit.

    Attributes
    ----------
    run_id : UUID
        Of the outermost fit, for example that of a search.
    task_id_path : tuple of int
        The way from there to this fit in the tree of its tasks.
    estimator_name : str
        The class of the network.
    rates : list of float
        The rate with which each epoch began.
    """

    run_id: UUID
    task_id_path: tuple[int, ...]
    estimator_name: str
    rates: list[float] = field(default_factory=list)


@dataclass
class _Logged:
    training: Training
    log: LearningRateLog


class LearningRateLogger(TrainingCallback):
    """Keeps the learning rate of every epoch.

    ``lbfgs`` and the perceptron rule have no learning rate that changes; for them there is nothing to log. Fits in
    worker processes (``n_jobs``) log into the workers' copies of this object.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.callbacks import LearningRateLogger
    >>> logger = LearningRateLogger()
    >>> model = MLPClassifier(learning_rate="cosine", learning_rate_init=0.01, max_iter=4, random_state=0)
    >>> _ = model.set_callbacks(logger).fit(*load_iris(return_X_y=True))
    >>> [round(rate, 4) for rate in logger.get_logs().rates]
    [0.01, 0.0085, 0.005, 0.0015]
    """

    def __init__(self) -> None:
        super().__init__()
        self._logs: list[LearningRateLog] = []

    def training_begins(self, key: Key, training: Training) -> None:
        if training.loop is not None:
            log = LearningRateLog(*key, type(training.estimator).__name__)
            self._fits[key] = _Logged(training, log)
            self._logs.append(log)

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        logged = self._of_epoch(context)
        if logged is not None:
            logged.log.rates.append(logged.training.loop.rate_at(logged.training.loop.state.samples))

    def get_logs(self, select: str = "most_recent") -> Any:
        """The rates of the most recent fit, or of all.

        Parameters
        ----------
        select : {"most_recent", "all"}, default="most_recent"
            Which fits.

        Returns
        -------
        logs : LearningRateLog, or list of LearningRateLog

        Raises
        ------
        ValueError
            If nothing was logged yet, or `select` is something else.
        """
        if select not in ("most_recent", "all"):
            raise ValueError(f"select must be 'most_recent' or 'all'; got {select!r}")
        if not self._logs:
            raise ValueError(
                "there are no logs yet: set this callback on a network with a stochastic solver and fit it"
            )
        return list(self._logs) if select == "all" else self._logs[-1]

    def memory(self, key: Key) -> dict[str, Any]:
        return {"rates": list(self._fits[key].log.rates)}

    def recall(self, key: Key, memory: dict[str, Any]) -> None:
        self._fits[key].log.rates[:] = memory["rates"]


# -- checkpoints ---------------------------------------------------------------------------------------------------

FORMAT = 1  # of the files; another one is not read
FORGOTTEN = 3600  # seconds after which a file half written is taken for one that its writer will not finish
WITHOUT_INFLUENCE = ("random_state", "verbose", "n_jobs")  # the generator itself is part of the fingerprint
PROGRESS = tuple(each.name for each in fields(TrainingState) if each.name not in ("optimizer", "order"))


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

    A file holds weights, running statistics, the optimizer's state, the random generator, the order of the samples,
    counters, curves, the best weights, and the state of the other callbacks of this module. It is a ``.npz`` without
    code (numbers, and JSON for the rest) and replaces the last one in a single step, so a crash at any instant leaves a
    whole file. One that is damaged is not used, and a warning says so.

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
        If `every` is not a positive integer; in fit, for ``solver="lbfgs"`` and ``solver="perceptron"``, which cannot
        be continued halfway.
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
        self.directory, self.every, self.resuming = Path(directory), _positive("every", every), resume

    def training_begins(self, key: Key, training: Training) -> None:
        if training.loop is None:
            raise ValueError(
                "Checkpoint needs epochs to continue from; solver='lbfgs' and solver='perceptron' have none: use a "
                "stochastic solver"
            )
        name = fingerprint(_what_decides(training))
        file = self.directory / name / "checkpoint.npz"
        self._fits[key] = _Kept(training, training.loop, file, name)
        _remove_forgotten(file.parent)

    def resume(self, key: Key) -> Outcome | None:
        kept = self._fits[key]
        if not self.resuming or not kept.file.exists():
            return None
        try:
            tree = _read(kept.file)
            if (tree["format"], tree["fingerprint"]) != (FORMAT, kept.fingerprint):
                raise ValueError("it belongs to another fit, or to another version of sknn")
            outcome = None if tree["outcome"] is None else Outcome[tree["outcome"]]
            _restore(tree, kept.training, kept.loop.state)
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
        epochs = kept.loop.state.epochs
        if epochs % self.every == 0 and epochs > kept.written:
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
        _write(kept.file, tree)
        kept.written = kept.loop.state.epochs


def _others(training: Training) -> Iterator[tuple[str, TrainingCallback]]:
    """The other callbacks of this module on the same estimator, by a name for each."""
    for number, callback in enumerate(training.estimator._skl_callbacks):
        if isinstance(callback, TrainingCallback) and not isinstance(callback, Checkpoint):
            yield f"{number} {type(callback).__name__}", callback


def _snapshot(training: Training, state: TrainingState) -> dict[str, Any]:
    """All that the rest of a training depends on."""
    return {
        "theta": training.network.theta,
        "state": training.network.state,
        "order": state.order,
        "slots": dict(state.optimizer.slots),
        "steps": state.optimizer.steps,
        "rng": _random_state(training.rng),
        "progress": {name: _compact(getattr(state, name)) for name in PROGRESS},
    }


def _compact(value: Any) -> Any:
    """Curves as arrays."""
    return np.array(value, np.float64) if isinstance(value, list) else value


def _restore(tree: dict[str, Any], training: Training, state: TrainingState) -> None:
    """Set a training to a snapshot; it is not touched if the snapshot does not fit."""
    network, optimizer = training.network, state.optimizer
    vectors: dict[str, Any] = {"theta": network.theta, "state": network.state, "order": state.order, **optimizer.slots}
    values = {name: tree[name] for name in ("theta", "state", "order")} | tree["slots"]
    if values.keys() != vectors.keys():
        raise ValueError(f"it holds {sorted(values)} instead of {sorted(vectors)}")
    for name, vector in vectors.items():
        if (values[name].shape, values[name].dtype) != (vector.shape, vector.dtype):
            raise ValueError(f"{name} has shape {values[name].shape} and type {values[name].dtype}")
    progress = {
        name: tree["progress"][name].tolist() if isinstance(getattr(state, name), list) else tree["progress"][name]
        for name in PROGRESS
    }
    steps = int(tree["steps"])
    _set_random_state(training.rng, tree["rng"])
    for name, vector in vectors.items():
        vector[...] = values[name]
    optimizer.steps = steps
    vars(state).update(progress)


def _random_state(rng: Random) -> dict[str, Any]:
    return rng.get_state(legacy=False) if isinstance(rng, np.random.RandomState) else rng.bit_generator.state


def _set_random_state(rng: Random, state: dict[str, Any]) -> None:
    if isinstance(rng, np.random.RandomState):
        rng.set_state(state)
    else:
        rng.bit_generator.state = state


# -- files ---------------------------------------------------------------------------------------------------------


def _write(file: Path, tree: dict[str, Any]) -> None:
    """Replace a file by one that holds the tree, in a single step that a crash cannot cut in two."""
    arrays: list[Array] = []
    text = json.dumps(_packed(tree, arrays), default=lambda number: number.item())
    contents: dict[str, Any] = {
        "json": np.frombuffer(text.encode(), np.uint8),
        **{f"array_{k}": a for k, a in enumerate(arrays)},
    }
    if not file.parent.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _sync_directory(file.parent.parent)
    half_written = file.with_name(f"{uuid4().hex}.tmp")
    try:
        with open(half_written, "xb") as opened:
            np.savez(opened, **contents)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(half_written, file)
    finally:
        half_written.unlink(missing_ok=True)
    _sync_directory(file.parent)


def _sync_directory(directory: Path) -> None:
    """Have the names of its files written to disk; Windows does that by itself."""
    if os.name != "posix":
        return
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _remove_forgotten(directory: Path) -> None:
    """Remove what writers that were killed have left."""
    for file in directory.glob("*.tmp"):
        if time.time() - file.stat().st_mtime > FORGOTTEN:
            file.unlink(missing_ok=True)


def _read(file: Path) -> dict[str, Any]:
    with open(file, "rb") as opened, np.load(opened, allow_pickle=False) as stored:
        return _unpacked(json.loads(stored["json"].tobytes()), stored)


def _packed(tree: Any, arrays: list[Array]) -> Any:
    """The tree with numbers in place of the arrays, which are appended to the list."""
    if isinstance(tree, dict):
        return {name: _packed(value, arrays) for name, value in tree.items()}
    if isinstance(tree, np.ndarray):
        arrays.append(tree)
        return {"__array__": len(arrays) - 1}
    return tree


def _unpacked(tree: Any, arrays: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if tree.keys() == {"__array__"}:
        return arrays[f"array_{tree['__array__']}"]
    return {name: _unpacked(value, arrays) for name, value in tree.items()}


# -- fingerprints --------------------------------------------------------------------------------------------------


def _what_decides(training: Training) -> dict[str, Any]:
    """All that the result of a training depends on."""
    estimator, network, state = training.estimator, training.network, training.loop.state  # type: ignore[union-attr]
    parameters = estimator.get_params(deep=False)
    return {
        "estimator": type(estimator),
        "parameters": {name: value for name, value in parameters.items() if name not in WITHOUT_INFLUENCE},
        "task": training.identity,
        "network": (network.layers, network.theta, network.state),
        "history": {name: getattr(state, name) for name in PROGRESS},
        "stopping": [_parameters(each) for _, each in _others(training) if isinstance(each, EarlyStopping)],
    }


def _parameters(stopping: EarlyStopping) -> dict[str, Any]:
    return {name: value for name, value in vars(stopping).items() if not name.startswith("_")}


def fingerprint(value: Any) -> str:
    """The SHA-256 of numbers, strings, arrays, containers, functions and objects, by content.

    Parameters
    ----------
    value : object
        Functions count by their name, other objects by their class and attributes.

    Returns
    -------
    digest : str
        64 hexadecimal digits.

    Examples
    --------
    >>> fingerprint({"a": np.zeros(3), "b": 1}) == fingerprint({"b": 1, "a": np.zeros(3)})
    True
    >>> fingerprint(np.zeros(3)) == fingerprint(np.zeros(3, np.float32))
    False
    """
    digest = sha256()
    for part in _bytes_of(value):
        digest.update(part)
    return digest.hexdigest()


def _bytes_of(value: Any) -> Iterator[Any]:
    """Bytes that tell the value from all others, whatever comes before and after them."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        yield f"array {value.dtype} {value.shape} ".encode()
        rows = np.atleast_1d(value)
        step = max(1, len(rows) * (1 << 20) // max(value.nbytes, 1))  # about a megabyte: the array may lie in a file
        for k in range(0, len(rows), step):
            yield rows[k : k + step].tobytes()
    elif value is None or isinstance(value, bool | int | float | complex | str | bytes | np.generic):
        text = repr(value)
        yield f"{type(value).__name__} {len(text)} {text}".encode()
    else:
        name, parts = _parts_of(value)
        yield f"{name} {len(parts)} ".encode()
        for part in parts:
            yield from _bytes_of(part)


def _parts_of(value: Any) -> tuple[str, Sequence[Any]]:
    """The name of the kind of a value, and what it is made of."""
    kind = type(value).__qualname__
    if isinstance(value, dict):
        return kind, [part for item in sorted(value.items(), key=lambda item: str(item[0])) for part in item]
    if isinstance(value, list | tuple):
        return kind, value
    if isinstance(value, set | frozenset):
        return kind, sorted(value, key=str)
    if isinstance(value, np.ndarray):
        return f"{kind} {value.shape}", value.ravel().tolist()
    if issparse(value):
        rows = value.tocsr()
        return kind, [rows.shape, rows.data, rows.indices, rows.indptr]
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return kind, [_random_state(value)]
    if isinstance(value, partial):
        return kind, [value.func, value.args, value.keywords]
    if hasattr(value, "__qualname__"):
        return kind, [value.__module__, value.__qualname__]
    if hasattr(value, "__dict__"):
        return kind, [type(value).__module__, vars(value)]
    return kind, [repr(value)]


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, Integral) or int(value) <= 0:
        raise ValueError(f"{name} must be a positive integer; got {value!r}")
    return int(value)
