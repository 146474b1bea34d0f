"""Widrow and Hoff's linear neuron, trained by the delta rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.base import RegressorMixin, _fit_context

from ...autodiff.tape import Array
from ...losses import SquaredError
from ...ops.delta_rule import delta_rule_epoch
from ...optim import Optimizer
from ...template.kinds import RegressorTargets
from ...template.targets import RealTarget
from ...template.task import Task
from ...train import FitLoop, Plan, TrainingState, Verdict
from .single_layer import SingleLayer, layer_of


class PerceptronRegressor(RegressorTargets, RegressorMixin, SingleLayer):
    """The single linear neuron, trained by the delta rule; one for each output.

    For every sample (x, y) of weight s, one after the other,

    .. math:: e = y - w \\cdot x - b, \\qquad w \\leftarrow w + \\eta\\, s\\, e\\, x, \\qquad
              b \\leftarrow b + \\eta\\, s\\, e,

    a step down the gradient of the squared error. A step that would overshoot, because eta s is more than the inverse
    of the squared length of (x, 1), is shortened to just reach y (the normalised rule of the same authors), so training
    cannot diverge. It is fast when the features are scaled to about unit size.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether there is an intercept b.
    max_iter : int, default=1000
        Most epochs.
    tol : float or None, default=1e-3
        Stop when for `n_iter_no_change` epochs the mean squared error of an epoch was not lower than the best by this
        much of the variance of y (with early stopping that on validation samples, or another score not higher by this);
        None: go through all epochs.
    shuffle : bool, default=True
        Whether each epoch takes the samples in a new order.
    verbose : int, default=0
        Whether to print the loss of each epoch.
    eta0 : float, default=0.01
        The learning rate.
    random_state : int, RandomState instance or None, default=0
        Determines shuffling and the validation split.
    early_stopping : bool, default=False
        Whether to stop when the score on validation samples no longer improves, and keep the best weights. The samples
        are those given to fit as X_val, or a share set aside.
    validation_fraction : float, default=0.1
        The share of samples set aside.
    scoring : str or callable, default="loss"
        The score on validation samples, as of :class:`MLPRegressor`.
    n_iter_no_change : int, default=5
        Epochs without improvement before stopping.
    warm_start : bool, default=False
        Whether the next call of fit goes on from the fitted weights.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Weights in float64.
    intercept_ : ndarray of shape (n_outputs,)
        Intercepts.
    network_ : Network
        The fitted network.
    loss_curve_ : list of float
        Half the mean squared error of each epoch, each sample's taken before learning from it.
    validation_scores_, best_validation_score_, validation_loss_curve_ : list of float, float, list of float
        As of :class:`sknn.MLPRegressor`; the loss in units of y.
    n_iter_, t_ : int
        Epochs, and samples seen.
    n_features_in_, feature_names_in_ : int, ndarray
        Features seen in fit, and their names if they have string names.

    Raises
    ------
    ValueError
        On bad input; the estimator is then left as it was before the call.

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

    _parameter_constraints: ClassVar[dict] = {**SingleLayer._parameter_constraints}

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        eta0: float = 0.01,
        random_state: Any = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: str | Callable = "loss",
        n_iter_no_change: int = 5,
        warm_start: bool = False,
    ) -> None:
        self._keep_parameters(locals())

    @property
    def coef_(self) -> Array:
        """The weights, a view of the network's parameters."""
        weights = layer_of(self)["weight"].T
        return weights[0] if len(weights) == 1 else weights

    @property
    def intercept_(self) -> Array:
        """The biases; zeros without `fit_intercept`."""
        return layer_of(self).get("bias", np.zeros(self.n_outputs_))

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> PerceptronRegressor:
        """Fit to samples and their values.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        X_val, y_val : array-like, default=None
            Validation samples, which nothing is learnt from: ``early_stopping=True`` goes by them instead of setting
            samples aside; otherwise score and loss on them are only recorded.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : PerceptronRegressor
        """
        return self._fit(X, y, sample_weight, incremental=False, validation=(X_val, y_val, sample_weight_val))

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> PerceptronRegressor:
        """Go through the given samples once, going on from the fitted weights if there are any.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.

        Returns
        -------
        self : PerceptronRegressor
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def _loss(self) -> SquaredError:
        return SquaredError()

    def _new_target(self, y: Array, sample_weight: Array | None) -> RealTarget:
        return RealTarget(y, sample_weight, self._loss(), standardise=False)

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
