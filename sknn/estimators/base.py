"""The template of all network estimators: validate, encode, build, train, decode.

A family says what its network looks like and how it is trained; everything that scikit-learn expects of an
estimator, and everything that must hold of every fit (nothing lost when it fails, no NaN weights, the precision
of X in predictions), is said here once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace
from math import inf, isfinite, nan, prod
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from ..autodiff.tape import Array, Tensor
from ..nn import Layer, Network
from ..nn.init import Random
from ..ops.loss import average
from ..ops.threads import threads_for
from ..optim import Optimizer
from ..schedules import SCHEDULES
from ..train import ArrayData, Outcome, Plan, TrainingState, start_state, train, train_full
from .targets import ClassTarget, MultilabelTarget, RealTarget, Target, class_target, in_numpy_dtypes

OPENBLAS_THREADS = 2e6  # operations; below this the BLAS takes one thread by itself, and need not be told
PREDICT_ELEMENTS = 1 << 22  # values per layer computed at once in predict, so that memory stays bounded

DIVERGED = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


@dataclass
class Task:
    """One call of fit or partial_fit: what is trained, and on what."""

    network: Network
    target: Target
    rng: Random
    X: Any
    y: Array
    sample_weight: Array | None
    fresh: bool
    incremental: bool
    rows: Array | None = None  # of X, those of y; None: all
    held_out: tuple[Any, Array, Array | None] | None = None

    def data(self) -> ArrayData:
        """The training data, encoded, in the precision of the network."""
        dtype = self.network.theta.dtype
        return ArrayData(self.X, self.target.encode(self.y, dtype), self.sample_weight, dtype, self.rows)


class NetworkEstimator(BaseEstimator):
    """What all estimators around a :class:`~sknn.nn.Network` share.

    A family defines the methods below, whose names begin with an underscore: `_layers`, `_optimizer`, `_plan` and
    `_new_target`, and lists its parameters in ``__init__``.
    """

    _accepted_sparse: Any = ("csr", "csc")
    _target: Target
    _state: TrainingState

    def _keep_parameters(self, values: dict[str, Any]) -> None:
        """Set the parameters of ``__init__`` from its ``locals()``."""
        self.__dict__.update({name: values[name] for name in self._get_param_names()})

    # -- what a family says ----------------------------------------------------------------------------------------

    def _layers(self, n_outputs: int) -> list[Layer]:
        """The layers of the network, from the first hidden one to the output."""
        raise TypeError(f"{type(self).__name__} defines no layers")

    def _optimizer(self) -> Optimizer | None:
        """A fresh optimizer; None for L-BFGS."""
        raise TypeError(f"{type(self).__name__} defines no optimizer")

    def _plan(self, n_samples: int) -> Plan:
        """How to train on this many samples."""
        raise TypeError(f"{type(self).__name__} defines no plan")

    def _new_target(self, y: Array, sample_weight: Array | None) -> Target:
        """The fitted target for y."""
        raise TypeError(f"{type(self).__name__} defines no target")

    def _score_validation(self, y: Array, predicted: Array, sample_weight: Array | None) -> float:
        """The score that decides early stopping, larger is better."""
        raise TypeError(f"{type(self).__name__} defines no validation score")

    # -- fitting ---------------------------------------------------------------------------------------------------

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool, target: Target | None = None) -> Any:
        """Fit or go on fitting; on any error the estimator is left as it was."""
        # what overflows ends in an error that says so; NumPy's warnings on the way there would only hide it
        with _nothing_lost(self), np.errstate(over="ignore", invalid="ignore"):
            fresh = not hasattr(self, "network_") or not (self.warm_start or incremental)
            X, y = self._validated(self._as_rows(X, fresh), y, reset=fresh)
            X, y, sample_weight = self._influential(X, y, _checked_weight(sample_weight, X, incremental))
            if len(y) == 0 and fresh:
                raise ValueError("Sample weights must contain at least one non-zero number.")
            if len(y) == 0:  # a batch that counts for nothing
                return self
            self._train(X, y, sample_weight, fresh, incremental, target)
        return self

    def _train(
        self, X: Any, y: Array, sample_weight: Array | None, fresh: bool, incremental: bool, target: Target | None
    ) -> None:
        rng = check_random_state(self.random_state)
        optimizer = self._optimizer()
        dtype = np.dtype(np.float64 if optimizer is None else self.dtype)
        target = (target or self._new_target(y, sample_weight)) if fresh else self._target
        target.check(y, all_of_them=not fresh and not incremental)
        network = self._network(X.shape[1], target.n_outputs, rng, dtype, fresh)
        task = Task(network, target, rng, _cast(X, dtype), y, sample_weight, fresh, incremental)
        if self.early_stopping and optimizer is not None:
            if incremental:
                raise ValueError("partial_fit does not support early_stopping=True")
            self._set_aside(task)
        self._target = target
        self._prepare(task)
        if optimizer is None:
            self._minimise(task)
        else:
            self._descend(task, optimizer)

    def _prepare(self, task: Task) -> None:
        """What a family does with the data before training; by default nothing."""

    def _network(self, n_features: int, n_outputs: int, rng: Random, dtype: np.dtype, fresh: bool) -> Network:
        """A new network, or a copy of the fitted one to go on with."""
        layers = self._layers(n_outputs)
        if fresh:
            return Network(layers, (n_features,), rng, dtype)
        if tuple(layers) != self.network_.layers:
            raise ValueError(
                "the parameters that shape the network were changed after the first fit, from "
                f"{self.network_.layers} to {tuple(layers)}; fit anew with warm_start=False"
            )
        return self.network_.copy(dtype)

    def _set_aside(self, task: Task) -> None:
        """Take a share of the samples out of the training, for early stopping."""
        stratify = task.y if isinstance(task.target, ClassTarget) and task.target.n_outputs == 1 else None
        kept, held_out = train_test_split(
            np.arange(len(task.y)), random_state=task.rng, test_size=self.validation_fraction, stratify=stratify
        )
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        weight = task.sample_weight
        task.held_out = (task.X[held_out], task.y[held_out], None if weight is None else weight[held_out])
        task.rows, task.y, task.sample_weight = kept, task.y[kept], None if weight is None else weight[kept]

    def _descend(self, task: Task, optimizer: Optimizer) -> None:
        """Train by the stochastic gradient."""
        plan = replace(self._plan(len(task.y)), once=task.incremental)
        state = self._earlier_state(task) or self._new_state(task, optimizer, plan)
        loss = task.target.loss()
        outcome = train(
            task.network,
            _objective(loss, task.rng),
            task.data(),
            plan,
            state,
            task.rng,
            validate=self._validation(task),
            curve_scale=_curve_scale(task),
            report=print if self.verbose else None,
        )
        self._finish(task, outcome, state, plan)

    def _earlier_state(self, task: Task) -> TrainingState | None:
        """A copy of the state that partial_fit goes on from; that of another precision is of no use."""
        if not task.incremental or "_state" not in vars(self):
            return None
        same_precision = self.network_.theta.dtype == task.network.theta.dtype
        return deepcopy(self._state) if same_precision else None

    def _new_state(self, task: Task, optimizer: Optimizer, plan: Plan) -> TrainingState:
        """The state before the first step; the curves of earlier calls go on, the counts of a new fit do not."""
        state = start_state(task.network, optimizer, plan.batch_size)
        if not task.fresh:
            state.loss_curve = list(getattr(self, "loss_curve_", []))
            state.validation_scores = list(getattr(self, "validation_scores_", None) or [])
            state.samples = self.t_ if task.incremental else 0
        return state

    def _validation(self, task: Task) -> Callable[[], float] | None:
        """The score on what was set aside, as a function of nothing but the network's present weights."""
        if task.held_out is None:
            return None
        X, y, weight = task.held_out
        return lambda: self._score_validation(y, task.target.decode(_raw(task.network, X).astype(np.float64)), weight)

    def _finish(self, task: Task, outcome: Outcome, state: TrainingState, plan: Plan) -> None:
        """Keep what was learnt, or raise if there is nothing to keep."""
        self._warn(outcome, state, plan, task.incremental)
        if not np.isfinite(task.network.theta).all():
            raise ValueError(DIVERGED)
        self._forget_history()
        self._keep_network(task.network, task.target.loss())
        self.n_iter_, self.t_ = state.epochs, state.samples
        self.loss_curve_ = state.loss_curve
        self.loss_ = state.loss_curve[-1] if state.loss_curve else inf
        stopping = task.held_out is not None
        self.best_loss_ = None if stopping else state.best_loss
        self.validation_scores_ = state.validation_scores if stopping else None
        self.best_validation_score_ = state.best_score if stopping else None
        state.best_theta = state.best_state = None
        if self.warm_start or task.incremental:
            self._state = state

    def _minimise(self, task: Task) -> None:
        """Train by L-BFGS on all samples at once."""
        loss = task.target.loss()
        minimum = train_full(
            task.network, _objective(loss, task.rng), task.data(), self._plan(len(task.y)), max_fun=self.max_fun
        )
        if not (isfinite(minimum.value) and np.isfinite(task.network.theta).all()):
            raise ValueError(DIVERGED)
        if not minimum.converged:
            warnings.warn(
                f"lbfgs failed to converge after {minimum.n_iter} iteration(s): {minimum.message}\n\nIncrease the "
                "number of iterations to improve the convergence (max_iter), or scale the data.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self._forget_history()
        self._keep_network(task.network, loss)
        self.n_iter_, self.t_ = minimum.n_iter, 0
        self.loss_ = self.best_loss_ = self._shown(task, minimum.value)
        self.validation_scores_ = self.best_validation_score_ = None

    def _shown(self, task: Task, value: float) -> float:
        """The value of the objective with the mean instead of the sum over outputs, as the loss curves show it."""
        weight = len(task.y) if task.sample_weight is None else task.sample_weight.sum()
        penalty = 0.5 * self.alpha * task.network.decaying_norm() / float(weight)
        return penalty + (value - penalty) * _curve_scale(task)

    def _warn(self, outcome: Outcome, state: TrainingState, plan: Plan, incremental: bool) -> None:
        """Tell how training ended, or raise if there is nothing to keep."""
        if outcome is Outcome.DIVERGED and state.best_theta is not None:
            warnings.warn(
                f"Training diverged in epoch {state.epochs}; the weights of the best epoch are restored. Try a smaller "
                "learning rate, or scale the data.",
                ConvergenceWarning,
                stacklevel=2,
            )
        elif outcome is Outcome.DIVERGED:
            raise ValueError(f"{DIVERGED} It diverged in epoch {state.epochs}; a smaller learning rate may help too.")
        elif outcome is Outcome.INTERRUPTED:
            warnings.warn("Training interrupted by user.", stacklevel=2)
        elif outcome is Outcome.EPOCHS_DONE and not incremental and not SCHEDULES[plan.schedule].to_the_end:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({plan.max_epochs}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
                stacklevel=2,
            )

    def _forget_history(self) -> None:
        """Drop what an earlier fit, perhaps with another solver, has left."""
        for name in ("_state", "loss_curve_", "loss_", "best_loss_", "validation_scores_", "best_validation_score_"):
            self.__dict__.pop(name, None)

    def _keep_network(self, network: Network, loss: Any) -> None:
        self.network_ = network
        self.__dict__.update(self._target.attributes)
        self.n_outputs_ = network.output_shape[-1]
        self.out_activation_ = loss.link

    # -- validating ------------------------------------------------------------------------------------------------

    def _as_rows(self, X: Any, fresh: bool) -> Any:
        """X as a row of features for each sample; by default as it is."""
        return X

    def _validated(self, X: Any, y: Any, reset: bool) -> tuple[Any, Array]:
        X, y = validate_data(
            self,
            X,
            in_numpy_dtypes(y),
            accept_sparse=self._accepted_sparse,
            multi_output=True,
            y_numeric=is_regressor(self),
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        y = y.toarray() if issparse(y) else y
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return (X.tocsr() if issparse(X) else X), y

    def _influential(self, X: Any, y: Array, weight: Array | None) -> tuple[Any, Array, Array | None]:
        """Without the rows of weight zero: they have no influence on anything, on splits, scales or batches."""
        if weight is None or weight.all():
            return X, y, weight
        rows = np.flatnonzero(weight)
        weight = weight[rows]
        return X[rows], y[rows], None if np.all(weight == 1) else weight

    # -- predicting ------------------------------------------------------------------------------------------------

    def _raw_outputs(self, X: Any) -> Array:
        """The network's outputs for X before the link, shape (n, n_outputs), in the precision of X."""
        check_is_fitted(self)
        X = validate_data(
            self,
            self._as_rows(X, fresh=False),
            accept_sparse=self._accepted_sparse,
            dtype=(np.float64, np.float32),
            reset=False,
        )
        return _raw(self.network_, X.tocsr() if issparse(X) else X)

    def predict(self, X: Any) -> Array:
        """Predict for samples.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The most probable classes, or the predicted values in the precision of X.
        """
        raw = self._raw_outputs(X)
        return self._target.decode(raw)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = bool(self._accepted_sparse)
        return tags


class ClassifierTargets:
    """What classifiers add: classes, probabilities, accuracy."""

    def _new_target(self, y: Array, sample_weight: Array | None) -> ClassTarget | MultilabelTarget:
        return class_target(y)

    def _score_validation(self, y: Array, predicted: Array, sample_weight: Array | None) -> float:
        return float(accuracy_score(y, predicted, sample_weight=sample_weight))

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``, in the precision of X.
        """
        raw = self._raw_outputs(X)  # type: ignore[attr-defined]
        return self._target.proba(raw)  # type: ignore[attr-defined]

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithms of the probabilities of the classes, exact where the probability itself rounds to 0 or 1.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_probability : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        raw = self._raw_outputs(X)  # type: ignore[attr-defined]
        return self._target.log_proba(raw)  # type: ignore[attr-defined]


class RegressorTargets:
    """What regressors add: real targets, R2, the scale of y."""

    def _loss(self) -> Any:
        """The loss of standardised targets."""
        raise TypeError(f"{type(self).__name__} defines no loss")

    def _new_target(self, y: Array, sample_weight: Array | None) -> RealTarget:
        loss = self._loss()
        standardise = self.target_scaling == "standard" and loss.link == "identity"  # type: ignore[attr-defined]
        return RealTarget(y, sample_weight, loss, standardise)

    def _score_validation(self, y: Array, predicted: Array, sample_weight: Array | None) -> float:
        score = r2_score(y, predicted, sample_weight=sample_weight) if np.isfinite(predicted).all() else nan
        return float(score) if isfinite(score) else nan


@contextmanager
def _nothing_lost(estimator: BaseEstimator) -> Iterator[None]:
    """Put the estimator's attributes back if the block raises."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def _checked_weight(sample_weight: Any, X: Any, allow_all_zero: bool) -> Array | None:
    """The weights as float64; None where all are one, so that both give the same bits."""
    if sample_weight is None:
        return None
    weight = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True, allow_all_zero_weights=allow_all_zero
    )
    return None if np.all(weight == 1) else weight


def _curve_scale(task: Task) -> float:
    """What turns the loss into the one that loss curves show."""
    return 1.0 / task.target.n_outputs if task.target.loss().outputs_averaged else 1.0


def _objective(loss: Any, rng: Random) -> Callable[[Any, dict], Tensor]:
    """The weighted mean loss of a batch, as a function of the network."""

    def objective(network: Any, batch: dict) -> Tensor:
        return average(loss(network(batch["x"], training=True, rng=rng), batch["y"]), *_weight(batch))

    return objective


def _weight(batch: dict) -> tuple[Array, ...]:
    return (batch["weight"],) if "weight" in batch else ()


def _raw(network: Network, X: Any) -> Array:
    """Raw outputs for validated X, computed and given in the precision of X.

    So the answer for a sample in float64 does not depend, to 1e-15, on which other samples it is asked with: in
    float32 the BLAS rounds a row differently in a large matrix and in a small one.
    """
    widest = max(X.shape[1], *map(prod, network.shapes))
    step = max(PREDICT_ELEMENTS // widest, 1)
    work = 2.0 * X.shape[0] * network.multiplications
    with nullcontext() if work < OPENBLAS_THREADS else threads_for(work):
        parts = [network(X[k : k + step]) for k in range(0, X.shape[0], step)]
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)).astype(X.dtype, copy=False)


def _cast(X: Any, dtype: np.dtype) -> Any:
    """X in the precision of the computation; a file mapped into memory is left for the batches to convert.

    Raises
    ------
    ValueError
        If a value is too large for that precision.
    """
    if X.dtype == dtype or _is_mapped(X):
        return X
    try:
        with np.errstate(over="raise"):
            return X.astype(dtype)
    except FloatingPointError:
        advice = f"Input X contains values too large for {dtype}; scale them, or use dtype='float64'"
        raise ValueError(f"{DIVERGED} {advice}") from None


def _is_mapped(X: Any) -> bool:
    while X is not None and not isinstance(X, np.memmap):
        X = getattr(X, "base", None)
    return X is not None
