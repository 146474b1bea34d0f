"""Targets: how y becomes numbers for the loss, and raw outputs become predictions again.

One class for each kind of target. ``fit`` learns classes or scales, ``encode`` gives the loss its target,
``decode`` gives the user a prediction, ``loss`` is the loss to minimise.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from numbers import Real
from reprlib import repr as shortened
from typing import Any, Protocol

import numpy as np
from scipy.sparse import issparse
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from ..autodiff.tape import Array
from ..losses import BinaryLogLoss, CategoricalLogLoss, JointLogLoss, Loss, NormalLogLoss, QuantileLoss
from .scaling import is_constant
from .values import rows

BINARY, CATEGORICAL = BinaryLogLoss(), CategoricalLogLoss()
WHOLE = (str, int)  # labels that are never missing, and are asked no further: there may be a million
GRID = 2.0**32  # steps to a standard deviation: far below any noise, above what a change of units rounds off


class Target(Protocol):
    """What all kinds of targets know."""

    loss: Any  # to minimise, of raw outputs and encoded targets
    n_outputs: int  # raw outputs of a sample, or of a position
    attributes: dict[str, Any]  # what the fitted estimator shows of it
    is_certain: bool = False  # whether there is nothing to learn
    stratifies: bool = False  # whether a split for validation is to have the same share of each class on both sides
    exclusive: bool = True  # whether its labels exclude each other
    per_position: bool = False  # whether there is one for each position of a sample, and they may differ in size

    def check(self, y: Any, all_of_them: bool) -> None:
        """Raise ValueError if y is not such as in the first fit (`all_of_them`: or, of classes, has fewer)."""

    def encode(self, y: Any, dtype: np.dtype) -> Any:
        """What the loss compares raw outputs with."""

    def decode(self, raw: Array) -> Any:
        """Predictions."""


def in_numpy_dtypes(y: Any) -> Any:
    """Pandas' nullable numbers as NumPy's, whole ones and booleans as such; anything else, and missing values, as is.

    Columns of different kinds become objects, so that each keeps its own; so do NumPy's strings of any length, which
    scikit-learn does not know.

    Examples
    --------
    >>> import pandas as pd
    >>> in_numpy_dtypes(pd.Series([True, False], dtype="boolean"))
    array([ True, False])
    """
    dtypes = list(y.dtypes) if hasattr(y, "columns") else [getattr(y, "dtype", None)]
    plain = [getattr(dtype, "numpy_dtype", dtype) for dtype in dtypes]
    numbers = [getattr(dtype, "kind", "O") in "iuf" for dtype in plain]
    if any(numbers) and not all(numbers) and hasattr(y, "isna") and not np.any(y.isna()):
        return y.to_numpy(object)
    if getattr(dtypes[0], "kind", "") == "T":
        return y.astype(object)
    if plain == dtypes or not all(isinstance(dtype, np.dtype) for dtype in plain) or np.any(y.isna()):
        return y
    return y.to_numpy(np.result_type(*plain))


def complete(y: Any, place: str = "", name: str = "y") -> Any:
    """y itself; ValueError if of its objects, such as words, some are None, NaN or pd.NA, or of its dates NaT."""
    try:
        labels = np.asarray(y)
    except ValueError:
        raise ValueError(
            f"{name} holds lists of different lengths: several labels of a sample are an indicator matrix, as "
            "MultiLabelBinarizer makes it"
        ) from None
    missing = _missing(labels.ravel())
    if len(missing):
        first, row = labels.ravel()[missing[0]], missing[0] // (labels.size // len(labels))
        found = f"in {len(missing)} of {labels.size} places{place}, the first ({first!r}) in row {row}"
        raise ValueError(f"{name} contains NaN, None or NA {found}: leave those samples out, or give them a value")
    return y


def _missing(labels: Array) -> Sequence[int]:
    """Where objects are missing, or dates."""
    if labels.dtype.kind in "mM":
        return np.flatnonzero(np.isnat(labels)).tolist()
    each = enumerate(labels) if labels.dtype == object else ()
    others = ((k, label) for k, label in each if not isinstance(label, WHOLE))
    return [k for k, label in others if label is None or is_scalar_nan(label) or is_pandas_na(label)]


def class_target(y: Array) -> Target:
    """The target for these labels, fitted.

    Raises
    ------
    ValueError
        If y is no target for a classifier, but continuous, say.
    """
    mixed = y.ndim == 2 and y.dtype == object  # words beside numbers; each column has a kind of its own
    if not mixed and _kind_of_classes(y) == "multilabel-indicator" and set(np.unique(y)) <= {0, 1}:
        return MultilabelTarget(y)
    return JointClassTarget(_columns(y)) if y.ndim == 2 else ClassTarget(y)


def _kind_of_classes(y: Array) -> str:
    """What scikit-learn calls this kind of target; it raises ValueError if it is none of a classifier."""
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):  # many classes for few samples are no news
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")
        kind = type_of_target(y)
        if kind not in ("binary", "multiclass", "multilabel-indicator"):  # the others, and the error
            _asked(check_classification_targets, y)
    return kind


def _asked(about: Callable[[Array], Any], y: Array) -> Any:
    """What scikit-learn says about labels; where it refuses them, with what they are and the remedy."""
    try:
        return about(y)
    except ValueError as error:
        some = ", ".join(list(dict.fromkeys(map(repr, y.ravel().tolist())))[:3])
        refusal = "Unknown label type." if "array(" in str(error) else error  # which quotes all of them
        raise ValueError(f"{refusal} y has labels such as {some}: turn them into integers or words.") from None


def stated_target(y: Any, classes: Any, known: Any = None) -> Target | None:
    """The target for all `classes`, of which y may lack some; None if they are those `known` of an earlier call.

    Raises
    ------
    ValueError
        If `classes` are missing in the first call, or differ from those of an earlier one.
    """
    y = complete(in_numpy_dtypes(rows("y", y)))
    several = False
    if classes is not None:
        classes = in_numpy_dtypes(rows("classes", classes))
        several = np.ndim(next(iter(classes), 0)) == 1
        for column in classes if several else [classes]:
            complete(column, name="classes")
    if known is not None:
        if classes is not None and not _same_classes(known, classes if several else [classes]):
            raise ValueError(f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}")
        return None
    if classes is None:
        raise ValueError("classes must be passed on the first call to partial_fit.")
    if several:
        return JointClassTarget([np.asarray(each) for each in classes])
    if type_of_target(y) == "multilabel-indicator":
        return MultilabelTarget(y if issparse(y) else np.asarray(y))
    return ClassTarget(np.asarray(classes))


BALANCED_IN_PARTS = (  # scikit-learn's words
    "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' weights, use "
    "compute_class_weight('balanced', classes=classes, y=y). In place of y you can use a large enough sample of the "
    "full training set target to properly estimate the class frequency distributions. Pass the resulting weights as "
    "the class_weight parameter."
)


class ClassWeights:
    """Factors on the weights of samples, by their labels; those of several columns are multiplied.

    Parameters
    ----------
    class_weight : dict, list of dict or "balanced"
        Label -> factor, 1 for a label that is not named; for several columns a list of such. "balanced" gives every
        class of a column the same share: total weight / (number of classes * weight of the class).
    target : ClassTarget, MultilabelTarget or JointClassTarget
        Knows the `labels` of each column.
    y : ndarray of shape (n_samples,) or (n_samples, n_columns)
        The labels that "balanced" counts,
    sample_weight : ndarray of shape (n_samples,) or None
        with these weights.

    Raises
    ------
    ValueError
        If a factor is negative or not finite, if `class_weight` has not one dict for each column, or if it names other
        labels but not all of those there are.

    References
    ----------
    King, Zeng (2001). Logistic regression in rare events data. Political Analysis 9.

    Examples
    --------
    >>> y = np.array(["no", "no", "no", "yes"])
    >>> ClassWeights("balanced", ClassTarget(y), y, None)(y)
    array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    >>> ClassWeights({"yes": 5.0}, ClassTarget(y), y, None)(y)
    array([1., 1., 1., 5.])
    """

    def __init__(self, class_weight: Any, target: Any, y: Array, sample_weight: Array | None) -> None:
        columns = _columns(y)
        if class_weight == "balanced":
            self.factors = [_balanced(column, sample_weight) for column in columns]
            return
        if y.ndim == 1 and not isinstance(class_weight, dict):
            raise ValueError(f"class_weight must be a dict, 'balanced' or None, got {class_weight!r}")
        if y.ndim > 1 and not (isinstance(class_weight, list) and all(isinstance(each, dict) for each in class_weight)):
            raise ValueError("For multi-output, class_weight should be a list of dicts, or the string 'balanced'.")
        self.factors = [class_weight] if y.ndim == 1 else class_weight
        if len(self.factors) != len(columns):
            raise ValueError(
                "For multi-output, number of elements in class_weight should match number of outputs. "
                f"Got {len(self.factors)} element(s) while having {len(columns)} outputs."
            )
        for factors, labels in zip(self.factors, target.labels, strict=True):
            _check_factors(factors, labels.tolist())

    def __call__(self, y: Array) -> Array:
        """The factor of each sample, shape (n,)."""
        product = np.ones(len(y))
        for factors, column in zip(self.factors, _columns(y), strict=True):
            labels, numbers = np.unique(column, return_inverse=True)
            product *= np.array([factors.get(label, 1.0) for label in labels.tolist()], np.float64)[numbers]
        return product


def _balanced(column: Array, sample_weight: Array | None) -> dict[Any, float]:
    labels = np.unique(column)
    factors = compute_class_weight("balanced", classes=labels, y=column, sample_weight=sample_weight)
    return dict(zip(labels.tolist(), factors.tolist(), strict=True))


def _check_factors(factors: dict[Any, float], labels: list[Any]) -> None:
    unknown = [label for label in factors if label not in labels]
    missing = [label for label in labels if label not in factors]
    if unknown and missing:  # with none missing, these rows may lack a class that others have
        raise ValueError(
            f"class_weight names {unknown}, which are not in y, and not {shortened(missing)}, which are; the labels of "
            f"y are {shortened(labels)}"
        )
    bad = {label: each for label, each in factors.items() if not (isinstance(each, Real) and 0 <= each < np.inf)}
    if bad:
        raise ValueError(f"class_weight must be finite and not negative, got {bad}")


def _same_classes(known: Array | list[Array], classes: Sequence) -> bool:
    """Whether those passed, for each target, are those of the first call."""
    known = known if isinstance(known, list) else [known]
    return len(known) == len(classes) and all(map(np.array_equal, known, map(unique_labels, classes)))


def _distinct(y: Array) -> Array:
    """The labels, sorted. Whole numbers are labels; what else is one, scikit-learn has to say."""
    return np.unique(y) if y.ndim == 1 and y.dtype.kind in "biu" else _asked(unique_labels, y)


class ClassTarget(Target):
    """One of several classes, the sorted `classes_`, for each sample; two need one output, more need one each."""

    stratifies = True

    def __init__(self, y: Array) -> None:
        self.classes_ = _distinct(y)
        self.labels = [self.classes_]  # those of each column of y
        self.attributes = {"classes_": self.classes_}
        self.is_certain = len(self.classes_) == 1
        self.n_outputs = 1 if len(self.classes_) <= 2 else len(self.classes_)
        self.loss = BINARY if self.n_outputs == 1 else CATEGORICAL

    def check(self, y: Array, all_of_them: bool) -> None:
        """Raise ValueError if y has other classes than the first fit (`all_of_them`: or fewer)."""
        if y.ndim != 1:
            raise ValueError(f"`y` has shape {y.shape}, but the first fit, or `classes`, had one column of classes")
        found = _distinct(y)
        if np.array_equal(found, self.classes_):
            return
        if all_of_them and set(found) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {found}"
            )
        if len(np.setdiff1d(found, self.classes_)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {found}."
            )

    def encode(self, y: Array, dtype: np.dtype) -> Array:
        """Class numbers (n,), or 0 and 1 (n, 1) for two classes."""
        numbers = np.searchsorted(self.classes_, y)
        return numbers.astype(dtype)[:, None] if self.n_outputs == 1 else numbers

    def decode(self, raw: Array) -> Array:
        """The most probable class, shape (n,)."""
        numbers = raw.argmax(axis=1) if self.n_outputs > 1 else np.minimum(raw[:, 0] > 0, len(self.classes_) - 1)
        return self.classes_[numbers]

    def proba(self, raw: Array) -> Array:
        """The probability of each class, shape (n, n_classes)."""
        return np.ones_like(raw) if self.is_certain else _never_zero(self._of_each(self.loss.predict, raw))

    def log_proba(self, raw: Array) -> Array:
        """Its logarithm, finite for any finite raw outputs."""
        if self.is_certain:
            return np.zeros_like(raw)
        return _log(self.proba(raw), self._of_each(self.loss.log_proba, raw))

    def _of_each(self, function: Callable[[Array], Array], raw: Array) -> Array:
        """A function of the raw output of each class; for the first of two that is the negative of the second's."""
        return function(raw) if self.n_outputs > 1 else np.hstack([function(-raw), function(raw)])


