"""The template of all network estimators: validate, encode, build, train, decode.

A family says what its network looks like and how it is trained; everything that scikit-learn expects of an
estimator, and everything that must hold of every fit (nothing lost when it fails, no NaN weights, the precision
of X in predictions), is said here once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import replace
from functools import cache
from inspect import signature
from itertools import zip_longest
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.sparse import issparse
from sklearn.base import is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ..autodiff.tape import Array
from ..callbacks import FitObserver, Training
from ..losses import Loss
from ..nn import Layer, Network
from ..nn.init import Random
from ..nn.summary import describe
from ..optim import LBFGS, SOLVERS, Optimizer, Solver
from ..schedules import SCHEDULES, Schedule
from ..train import Outcome, Plan, TrainingState, Verdict, start_state, train, train_full
from .declaring import Declaring
from .fitted import earlier_validation, forget_history, keep_history, keep_minimum, keep_network, keep_untrained
from .forward import Forward
from .inputs import DIVERGED, cast, checked_weight, count_for_nothing, learn_scales
from .parameters import fitted, parameter
from .scikit_learn import BaseEstimator, CallbackSupportMixin
from .targets import (
    ClassTarget,
    Target,
    in_numpy_dtypes,
    nothing_to_learn,
)
from .task import Task, curve_scale, mean_loss
from .validation import SCORING, Samples, Validation, naming_validation_data, set_aside

NO_VALIDATION = (None, None, None)  # X_val, y_val, sample_weight_val


class Estimator(CallbackSupportMixin, Declaring):
    """A network as an estimator: what all families share.

    A family declares its parameters and defines `_layers`, whose name, as those of all that it may define, begins with
    an underscore. Of the parameters here it fixes those that do not apply.

    Raises
    ------
    ValueError
        On bad input, when an option is chosen that does not apply, and when training diverges; the estimator is then
        left as it was before the call.
    """

    solver: str | Solver = parameter(
        default="adam",
        named=SOLVERS,
        text="How the weights are found: a name, or a description of :mod:`sknn.optim` such as ``SGD(momentum=0.5)`` "
        "or ``LBFGS(max_fun=1000)``, of which searches find ``solver__momentum``. L-BFGS uses all samples in each "
        "step, computes in float64 and suits small data.",
    )
    alpha: float = parameter(
        default=1e-4,
        interval="[0, inf)",
        text="Strength of the L2 penalty, alpha / (2 n) times the sum of squared weights for a batch of weight n: on "
        "weights W, not on biases or what a norm learns. For AdamW that of the decoupled weight decay.",
    )
    learning_rate: str | Schedule = parameter(
        default="constant",
        named=SCHEDULES,
        text="The schedule: a name, or a description of :mod:`sknn.schedules` such as ``InvScaling(power=0.2)``. The "
        "last three of these names come to their end after `max_iter` epochs, each call of partial_fit counted as one.",
    )
    learning_rate_init: float = parameter(
        default=0.001, interval="(0, inf)", text='The learning rate it starts from (for "one_cycle" its peak).'
    )
    clip_norm: float | None = parameter(
        default=None,
        interval="(0, inf)",
        text="The largest Euclidean norm of the gradient of a batch's mean loss (without the penalty); a longer one is "
        "shortened to it. Not for L-BFGS.",
    )
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='Samples in a mini-batch; "auto" is min(200, n_samples). 1 is single-sample descent, n_samples '
        "full-batch descent.",
    )
    max_iter: int = parameter(
        default=200, interval="[1, inf)", text="Most epochs; for L-BFGS most iterations, for schedules where they end."
    )
    tol: float = parameter(
        default=1e-4,
        interval="[0, inf)",
        text="An epoch improves if it lowers the loss (or raises the validation score) by at least this; L-BFGS has "
        "converged when no component of the gradient exceeds it.",
    )
    n_iter_no_change: float = parameter(
        default=10,
        allowed=(Interval(Integral, 1, None, closed="left"), Options(Real, {inf})),
        text="Stop after more epochs than this without improvement.",
    )
    early_stopping: bool = parameter(
        default=False,
        text="Whether to stop when the score on validation samples no longer improves, and keep the best weights. The "
        "samples are those given to fit as X_val, or a share set aside. L-BFGS never stops early.",
    )
    validation_fraction: float = parameter(
        default=0.1,
        interval="[0, 1)",
        text="The share of samples set aside, of each class where there are enough of them.",
    )
    scoring: str | Callable = parameter(
        default="loss",
        allowed=SCORING,
        text='The score on validation samples: "loss" (its negative, so that larger is better), the name of a scorer '
        "of scikit-learn, or a callable ``scorer(estimator, X, y)``, which gets validated arrays. Scores are weighted "
        "with sample weights, the loss also with those of the classes.",
    )
    shuffle: bool = parameter(default=True, text="Whether each epoch takes the samples in a new order.")
    input_scaling: Literal["standard"] | None = parameter(
        default=None,
        text="Whether the network standardises its inputs, feature by feature (of grids channel by channel), with what "
        "it learns in the first fit.",
    )
    random_state: int | np.random.RandomState | None = parameter(
        default=None, allowed=("random_state",), text="Determines initial weights, the validation split and shuffling."
    )
    warm_start: bool = parameter(default=False, text="Whether the next call of fit goes on from the fitted weights.")
    verbose: bool | int = parameter(default=False, allowed=("verbose",), text="Whether to print progress.")
    dtype: Literal["float32", "float64"] = parameter(
        default="float32", text="The precision of the computation. Predictions come back in the precision of X."
    )

    network_: Network = fitted("The fitted network; :meth:`summary` tells its layers.")
    loss_: float = fitted("The loss of the last epoch (for L-BFGS of the result).")
    best_loss_: float | None = fitted("The smallest loss; None with early stopping.")
    loss_curve_: list[float] = fitted("The loss of each epoch (not for L-BFGS).")
    validation_scores_: list[float] | None = fitted(
        "The score on validation samples after each epoch (iteration of L-BFGS), larger is better; None without such "
        "samples."
    )
    best_validation_score_: float | None = fitted("The best of them.")
    validation_loss_curve_: list[float] | None = fitted(
        "The loss on validation samples, without penalty, dropout and label smoothing."
    )
    n_iter_: int = fitted("Epochs (iterations of L-BFGS).")
    t_: int = fitted("Samples seen.")
    n_outputs_: int = fitted("Outputs of the network.")
    out_activation_: str = fitted('What follows them: "identity", "logistic", "softmax" or "exp".')
    n_features_in_: int = fitted("Features seen in fit.")
    feature_names_in_: Array = fitted("Their names, if they have string names.", shape="(n_features_in_,)")

    _forward: Forward = fitted("What is computed to predict.")
    _target: Target = fitted("How y is encoded and decoded.")
    _state: TrainingState = fitted("What training needs to go on.")
    _observer: FitObserver | None = fitted("Who is told of a fit while it runs.")

    _accepted_sparse: ClassVar[Any] = ("csr", "csc")
    _auto_batch_size: ClassVar[int] = 200

    # -- what a family says ----------------------------------------------------------------------------------------

    def _layers(self, n_outputs: int) -> list[Layer]:
        """The layers of the network, from the first hidden one to the output."""
        raise TypeError(f"{type(self).__name__} defines no layers")

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

    # -- how it is trained -----------------------------------------------------------------------------------------

    def _solver(self) -> Any:
        """What finds the weights: an `Optimizer` or `LBFGS`."""
        return self._meant("solver", self.solver)

    def _plan(self, n_samples: int) -> Plan:
        """How to train on this many samples."""
        return Plan(
            batch_size=self._batch_size(n_samples),
            max_epochs=self.max_iter,
            learning_rate_init=self.learning_rate_init,
            schedule=self._meant("learning_rate", self.learning_rate),
            alpha=self._solver().penalised(self.alpha)[1],
            clip_norm=self.clip_norm,
            shuffle=self.shuffle,
            tol=self.tol,
            patience=self.n_iter_no_change,
        )

    def _batch_size(self, n_samples: int) -> int:
        if self.batch_size == "auto":
            return min(self._auto_batch_size, n_samples)
        if self._solver().is_stochastic and self.batch_size > n_samples:
            warnings.warn(
                f"Got `batch_size`={self.batch_size} larger than the sample size {n_samples}. It is going to be "
                "clipped",
                stacklevel=2,
            )
        return min(self.batch_size, n_samples)

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
        self._check_options()
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
        solver, _ = self._solver().penalised(self.alpha)
        dtype = np.dtype(self.dtype if solver.is_stochastic else np.float64)
        X = cast(samples.X, dtype)
        network = self._network(X.shape[1], target.n_outputs, rng, dtype, fresh)
        if not fresh and isinstance(self.random_state, Integral) and any(layer.draws for layer, _ in network.walk()):
            # begun with the same seed, every call that goes on would drop the same units
            rng = np.random.RandomState([int(self.random_state), self.t_ % (1 << 32)])
        task = Task(network, target, rng, X, samples.y, samples.loss_weight, fresh, incremental)
        task.stops_early = self.early_stopping and solver.is_stochastic
        if task.stops_early and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        self._target = target
        if nothing_to_learn(target):
            keep_untrained(self, task)
            return
        if validation is not None:
            task.held_out = replace(validation, X=cast(validation.X, dtype))
        elif task.stops_early:
            self._set_aside(task, replace(samples, X=X))
        learn_scales(task)
        if solver.is_stochastic:
            self._descend(task, solver)
        else:
            self._minimise(task, solver)

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
            mean_loss(loss, task.rng),
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
        if not task.fresh:
            state.loss_curve = list(getattr(self, "loss_curve_", []))
            state.validation_scores, state.validation_losses = earlier_validation(self)
            state.samples = self.t_ if task.incremental else 0
        return state

    def _validation(self, task: Task) -> Callable[[], Verdict] | None:
        """What validation says of the network's present weights; None without validation samples."""
        if task.held_out is None:
            return None
        seen = copy(self)
        keep_network(seen, task.network, task.target.loss())
        return Validation(task.held_out, seen, seen._forward, curve_scale(task), decides=task.stops_early)

    def _finish(self, task: Task, outcome: Outcome, state: TrainingState, plan: Plan) -> None:
        """Keep what was learnt, or raise if there is nothing to keep."""
        self._warn(outcome, state, plan, task.incremental)
        if not task.network.is_finite:
            raise ValueError(DIVERGED)
        forget_history(self)
        keep_network(self, task.network, task.target.loss())
        keep_history(self, task, state)
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
            forget_history(twin)
            keep_network(twin, training.network_to_keep(), task.target.loss())
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
            lambda twin, _: keep_history(twin, task, state),
            lambda: Verdict(state.validation_scores[-1], state.validation_losses[-1]),
        )

    def _minimise(self, task: Task, solver: LBFGS) -> None:
        """Train by L-BFGS on all samples at once; what validation says is only recorded."""
        loss = self._training_loss(task.target)
        validate = self._validation(task)
        verdicts: list[Verdict] = []
        earlier = ([], []) if task.fresh else earlier_validation(self)
        observer = self._observer_of(
            task,
            lambda twin, so_far: keep_minimum(twin, task, len(so_far.losses), so_far.last_loss, earlier, verdicts),
            lambda: verdicts[-1],
        )
        minimum = train_full(
            task.network,
            mean_loss(loss, task.rng),
            task.data(),
            self._plan(len(task.y)),
            solver=solver,
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
        forget_history(self)
        keep_network(self, task.network, loss)
        keep_minimum(self, task, minimum.n_iter, minimum.value, earlier, verdicts)

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
        elif outcome is Outcome.EPOCHS_DONE and not incremental and not plan.schedule.to_the_end:
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
        if self.scoring != "loss" and validation is None and not (self.early_stopping and self._solver().is_stochastic):
            raise ValueError(
                f"scoring={self.scoring!r} has nothing to score: give X_val and y_val, or set early_stopping=True with "
                "a stochastic solver"
            )

    # -- predicting ------------------------------------------------------------------------------------------------

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

    def _raw_outputs(self, X: Any) -> Array:
        """The network's outputs for X before the link, shape (n, n_outputs), in the precision of X."""
        X = self._inputs(X)
        return self._forward(X)

    def _outputs_of_first(self, n_layers: int, X: Any) -> Array:
        """The outputs for X of the first layers, in the precision of X."""
        X = self._inputs(X)
        return Forward(self.network_, n_layers)(X)

    def _inputs(self, X: Any) -> Any:
        """X to predict for, validated."""
        if "network_" not in vars(self):  # only then the costlier question is asked, for its error
            check_is_fitted(self)
        X = validate_data(
            self,
            self._as_rows(X, fresh=False),
            accept_sparse=self._accepted_sparse,
            dtype=(np.float64, np.float32),
            reset=False,
        )
        return X.tocsr() if issparse(X) else X

    def _as_rows(self, X: Any, fresh: bool) -> Any:
        """X as a row of features for each sample; by default as it is."""
        return X

    # -- what applies where ----------------------------------------------------------------------------------------

    def _check_options(self) -> None:
        """Raise ValueError if an option that scikit-learn does not know is asked for where it does not apply."""
        solver = self._solver()
        if not solver.is_stochastic:
            why = f"solver={self.solver!r}, which needs the same function of the weights at every step"
            self._refuse(("dropout", "conv_dropout", "batch_norm", "clip_norm"), why)
        if solver.has_own_decay:
            self._refuse(("alpha",), f"solver={self.solver!r}, whose weight_decay is given; leave out one of the two")
        if self._chosen("batch_norm"):
            self._refuse(("layer_norm",), "batch_norm=True; choose one of them")
            if self.batch_size == 1:
                self._refuse(("batch_norm",), "batch_size=1: a single sample has no spread to be normalised by")

    def _chosen(self, option: str) -> bool:
        """Whether this estimator has the option, and it is not at its default."""
        defaults = _defaults(type(self))  # type: ignore[arg-type]
        if option not in defaults:
            return False
        value = getattr(self, option)
        return not (value is defaults[option] or (np.isscalar(value) and value == defaults[option]))

    def _refuse(self, options: Iterable[str], where: str) -> None:
        """Raise ValueError if one of the options is chosen."""
        for option in filter(self._chosen, options):
            raise ValueError(f"{option}={getattr(self, option)!r} does not apply with {where}")

    # -- looking ---------------------------------------------------------------------------------------------------

    @property
    def n_layers_(self) -> int:
        """Layers with weights, and the inputs as one more."""
        return 1 + sum(name.endswith("weight") for name in self.network_.names)

    def summary(self) -> Any:
        """The layers as a table.

        Returns
        -------
        table : pandas.DataFrame
            A row for each layer: what it is, the shape of a sample after it, its weights, its parameters (with biases),
            and the receptive field, how many positions of the input along each axis one of its outputs can see.

        Raises
        ------
        NotFittedError
            Before fit, when the shapes are not known yet.
        """
        import pandas as pd

        check_is_fitted(self)
        columns = ["layer", "output_shape", "weights", "parameters", "receptive_field"]
        return pd.DataFrame(describe(self.network_), columns=columns)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = bool(self._accepted_sparse)
        return tags


@cache
def _defaults(estimator: type) -> dict[str, Any]:
    """The parameters of ``__init__`` with their defaults."""
    return {name: parameter.default for name, parameter in signature(estimator).parameters.items()}


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
