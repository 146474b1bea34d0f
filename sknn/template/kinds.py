"""What classifiers and regressors add to a network: their targets, probabilities, the share that is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import accuracy_score
from sklearn.utils._param_validation import StrOptions

from ..autodiff.tape import Array
from .targets import ClassTarget, ClassWeights, JointClassTarget, MultilabelTarget, RealTarget, Target, class_target

BALANCED_IN_PARTS = (  # scikit-learn's words
    "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' weights, use "
    "compute_class_weight('balanced', classes=classes, y=y). In place of y you can use a large enough sample of the "
    "full training set target to properly estimate the class frequency distributions. Pass the resulting weights as "
    "the class_weight parameter."
)


class ClassifierTargets:
    """What classifiers add: classes, their weights, probabilities."""

    _class_constraints: ClassVar[dict] = {"class_weight": [StrOptions({"balanced"}), dict, list, None]}

    def _new_target(self, y: Array, sample_weight: Array | None) -> ClassTarget | MultilabelTarget | JointClassTarget:
        return class_target(y)

    def _class_weights(
        self, target: Target, y: Array, sample_weight: Array | None, incremental: bool
    ) -> Callable[[Array], Array] | None:
        class_weight = self.class_weight  # type: ignore[attr-defined]
        if incremental and class_weight == "balanced":
            raise ValueError(BALANCED_IN_PARTS)
        return None if class_weight is None else ClassWeights(class_weight, target, y, sample_weight)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy: the share of samples with the right class, where there are several with all of them right.

        For several columns of classes scikit-learn's own estimators give no score, but its ``MultiOutputClassifier``
        gives this one.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_columns)
            Their classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
        """
        return _accuracy(y, self.predict(X), sample_weight)  # type: ignore[attr-defined]

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes), or a list of such
            In the order of ``classes_``, in the precision of X; a list where ``classes_`` is one, because y had
            several columns of classes.
        """
        raw = self._raw_outputs(X)  # type: ignore[attr-defined]
        return self._target.proba(raw)  # type: ignore[attr-defined]

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithms of the probabilities of the classes, exact where the probability itself rounds to 0 or 1.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_probability : ndarray of shape (n_samples, n_classes), or a list of such
            In the order of ``classes_``.
        """
        raw = self._raw_outputs(X)  # type: ignore[attr-defined]
        return self._target.log_proba(raw)  # type: ignore[attr-defined]


class RegressorTargets:
    """What regressors add: real targets, the scale of y."""

    def _loss(self) -> Any:
        """The loss of standardised targets."""
        raise TypeError(f"{type(self).__name__} defines no loss")

    def _new_target(self, y: Array, sample_weight: Array | None) -> RealTarget:
        loss = self._loss()
        standardise = self.target_scaling == "standard" and loss.link == "identity"  # type: ignore[attr-defined]
        return RealTarget(y, sample_weight, loss, standardise)


def _accuracy(y: Any, predicted: Array, sample_weight: Array | None) -> float:
    """The share of rows that are predicted right as a whole; accuracy_score knows no several columns of classes."""
    if predicted.ndim == 1 or issparse(y):
        return float(accuracy_score(y, predicted, sample_weight=sample_weight))
    y = np.asarray(y)
    if y.shape != predicted.shape:
        raise ValueError(f"y has shape {y.shape}, but the predictions have {predicted.shape}")
    return float(np.average((y == predicted).all(axis=1), weights=sample_weight))