def _never_zero(probability: Array) -> Array:
    """A network excludes nothing: what would be rounded to 0 is the smallest normal number, and has a logarithm."""
    return np.maximum(probability, np.finfo(probability.dtype).tiny, out=probability)


def _log(probability: Array, exact: Array) -> Array:
    """The logarithm of the very probability where that is large, the exact one where it may have been rounded to 0.

    In float32 many probabilities are the smallest number; there the logarithms are theirs, so that both rank alike.
    """
    if probability.dtype == np.float32:
        return np.log(probability)
    return np.log(probability, out=exact, where=probability > 0.5)


class MultilabelTarget(Target):
    """Any number of labels for each sample, as an indicator matrix; one output each."""

    loss = BINARY
    exclusive = False

    def __init__(self, y: Array) -> None:
        self.n_outputs = y.shape[1]
        self.classes_ = np.arange(self.n_outputs)
        self.labels = [np.array([0, 1])] * self.n_outputs
        self.attributes = {"classes_": self.classes_}

    def check(self, y: Array, all_of_them: bool) -> None:
        """Raise ValueError if y has another number of labels than the first fit."""
        if y.ndim != 2 or y.shape[1] != len(self.classes_):
            raise ValueError(f"`y` has shape {y.shape}, but the first fit had {len(self.classes_)} labels")

    def encode(self, y: Array, dtype: np.dtype) -> Array:
        return np.asarray(y).astype(dtype)

    def decode(self, raw: Array) -> Array:
        return (raw > 0).astype(int)

    def proba(self, raw: Array) -> Array:
        """The probability of each label, shape (n, n_labels)."""
        return _never_zero(BINARY.predict(raw))

    def log_proba(self, raw: Array) -> Array:
        return _log(self.proba(raw), BINARY.log_proba(raw))


