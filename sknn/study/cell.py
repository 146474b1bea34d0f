"""One cell of a study: one model fitted and scored on one fold of one data set, wherever that is computed."""

import io
import json
import pickle
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from types import FunctionType
from typing import Any

import numpy as np
from joblib import parallel_config
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from .classes import fit_to_classes
from .data import DataSet
from .densities import impossible
from .folds import Fold
from .interrupt import interrupts_noticed
from .intervals import levels_needed
from .measures import Answers, Measure
from .names import listed
from .outcome import Outcome
from .size import model_size
from .tune import best_configuration

UNSEEN = "Unseen classes"  # how the warning begins
# Warnings and limits of threads are those of the process: cells in several threads of it take turns.
ONE_AT_A_TIME = threading.RLock()


@dataclass(frozen=True, eq=False)
class Cell:
    """All that determines the result of one model in one fold, except the data.

    Parameters
    ----------
    dataset, model : str
        The names in the results.
    fold : Fold
        The rows to test on, and to train on; fewer of them for a point on a learning curve.
    is_whole : bool
        Whether these are all training rows of the fold.
    estimator : scikit-learn estimator
        Not fitted; seeded, and with all preprocessing in it.
    measures : tuple of Measure
        What to measure; the first one is what a search looks for.
    tune : int
        The number of random configurations to try; 0 takes the estimator as it is.
    space : mapping of str to distribution or list
        The search space; an empty one leaves nothing to tune.
    inner : scikit-learn splitter
        The inner cross-validation of the search.
    seed : int
        The seed of the search.
    intervals : bool, default=False
        Whether to keep of each row how wide an interval has to be to hold its true value.
    """

    dataset: str
    model: str
    fold: Fold
    is_whole: bool
    estimator: Any
    measures: tuple[Measure, ...]
    tune: int
    space: Mapping[str, Any]
    inner: Any
    seed: int
    intervals: bool = False

    @property
    def label(self) -> str:
        """What to call the cell in a progress bar."""
        part = "" if self.is_whole else f", {len(self.fold.train):,} rows"
        return f"{self.dataset}: {self.model}, fold {self.fold.number + 1}{part}"


def seed_of(random_state: int, fold: int) -> int:
    """Derive the seed of all models in a fold: another one in each, as the luck of a start must not count for all.

    Parameters
    ----------
    random_state : int
        The seed of the study.
    fold : int
        The number of the fold.

    Returns
    -------
    int
        From 0 to 2**32 - 1.
    """
    return int(np.random.SeedSequence([random_state, fold]).generate_state(1)[0])


def compute(data: DataSet, cell: Cell) -> Outcome:
    """Fit and score a model; whatever it does, there is an outcome.

    The model computes on one thread: otherwise the times would tell how well it gets along with the threads of this
    machine, not how much it computes.

    Parameters
    ----------
    data : DataSet
        The whole data set.
    cell : Cell
        What to compute.

    Returns
    -------
    Outcome
        The measures of the fold, and what was predicted for its test rows; or the error that stopped the model.
    """
    with (
        ONE_AT_A_TIME,
        interrupts_noticed(),
        warnings.catch_warnings(record=True) as caught,
        threadpool_limits(limits=1),
        parallel_config(backend="sequential"),  # or a search would go to the cluster that this cell was sent to
    ):
        warnings.simplefilter("always")
        told: list[str] = []
        try:
            row, arrays = _fit_and_score(data, cell, told)
        except (Exception, SystemExit) as error:  # the others still get their turn
            row, arrays = _what_went_wrong(error), {}
    lines = [f"{w.category.__name__}: {w.message}".strip().splitlines()[0] for w in caught] + told
    return Outcome({**_sizes(cell), **row, "warnings": "\n".join(dict.fromkeys(lines)) or None}, arrays)


def failed(cell: Cell, error: Exception) -> Outcome:
    """Record a cell that could not be computed.

    Parameters
    ----------
    cell : Cell
        The cell.
    error : Exception
        Why.

    Returns
    -------
    Outcome
        With the error, and without measures.
    """
    return Outcome({**_sizes(cell), **_what_went_wrong(error), "warnings": None})


def _sizes(cell: Cell) -> dict[str, int]:
    return {"n_train": len(cell.fold.train), "n_test": len(cell.fold.test)}


def _what_went_wrong(error: BaseException) -> dict[str, str]:
    return {"error": f"{type(error).__name__}: {error}"}


