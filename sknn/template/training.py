"""The training parameters that all multi-layer networks share, named as scikit-learn names its MLP's."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from inspect import signature
from math import inf, prod
from numbers import Integral, Real
from operator import index
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..autodiff.tape import Array
from ..losses import AbsoluteError, HuberLoss, Loss, PoissonDeviance, QuantileLoss, SquaredError
from ..nn import Activation, BatchNorm, Conv, Dense, Dropout, Layer, LayerNorm, Standardise
from ..nn.summary import describe
from ..ops.activation import ACTIVATIONS
from ..optim import SGD, Adam, AdamW, Optimizer, RMSprop
from ..schedules import SCHEDULES
from ..train import Plan
from .base import NetworkEstimator
from .kinds import ClassifierTargets, RegressorTargets
from .targets import MultilabelTarget, QuantileTarget, RealTarget, Target
from .task import Task
from .validation import SCORING


class MultilayerEstimator(NetworkEstimator):
    """What the parameters mean for network and training; a family adds its layers in front of the dense ones."""

    _parameter_constraints: ClassVar[dict] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "depth": [Interval(Integral, 1, None, closed="left"), None],
        "activation": [StrOptions(set(ACTIVATIONS)), "array-like"],
        "batch_norm": ["boolean"],
        "layer_norm": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "solver": [StrOptions({"lbfgs", "sgd", "adam", "adamw", "rmsprop"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions(set(SCHEDULES))],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "scoring": SCORING,
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "input_scaling": [StrOptions({"standard"}), None],
        "dtype": [StrOptions({"float32", "float64"})],
    }

    # -- what applies where ----------------------------------------------------------------------------------------

    def _fit(self, *args: Any, **kwargs: Any) -> Any:
        self._check_options()
        return super()._fit(*args, **kwargs)

    def _check_options(self) -> None:
        """Raise ValueError if an option that scikit-learn does not know is asked for where it does not apply."""
        if self.solver == "lbfgs":
            why = "solver='lbfgs', which needs the same function of the weights at every step"
            self._refuse(("dropout", "conv_dropout", "batch_norm", "clip_norm"), why)
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

    # -- the layers ------------------------------------------------------------------------------------------------

    def _activations(self, n_layers: int) -> list[str]:
        """The activation function of each layer before the output."""
        if isinstance(self.activation, str):
            return [self.activation] * n_layers
        names = [str(name) for name in self.activation]
        unknown = [name for name in names if name not in ACTIVATIONS]
        if unknown:
            raise ValueError(f"activation={self.activation!r} names {unknown[0]!r}; choose of {', '.join(ACTIVATIONS)}")
        if len(names) != n_layers:
            raise ValueError(f"activation={self.activation!r} names {len(names)} layers, but there are {n_layers}")
        return names

    def _activated(self, layer: Conv | Dense, activation: str) -> list[Layer]:
        """A layer with its activation function, and between the two what normalises."""
        if self.batch_norm:  # its shift does what a bias would do
            return [replace(layer, use_bias=False), BatchNorm(), Activation(activation)]
        if self.layer_norm:
            return [layer, LayerNorm(), Activation(activation)]
        return [replace(layer, activation=activation)]

    def _hidden_layer(self, layer: Dense, activation: str) -> list[Layer]:
        """A dense layer with all that belongs to it: norm, activation function, dropout."""
        return [*self._activated(layer, activation), *([Dropout(float(self.dropout))] if self.dropout else [])]

    def _scaling(self) -> list[Layer]:
        """The layer that standardises the inputs, if they are to be."""
        return [] if self.input_scaling is None else [Standardise()]

    def _prepare(self, task: Task) -> None:
        """Teach layers that standardise the means and spreads of their inputs; only those of the first fit."""
        for position, layer in enumerate(task.network.layers):
            if task.fresh and isinstance(layer, Standardise):
                self._standardise(task, position, layer)

    def _standardise(self, task: Task, position: int, scaling: Standardise) -> None:
        if issparse(task.X):
            raise ValueError("input_scaling='standard' would make sparse X dense; use StandardScaler(with_mean=False)")
        before = task.network[:position]
        rows = np.arange(task.X.shape[0]) if task.rows is None else task.rows
        parts = [slice(k, k + 256) for k in range(0, len(rows), 256)]
        weight = task.sample_weight
        scaling.learn(
            task.network.parameters[str(position)],
            ((before(task.X[rows[part]]), None if weight is None else weight[part]) for part in parts),
        )

    _auto_batch_size = 200

    def _hidden_sizes(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        if self.depth is not None:
            if not isinstance(sizes, Integral):
                raise ValueError(
                    f"depth={self.depth!r} repeats the width of an integer hidden_layer_sizes, got {sizes!r}: give one "
                    "of the two"
                )
            sizes = [sizes] * self.depth
        sizes = [index(size) for size in (sizes if hasattr(sizes, "__iter__") else [sizes])]
        if any(size <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        return sizes

    def _optimizer(self) -> Optimizer | None:
        if self.solver == "lbfgs":
            return None
        if self.solver == "sgd":
            return SGD(self.momentum, self.nesterovs_momentum)
        if self.solver == "rmsprop":
            return RMSprop(epsilon=self.epsilon)
        if self.solver == "adamw":
            return AdamW(self.beta_1, self.beta_2, self.epsilon, weight_decay=self.alpha)
        return Adam(self.beta_1, self.beta_2, self.epsilon)

    def _plan(self, n_samples: int) -> Plan:
        return Plan(
            batch_size=self._batch_size(n_samples),
            max_epochs=self.max_iter,
            learning_rate_init=self.learning_rate_init,
            schedule=self.learning_rate,
            power_t=self.power_t,
            alpha=0.0 if self.solver == "adamw" else self.alpha,
            clip_norm=self.clip_norm,
            shuffle=self.shuffle,
            tol=self.tol,
            patience=self.n_iter_no_change,
        )

    def _batch_size(self, n_samples: int) -> int:
        if self.batch_size == "auto":
            return min(self._auto_batch_size, n_samples)
        if self.solver != "lbfgs" and self.batch_size > n_samples:
            warnings.warn(
                f"Got `batch_size`={self.batch_size} larger than the sample size {n_samples}. It is going to be "
                "clipped",
                stacklevel=2,
            )
        return min(self.batch_size, n_samples)

    def _is_stochastic(self) -> bool:
        if self.solver == "lbfgs":
            raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
        return True

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


def flattened(X: Any, shape: tuple[int, ...], channel: int, order: str) -> Array:
    """Samples X (n, *shape) as rows of features; an axis for a single channel may be missing.

    Parameters
    ----------
    X : array-like of shape (n, ...)
        Samples of two axes or more.
    shape : tuple of int
        Of one sample.
    channel : int
        Which of its axes is that of the channels.
    order : str
        What the message of the error says about the order of the axes.

    Raises
    ------
    ValueError
        If the samples have another shape.
    """
    given = X.shape[1:]
    without = (*shape[:channel], *shape[channel + 1 :])
    if given != shape and not (shape[channel] == 1 and given == without):
        raise ValueError(
            f"X has samples of shape {given}, but input_shape is {shape}{order}: give it that shape, or flattened"
        )
    return np.asarray(X).reshape(len(X), prod(shape))


@cache
def _defaults(estimator: type) -> dict[str, Any]:
    """The parameters of ``__init__`` with their defaults."""
    return {name: parameter.default for name, parameter in signature(estimator).parameters.items()}


class ClassificationLoss(ClassifierTargets):
    """The losses of classifiers."""

    def _training_loss(self, target: Target) -> Loss:
        smoothing = float(self.label_smoothing)  # type: ignore[attr-defined]
        if smoothing and isinstance(target, MultilabelTarget):
            raise ValueError(f"label_smoothing={smoothing!r} does not apply to labels that do not exclude each other")
        return replace(target.loss(), smoothing=smoothing)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.target_tags.multi_output = tags.classifier_tags.multi_label = True
        return tags


REGRESSION_LOSSES = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": HuberLoss,
    "poisson": PoissonDeviance,
    "quantile": QuantileLoss,
}


def _predicts_quantiles(estimator: Any) -> bool:
    if estimator.loss != "quantile":
        raise AttributeError(f"predict_quantiles needs loss='quantile', got loss={estimator.loss!r}")
    return True


class RegressionLoss(RegressorTargets):
    """The losses of regressors."""

    _loss_constraints: ClassVar[dict] = {
        "loss": [StrOptions(set(REGRESSION_LOSSES))],
        "delta": [Interval(Real, 0, None, closed="neither")],
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "target_scaling": [StrOptions({"standard"}), None],
    }

    loss: str
    delta: float
    quantile: float | Iterable[float]
    target_scaling: str | None
    _target: Any

    def _check_options(self) -> None:
        super()._check_options()  # type: ignore[misc]
        for loss, option in (("huber", "delta"), ("quantile", "quantile")):
            if self.loss != loss:
                self._refuse((option,), f"loss={self.loss!r}")  # type: ignore[attr-defined]

    def _loss(self) -> Loss:
        if self.loss == "huber":
            return HuberLoss(self.delta)
        if self.loss == "quantile":
            return QuantileLoss(self._quantiles())
        return REGRESSION_LOSSES[self.loss]()

    def _quantiles(self) -> tuple[float, ...]:
        """The quantiles to learn, in the order given."""
        quantiles = np.atleast_1d(np.asarray(self.quantile, np.float64))
        if quantiles.ndim != 1 or not quantiles.size or not np.all((quantiles > 0) & (quantiles < 1)):
            raise ValueError(f"quantile={self.quantile!r} must be a number between 0 and 1, or a list of such")
        return tuple(quantiles.tolist())

    def _new_target(self, y: Array, sample_weight: Array | None) -> RealTarget:
        loss = self._loss()
        if isinstance(loss, QuantileLoss):
            return QuantileTarget(y, sample_weight, loss, self.target_scaling == "standard")
        return super()._new_target(y, sample_weight)

    def _training_loss(self, target: RealTarget) -> Loss:
        """That of the first fit: another could not go on with its outputs and their scale."""
        if target.loss() != self._loss():
            raise ValueError(
                f"the loss was changed after the first fit, from {target.loss()} to {self._loss()}; fit anew with "
                "warm_start=False"
            )
        return target.loss()

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R2, or with ``loss="quantile"`` D2: the share of the pinball loss that the prediction saves.

        Both are 1 for perfect predictions and 0 for the best constant, the mean of y or its quantile; D2 is that of
        the quantile nearest 0.5, which :meth:`predict` gives.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
        """
        predicted = self.predict(X)  # type: ignore[attr-defined]
        if not isinstance(self._target, QuantileTarget):
            return float(r2_score(y, predicted, sample_weight=sample_weight))
        return float(d2_pinball_score(y, predicted, sample_weight=sample_weight, alpha=self._target.central))

    @available_if(_predicts_quantiles)
    def predict_quantiles(self, X: Any) -> Array:
        """Predict every quantile for samples; the predictions of a sample rise with the quantile.

        The outputs of the network may cross; sorted for each sample they do not, which never raises the pinball loss
        (Chernozhukov, Fernandez-Val & Galichon 2010).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples, n_quantiles)
            In the order of `quantile`, in the precision of X.
        """
        raw = self._raw_outputs(X)  # type: ignore[attr-defined]
        return self._target.all_quantiles(raw)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.target_tags.multi_output = self.loss != "quantile"
        return tags
