"""Rosenblatt's perceptron: a layer of threshold units, or the same layer with logistic outputs."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar, Literal

from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from ...autodiff.tape import Array
from ...template.kinds import BALANCED_IN_PARTS, ClassifierTargets
from ...template.targets import Target, check_first_partial_fit
from ...template.validation import Samples
from .perceptron_rule import PerceptronRule
from .single_layer import SingleLayer


def _has_probabilities(estimator: PerceptronClassifier) -> bool:
    if estimator.solver == "perceptron":
        raise AttributeError("the perceptron rule estimates no probabilities; use solver='sgd'")
    return True


class PerceptronClassifier(ClassifierTargets, ClassifierMixin, PerceptronRule, SingleLayer):
    """A single layer of threshold units, trained by Rosenblatt's rule, or of logistic ones, trained by its gradient.

    With ``solver="perceptron"`` there is one unit for two classes and otherwise one for each class against the rest.
    A unit learns from a sample (x, t), t = +-1, only if it is wrong about it:

    .. math:: w \\leftarrow w + \\eta\\, s\\, t\\, x, \\quad b \\leftarrow b + \\eta\\, s\\, t
              \\qquad \\text{if } t (w \\cdot x + b) \\le 0

    with learning rate eta and the sample's weight s. For dense X in float64 the weights are those of scikit-learn's
    Perceptron to the last bit; sparse and float32 X give the weights of the same samples in that form. With
    ``solver="sgd"`` the same layer has logistic outputs (softmax for several classes) and minimises the log loss in
    mini-batches; only then are there probabilities.

    Parameters
    ----------
    solver : {"perceptron", "sgd"}, default="perceptron"
        The rule.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    max_iter : int, default=1000
        Most epochs.
    tol : float or None, default=1e-3
        Stop when for `n_iter_no_change` epochs the mean loss was not lower than the best by this much (or the score on
        validation samples not higher); None: go through all epochs.
    shuffle : bool, default=True
        Whether each epoch takes the samples in a new order.
    verbose : int, default=0
        Whether to print the loss of each epoch of "sgd".
    eta0 : float, default=1.0
        The learning rate.
    batch_size : int or "auto", default="auto"
        Samples in a mini-batch of "sgd"; "auto" is min(200, n_samples). Not for the perceptron rule, which has no
        batches.
    n_jobs : int, default=None
        How many units the perceptron rule trains at the same time, as threads.
    random_state : int, RandomState instance or None, default=0
        Determines shuffling and the validation split.
    early_stopping : bool, default=False
        Whether to stop when the score on validation samples no longer improves; "sgd" then keeps the best weights. The
        samples are those given to fit as X_val, or a share set aside.
    validation_fraction : float, default=0.1
        The share of samples set aside, of each class where there are enough of them.
    scoring : str or callable, default="loss"
        The score on validation samples of "sgd", as of :class:`MLPClassifier`. The perceptron rule goes by accuracy on
        samples set aside, and takes neither X_val nor another scoring than the default.
    n_iter_no_change : int, default=5
        Epochs without improvement before stopping.
    class_weight : dict, "balanced" or None, default=None
        Factors on the weights of the samples of each class; partial_fit takes no "balanced".
    warm_start : bool, default=False
        Whether the next call of fit goes on from the fitted weights.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    coef_, intercept_ : ndarray of shape (n_outputs, n_features) and (n_outputs,)
        Weights and intercepts in float64; one row for two classes.
    network_ : Network
        The fitted network.
    n_iter_, t_ : int
        Epochs (of the unit that took most), and 1 plus the samples seen in them.
    loss_curve_ : list of float
        The mean loss of each epoch of "sgd".
    validation_scores_, best_validation_score_, validation_loss_curve_ : list of float, float, list of float
        As of :class:`sknn.MLPClassifier`, for "sgd".
    n_outputs_, n_layers_, out_activation_ : int, int, str
        As of :class:`sknn.MLPClassifier`; the activation is "identity" for the perceptron rule.
    n_features_in_, feature_names_in_ : int, ndarray
        Features seen in fit, and their names if they have string names.

    Raises
    ------
    ValueError
        On bad input, on fewer than two classes, and when the weights overflow.

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

    _parameter_constraints: ClassVar[dict] = {
        **SingleLayer._parameter_constraints,
        "solver": [StrOptions({"perceptron", "sgd"})],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "n_jobs": [None, Integral],
        **ClassifierTargets._class_constraints,
    }

    def __init__(
        self,
        *,
        solver: Literal["perceptron", "sgd"] = "perceptron",
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        eta0: float = 1.0,
        batch_size: int | Literal["auto"] = "auto",
        n_jobs: int | None = None,
        random_state: Any = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: str | Callable = "loss",
        n_iter_no_change: int = 5,
        class_weight: dict | Literal["balanced"] | None = None,
        warm_start: bool = False,
    ) -> None:
        self._keep_parameters(locals())

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
    ) -> PerceptronClassifier:
        """Fit to samples and their classes.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        X_val, y_val : array-like, default=None
            Validation samples, which nothing is learnt from: ``early_stopping=True`` goes by them instead of setting
            samples aside; otherwise score and loss on them are only recorded.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : PerceptronClassifier
        """
        return self._fit(X, y, sample_weight, incremental=False, validation=(X_val, y_val, sample_weight_val))

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> PerceptronClassifier:
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
        if self.class_weight == "balanced":
            raise ValueError(BALANCED_IN_PARTS)
        return self._fit(X, y, sample_weight, incremental=True, target=check_first_partial_fit(self, y, classes))

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

    predict_proba = available_if(_has_probabilities)(ClassifierTargets.predict_proba)
    predict_log_proba = available_if(_has_probabilities)(ClassifierTargets.predict_log_proba)

    def _influential(self, samples: Samples) -> Samples:
        if self.solver == "perceptron":
            return samples  # as in scikit-learn, a row of weight zero moves nothing but counts as an error
        return super()._influential(samples)

    def _class_weights(
        self, target: Target, y: Array, sample_weight: Array | None, incremental: bool
    ) -> Callable[[Array], Array] | None:
        if self.solver == "perceptron":
            return None  # the rule takes them apart from the weights of samples
        return super()._class_weights(target, y, sample_weight, incremental)

    def _check_scoring(self, validation: Samples | None) -> None:
        if self.solver != "perceptron":
            super()._check_scoring(validation)
        elif validation is not None or self.scoring != "loss":
            raise ValueError(
                "solver='perceptron' stops by the accuracy on samples that it sets aside itself, as scikit-learn's; "
                "X_val and scoring need solver='sgd'"
            )

    def _new_target(self, y: Array, sample_weight: Array | None) -> Target:
        if y.ndim > 1:
            raise ValueError(f"y should be a 1d array, got an array of shape {y.shape} instead.")
        return super()._new_target(y, sample_weight)

    def _train(
        self, samples: Samples, target: Target, validation: Samples | None, fresh: bool, incremental: bool
    ) -> None:
        if len(target.classes_) < 2:
            raise ValueError(
                f"The number of classes has to be greater than one; got {len(target.classes_)} class: {target.classes_}"
            )
        if self.solver == "perceptron":
            self._train_rule(samples, target, fresh, incremental)
        else:
            super()._train(samples, target, validation, fresh, incremental)

    def _subtasks(self) -> dict[str, Any]:
        if self.solver == "perceptron":
            return {"max_subtasks": None, "sequential_subtasks": False}  # the units, whose subtasks are epochs
        return super()._subtasks()

    def _batch_size(self, n_samples: int) -> int:
        return min(200 if self.batch_size == "auto" else self.batch_size, n_samples)
