"""The training parameters that all multi-layer networks share, named as scikit-learn names its MLP's."""

from __future__ import annotations

import warnings
from math import inf, sqrt
from numbers import Integral, Real
from operator import index
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.utils._param_validation import Interval, Options, StrOptions

from ..losses import AbsoluteError, HuberLoss, Loss, PoissonDeviance, SquaredError
from ..nn import Layer, Standardise
from ..ops.activation import ACTIVATIONS
from ..optim import SGD, Adam, AdamW, Optimizer, RMSprop
from ..schedules import SCHEDULES
from ..train import Plan
from .base import NetworkEstimator, RegressorTargets, Task
from .validation import SCORING


class MultilayerEstimator(NetworkEstimator):
    """What the parameters mean for network and training; a family adds its layers in front of the dense ones."""

    _parameter_constraints: ClassVar[dict] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "solver": [StrOptions({"lbfgs", "sgd", "adam", "adamw", "rmsprop"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
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

    def _scheme(self) -> dict[str, Any]:
        """scikit-learn's initial weights: Glorot's uniform ones, for biases too, smaller for the logistic function."""
        logistic = self.activation in ("logistic", "sigmoid")
        return {"bias_init": "glorot_uniform", "gain": sqrt(1 / 3) if logistic else 1.0}

    def _scaling(self) -> list[Layer]:
        """The layer that standardises the inputs, if they are to be."""
        return [] if self.input_scaling is None else [Standardise()]

    def _prepare(self, task: Task) -> None:
        """Teach the layer that standardises the inputs their means and spreads; only those of the first fit."""
        if self.input_scaling is None or not task.fresh:
            return
        if issparse(task.X):
            raise ValueError("input_scaling='standard' would make sparse X dense; use StandardScaler(with_mean=False)")
        layers = enumerate(task.network.layers)
        position, scaling = next((k, layer) for k, layer in layers if isinstance(layer, Standardise))
        before = task.network.first(position)
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


REGRESSION_LOSSES = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": HuberLoss,
    "poisson": PoissonDeviance,
}


class RegressionLoss(RegressorTargets):
    """The losses of regressors."""

    _loss_constraints: ClassVar[dict] = {
        "loss": [StrOptions(set(REGRESSION_LOSSES))],
        "delta": [Interval(Real, 0, None, closed="neither")],
        "target_scaling": [StrOptions({"standard"}), None],
    }

    def _loss(self) -> Loss:
        name: str = self.loss  # type: ignore[attr-defined]
        return HuberLoss(self.delta) if name == "huber" else REGRESSION_LOSSES[name]()  # type: ignore[attr-defined]
