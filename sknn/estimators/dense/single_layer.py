"""What all single-layer networks share: their parameters and attributes, named as in scikit-learn's linear models."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Literal

import numpy as np

from ...autodiff.tape import Array
from ...nn import Dense, Layer
from ...optim import SGD
from ...template.estimator import Estimator
from ...template.fitted import left_by_fit
from ...template.parameters import fixed, parameter
from ...train import Plan


class SingleLayer(Estimator):
    """One dense layer, which starts from zero."""

    fit_intercept: bool = parameter(default=True, text="Whether there is an intercept.")
    eta0: float = parameter(default=1.0, interval="(0, inf)", text="The learning rate.")
    tol: float | None = parameter(  # type: ignore[assignment]
        default=1e-3,
        interval="[0, inf)",
        text="Stop when for `n_iter_no_change` epochs the mean loss was not lower than the best by this much (or the "
        "score on validation samples not higher); None: go through all epochs.",
    )
    validation_fraction: float = parameter(
        default=0.1,
        interval="(0, 1)",
        text="The share of samples set aside, of each class where there are enough of them.",
    )
    n_iter_no_change: int = parameter(
        default=5, interval="[1, inf)", text="Epochs without improvement before stopping."
    )
    max_iter = 1000
    random_state = 0
    verbose = 0

    alpha: float = fixed(0.0)
    learning_rate: str = fixed("constant")
    learning_rate_init: float = fixed(0.0)
    clip_norm: float | None = fixed(None)
    input_scaling: None = fixed(None)
    pretrained: None = fixed(None)
    freeze: int = fixed(0)
    fine_tune_rate: float = fixed(1.0)
    dtype: Literal["float64"] = fixed("float64")  # one layer is cheap, and can be compared with other linear models

    def _layers(self, n_outputs: int) -> list[Layer]:
        return [Dense(n_outputs, init="zeros", use_bias=self.fit_intercept)]

    def _solver(self) -> SGD:
        return SGD(momentum=0.0)

    def _plan(self, n_samples: int) -> Plan:
        plan, tol = super()._plan(n_samples), -inf if self.tol is None else self.tol
        return replace(plan, learning_rate_init=self.eta0, tol=tol, n_iter_no_change=self.n_iter_no_change - 1)

    @property
    def coef_(self) -> Array:
        """The weights of shape (n_outputs, n_features), a view of the network's parameters in float64."""
        return left_by_fit(self, "network_").parameters["0"]["weight"].T

    @property
    def intercept_(self) -> Array:
        """The intercepts of shape (n_outputs,); zeros without `fit_intercept`."""
        return left_by_fit(self, "network_").parameters["0"].get("bias", np.zeros(self.coef_.shape[0]))
