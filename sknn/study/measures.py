"""What is measured of a fitted model on the test rows of a fold: the scores of a study, by name."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import get_scorer, get_scorer_names, mean_pinball_loss, mean_squared_error, roc_auc_score

from sknn.metrics import dice_score, iou_score
from sknn.pipeline import predict_interval, predict_quantiles

from . import intervals as of
from .maps import UNLABELLED
from .names import look_up
from .quantiles import levels_of
from .rows import is_mapped, rows_at_once

NOT_PASSED_ON = {"predict_quantiles": predict_quantiles, "predict_interval": predict_interval}  # by pipelines
NO_SCORE = " is missing: "  # between the title of a measure and the reason, among the warnings of a fold
Scorer = Callable[[Any, Any, np.ndarray], float]


@dataclass(frozen=True)
class Measure:
    """One score of a study.

    Parameters
    ----------
    name : str
        The column in the results.
    title : str
        The name in reports.
    scorer : callable
        ``scorer(estimator, X, y)`` returns the score in its natural sign: an RMSE is positive.
    greater_is_better : bool or None
        Whether the greater of two scores is the better one; None: neither is, as of a coverage, which should be that of
        the quantiles, so that it cannot decide.
    scale_free : bool
        Whether a difference means the same on all data, as of accuracies or R²; otherwise (an RMSE in metres, a log
        loss in nats) it is judged relative to the scores themselves.
    task : {"classification", "regression", "segmentation", "density"} or None, default=None
        What it can measure; None: unknown.
    needs_same_classes : bool, default=False
        Whether it is missing where training and test rows are not of the same classes.
    """

    name: str
    title: str
    scorer: Scorer
    greater_is_better: bool | None = True
    scale_free: bool = True
    task: str | None = None
    needs_same_classes: bool = False

    def signed(self, estimator: Any, X: Any, y: np.ndarray) -> float:
        """Score with the sign turned so that greater is better, as scikit-learn's searches want it.

        Parameters
        ----------
        estimator : fitted estimator
            The model.
        X, y : array-like, ndarray
            Rows it has not seen.

        Returns
        -------
        float
            The score, or minus the loss.
        """
        score = self.scorer(estimator, X, y)
        return score if self.greater_is_better else -score

    def no_score(self, reason: str) -> str:
        """Say in one line why the model has no such score.

        Parameters
        ----------
        reason : str
            Why.

        Returns
        -------
        str
            For the warnings of a fold.
        """
        return f"{self.title}{NO_SCORE}{reason.strip().splitlines()[0]}"

    def reason(self, warnings: str) -> str:
        """Find that line again among the warnings of a fold.

        Parameters
        ----------
        warnings : str
            As in ``Study.results``.

        Returns
        -------
        str
            Why the model has no such score, or "" if nothing is said of it.
        """
        start = f"{self.title}{NO_SCORE}"
        return next((line.removeprefix(start) for line in warnings.split("\n") if line.startswith(start)), "")


class Answers:
    """A fitted estimator that answers each question about the same X once, however many scores ask.

    Parameters
    ----------
    estimator : fitted estimator
        All it is asked is passed on to it.
    X : array-like
        The inputs whose answers are remembered.
    y_train : ndarray, default=None
        The labels that it was taught, where its ``classes_`` may be more.

    Attributes
    ----------
    itself : estimator
        Without the memory.
    taught : ndarray
        The classes that it was taught.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> X = np.zeros((2, 1))
    >>> answers = Answers(DummyClassifier().fit(X, [1, 1]), X)
    >>> answers.predict(X) is answers.predict(X)
    True
    """

    RESPONSES = (
        "predict",
        "predict_proba",
        "predict_log_proba",
        "decision_function",
        "predict_quantiles",
        "predict_interval",
        "score_samples",
        "sample_y",
    )

    def __init__(self, estimator: Any, X: Any, y_train: np.ndarray | None = None) -> None:
        self.itself = estimator
        self._X = X
        self._y_train = y_train
        self._remembered: dict[tuple[Any, ...], Any] = {}

    @property
    def taught(self) -> np.ndarray:
        return np.asarray(self.itself.classes_) if self._y_train is None else np.unique(self._y_train)

    def __getattr__(self, name: str) -> Any:
        if name in NOT_PASSED_ON:
            return self._once(name, partial(NOT_PASSED_ON[name], self.itself))
        attribute = getattr(self.itself, name)
        return self._once(name, attribute) if name in self.RESPONSES else attribute

    def lack(self, error: Exception) -> bool:
        """Tell whether an error says no more than that this kind of model has no such answers.

        Parameters
        ----------
        error : Exception
            What a scorer raised.

        Returns
        -------
        bool
            True for the log loss of a model without probabilities: that is no fault, and needs no reason.
        """
        missing = (name for name in self.RESPONSES if not hasattr(self.itself, name))
        return isinstance(error, AttributeError) and any(name in str(error) for name in missing)

    def _once(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def respond(X: Any, *arguments: Any, **options: Any) -> Any:
            if X is not self._X or options or not all(isinstance(each, float) for each in arguments):
                return method(X, *arguments, **options)
            question = (name, *arguments)
            if question not in self._remembered:
                self._remembered[question] = method(X, *arguments)
            return self._remembered[question]

        return respond


SMALLEST = np.finfo(float).eps


def _taught(estimator: Any) -> np.ndarray:
    """The classes among the training rows: all that are known, unless it is said."""
    return np.asarray(getattr(estimator, "taught", estimator.classes_))


def _log_loss(estimator: Any, X: Any, y: np.ndarray) -> float:
    """Mean negative log probability of the true class, in float64 whatever the precision of the model.

    A probability of exactly zero counts as the smallest that scikit-learn's ``log_loss`` knows in float64, 2e-16: a
    loss of 36 for this row. So does a row of a class that the training rows lack, whatever the model says: networks
    that are told of it would otherwise be ahead of baselines that cannot be, and none could learn it.
    """
    classes = np.asarray(estimator.classes_)
    places = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    of_truth = _log_probabilities(estimator, X)[np.arange(len(y)), places]
    is_zero = ~np.isin(y, _taught(estimator)) | np.isneginf(of_truth)
    return float(-np.where(is_zero, np.log(SMALLEST), of_truth).mean())


def _log_probabilities(estimator: Any, X: Any) -> np.ndarray:
    with np.errstate(divide="ignore"):
        if not hasattr(estimator, "predict_log_proba"):
            return np.log(np.asarray(estimator.predict_proba(X), float))
        # Exact where the probability itself is rounded to 0, and that is sooner in the precision of a float32 X.
        return np.concatenate([np.asarray(estimator.predict_log_proba(part), float) for part in _in_float64(X)])


def _in_float64(X: Any) -> Iterator[Any]:
    """X if it is as precise as that, otherwise a copy; of an array on disk piece by piece."""
    if isinstance(X, pd.DataFrame):
        coarse = X.select_dtypes(["float16", "float32"]).columns
        yield X.astype(dict.fromkeys(coarse, float)) if len(coarse) else X
    elif getattr(X, "dtype", None) not in (np.float16, np.float32):
        yield X
    elif not is_mapped(X):
        yield X.astype(float)
    else:
        step = rows_at_once(X)
        yield from (np.asarray(X[start : start + step], float) for start in range(0, len(X), step))


def _roc_auc(estimator: Any, X: Any, y: np.ndarray) -> float:
    # All classes of the training rows must be among the test rows, and no other: scikit-learn would take a new class
    # for the one whose place it has in the order, and nothing is learnt of how likely it is.
    classes, taught = np.asarray(estimator.classes_), _taught(estimator)
    if len(taught) < 2 or not np.array_equal(np.unique(y), taught):
        return np.nan
    if len(classes) == len(taught):
        # Of more than two, each class against the rest: this needs probabilities.
        return get_scorer("roc_auc" if len(classes) == 2 else "roc_auc_ovr")(estimator, X, y)
    shares = np.asarray(estimator.predict_proba(X), float)[:, np.isin(classes, taught)]
    shares /= shares.sum(axis=1, keepdims=True)
    return roc_auc_score(y, shares[:, 1] if len(taught) == 2 else shares, multi_class="ovr")


def _quantiles(estimator: Any, X: Any) -> tuple[np.ndarray, np.ndarray]:
    levels = levels_of(estimator)
    values = estimator.predict_quantiles(X) if isinstance(estimator, Answers) else predict_quantiles(estimator, X)
    return levels, np.asarray(values, float)


def _pinball_loss(estimator: Any, X: Any, y: np.ndarray) -> float:
    """Mean over the quantiles that the model predicts."""
    levels, values = _quantiles(estimator, X)
    losses = [mean_pinball_loss(y, column, alpha=level) for level, column in zip(levels, values.T, strict=True)]
    return float(np.mean(losses))


def _coverage(estimator: Any, X: Any, y: np.ndarray) -> float:
    """How many values lie between the lowest and the highest quantile; of a single one, how many lie below."""
    levels, values = _quantiles(estimator, X)
    below = y <= values[:, levels.argmax()]
    return float(np.mean(below if len(levels) == 1 else below & (values[:, levels.argmin()] <= y)))


def _skill(estimator: Any, X: Any, y: np.ndarray) -> float:
    """Share of the squared error of the last value that a forecast saves."""
    of_last = mean_squared_error(y, estimator.last_values(X))
    return 1 - mean_squared_error(y, estimator.predict(X)) / of_last if of_last else np.nan


def _dice(estimator: Any, X: Any, y: np.ndarray) -> float:
    return float(dice_score(y, estimator.predict(X), unlabelled=UNLABELLED))


def _iou(estimator: Any, X: Any, y: np.ndarray) -> float:
    return float(iou_score(y, estimator.predict(X), unlabelled=UNLABELLED))


@dataclass(frozen=True)
class OfLogDensities:
    """One number of the log-densities of test rows, in nats: minus infinity where that is the density of some.

    Parameters
    ----------
    function : callable
        ``np.mean``, say.
    """

    function: Callable[[np.ndarray], Any]

    def __call__(self, estimator: Any, X: Any, y: np.ndarray) -> float:
        return float(self.function(np.asarray(estimator.score_samples(X), float)))


@dataclass(frozen=True)
class DiceOfClass:
    """The Dice coefficient of one class of pixels: NaN where neither truth nor prediction has it."""

    label: int

    def __call__(self, estimator: Any, X: Any, y: np.ndarray) -> float:
        both = size = 0
        for truth, predicted in zip(y, estimator.predict(X), strict=True):
            is_such, is_found = truth == self.label, (predicted == self.label) & (truth != UNLABELLED)
            both += int((is_such & is_found).sum())
            size += int(is_such.sum() + is_found.sum())
        return 2 * both / size if size else np.nan


def dice_of(label: int) -> "Measure":
    """Make the measure of how well one class of pixels is found.

    Parameters
    ----------
    label : int
        The class.

    Returns
    -------
    Measure
        Called ``dice_<label>``.
    """
    return Measure(f"dice_{label}", f"Dice of {label}", DiceOfClass(label), task="segmentation")


@dataclass(frozen=True)
class Negated:
    """A scorer with its sign turned: of scikit-learn's ``neg_<loss>``, the loss."""

    scorer: Scorer

    def __call__(self, estimator: Any, X: Any, y: np.ndarray) -> float:
        return -self.scorer(estimator, X, y)


