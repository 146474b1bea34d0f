"""What all single-layer networks share: their parameters and attributes, named as in scikit-learn's linear models."""

from __future__ import annotations

from math import inf
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from ...autodiff.tape import Array
from ...nn import Dense, Layer
from ...optim import SGD, Optimizer
from ...template.base import NetworkEstimator
from ...template.validation import SCORING
from ...train import Plan


class SingleLayer(NetworkEstimator):
    """One dense layer, which starts from zero."""

    dtype = "float64"  # one layer is cheap, and its weights can be compared with those of other linear models

    _parameter_constraints: ClassVar[dict] = {
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "shuffle": ["boolean"],
        "verbose": ["verbose"],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "scoring": SCORING,
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
    }

    def _layers(self, n_outputs: int) -> list[Layer]:
        return [Dense(n_outputs, init="zeros", use_bias=self.fit_intercept)]

    def _solver(self) -> Optimizer:
        return SGD(momentum=0.0)

    def _plan(self, n_samples: int) -> Plan:
        return Plan(
            batch_size=self._batch_size(n_samples),
            max_epochs=self.max_iter,
            learning_rate_init=self.eta0,
            shuffle=self.shuffle,
            tol=-inf if self.tol is None else self.tol,
            patience=self.n_iter_no_change - 1,
        )

    def _batch_size(self, n_samples: int) -> int:
        return 1

    n_layers_ = 2

    @property
    def coef_(self) -> Array:
        """The weights, a view of the network's parameters."""
        return layer_of(self)["weight"].T

    @property
    def intercept_(self) -> Array:
        """The biases; zeros without `fit_intercept`."""
        return layer_of(self).get("bias", np.zeros(self.coef_.shape[0]))


def layer_of(estimator: Any) -> dict[str, Array]:
    """The parameters of the only layer, by name."""
    if "network_" not in vars(estimator):
        raise AttributeError(f"this {type(estimator).__name__} is not fitted yet")
    return estimator.network_.parameters["0"]