class JointClassTarget(Target):
    """One of several classes for each of several questions: a column of y each, with outputs of its own.

    It is made from `columns` of labels, among which all classes of a question are.
    """

    def __init__(self, columns: Sequence[Array]) -> None:
        for column in columns:
            _asked(check_classification_targets, column)
        self.parts = [ClassTarget(column) for column in columns]
        self.classes_ = self.labels = [part.classes_ for part in self.parts]
        self.attributes = {"classes_": self.classes_}
        self.is_certain = all(part.is_certain for part in self.parts)
        self.loss = JointLogLoss(tuple(part.n_outputs for part in self.parts))
        self.n_outputs = sum(self.loss.n_outputs)

    def check(self, y: Array, all_of_them: bool) -> None:
        """Raise ValueError if a column of y has other classes than in the first fit, or there are other columns."""
        if y.ndim != 2 or y.shape[1] != len(self.parts):
            raise ValueError(f"`y` has shape {y.shape}, but the first fit had {len(self.parts)} columns of classes")
        for part, column in zip(self.parts, _columns(y), strict=True):
            part.check(column, all_of_them)

    def encode(self, y: Array, dtype: np.dtype) -> Array:
        """Class numbers (n, n_columns)."""
        columns = zip(self.parts, _columns(y), strict=True)
        return np.column_stack([np.searchsorted(part.classes_, column) for part, column in columns])

    def decode(self, raw: Array) -> Array:
        """The most probable class of each column, shape (n, n_columns)."""
        columns = [part.decode(outputs) for part, outputs in self._outputs(raw)]
        words = {column.dtype.kind in "US" for column in columns}
        return np.column_stack(columns if len(words) == 1 else [column.astype(object) for column in columns])

    def proba(self, raw: Array) -> list[Array]:
        """The probability of each class, an array (n, n_classes) for each column."""
        return [part.proba(outputs) for part, outputs in self._outputs(raw)]

    def log_proba(self, raw: Array) -> list[Array]:
        return [part.log_proba(outputs) for part, outputs in self._outputs(raw)]

    def _outputs(self, raw: Array) -> list[tuple[ClassTarget, Array]]:
        return [(part, raw[:, mine]) for part, mine in zip(self.parts, self.loss.parts, strict=True)]