CLASSIFICATION = (
    Measure("accuracy", "Accuracy", get_scorer("accuracy"), task="classification"),
    Measure("balanced_accuracy", "Balanced accuracy", get_scorer("balanced_accuracy"), task="classification"),
    Measure("log_loss", "Log loss", _log_loss, False, False, "classification"),
    Measure("roc_auc", "ROC AUC", _roc_auc, task="classification", needs_same_classes=True),
)
REGRESSION = (
    Measure("r2", "R²", get_scorer("r2"), task="regression"),
    Measure("rmse", "RMSE", Negated(get_scorer("neg_root_mean_squared_error")), False, False, "regression"),
    Measure("mae", "MAE", Negated(get_scorer("neg_mean_absolute_error")), False, False, "regression"),
)
QUANTILES = (
    Measure("pinball_loss", "Pinball loss", _pinball_loss, False, False, "regression"),
    Measure("coverage", "Coverage", _coverage, None, task="regression"),
    REGRESSION[-1],
)
# A model of intervals alone has no density. It is given none: these two are missing then.
DISTRIBUTIONS = (
    Measure("nll", "NLL (nats)", of.negative_log_likelihood, False, task="regression"),
    Measure("crps", "CRPS", of.ranked_probability_score, False, False, "regression"),
)
FORECASTS = (
    Measure("mse", "MSE", Negated(get_scorer("neg_mean_squared_error")), False, False, "regression"),
    REGRESSION[-1],
    Measure("skill", "Skill over the last value", _skill, task="regression"),
)
SEGMENTATION = (
    Measure("dice", "Dice", _dice, task="segmentation"),
    Measure("iou", "IoU", _iou, task="segmentation"),
)
# A difference of .01 nats means a density that is 1 % higher, whatever the units.
DENSITY = (
    Measure("log_density", "Log-density (nats)", OfLogDensities(np.mean), task="density"),
    Measure("median_log_density", "Median (nats)", OfLogDensities(np.median), task="density"),
    Measure("lowest_log_density", "Lowest (nats)", OfLogDensities(np.min), task="density"),
)
MOST_CLASSES = 4  # up to here each has a score of its own
DEFAULTS = {
    "classification": CLASSIFICATION,
    "regression": REGRESSION,
    "segmentation": SEGMENTATION,
    "density": DENSITY,
}
KNOWN = (*CLASSIFICATION, *REGRESSION, *QUANTILES, *DISTRIBUTIONS, *FORECASTS, *SEGMENTATION, *DENSITY)
MEASURES = {measure.name: measure for measure in KNOWN}


