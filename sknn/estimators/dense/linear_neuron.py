"""Widrow and Hoff's linear neuron, trained by the delta rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from scipy.sparse import issparse

from ...autodiff.tape import Array
from ...ops.delta_rule import delta_rule_epoch
from ...optim import Optimizer
from ...template.kinds import Regressor
from ...template.parameters import fixed, parameter
from ...template.task import Task
from ...train import FitLoop, Plan, TrainingState, Verdict
from .single_layer import SingleLayer


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

    @property
    def coef_(self) -> Array:
        """The weights of shape (n_features,) or (n_outputs, n_features), a view of the network's parameters."""
        weights = super().coef_
        return weights[0] if len(weights) == 1 else weights

    def _descend(self, task: Task, optimizer: Optimizer) -> None:
        plan = self._plan_of(task)
        state = self._earlier_state(task) or self._new_state(task, optimizer, plan)
        by_loss = not task.stops_early or self.scoring == "loss"
        loop = DeltaRule(task, plan, state, self._validation(task), by_loss, print if self.verbose else None)
        self._finish(task, loop.epochs(self._observer_of_epochs(task, state)), state, plan)


class DeltaRule(FitLoop):
    """Epochs of the delta rule; losses are in units of y, the tolerance for them in units of its variance."""

    def __init__(
        self,
        task: Task,
        plan: Plan,
        state: TrainingState,
        validate: Callable[[], Verdict] | None,
        by_loss: bool,
        report: Callable[[str], None] | None,
    ) -> None:
        self.X = task.X if task.rows is None else task.X[task.rows]
        self.y = task.target.encode(task.y, np.dtype(np.float64))
        self.weight = np.ones(len(self.y)) if task.sample_weight is None else task.sample_weight
        self.step = np.minimum(plan.learning_rate_init * self.weight, 1.0 / _squared_length(self.X))
        if by_loss:
            mean = np.average(self.y, axis=0, weights=self.weight)
            plan = replace(plan, tol=plan.tol * self.mean_loss(self.y - mean))
        super().__init__(task.network, len(self.y), plan, state, task.rng, validate, report)

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
    if issparse(X):
        return 1.0 + np.asarray(X.multiply(X).sum(axis=1)).ravel()
    return 1.0 + np.einsum("ij,ij->i", X, X, dtype=np.float64)
