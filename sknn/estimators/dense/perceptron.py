"""Rosenblatt's perceptron: a layer of threshold units, or the same layer with logistic outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self

from sklearn.utils.metaestimators import available_if

from ...autodiff.tape import Array
from ...template.fit import Fit
from ...template.kinds import Classifier
from ...template.parameters import fitted, fixed, parameter
from ...template.samples import Samples
from ...template.validation import SCORING
from .perceptron_rule import PerceptronRule
from .single_layer import SingleLayer


def _has_probabilities(estimator: PerceptronClassifier) -> bool:
    if estimator.solver == "perceptron":
        raise AttributeError("the perceptron rule estimates no probabilities; use solver='sgd'")
    return True


class PerceptronClassifier(SingleLayer, Classifier):
    """A single layer of threshold units, trained by Rosenblatt's rule, or of logistic ones, trained by its gradient.

    With ``solver="perceptron"`` there is one unit for two classes and otherwise one for each class against the rest.
    A unit learns from a sample (x, t), t = +-1, only if it is wrong about it:

    .. math:: w \\leftarrow w + \\eta\\, s\\, t\\, x, \\quad b \\leftarrow b + \\eta\\, s\\, t
              \\qquad \\text{if } t (w \\cdot x + b) \\le 0

    with learning rate eta and the sample's weight s. For dense X in float64 the weights are those of scikit-learn's
    Perceptron to the last bit; sparse and float32 X give the weights of the same samples in that form. With
    ``solver="sgd"`` the same layer has logistic outputs (softmax for several classes) and minimises the log loss in
    mini-batches; only then are there probabilities.

    References
    ----------
    Rosenblatt (1958). The perceptron: a probabilistic model for information storage and organization in the brain.
    Psychological Review 65.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import PerceptronClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> PerceptronClassifier().fit(X, y == 0).score(X, y == 0)
    1.0
    """

    solver: Literal["perceptron", "sgd"] = parameter(default="perceptron", text="The rule.")
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='Samples in a mini-batch of "sgd"; "auto" is min(200, n_samples). Not for the perceptron rule, which has '
        "no batches.",
    )
    n_jobs: int | None = parameter(
        default=None, text="How many units the perceptron rule trains at the same time, as threads."
    )
    scoring: str | Callable = parameter(
        default="loss",
        allowed=SCORING,
        text='The score on validation samples of "sgd", as of :class:`MLPClassifier`. The perceptron rule goes by '
        "accuracy on samples set aside, and takes neither X_val nor another scoring than the default.",
    )
    label_smoothing: float = fixed(0.0)

    n_iter_: int = fitted("Epochs, those of the unit that took most.")
    t_: int = fitted("Samples seen, and one more for the perceptron rule.")

    def partial_fit(  # type: ignore[override]  # in scikit-learn's order
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> Self:
        """Go through the given samples once, going on from the fitted weights if there are any.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Class labels.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever be seen; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.

        Returns
        -------
        self : PerceptronClassifier
        """
        return super().partial_fit(X, y, sample_weight, classes)

    def decision_function(self, X: Any) -> Array:
        """The raw outputs: positive on the side of a class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        raw : ndarray of shape (n_samples,) or (n_samples, n_classes)
            One column for each class if there are more than two.
        """
        raw = self._raw_outputs(X)
        return raw[:, 0] if raw.shape[1] == 1 else raw

    predict_proba = available_if(_has_probabilities)(Classifier.predict_proba)
    predict_log_proba = available_if(_has_probabilities)(Classifier.predict_log_proba)

    def _influential(self, samples: Samples) -> Samples:
        if self.solver == "perceptron":
            return samples  # as in scikit-learn, a row of weight zero moves nothing but counts as an error
        return super()._influential(samples)

    def _class_weights(self, target: Any, y: Any, sample_weight: Array | None) -> Callable[[Array], Array] | None:
        factors = super()._class_weights(target, y, sample_weight)
        return None if self.solver == "perceptron" else factors  # the rule takes them apart from those of samples

    def _check_scoring(self, validation: Samples | None) -> None:
        if self.solver != "perceptron":
            super()._check_scoring(validation)
        elif validation is not None or self.scoring != "loss":
            raise ValueError(
                "solver='perceptron' stops by the accuracy on samples that it sets aside itself, as scikit-learn's; "
                "X_val and scoring need solver='sgd'"
            )

    def _new_target(self, y: Array, sample_weight: Array | None) -> Any:
        if y.ndim > 1:
            raise ValueError(f"y should be a 1d array, got an array of shape {y.shape} instead.")
        return super()._new_target(y, sample_weight)

    def _train(self, fit: Fit) -> None:
        classes = fit.target.attributes["classes_"]  # type: ignore[union-attr]
        if len(classes) < 2:
            raise ValueError(f"The number of classes has to be greater than one; got {len(classes)} class: {classes}")
        if self.solver == "perceptron":
            PerceptronRule(self, fit).train()
        else:
            super()._train(fit)

    def _subtasks(self) -> dict[str, Any]:
        if self.solver == "perceptron":
            return {"max_subtasks": None, "sequential_subtasks": False}  # the units, whose subtasks are epochs
        return super()._subtasks()

    def _batch_size(self, n_samples: int) -> int:
        return min(200 if self.batch_size == "auto" else self.batch_size, n_samples)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = tags.classifier_tags.multi_label = False
        return tags