def of_maps(labels: np.ndarray) -> tuple[Measure, ...]:
    """List what is measured of label maps, unless it is said.

    Parameters
    ----------
    labels : ndarray of int
        The classes.

    Returns
    -------
    tuple of Measure
        Mean Dice coefficient and mean intersection over union of the classes, and the Dice coefficient of each class
        if they are few.

    Examples
    --------
    >>> [measure.name for measure in of_maps(np.array([0, 255]))]
    ['dice', 'iou', 'dice_0', 'dice_255']
    """
    return (*SEGMENTATION, *(dice_of(int(label)) for label in labels if len(labels) <= MOST_CLASSES))


def of_intervals(confidence: float) -> tuple[Measure, ...]:
    """List what is measured of intervals of a level, and of the distributions they come from, unless it is said.

    Parameters
    ----------
    confidence : float
        The level.

    Returns
    -------
    tuple of Measure
        The interval score, which decides as all models have it, coverage, width, negative log-likelihood and CRPS.

    Examples
    --------
    >>> [measure.title for measure in of_intervals(0.9)]
    ['90 % interval score', '90 % coverage', '90 % width', 'NLL (nats)', 'CRPS']
    """
    level = f"{100 * confidence:g} %"
    score, coverage, width = (of.OfIntervals(each, confidence) for each in (of.score, of.coverage, of.width))
    return (
        Measure("interval_score", f"{level} interval score", score, False, False, "regression"),
        Measure("coverage", f"{level} coverage", coverage, None, task="regression"),
        Measure("width", f"{level} width", width, None, False, "regression"),
        *DISTRIBUTIONS,
    )


