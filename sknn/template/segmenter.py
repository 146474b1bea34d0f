"""What segmenters are: classifiers of positions, such as the steps of a series or the pixels of an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np

from ..autodiff.tape import Array
from ..metrics import dice_score
from .estimator import Estimator
from .inputs import given
from .kinds import Classifier
from .parameters import fitted, parameter
from .positions import PositionTarget, aligned, in_a_row
from .samples import Samples
from .targets import ClassTarget, ClassWeights, complete, stated_target


class Segmenter(Estimator):
    """What segmenters add: a label for each position, weights of the labels, positions without one."""

    class_weight: dict | Literal["balanced"] | None = parameter(
        default=None,
        text="Factors on the weights of positions in the loss: label -> factor (1 for labels that are not named). "
        '"balanced" is total weight / (number of classes * weight of the class), over all labelled positions.',
    )
    unlabelled: int | float | str | None = parameter(
        default=-1,
        text="The label of positions whose class is not known: they count for nothing, neither in the fit nor in the "
        "score. None: there are none.",
    )

    classes_: Array = fitted("Class labels.", shape="(n_classes,)")

    fit: ClassVar[Any] = Classifier.fit
    partial_fit: ClassVar[Any] = Classifier.partial_fit
    predict: ClassVar[Any] = Classifier.predict
    predict_proba: ClassVar[Any] = Classifier.predict_proba

    def _stated_target(self, y: Any, classes: Any, goes_on: bool) -> PositionTarget | None:
        labels = np.concatenate([np.ravel(of_sample) for of_sample in self._read_y(y)])
        inner = stated_target(labels, classes, self.classes_ if goes_on else None)
        return None if inner is None else PositionTarget(labels, None, lambda *_: inner, self.unlabelled)

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
        for k, labels in enumerate(given(self, y)):
            complete(labels, f" of sample {k}")
        return y

    def _new_target(self, y: Any, sample_weight: Array | None) -> PositionTarget:
        return PositionTarget(y, sample_weight, lambda labels, weight: ClassTarget(labels), self.unlabelled)

    def _class_weights(self, target: Any, y: Any, sample_weight: Array | None) -> Callable[[Array], Array] | None:
        if self.class_weight is None:
            return None
        weight = in_a_row(target.weights(y, sample_weight)).ravel()
        return ClassWeights(self.class_weight, target.inner, in_a_row(y).ravel()[weight > 0], weight[weight > 0])

    def _weighted(self, samples: Samples, target: Any, by_class: Callable[[Array], Array] | None) -> Samples:
        return replace(samples, weight=target.weights(samples.y, samples.score_weight, by_class))
