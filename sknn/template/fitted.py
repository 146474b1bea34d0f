"""What a fit leaves behind, and what is predicted from it."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from ..autodiff.tape import Array
from ..nn import Network
from ..train import TrainingState, Verdict
from .forward import Forward
from .targets import Target
from .task import Task, curve_scale


class FittedNetwork(BaseEstimator):
    """An estimator that keeps a network, the history of its training, and how its outputs are decoded."""

    _accepted_sparse: Any = ("csr", "csc")
    _forward: Forward
    _target: Target
    _state: TrainingState

    # -- keeping ---------------------------------------------------------------------------------------------------

    def _keep_network(self, network: Network, loss: Any) -> None:
        self.network_, self._forward = network, Forward(network)
        self.__dict__.update(self._target.attributes)
        self.n_outputs_ = network.output_shape[-1]
        self.out_activation_ = loss.link

    def _forget_history(self) -> None:
        """Drop what an earlier fit, perhaps with another solver, has left."""
        losses = ("loss_curve_", "loss_", "best_loss_")
        for name in ("_state", *losses, "validation_scores_", "validation_loss_curve_", "best_validation_score_"):
            self.__dict__.pop(name, None)

    def _keep_history(self, task: Task, state: TrainingState) -> None:
        self.n_iter_, self.t_ = state.epochs, state.samples
        self.loss_curve_ = list(state.loss_curve)
        self.loss_ = state.loss_curve[-1] if state.loss_curve else inf
        self.best_loss_ = None if task.stops_early else state.best_loss
        latest = 0 if task.held_out is None else state.epochs
        self._keep_validation(list(state.validation_scores), list(state.validation_losses), latest)

    def _keep_untrained(self, task: Task) -> None:
        """Keep a network that has nothing to learn."""
        self._forget_history()
        self._keep_network(task.network, task.target.loss())
        self.n_iter_ = self.t_ = 0
        self.loss_ = self.best_loss_ = 0.0
        self.loss_curve_ = []
        self._keep_validation([], [], 0)

    def _keep_minimum(
        self,
        task: Task,
        n_iter: int,
        value: float,
        earlier: tuple[list[float], list[float]],
        verdicts: list[Verdict],
    ) -> None:
        self.n_iter_, self.t_ = n_iter, 0
        self.loss_ = self.best_loss_ = self._shown(task, value)
        scores = earlier[0] + [verdict.score for verdict in verdicts]
        losses = earlier[1] + [verdict.loss for verdict in verdicts]
        self._keep_validation(scores, losses, len(verdicts))

    def _shown(self, task: Task, value: float) -> float:
        """The value of the objective with the mean instead of the sum over outputs, as the loss curves show it."""
        weight = len(task.y) if task.sample_weight is None else task.sample_weight.sum()
        penalty = 0.5 * self.alpha * task.network.decaying_norm() / float(weight)
        return penalty + (value - penalty) * curve_scale(task)

    def _keep_validation(self, scores: list[float], losses: list[float], latest: int) -> None:
        """Keep the curves of validation; the best score is that of the latest so many."""
        self.validation_scores_, self.validation_loss_curve_ = scores or None, losses or None
        self.best_validation_score_ = float(np.fmax.reduce(scores[-latest:])) if scores and latest else None

    def _earlier_validation(self) -> tuple[list[float], list[float]]:
        """Copies of the curves of validation so far, of scores and of losses."""
        curves = (getattr(self, name, None) or [] for name in ("validation_scores_", "validation_loss_curve_"))
        scores, losses = map(list, curves)
        return scores, losses

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

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = bool(self._accepted_sparse)
        return tags