def _columns(y: Array) -> list[Array]:
    """The columns of y, a vector being one; of several objects as what they are by themselves, words or numbers."""
    mixed = y.dtype == object and y.ndim > 1
    return [np.asarray(column.tolist()) if mixed else column for column in y.reshape(len(y), -1).T]


class RealTarget(Target):
    """Real numbers, one or several for each sample, standardised for the network where that makes sense.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, n_outputs)
        Targets.
    weight : ndarray of shape (n,) or None
        Sample weights; mean and standard deviation are weighted by them.
    loss : Loss
        What is minimised, of standardised targets.
    standardise : bool
        False leaves y as it is.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_outputs,)
        y = mean_ + scale_ * target; 0 and 1 without standardising.
    """

    def __init__(self, y: Array, weight: Array | None, loss: Loss, standardise: bool) -> None:
        self.loss, self._standardise = loss, standardise
        columns = y.reshape(len(y), -1).astype(np.float64)
        n = self.n_outputs = columns.shape[1]
        self.mean_, self.scale_ = np.zeros(n), np.ones(n)
        if standardise:
            self.mean_ = np.average(columns, axis=0, weights=weight)
            deviations = columns - self.mean_
            largest = np.abs(deviations).max(axis=0)
            unit = np.where(largest == 0, 1.0, largest)  # so that no square overflows or vanishes
            spread = unit * np.sqrt(np.average((deviations / unit) ** 2, axis=0, weights=weight))
            self.scale_ = np.where(is_constant(spread, self.mean_, len(columns)), 1.0, spread)
        mean, scale = (self.mean_, self.scale_) if n > 1 else (self.mean_[0], self.scale_[0])
        self.attributes = {"y_mean_": mean, "y_scale_": scale}

    def check(self, y: Array, all_of_them: bool) -> None:
        """Raise ValueError if y has another number of outputs than the first fit, or the loss is not made for it."""
        if y.reshape(len(y), -1).shape[1] != len(self.mean_):
            raise ValueError(f"`y` has shape {y.shape}, but the first fit had {len(self.mean_)} outputs")
        if self.loss.link == "exp" and np.any(y < 0):
            raise ValueError(f"loss='poisson' takes counts: y must not be negative, got {np.min(y)}")

    def encode(self, y: Array, dtype: np.dtype) -> Array:
        columns = y.reshape(len(y), -1).astype(np.float64)
        encoded = (columns - self.mean_) / self.scale_
        if self._standardise:  # the same y in other units is to be the same problem, rounding errors and all
            encoded = np.round(encoded * GRID) / GRID
        return encoded.astype(dtype)

    def decode(self, raw: Array) -> Array:
        """Predictions (n,) or (n, n_outputs), in the precision of `raw`."""
        predicted = self.loss.predict(raw) * self.scale_ + self.mean_
        return self._as_given(predicted).astype(raw.dtype, copy=False)

    def _as_given(self, columns: Array) -> Array:
        """(n,) if there is one column of y, else (n, n_columns)."""
        return columns[:, 0] if len(self.mean_) == 1 else columns


