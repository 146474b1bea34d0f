"""Widrow and Hoff's linear neuron, trained by the delta rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from scipy.sparse import issparse

from ...autodiff.tape import Array
from ...ops.delta_rule import delta_rule_epoch
from ...template.fit import Fit
from ...template.kinds import Regressor
from ...template.parameters import fixed, parameter
from ...train import FitLoop, Observer, Stage, TrainingState
from .single_layer import SingleLayer


class _NoQuantiles:
    """In place of a method that all other regressors have: neither the class nor the reference shows it."""

    def __get__(self, instance: Any, owner: type) -> Any:
        raise AttributeError(
            f"{owner.__name__} learns no quantiles; MLPRegressor(hidden_layer_sizes=(), loss='quantile') does"
        )


class PerceptronRegressor(SingleLayer, Regressor):
    """The single linear neuron, trained by the delta rule; one for each output.

    For every sample (x, y) of weight s, one after the other,

    .. math:: e = y - w \\cdot x - b, \\qquad w \\leftarrow w + \\eta\\, s\\, e\\, x, \\qquad
              b \\leftarrow b + \\eta\\, s\\, e,

    a step down the gradient of the squared error. A step that would overshoot, because eta s is more than the inverse
    of the squared length of (x, 1), is shortened to just reach y (the normalised rule of the same authors), so training
    cannot diverge. It is fast when the features are scaled to about unit size.

    References
    ----------
    Widrow, Hoff (1960). Adaptive switching circuits. IRE WESCON Convention Record.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import PerceptronRegressor
    >>> X = np.array([[-1.0], [0.0], [1.0], [2.0]])
    >>> neuron = PerceptronRegressor(eta0=0.1, tol=1e-9).fit(X, [-1.0, 1.0, 3.0, 5.0])
    >>> neuron.coef_.round(2), neuron.intercept_.round(2)
    (array([2.]), array([1.]))
    """

    eta0 = 0.01
    tol: float | None = parameter(  # type: ignore[assignment]
        default=1e-3,
        interval="[0, inf)",
        text="Stop when for `n_iter_no_change` epochs the mean squared error of an epoch was not lower than the best "
        "by this much of the variance of y (with early stopping that on validation samples, or another score not "
        "higher by this); None: go through all epochs.",
    )
    solver: Literal["sgd"] = fixed("sgd")
    batch_size: int = fixed(1)
    loss: Literal["squared_error"] = fixed("squared_error")
    delta: float = fixed(1.35)
    quantile: float = fixed(0.5)
    target_scaling: None = fixed(None)
    predict_quantiles = _NoQuantiles()  # type: ignore[assignment]

    @property
    def coef_(self) -> Array:
        """The weights of shape (n_features,) or (n_outputs, n_features), a view of the network's parameters."""
        weights = super().coef_
        return weights[0] if len(weights) == 1 else weights

    def _run(
        self, fit: Fit, stages: list[Stage], state: TrainingState, *, observer: Observer | None, **watching: Any
    ) -> DeltaRule:
        loop = DeltaRule(fit, stages, state, by_loss=not fit.stops_early or self.scoring == "loss", **watching)
        loop.outcome = loop.epochs(observer)
        return loop


class DeltaRule(FitLoop):
    """Epochs of the delta rule; losses are in units of y, the tolerance for them in units of its variance."""

    def __init__(
        self, fit: Fit, stages: list[Stage], state: TrainingState, *, by_loss: bool, curve_scale: float, **watching: Any
    ) -> None:
        samples, (stage,) = fit.samples, stages
        self.X, self.y, weight = (samples.of(each) for each in (samples.x, samples.encoded, samples.weight))
        self.weight = np.ones(len(self.y)) if weight is None else weight
        self.step = np.minimum(stage.plan.learning_rate_init * self.weight, 1.0 / _squared_length(self.X))
        if by_loss:
            mean = np.average(self.y, axis=0, weights=self.weight)
            stage = replace(stage, plan=replace(stage.plan, tol=stage.plan.tol * self.mean_loss(self.y - mean)))
        super().__init__(fit.network, len(self.y), [stage], state, fit.rng, **watching)

    def epoch(self) -> float:
        if self.plan.shuffle:
            self.shuffle()
        layer = self.network.parameters["0"]
        errors = np.empty_like(self.y)
        errors[self.order] = delta_rule_epoch(self.X, self.y, self.step, layer["weight"], layer.get("bias"), self.order)
        return self.mean_loss(errors)

    def mean_loss(self, errors: Array) -> float:
        """Half the weighted mean squared error, averaged over the outputs."""
        return float(0.5 * np.average(errors**2, weights=self.weight, axis=0).mean())


def _squared_length(X: Any) -> Array:
    """That of each row with a last 1 for the bias."""
    squared = X.multiply(X).sum(axis=1) if issparse(X) else np.einsum("ij,ij->i", X, X, dtype=np.float64)
    return 1.0 + np.asarray(squared).ravel()