def as_measures(scoring: Any, intervals: float | None = None) -> tuple[Measure, ...] | None:
    """Turn the ``scoring`` argument of ``Study`` into measures.

    Parameters
    ----------
    scoring : None, str, callable, list of str or callable, or dict of str to str or callable
        Names are those of the default measures and scikit-learn's scorers; of a scorer ``neg_<loss>`` the loss itself
        is reported, in the column ``<loss>``. A callable ``scorer(estimator, X, y)`` is better when greater.
    intervals : float or None, default=None
        The level of the intervals that are compared, if they are.

    Returns
    -------
    tuple of Measure or None
        None stands for the defaults of each task: accuracy, balanced accuracy, log loss and ROC AUC (of each class
        against the rest where there are more than two), or R², RMSE and MAE. Models of quantiles have ``pinball_loss``
        (the mean over their quantiles) and ``coverage`` (how many values lie from their lowest to their highest one);
        forecasts have ``mse``, MAE and ``skill``, which is 1 - MSE / MSE of the last value. Intervals have
        ``interval_score``, ``coverage`` and ``width``, and the distributions they come from ``nll``, the mean negative
        log-likelihood in nats, and ``crps``. Label maps have ``dice``
        and ``iou``, means over the classes, and ``dice_<label>`` of one of them. Densities have ``log_density``, the
        mean over the test rows in nats, ``median_log_density`` and ``lowest_log_density``.

    Raises
    ------
    ValueError
        If a name is unknown, a measure is there twice or none is given.
    TypeError
        If an entry is neither a name nor callable.

    Examples
    --------
    >>> [(measure.name, measure.greater_is_better) for measure in as_measures(["f1_macro", "neg_log_loss"])]
    [('f1_macro', True), ('log_loss', False)]
    """
    if scoring is None:
        return None
    known = MEASURES if intervals is None else MEASURES | {each.name: each for each in of_intervals(intervals)}
    if isinstance(scoring, Mapping):
        measures = [_as_measure(scorer, known, name) for name, scorer in scoring.items()]
    elif isinstance(scoring, str) or callable(scoring):
        measures = [_as_measure(scoring, known)]
    elif isinstance(scoring, Iterable):
        measures = [_as_measure(scorer, known) for scorer in scoring]
    else:
        raise TypeError(f"scoring={scoring!r} is not a name, a callable, a list or a dict of these")
    names = [measure.name for measure in measures]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"scoring={scoring!r} must name at least one measure, and each once")
    return tuple(measures)