class NormalTarget(RealTarget):
    """Real numbers with a normal distribution of which mean and variance are learnt: an output for each of both."""

    loss: NormalLogLoss

    def __init__(self, y: Array, weight: Array | None, loss: Loss, standardise: bool) -> None:
        super().__init__(y, weight, loss, standardise)
        self.n_outputs *= 2

    def std(self, raw: Array) -> Array:
        """The standard deviation of y (n,) or (n, n_columns), in the precision of `raw`."""
        std = np.sqrt(self.loss.variance(raw)) * self.scale_
        return self._as_given(std).astype(raw.dtype, copy=False)


class QuantileTarget(RealTarget):
    """Several quantiles of one real number, those of the tuple ``loss.quantile``: an output for each.

    The network's outputs may cross. Sorted they do not, and no pinball loss grows by that: the sorted ones lie no
    farther from the true quantiles (Chernozhukov, Fernandez-Val & Galichon 2010, Quantile and probability curves
    without crossing, Econometrica 78).

    Attributes
    ----------
    central : float
        The quantile nearest 0.5; of two equally near the lower one.
    nearest : int
        Its position.

    Raises
    ------
    ValueError
        If y has several columns.
    """

    def __init__(self, y: Array, weight: Array | None, loss: QuantileLoss, standardise: bool) -> None:
        if y.ndim > 1:
            raise ValueError(f"loss='quantile' takes one target, got y of shape {y.shape}")
        super().__init__(y, weight, loss, standardise)
        self.quantiles = np.asarray(loss.quantile, np.float64)
        self.n_outputs = len(self.quantiles)
        distances = np.abs(self.quantiles - 0.5).round(12)
        self.nearest = int(np.lexsort((self.quantiles, distances))[0])
        self.central = float(self.quantiles[self.nearest])

    def all_quantiles(self, raw: Array) -> Array:
        """Predictions (n, n_quantiles) in the order of the quantiles, never crossing."""
        rank = np.argsort(np.argsort(self.quantiles, kind="stable"))
        predicted = np.sort(raw, axis=1)[:, rank] * self.scale_ + self.mean_
        return predicted.astype(raw.dtype, copy=False)

    def decode(self, raw: Array) -> Array:
        """Predictions (n,) of the quantile nearest 0.5."""
        return self.all_quantiles(raw)[:, self.nearest]
