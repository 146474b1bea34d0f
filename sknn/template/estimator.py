"""The template of all network estimators: what a family says, what a kind says, and what holds of every one.

A family says what its networks look like and what is minimised; a kind says what y is and what a prediction is.
Everything that scikit-learn expects of an estimator, and everything that must hold of every fit (nothing lost when it
fails, no NaN weights, the precision of X in predictions), is said here once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from inspect import signature
from itertools import zip_longest
from math import inf
from numbers import Integral, Real
from os import PathLike
from sys import maxsize
from typing import Any, ClassVar, Literal, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import _fit_context
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import Options
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ..autodiff.tape import Array
from ..callbacks import FitObserver
from ..nn import Layer, Network, Parts
from ..nn.draws import Draws
from ..nn.init import Random
from ..nn.summary import describe, label
from ..optim import SOLVERS, Solver
from ..schedules import SCHEDULES, Schedule
from ..train import FitLoop, Observer, Phase, Plan, Stage, TrainingState, Verdict, train
from .declaring import Declaring
from .fit import NO_VALIDATION, FamilyData, Fit, all_positions, takes_members
from .forward import Forward
from .given import new_fit
from .inputs import at_once, checked_weight, read_table
from .parameters import fitted, interval, parameter
from .samples import Batch, Samples
from .scaling import Scaling
from .scikit_learn import BaseEstimator, CallbackSupportMixin
from .targets import Target
from .transfer import FINE_TUNE_RATE, FREEZE, PRETRAINED, check_transfer
from .validation import SCORING, Splitters, judged, mean_objective
from .values import numbers


def learns_in_parts(estimator: Any) -> bool:
    if not getattr(estimator._solver(), "is_stochastic", True):  # it may be nonsense, which fit refuses
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True


class Estimator(CallbackSupportMixin, Declaring):
    """A network as an estimator: what all families share.

    A family declares its parameters and defines `_layers`, whose name, as those of all that it may define, begins with
    an underscore. Of the parameters here it fixes those that do not apply.

    Raises
    ------
    ValueError
        On bad input, when an option is chosen that does not apply, and when training diverges; the estimator is then
        left as it was before the call.
    TypeError
        If X, y, weights or classes are no array, table or list.
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
        allowed=(interval(Integral, "[1, inf)"), Options(Real, {inf})),
        text="Stop after more epochs than this without improvement.",
    )
    early_stopping: bool = parameter(
        default=False,
        text="Whether to stop when the score on validation samples no longer improves, and keep the best weights. The "
        "samples are those given to fit as X_val, or a share set aside. L-BFGS never stops early.",
    )
    validation_fraction: float | Any = parameter(
        default=0.1,
        allowed=(interval(Real, "[0, 1)"), Splitters("split")),
        text="The share of samples set aside, of each class where there are enough of them; or a splitter of "
        "scikit-learn, whose last split says which, such as ``GroupShuffleSplit(1)`` for the `groups` given to fit, or "
        "``TimeSeriesSplit(10)`` for the last tenth.",
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
        default=None, interval="[0, 4294967295]", text="Determines initial weights, validation split and shuffling."
    )
    warm_start: bool = parameter(default=False, text="Whether the next call of fit goes on from the fitted weights.")
    verbose: bool | int = parameter(default=False, allowed=("verbose",), text="Whether to print progress.")
    dtype: Literal["float32", "float64"] = parameter(
        default="float32", text="The precision of the computation. Predictions come back in the precision of X."
    )

    pretrained: Network | Parts | FrozenEstimator | str | PathLike | None = PRETRAINED
    freeze: int | str | Sequence[str] = FREEZE
    fine_tune_rate: float = FINE_TUNE_RATE

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

    input_scaling_: Scaling | None = fitted("What standardises the inputs: its `mean` and `scale`; None: nothing does.")
    loss_curves_: dict[str, list[float]] = fitted(
        "The loss of each phase and each named term, where there are several."
    )

    _loaded: tuple[str, ...] = fitted("The names of the parameters that came from `pretrained`.")
    _forward: Forward = fitted("What is computed to predict.")
    _target: Any = fitted("How y is encoded and decoded; None where y is ignored.")
    _state: TrainingState = fitted("What training needs to go on.")
    _drawn_so_far: tuple[int, int] = fitted("The seed of what is drawn in training, and the steps done.")
    _observer: FitObserver | None = fitted("Who is told of a fit while it runs.")

    _accepted_sparse: ClassVar[Any] = ("csr", "csc")
    _accepts_grids: ClassVar[bool] = False
    _accepts_nan: ClassVar[Any] = False
    _free_grid: ClassVar[Any] = False  # whether its network takes grids of any size
    _how_free: ClassVar[str] = "give samples of one size"  # what else would make it take them
    _auto_batch_size: ClassVar[int] = 200
    _known: ClassVar[Any] = None  # inputs and their raw outputs, of a copy that a scorer is shown

    # -- what a family says: the data ------------------------------------------------------------------------------

    def _read_x(self, X: Any, fresh: bool) -> Any:
        """X as validated rows; `fresh` in a first fit, which sets n_features_in_."""
        x = read_table(self, X, fresh)
        return x.tocsr() if issparse(x) else x

    def _channels(self) -> Array | None:
        """The channel of each feature, where features are one quantity at many positions and are scaled together."""
        return None

    def _look_at(self, samples: Samples) -> None:
        """Remember what networks depend on of the samples of a first fit, before they are made."""

    def _new_scaling(self, samples: Samples) -> Any:
        """What is done to inputs in their own precision, learnt from the training samples; None: nothing."""
        if self.input_scaling is None:
            return None
        batches = (samples.take(rows) for rows in samples.blocks(at_once(samples.x)))
        return Scaling((all_positions(batch.x, batch.weight) for batch in batches), self._channels())

    @takes_members
    def _batch(self, samples: Samples, index: slice | Array, draws: Draws) -> Batch:
        """What an objective reads of some samples: by default these."""
        return samples.take(index)

    # -- what a family says: the networks --------------------------------------------------------------------------

    def _networks(self, x: Any, target: Any, rng: Random, dtype: np.dtype) -> Any:
        """One network, or Parts: several by name. By default one, of `_layers`."""
        network = Network(self._layers(_n_outputs(target)), _sample_shape(x, self._free_grid), rng, dtype)
        if target is not None and network.output_shape[-1:] != (target.n_outputs,):
            raise ValueError(
                f"the layers of {type(self).__name__} put out samples of shape {network.output_shape}, but y needs "
                f"{target.n_outputs} output(s)"
            )
        return network

    def _layers(self, n_outputs: int) -> Sequence[Layer]:
        """The layers of one network, from the first hidden one to the output; 0 outputs where y is ignored."""
        return ()

    def _check_unchanged(self) -> None:
        """Raise ValueError if a fitted network is not what the parameters say now."""
        layers = tuple(self._layers(_n_outputs(self._target)))
        if layers and layers != self.network_.layers:
            raise ValueError(
                "the parameters that shape the network were changed after the first fit: "
                f"{_changes(self.network_.layers, layers)}; fit anew with warm_start=False"
            )

    # -- what a family says: what is minimised, and how -------------------------------------------------------------

    @takes_members
    def _outputs(self, nets: Any, batch: Batch, draws: Draws | None) -> Any:
        """The raw outputs for a batch."""
        return nets(batch.x, **batch.given) if batch.given else nets(batch.x)

    @takes_members
    def _objective(self, nets: Any, batch: Batch, draws: Draws) -> Any:
        """One value a sample, a scalar, or a dict of such terms; the same in training and validation.

        `nets.training` and `nets.progress` say what belongs to training alone.
        """
        return self._minimised(nets.training)(self._outputs(nets, batch, draws), batch.y)

    def _minimised(self, training: bool) -> Any:
        """The loss of outputs and encoded targets; it may differ in training."""
        return self._target.loss

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
            alpha=self._solver().penalised(float(self.alpha))[1],
            clip_norm=self.clip_norm,
            shuffle=self.shuffle,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
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

    def _stages(self, n_samples: int) -> list[Stage]:
        """What follows one another; by default one stage with one phase, that of the objective."""
        phase = Phase(self._objective, averaging=self._averaging)
        return [Stage([phase], self._plan(n_samples), self._solver().penalised(float(self.alpha))[0])]

    @property
    def _averaging(self) -> float:
        """How much of the averaged weights a step leaves, see `Phase`; 0: there are none."""
        return 0.0

    def _precision(self) -> np.dtype:
        """That of the networks; a search needs double precision."""
        return np.dtype(self.dtype if self._solver().is_stochastic else np.float64)

    def _verdict(self, nets: Any, samples: Samples, draws: Draws) -> Verdict:
        """What validation says; by default the scorer and the loss from one pass of `_outputs`, or the objective."""
        says = mean_objective if self._target is None else judged
        return says(self, nets, samples, draws)

    @takes_members
    def _run(
        self, fit: Fit, stages: list[Stage], state: TrainingState, *, observer: Observer | None, **watching: Any
    ) -> FitLoop:
        """Train; the loop that has done it."""
        return train(fit.network, FamilyData(self, fit.samples), stages, state, fit.rng, observer=observer, **watching)

    # -- what a kind says ------------------------------------------------------------------------------------------

    def _read_y(self, y: Any) -> Any:
        """Validated targets; None for kinds that ignore y."""
        return None

    def _new_target(self, y: Any, sample_weight: Array | None) -> Any:
        """The fitted target for y; None for kinds that ignore it."""
        return None

    def _check_target(self, target: Target) -> None:
        """Raise ValueError if the parameters do not fit the target; that of an earlier fit may be another."""

    def _class_weights(self, target: Any, y: Any, sample_weight: Array | None) -> Callable[[Array], Array] | None:
        """Factors on the weights of samples by their labels; by default none."""
        return None

    def _weighted(self, samples: Samples, target: Any, by_class: Callable[[Array], Array] | None) -> Samples:
        """With the weights of the classes, if there are any, as factors in the loss."""
        return samples if by_class is None else samples.times(by_class(samples.y))

    # -- fitting ---------------------------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Fit to samples, and to their targets where there are some.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples; grids or series for networks that know their shape.
        y : array-like of shape (n_samples,) or (n_samples, ...), or list of arrays, default=None
            For classifiers class labels, an indicator matrix (n_samples, n_labels), or several columns of labels; for
            regressors values, of one output or several; for segmenters a label at each position. What has no target
            ignores it.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        groups : array-like of shape (n_samples,), default=None
            Groups of samples for the splitter in `validation_fraction`.
        X_val, y_val : array-like, default=None
            Validation samples, which nothing is learnt from: ``early_stopping=True`` goes by them instead of setting
            samples aside; otherwise score and loss on them are only recorded.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : estimator
        """
        return self._fit(X, y, sample_weight, groups=groups, validation=(X_val, y_val, sample_weight_val))

    @available_if(learns_in_parts)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Go through the given samples once, going on from the fitted weights if there are any.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples, as for :meth:`fit`.
        y : array-like of shape (n_samples,) or (n_samples, ...), or list of arrays, default=None
            Their targets, as for :meth:`fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.

        Returns
        -------
        self : estimator
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def _fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        incremental: bool = False,
        target: Target | None = None,
        groups: Any = None,
        validation: tuple[Any, Any, Any] = NO_VALIDATION,
    ) -> Any:
        """Fit or go on fitting; on any error the estimator is left as it was."""
        self._check_options()
        observer = None if incremental else self._new_observer(X, y, sample_weight)
        # what overflows ends in an error that says so; NumPy's warnings on the way there would only hide it
        with nothing_lost(self), np.errstate(over="ignore", invalid="ignore"), _observed(self, observer):
            fit = new_fit(self, X, y, sample_weight, incremental, target, groups, validation)
            if fit is None:
                return self
            self._train(fit)
        if fit.interrupted:
            raise KeyboardInterrupt
        return self

    @takes_members
    def _train(self, fit: Fit) -> None:
        fit.run()

    def _read(self, X: Any, y: Any, sample_weight: Any, fresh: bool, allow_all_zero: bool) -> Samples:
        """All that was given, validated."""
        x, y = self._read_x(numbers("X", X), fresh), self._read_y(y)
        if y is not None:
            check_consistent_length(x, y)
        weight = checked_weight(sample_weight, x, allow_all_zero)
        return Samples(x, y, weight, weight)

    def _influential(self, samples: Samples) -> Samples:
        """Without the rows of weight zero: they have no influence on anything, on splits, scales or batches."""
        return samples.influential()

    def _check_scoring(self, validation: Samples | None) -> None:
        """Raise ValueError if a scoring is asked for where there is nothing to score."""
        stops_early = self.early_stopping and self._solver().is_stochastic
        if self.scoring != "loss" and validation is None and not stops_early:
            raise ValueError(
                f"scoring={self.scoring!r} has nothing to score: give X_val and y_val, or set early_stopping=True with "
                "a stochastic solver"
            )

    def _new_observer(self, X: Any, y: Any, sample_weight: Any) -> FitObserver | None:
        """What tells the callbacks of a fit to these data; None if there are no callbacks."""
        context = self._init_callback_context(**self._subtasks())
        return FitObserver(self, context, X, y, sample_weight) if hasattr(self, "_skl_callbacks") else None

    def _subtasks(self) -> dict[str, Any]:
        """Those of a fit, for callbacks: the epochs, or iterations of L-BFGS, of all stages."""
        return {"max_subtasks": sum(stage.plan.max_epochs for stage in self._stages(maxsize))}

    # -- predicting ------------------------------------------------------------------------------------------------

    def _raw_outputs(self, X: Any) -> Array:
        """The networks' outputs for X before the link, shape (n, n_outputs), in the precision of X."""
        if self._known is not None and X is self._known[0]:
            return self._known[1]
        x = self._inputs(X)
        return self._forward(x, self._outputs)

    def _outputs_of_first(self, n_layers: int, X: Any) -> Array:
        """The outputs for X of the first layers, in the precision of X."""
        x = self._inputs(X)
        self._forward.count_whole(x, self._outputs)  # so that first layers are rounded alike, whatever follows them
        return self._forward(x, lambda nets, batch, draws: self._outputs(nets[:n_layers], batch, draws))

    def _inputs(self, X: Any) -> Any:
        """X to predict for, validated."""
        if "network_" not in vars(self):  # only then the costlier question is asked, for its error
            check_is_fitted(self)
        return self._read_x(numbers("X", X), fresh=False)

    # -- what applies where ----------------------------------------------------------------------------------------

    def _check_options(self) -> None:
        """Raise ValueError if an option that scikit-learn does not know is asked for where it does not apply."""
        solver = self._solver()
        check_transfer(self)
        if not solver.is_stochastic:
            why = f"solver={self.solver!r}, which needs the same function of the weights at every step"
            self._refuse(("dropout", "conv_dropout", "batch_norm", "clip_norm", "augment", "fine_tune_rate"), why)
        if solver.has_own_decay:
            self._refuse(("alpha",), f"solver={self.solver!r}, whose weight_decay is given; leave out one of the two")
        if self._chosen("batch_norm"):
            self._refuse(("layer_norm",), "batch_norm=True; choose one of them")

    def _chosen(self, option: str) -> bool:
        """Whether this estimator has the option, and it is not at its default."""
        defaults = _defaults(type(self))  # type: ignore[arg-type]
        if option not in defaults:
            return False
        value, default = getattr(self, option), defaults[option]
        if isinstance(default, tuple):  # of which clones have copies
            return not np.array_equal(value, default)
        return not (value is default or (np.isscalar(value) and value == default))

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
        tags.input_tags.three_d_array = self._accepts_grids
        tags.input_tags.allow_nan = self._accepts_nan
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
def nothing_lost(estimator: BaseEstimator) -> Iterator[None]:
    """Put the estimator's attributes back if the block raises."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def _sample_shape(x: Any, free: bool) -> tuple[Any, ...]:
    """The shape of a sample that a network is built for; the sizes of grids are left open if it takes any."""
    shape: tuple[Any, ...] = getattr(x, "sample_shape", x.shape[1:])
    return (*(None,) * (len(shape) - 1), *shape[-1:]) if free else shape


def _n_outputs(target: Target | None) -> int:
    """The outputs that a target asks for; 0 where there is none."""
    return 0 if target is None else target.n_outputs


def _changes(before: Sequence[Layer], after: Sequence[Layer]) -> str:
    """Where two lists of layers differ first."""
    pairs = enumerate(zip_longest(before, after))
    k, old, new = next((k, old, new) for k, (old, new) in pairs if old != new)
    names = ["nothing" if layer is None else label(layer) for layer in (old, new)]
    if names[0] == names[1]:  # which differ in what labels leave out, such as how weights are initialised
        names = [repr(old), repr(new)]
    return f"layer {k} from {names[0]} to {names[1]}"
