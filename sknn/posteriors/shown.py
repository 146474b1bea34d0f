"""What a network is shown, without the training that its own parameters say: for posteriors that find weights."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..autodiff.tape import Array
from ..template.fit import Fit
from ..template.given import new_fit
from ..template.inputs import cast
from ..train import TrainingState
from .likelihood import Likelihood
from .posterior import Task

DOUBLE = np.dtype(np.float64)


@dataclass
class Shown:
    """A network in double precision with the samples that it is to be fitted to, ready to be trained.

    Attributes
    ----------
    estimator : Estimator
        Whose network it is; what is learnt can be kept in it.
    fit : Fit
        Begun: the network, scaled inputs, encoded targets.
    state : TrainingState
        The history so far.
    """

    estimator: Any
    fit: Fit
    state: TrainingState

    @classmethod
    def of(cls, task: Task, goes_on: bool = False) -> Shown | None:
        """A new network, or a fitted one that goes on; None where there is nothing to learn (one class)."""
        estimator = task.network
        if "dtype" not in estimator.get_params(deep=False):
            raise ValueError(
                f"network={estimator!r} is trained by a rule of its own, in which no posterior has a say; take "
                "MLPRegressor or MLPClassifier, or posterior='ensemble'"
            )
        trained_by_itself = copy(estimator)
        trained_by_itself.set_params(dtype="float64", early_stopping=False, scoring="loss", warm_start=goes_on)
        fit: Any = new_fit(trained_by_itself, task.X, task.y, task.sample_weight)
        begun = fit.begin()
        vars(estimator).update(
            {name: value for name, value in vars(trained_by_itself).items() if name not in estimator.get_params()}
        )
        if begun is None:
            return None
        estimator.dtype = "float64"
        return cls(estimator, fit, begun.state)

    def likelihood(self, network: Any = None) -> Likelihood:
        """Of the weights of this network; None: of all."""
        batch = self.fit.samples.take(np.arange(len(self.fit.samples)))
        x = batch.x.toarray() if issparse(batch.x) else batch.x
        y = batch.y.astype(DOUBLE) if batch.y.dtype.kind == "f" else batch.y
        return Likelihood(self.estimator, network or self.fit.network, x, y, batch.weight)

    def keep(self, network: Any, curve: list[float]) -> None:
        """Keep these weights, and how the mean loss fell."""
        self.fit.network.theta[:] = network.theta
        state = self.state
        state.epochs, state.samples = len(curve), len(curve) * len(self.fit.samples)
        state.loss_curve, state.best_loss = list(curve), min(curve)
        self.fit.estimator = self.estimator
        self.fit.keep(state)

    @property
    def log_volume(self) -> float:
        """How much larger the log-likelihood of scaled targets is than that of the targets as given."""
        scale = getattr(self.estimator._target, "scale_", np.ones(1))
        weight = self.fit.samples.of(self.fit.samples.weight)
        return float(np.log(scale).sum()) * (len(self.fit.samples) if weight is None else float(weight.sum()))

    @property
    def y_scale(self) -> Array:
        """Of each column of y."""
        scale: Array = self.estimator._target.scale_
        return scale


def inputs(estimator: Any, X: Any) -> Any:
    """X as the network of a fitted estimator takes it, in double precision."""
    x = cast(estimator._inputs(X), DOUBLE, estimator.input_scaling_)
    return x.toarray() if issparse(x) else x
