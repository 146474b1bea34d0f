"""The template of all network estimators: validate, encode, build, train, decode.

A family says what its network looks like and how it is trained; everything that scikit-learn expects of an
estimator, and everything that must hold of every fit (nothing lost when it fails, no NaN weights, the precision
of X in predictions), is said here once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import replace
from functools import cache
from itertools import zip_longest
from math import isfinite
from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, is_regressor
from sklearn.callback import CallbackSupportMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import column_or_1d, validate_data

from ..autodiff.tape import Array
from ..callbacks import FitObserver, Training
from ..losses import Loss
from ..nn import Layer, Network
from ..nn.init import Random
from ..optim import Optimizer
from ..schedules import SCHEDULES
from ..train import Outcome, Plan, TrainingState, Verdict, start_state, train, train_full
from .fitted import FittedNetwork
from .inputs import DIVERGED, cast, checked_weight, count_for_nothing
from .targets import (
    ClassTarget,
    Target,
    in_numpy_dtypes,
    nothing_to_learn,
)
from .task import Task, curve_scale, mean_loss
from .validation import Samples, Validation, naming_validation_data, set_aside

NO_VALIDATION = (None, None, None)  # X_val, y_val, sample_weight_val


class NetworkEstimator(CallbackSupportMixin, FittedNetwork):
    """What all estimators around a :class:`~sknn.nn.Network` share.

    A family defines the methods below, whose names begin with an underscore: `_layers`, `_optimizer`, `_plan` and
    `_new_target`, and lists its parameters in ``__init__``.
    """

    def _keep_parameters(self, values: dict[str, Any]) -> None:
        """Set the parameters of ``__init__`` from its ``locals()``."""
        self.__dict__.update({name: values[name] for name in self._get_param_names()})

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return _parameter_names(cls)  # type: ignore[arg-type]

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

    def _class_weights(
        self, target: Target, y: Array, sample_weight: Array | None, incremental: bool
    ) -> Callable[[Array], Array] | None:
        """Factors on the weights of samples by their labels; by default none."""
        return None

    def _training_loss(self, target: Target) -> Loss:
        """The loss to minimise; by default the target's own."""
        return target.loss()

    # -- fitting ---------------------------------------------------------------------------------------------------

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        incremental: bool,
        target: Target | None = None,
        validation: tuple[Any, Any, Any] = NO_VALIDATION,
    ) -> Any:
        """Fit or go on fitting; on any error the estimator is left as it was.

        `target` is known in the first call of partial_fit; `validation` holds X_val, y_val and sample_weight_val.
        """
        observer = None if incremental else self._new_observer(X, y, sample_weight)
        # what overflows ends in an error that says so; NumPy's warnings on the way there would only hide it
        with _nothing_lost(self), np.errstate(over="ignore", invalid="ignore"), _observed(self, observer):
            fresh = not hasattr(self, "network_") or not (self.warm_start or incremental)
            X, y = self._validated(self._as_rows(X, fresh), y, reset=fresh)
            weight = checked_weight(sample_weight, X, incremental)
            samples = self._influential(Samples(X, y, weight, weight))
            if count_for_nothing(samples, fresh):
                return self
            target = (target or self._new_target(samples.y, samples.sample_weight)) if fresh else self._target
            target.check(samples.y, all_of_them=not fresh and not incremental)
            by_class = self._class_weights(target, samples.y, samples.sample_weight, incremental)
            samples = self._influential(samples.weighted(by_class))
            if count_for_nothing(samples, not incremental):
                return self
            looked_at = self._validation_samples(validation, target, samples, by_class)
            if not incremental:
                self._check_scoring(looked_at)
            self._train(samples, target, looked_at, fresh, incremental)
        return self

    def _new_observer(self, X: Any, y: Any, sample_weight: Any) -> FitObserver | None:
        """What tells the callbacks of a fit to these data; None if there are no callbacks."""
        context = self._init_callback_context(**self._subtasks())
        return FitObserver(self, context, X, y, sample_weight) if hasattr(self, "_skl_callbacks") else None

    def _subtasks(self) -> dict[str, Any]:
        """Those of a fit, for callbacks: the epochs, or iterations of L-BFGS."""
        return {"max_subtasks": self.max_iter}

    def _train(
        self, samples: Samples, target: Target, validation: Samples | None, fresh: bool, incremental: bool
    ) -> None:
        rng = check_random_state(self.random_state)
        optimizer = self._optimizer()
        dtype = np.dtype(np.float64 if optimizer is None else self.dtype)
        X = cast(samples.X, dtype)
        network = self._network(X.shape[1], target.n_outputs, rng, dtype, fresh)
        if (
            not fresh
            and isinstance(self.random_state, Integral)
            and any(layer.is_random for layer, _ in network.walk())
        ):
            # begun with the same seed, every call that goes on would drop the same units
            rng = np.random.RandomState([int(self.random_state), self.t_ % (1 << 32)])
        task = Task(network, target, rng, X, samples.y, samples.loss_weight, fresh, incremental)
        task.stops_early = self.early_stopping and optimizer is not None
        if task.stops_early and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        self._target = target
        if nothing_to_learn(target):
            self._keep_untrained(task)
            return
        if validation is not None:
            task.held_out = replace(validation, X=cast(validation.X, dtype))
        elif task.stops_early:
            self._set_aside(task, replace(samples, X=X))
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
                "the parameters that shape the network were changed after the first fit: "
                f"{_changes(self.network_.layers, layers)}; fit anew with warm_start=False"
            )
        return self.network_.copy(dtype)

    def _set_aside(self, task: Task, samples: Samples) -> None:
        """Take a share of the samples out of the training, for early stopping."""
        stratify = isinstance(task.target, ClassTarget)
        task.rows, rows = set_aside(samples.y, self.validation_fraction, task.rng, stratify)
        task.held_out = samples.take(rows)
        task.y = samples.y[task.rows]
        task.sample_weight = None if samples.loss_weight is None else samples.loss_weight[task.rows]

    def _descend(self, task: Task, optimizer: Optimizer) -> None:
        """Train by the stochastic gradient."""
        plan = self._plan_of(task)
        state = self._earlier_state(task) or self._new_state(task, optimizer, plan)
        loss = self._training_loss(task.target)
        outcome = train(
            task.network,
            mean_loss(task, loss, state),
            task.data(),
            plan,
            state,
            task.rng,
            validate=self._validation(task),
            curve_scale=curve_scale(task),
            report=print if self.verbose else None,
            observer=self._observer_of_epochs(task, state),
        )
        self._finish(task, outcome, state, plan)

    def _plan_of(self, task: Task) -> Plan:
        return replace(self._plan(len(task.y)), once=task.incremental, early_stopping=task.stops_early)

    def _earlier_state(self, task: Task) -> TrainingState | None:
        """A copy of the state that partial_fit goes on from; that of another precision is of no use."""
        if not task.incremental or "_state" not in vars(self):
            return None
        same_precision = self.network_.theta.dtype == task.network.theta.dtype
        return deepcopy(self._state) if same_precision else None

    def _new_state(self, task: Task, optimizer: Optimizer, plan: Plan) -> TrainingState:
        """The state before the first step; the curves of earlier calls go on, the counts of a new fit do not."""
        state = start_state(task.network, optimizer, plan.batch_size)
        state.seed = deepcopy(task.rng).randint(1 << 31)  # of a copy, so that the order of samples is not shifted
        if not task.fresh:
            state.loss_curve = list(getattr(self, "loss_curve_", []))
            state.validation_scores, state.validation_losses = self._earlier_validation()
            state.samples = self.t_ if task.incremental else 0
        return state

    def _validation(self, task: Task) -> Callable[[], Verdict] | None:
        """What validation says of the network's present weights; None without validation samples."""
        if task.held_out is None:
            return None
        seen = copy(self)
        seen._keep_network(task.network, task.target.loss())
        return Validation(task.held_out, seen, seen._forward, curve_scale(task), decides=task.stops_early)

    def _finish(self, task: Task, outcome: Outcome, state: TrainingState, plan: Plan) -> None:
        """Keep what was learnt, or raise if there is nothing to keep."""
        self._warn(outcome, state, plan, task.incremental)
        if not task.network.is_finite:
            raise ValueError(DIVERGED)
        self._forget_history()
        self._keep_network(task.network, task.target.loss())
        self._keep_history(task, state)
        state.best_theta = state.best_state = state.order = None
        if self.warm_start or task.incremental:
            self._state = state

    def _observer_of(
        self, task: Task, keep_history: Callable[[Any, Training], None], verdict: Callable[[], Verdict]
    ) -> FitObserver | None:
        """Who tells the callbacks of this training, if there are any.

        ``keep_history(twin, training)`` sets the attributes of the training so far on a copy of this estimator;
        ``verdict()`` is the last one of validation, where there is validation.
        """
        observer = vars(self).get("_observer")
        if observer is None:
            return None

        def attributes() -> dict[str, Any]:
            twin = copy(self)
            twin._observer = None
            twin._forget_history()
            twin._keep_network(training.network_to_keep(), task.target.loss())
            keep_history(twin, training)
            return dict(vars(twin))

        identity = {name: value for name, value in vars(task).items() if name != "network"}
        training = observer.training = Training(
            task.network, task.rng, self, attributes, identity, None if task.held_out is None else verdict
        )
        return observer

    def _observer_of_epochs(self, task: Task, state: TrainingState) -> FitObserver | None:
        return self._observer_of(
            task,
            lambda twin, _: twin._keep_history(task, state),
            lambda: Verdict(state.validation_scores[-1], state.validation_losses[-1]),
        )

    def _minimise(self, task: Task) -> None:
        """Train by L-BFGS on all samples at once; what validation says is only recorded."""
        loss = self._training_loss(task.target)
        validate = self._validation(task)
        verdicts: list[Verdict] = []
        earlier = ([], []) if task.fresh else self._earlier_validation()
        observer = self._observer_of(
            task,
            lambda twin, so_far: twin._keep_minimum(task, len(so_far.losses), so_far.last_loss, earlier, verdicts),
            lambda: verdicts[-1],
        )
        minimum = train_full(
            task.network,
            mean_loss(task, loss),
            task.data(),
            self._plan(len(task.y)),
            max_fun=self.max_fun,
            after_iteration=None if validate is None else lambda: verdicts.append(validate()),
            observer=observer,
        )
        if not (isfinite(minimum.value) and task.network.is_finite):
            raise ValueError(DIVERGED)
        if not minimum.converged and not (observer and observer.stopped):
            warnings.warn(
                f"lbfgs failed to converge after {minimum.n_iter} iteration(s): {minimum.message}\n\nIncrease the "
                "number of iterations to improve the convergence (max_iter), or scale the data.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self._forget_history()
        self._keep_network(task.network, loss)
        self._keep_minimum(task, minimum.n_iter, minimum.value, earlier, verdicts)

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

    # -- validating ------------------------------------------------------------------------------------------------

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

    def _influential(self, samples: Samples) -> Samples:
        """Without the rows of weight zero: they have no influence on anything, on splits, scales or batches."""
        return samples.influential()

    def _validation_samples(
        self,
        given: tuple[Any, Any, Any],
        target: Target,
        training: Samples,
        by_class: Callable[[Array], Array] | None,
    ) -> Samples | None:
        """X_val, y_val and sample_weight_val, validated as the training data is."""
        X, y, sample_weight = given
        if all(value is None for value in given):
            return None
        if X is None or y is None:
            missing = "X_val and y_val" if X is y else "X_val" if X is None else "y_val"
            raise ValueError(f"X_val and y_val belong together, and sample_weight_val to both; {missing} is missing")
        with naming_validation_data():
            X, y = self._validated(self._as_rows(X, fresh=False), y, reset=False)
            if y.shape[1:] != training.y.shape[1:]:
                raise ValueError(f"y has shape {y.shape}, but that of the training has {training.y.shape}")
            weight = checked_weight(sample_weight, X, False)
            samples = Samples(X, y, weight, weight).influential()
            target.check(samples.y, all_of_them=False)
            samples = samples.weighted(by_class).influential()
            count_for_nothing(samples, True)
        return samples

    def _check_scoring(self, validation: Samples | None) -> None:
        """Raise ValueError if a scoring is asked for where there is nothing to score."""
        if self.scoring != "loss" and validation is None and (not self.early_stopping or self._optimizer() is None):
            raise ValueError(
                f"scoring={self.scoring!r} has nothing to score: give X_val and y_val, or set early_stopping=True with "
                "a stochastic solver"
            )


@cache
def _parameter_names(kind: Any) -> list[str]:
    """The parameters of a class, which scikit-learn reads from its signature each time that it makes or checks one."""
    return super(NetworkEstimator, kind)._get_param_names()  # type: ignore[misc]


@contextmanager
def _observed(estimator: Any, observer: FitObserver | None) -> Iterator[None]:
    """Lend the estimator the observer of its fit, if there is one, for the block, which is the fit."""
    if observer is None:
        yield
        return
    observer.fit_begins()
    estimator._observer = observer
    yield
    del estimator._observer
    observer.fit_ends()


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


def _changes(before: Sequence[Layer], after: Sequence[Layer]) -> str:
    """Where two lists of layers differ."""
    pairs = enumerate(zip_longest(before, after, fillvalue="nothing"))
    return ", ".join(f"layer {k} from {old} to {new}" for k, (old, new) in pairs if old != new)