def _as_measure(scorer: Any, known: Mapping[str, Measure], name: str | None = None) -> Measure:
    if isinstance(scorer, str):
        measure = _named(scorer, known)
    elif callable(scorer):
        own_name = getattr(scorer, "__name__", type(scorer).__name__)
        measure = Measure(own_name, _title(own_name), scorer)
    else:
        raise TypeError(f"scoring={scorer!r} is neither the name of a measure nor a callable(estimator, X, y)")
    if name is None or name == measure.name:
        return measure
    return replace(measure, name=name, title=_title(name))


def _named(name: str, known: Mapping[str, Measure]) -> Measure:
    if name in known:
        return known[name]
    if of_class := re.fullmatch(r"dice_(\d+)", name):
        return dice_of(int(of_class[1]))
    loss = name.removeprefix("neg_")
    if name != loss and loss in known:
        return known[loss]
    if name == "neg_root_mean_squared_error":
        return MEASURES["rmse"]
    if name == "neg_mean_absolute_error":
        return MEASURES["mae"]
    scorer = get_scorer(look_up("measure", name, dict.fromkeys([*known, *get_scorer_names()], name)))
    if name == loss:
        return Measure(name, _title(name), scorer, task=_task(scorer))
    return Measure(loss, _title(loss), Negated(scorer), False, False, _task(scorer))


def _task(scorer: Any) -> str | None:
    # scikit-learn tells it by the module alone; what it does not tell is found out in the first fold.
    module = scorer._score_func.__module__.rpartition(".")[2]
    tasks = {"_regression": "regression", "_classification": "classification", "_ranking": "classification"}
    return tasks.get(module)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
