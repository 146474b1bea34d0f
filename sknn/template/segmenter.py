"""What segmenters are: classifiers of positions, such as the steps of a series or the pixels of an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils.metaestimators import available_if

from ..autodiff.tape import Array
from ..metrics import dice_score
from .estimator import Estimator, learns_in_parts
from .inputs import given
from .parameters import fitted, parameter
from .positions import PositionTarget, aligned, in_a_row
from .samples import Samples
from .targets import BALANCED_IN_PARTS, ClassTarget, ClassWeights, check_first_partial_fit


class Segmenter(Estimator):
    """What segmenters add: a label for each position, weights of the labels, positions without one."""

    class_weight: dict | Literal["balanced"] | None = parameter(
        default=None,
        text="Factors on the weights of positions in the loss: label -> factor (1 for labels that are not named). "
        '"balanced" is total weight / (number of classes * weight of the class), over all labelled positions.',
    )
    unlabelled: Any = parameter(
        default=-1,
        text="The label of positions whose class is not known: they count for nothing, neither in the fit nor in the "
        "score. None: there are none.",
    )

    classes_: Array = fitted("Class labels.", shape="(n_classes,)")

    @available_if(learns_in_parts)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:  # type: ignore[override]
        """Go through the given samples once, going on from the fitted weights if there are any.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), or list of arrays
            Samples.
        y : array-like of shape (n_samples, ...), or list of arrays
            A label for each position of each sample.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever be seen; needed in the first call.

        Returns
        -------
        self : estimator
        """
        labels = np.concatenate([np.ravel(of_sample) for of_sample in self._read_y(y)])
        inner = check_first_partial_fit(self, labels, classes)
        target = None if inner is None else PositionTarget(labels, None, lambda *_: inner, self.unlabelled)
        return self._fit(X, y, sample_weight, incremental=True, target=target)

    def predict(self, X: Any) -> Array:
        """The most probable label of each position.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples, ...)
            Labels; of samples that differ in length an object array (n_samples,) of arrays.
        """
        raw = self._raw_outputs(X)
        return self._target.decode(raw)

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes at each position.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        probability : ndarray of shape (n_samples, ..., n_classes)
            In the order of ``classes_``; of samples that differ in length an object array (n_samples,) of arrays.
        """
        raw = self._raw_outputs(X)
        return self._target.proba(raw)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean Dice coefficient of the classes, over all labelled positions together.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), or list of arrays
            Samples.
        y : array-like of shape (n_samples, ...), or list of arrays
            The labels of their positions.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
            See :func:`sknn.metrics.dice_score`.
        """
        return float(dice_score(y, self.predict(X), unlabelled=self.unlabelled, sample_weight=sample_weight))

    def _read(self, X: Any, y: Any, *others: Any) -> Samples:
        samples = super()._read(X, y, *others)
        return replace(samples, y=aligned(samples.x, samples.y))

    def _read_y(self, y: Any) -> Any:
        return given(self, y)

    def _new_target(self, y: Any, sample_weight: Array | None) -> PositionTarget:
        return PositionTarget(y, sample_weight, lambda labels, weight: ClassTarget(labels), self.unlabelled)

    def _class_weights(
        self, target: Any, y: Any, sample_weight: Array | None, incremental: bool
    ) -> Callable[[Array], Array] | None:
        if self.class_weight is None:
            return None
        if incremental and self.class_weight == "balanced":
            raise ValueError(BALANCED_IN_PARTS)
        weight = in_a_row(target.weights(y, sample_weight)).ravel()
        return ClassWeights(self.class_weight, target.inner, in_a_row(y).ravel()[weight > 0], weight[weight > 0])

    def _weighted(self, samples: Samples, target: Any, by_class: Callable[[Array], Array] | None) -> Samples:
        return replace(samples, weight=target.weights(samples.y, samples.score_weight, by_class))
