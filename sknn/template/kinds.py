"""What classifiers and regressors add to a network: targets and losses, probabilities, the share that is right."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import _fit_context
from sklearn.metrics import accuracy_score, d2_pinball_score, r2_score
from sklearn.utils.metaestimators import available_if

from ..autodiff.tape import Array
from ..description import in_order, is_number
from ..losses import LOSSES, HuberLoss, Loss, NormalLogLoss, QuantileLoss
from .estimator import Estimator, learns_in_parts
from .inputs import checked_y
from .parameters import fitted, parameter
from .scikit_learn import ClassifierMixin, RegressorMixin
from .targets import (
    BALANCED_IN_PARTS,
    ClassWeights,
    NormalTarget,
    QuantileTarget,
    RealTarget,
    Target,
    class_target,
    stated_target,
)


class Classifier(ClassifierMixin, Estimator):
    """What classifiers add: classes, their weights, probabilities."""

    label_smoothing: float = parameter(
        default=0.0,
        interval="[0, 1)",
        text="The share of each label's probability that is spread evenly over all classes in the training loss. Not "
        "for multilabel targets.",
    )
    class_weight: dict | list | Literal["balanced"] | None = parameter(
        default=None,
        text="Factors on the weights of the samples in the loss: label -> factor (1 for labels that are not named), "
        "for a multilabel target or several columns a list of such, one for each, whose factors are multiplied. "
        '"balanced" is total weight / (number of classes * weight of the class); partial_fit takes no "balanced".',
    )

    classes_: Array | list[Array] = fitted(
        "Class labels; a list of them for several columns of classes.", shape="(n_classes,)"
    )

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(  # type: ignore[override]
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        classes: Any = None,
        groups: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Fit to samples and their labels.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples; grids or series for networks that know their shape.
        y : array-like of shape (n_samples,) or (n_samples, ...), or list of arrays
            Class labels, an indicator matrix (n_samples, n_labels), or several columns of labels; for segmenters a
            label at each position.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        classes : array-like of shape (n_classes,) or list of such, default=None
            All classes, of which y may lack some, as in the folds of few samples: there is a probability for each. A
            list of them for several columns. None: those in y.
        groups : array-like of shape (n_samples,), default=None
            Groups of samples for the splitter in `validation_fraction`.
        X_val, y_val : array-like, default=None
            Validation samples, which nothing is learnt from: ``early_stopping=True`` goes by them instead of setting
            samples aside; otherwise score and loss on them are only recorded.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : estimator
        """
        goes_on = self.warm_start and hasattr(self, "network_")
        target = None if classes is None else self._stated_target(y, classes, goes_on)
        validation = (X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, target=target, groups=groups, validation=validation)

    @available_if(learns_in_parts)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Go through the given samples once, going on from the fitted weights if there are any.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples, as for :meth:`fit`.
        y : array-like of shape (n_samples,) or (n_samples, ...), or list of arrays
            Their labels, as for :meth:`fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        classes : array-like of shape (n_classes,) or list of such, default=None
            All classes that will ever be seen, a list of them for several columns; needed in the first call.

        Returns
        -------
        self : estimator
        """
        if self.class_weight == "balanced":
            raise ValueError(BALANCED_IN_PARTS)
        target = self._stated_target(y, classes, goes_on=hasattr(self, "network_"))
        return self._fit(X, y, sample_weight, incremental=True, target=target)

    def _stated_target(self, y: Any, classes: Any, goes_on: bool) -> Target | None:
        """The target for stated classes; None in a fit that goes on with those of an earlier one."""
        return stated_target(y, classes, self.classes_ if goes_on else None)

    def _read_y(self, y: Any) -> Array:
        return checked_y(self, y, numeric=False)

    def _new_target(self, y: Array, sample_weight: Array | None) -> Target:
        return class_target(y)

    def _class_weights(self, target: Any, y: Any, sample_weight: Array | None) -> Callable[[Array], Array] | None:
        return None if self.class_weight is None else ClassWeights(self.class_weight, target, y, sample_weight)

    def predict(self, X: Any) -> Array:
        """The most probable classes.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, ...)
            Their labels; of positions of samples that differ in length an object array (n_samples,) of arrays.
        """
        raw = self._raw_outputs(X)
        return self._target.decode(raw)

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
        predicted = self.predict(X)
        if predicted.ndim == 1 or issparse(y):
            return float(accuracy_score(y, predicted, sample_weight=sample_weight))
        y = np.asarray(y)  # of several columns of classes accuracy_score knows nothing
        if y.shape != predicted.shape:
            raise ValueError(f"y has shape {y.shape}, but the predictions have {predicted.shape}")
        return float(np.average((y == predicted).all(axis=1), weights=sample_weight))

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes) or (n_samples, ..., n_classes), or a list of such
            In the order of ``classes_``, in the precision of X; a list where ``classes_`` is one, because y had
            several columns of classes; of positions of samples that differ in length an object array of arrays.
        """
        raw = self._raw_outputs(X)
        return self._target.proba(raw)

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
        raw = self._raw_outputs(X)
        return self._target.log_proba(raw)

    def _minimised(self, training: bool) -> Any:
        """The log loss, in training with smoothed labels."""
        loss = super()._minimised(training)
        return replace(loss, smoothing=float(self.label_smoothing)) if training and self.label_smoothing else loss

    def _check_target(self, target: Target) -> None:
        if self.label_smoothing and not target.exclusive:
            raise ValueError(
                f"label_smoothing={self.label_smoothing!r} does not apply to labels that do not exclude each other"
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = tags.classifier_tags.multi_label = True
        return tags


NO_MEDIAN = (
    "quantile={} has no median: predict gives the quantile {:g}, and predict_quantiles gives all; add 0.5 if predict "
    "is to give the median"
)


def _predicts_std(estimator: Any) -> bool:
    if estimator.loss != "normal":
        raise AttributeError(f"predict_std needs loss='normal', got loss={estimator.loss!r}")
    return True


def _predicts_quantiles(estimator: Any) -> bool:
    if estimator.loss != "quantile":
        raise AttributeError(f"predict_quantiles needs loss='quantile', got loss={estimator.loss!r}")
    return True


class Regressor(RegressorMixin, Estimator):
    """What regressors add: a choice of losses, the scale of y, quantiles."""

    loss: Literal["squared_error", "absolute_error", "huber", "poisson", "quantile", "normal"] = parameter(
        default="squared_error",
        text="What is minimised. Several outputs are added up in the objective and averaged in ``loss_curve_``, as in "
        'scikit-learn. "poisson" predicts exp of the output, for counts y >= 0; with no hidden layer and `alpha` n '
        "times as large it is scikit-learn's ``PoissonRegressor(alpha)``, as its penalty is not divided by the weight "
        'n of the samples. "quantile" is the pinball loss. "normal" is minus the log-density of a normal distribution '
        "whose mean and standard deviation both depend on X: `predict` gives the one, `predict_std` the other.",
    )
    delta: float = parameter(
        default=1.35,
        interval="(0, inf)",
        text='From where on errors count linearly for "huber", in units of the target\'s standard deviation.',
    )
    quantile: float | Sequence[float] = parameter(
        default=0.5,
        interval="(0, 1)",
        text='Which quantiles of y "quantile" learns, between 0 and 1. `predict` gives the one nearest 0.5 (of two the '
        "lower), `predict_quantiles` gives all, and `score` is D2 of what `predict` gives. For a single target.",
    )
    target_scaling: Literal["standard"] | None = parameter(
        default="standard",
        text="Whether the network learns (y - mean) / standard deviation instead of y; predictions are in units of y "
        'in any case. Not used for "poisson".',
    )

    y_mean_: float | Array = fitted(
        "What the target was standardised with, 0 without scaling: that of the first fit as long as partial_fit or a "
        "warm start goes on from it. Weights and ``loss_curve_`` are in scaled units.",
        shape="(n_outputs,)",
    )
    y_scale_: float | Array = fitted("Its spread, likewise; 1 without scaling.", shape="(n_outputs,)")

    def _check_options(self) -> None:
        super()._check_options()
        for loss, option in (("huber", "delta"), ("quantile", "quantile")):
            if self.loss != loss:
                self._refuse((option,), f"loss={self.loss!r}")

    def _loss(self) -> Loss:
        if self.loss == "huber":
            return HuberLoss(self.delta)
        if self.loss != "quantile":
            return LOSSES[self.loss]()
        given: Any = self.quantile
        quantiles = list(given) if in_order(given) else [given]
        if not quantiles or not all(is_number(each) and 0 < each < 1 for each in quantiles):
            raise ValueError(f"quantile={self.quantile!r} must be a number between 0 and 1, or a list of such")
        return QuantileLoss(quantiles)

    def _read_y(self, y: Any) -> Array:
        return checked_y(self, y, numeric=True)

    def _new_target(self, y: Array, sample_weight: Array | None) -> RealTarget:
        loss, standardise = self._loss(), self.target_scaling == "standard"
        if isinstance(loss, QuantileLoss):
            target = QuantileTarget(y, sample_weight, loss, standardise)
            if target.n_outputs > 1 and target.central != 0.5:
                warnings.warn(NO_MEDIAN.format(self.quantile, target.central), UserWarning, stacklevel=2)
            return target
        if isinstance(loss, NormalLogLoss):
            return NormalTarget(y, sample_weight, loss, standardise)
        return RealTarget(y, sample_weight, loss, standardise and loss.link == "identity")

    def _check_target(self, target: Target) -> None:
        """Another loss than that of the first fit could not go on with its outputs and their scale."""
        if target.loss != self._loss():
            raise ValueError(
                f"the loss was changed after the first fit, from {target.loss} to {self._loss()}; fit anew with "
                "warm_start=False"
            )

    def predict(self, X: Any) -> Array:
        """The values.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the precision of X.
        """
        raw = self._raw_outputs(X)
        return self._target.decode(raw)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R2, or with ``loss="quantile"`` D2: the share of the pinball loss that the prediction saves.

        Both are 1 for perfect predictions and 0 for the best constant, the mean of y or its quantile; D2 is that of
        the quantile nearest 0.5, which :meth:`predict` gives.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
        """
        predicted = self.predict(X)
        if not isinstance(self._target, QuantileTarget):
            return float(r2_score(y, predicted, sample_weight=sample_weight))
        return float(d2_pinball_score(y, predicted, sample_weight=sample_weight, alpha=self._target.central))

    @available_if(_predicts_std)
    def predict_std(self, X: Any) -> Array:
        """How far y scatters about what :meth:`predict` gives: the standard deviation of the noise.

        How sure a network is of the mean itself it does not say; see :class:`BayesianRegressor`.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        std : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In units and precision of y and X.
        """
        raw = self._raw_outputs(X)
        return self._target.std(raw)

    @available_if(_predicts_quantiles)
    def predict_quantiles(self, X: Any) -> Array:
        """Predict every quantile for samples; the predictions of a sample rise with the quantile.

        The outputs of the network may cross; sorted for each sample they do not, which never raises the pinball loss
        (Chernozhukov, Fernandez-Val & Galichon 2010).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples, n_quantiles)
            In the order of `quantile`, in the precision of X.
        """
        raw = self._raw_outputs(X)
        return self._target.all_quantiles(raw)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self.loss != "quantile"
        return tags