def _fit_and_score(data: DataSet, cell: Cell, told: list[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The row of the results and the predictions; ``told`` gets the reasons for missing scores."""
    fold, y_train, y_test = cell.fold, data.y[cell.fold.train], data.y[cell.fold.test]
    classes = data.labels if data.task == "classification" else None
    X_train = data.take(fold.train)
    groups = None if data.groups is None else data.groups[fold.train]
    chosen, tune_time = timed(_chosen, cell, X_train, y_train, groups, classes)
    unfitted = clone(cell.estimator).set_params(**chosen)
    estimator, fit_time = timed(fit_to_classes, unfitted, X_train, y_train, classes)

    answers = Answers(estimator, X_test := data.take(fold.test), y_train)
    told += [] if classes is None else _unseen(answers.taught, y_test)
    predicted, predict_time = timed(answers.score_samples if data.task == "density" else answers.predict, X_test)
    told += impossible(predicted) if data.task == "density" else []
    n_parameters, unit = model_size(estimator)
    row = {
        **_scores(cell.measures, answers, X_test, y_test, told),
        "fit_time": fit_time,
        "tune_time": tune_time if chosen else 0.0,
        "predict_time": predict_time,
        "n_parameters": n_parameters,
        "parameter_unit": unit,
        "pickle_bytes": _pickle_bytes(estimator),
        "params": json.dumps(chosen, default=str) if chosen else None,
        "error": None,
    }
    arrays = _predictions(answers, X_test, np.asarray(predicted), data)
    return row, arrays | ({"confidence": levels_needed(estimator, X_test, y_test)} if cell.intervals else {})


def _chosen(cell: Cell, X: Any, y: np.ndarray, groups: np.ndarray | None, classes: np.ndarray | None) -> dict[str, Any]:
    if not cell.tune or not cell.space:
        return {}
    search = (cell.space, cell.tune, X, y, groups, cell.inner, cell.measures[0], cell.seed, classes)
    return best_configuration(cell.estimator, *search)


def _pickle_bytes(estimator: Any) -> int | None:
    file = io.BytesIO()
    try:
        _ByName(file, protocol=pickle.HIGHEST_PROTOCOL).dump(estimator)
    except Exception:
        return None  # it predicts all the same
    return file.tell()


class _ByName(pickle.Pickler):
    """Write classes and functions by name wherever they come from, as those of a script are not found in a worker."""

    def persistent_id(self, obj: Any) -> str | None:
        return f"{obj.__module__}.{obj.__qualname__}" if isinstance(obj, type | FunctionType) else None


def timed(function: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[Any, float]:
    """Call a function and tell how long it took, in seconds."""
    start = perf_counter()
    result = function(*arguments, **options)
    return result, perf_counter() - start


def _scores(measures: Sequence[Measure], answers: Answers, X: Any, y: np.ndarray, told: list[str]) -> dict[str, float]:
    """All scores; one that a model cannot give is NaN and takes no other with it, but a model without any failed."""
    scores, errors = dict.fromkeys((measure.name for measure in measures), np.nan), {}
    for measure in measures:
        try:
            scores[measure.name] = float(measure.scorer(answers, X, y))
            if np.isnan(scores[measure.name]) and measure.needs_same_classes:
                told += [measure.no_score(reason) for reason in _differences(answers.taught, y)]
        except Exception as error:
            if not answers.lack(error):
                errors[measure] = error
    if errors and len(errors) == len(measures):
        raise errors[measures[0]]
    told += [measure.no_score(f"{type(error).__name__}: {error}") for measure, error in errors.items()]
    return scores


def _unseen(taught: np.ndarray, y: np.ndarray) -> list[str]:
    """Say that there are test rows of classes that no model can have learnt."""
    is_unseen = ~np.isin(y, taught)
    if not is_unseen.any():
        return []
    names = listed(map(repr, np.unique(y[is_unseen]).tolist()))
    return [
        f"{UNSEEN}: the training rows lack {names}, but {is_unseen.sum():,} of {len(y):,} test rows have it; no model "
        "can learn it, and a log loss counts 36 for each such row, whatever the model says"
    ]


def _differences(taught: np.ndarray, y: np.ndarray) -> list[str]:
    """Say which classes training and test rows do not share."""
    sides = {"training": np.setdiff1d(y, taught), "test": np.setdiff1d(taught, y)}
    lacks = [f"the {side} rows lack {listed(map(repr, some.tolist()))}" for side, some in sides.items() if len(some)]
    return [" and ".join(lacks) or "all rows have the same class"]


def _predictions(answers: Answers, X: Any, predicted: np.ndarray, data: DataSet) -> dict[str, np.ndarray]:
    if data.task == "segmentation":
        return {"predicted": np.asarray(predicted[0], int)}  # one map shows what all of them are like
    if not data.has_labels:
        return {"predicted": predicted.astype(float).reshape(X.shape[0])}
    codes = np.searchsorted(data.labels, predicted)
    try:
        probabilities = np.asarray(answers.predict_proba(X))
        of_predicted = np.searchsorted(answers.classes_, predicted)
        confidence = probabilities[np.arange(len(codes)), of_predicted].astype(float)
    except Exception:  # there are none, or they do not work: what needs them says so
        return {"predicted": codes}
    return {"predicted": codes, "confidence": confidence}
