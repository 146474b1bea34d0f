"""Classes by a density of each, and Bayes' rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from scipy.special import logsumexp
from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing, get_tags, indexable
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import _num_samples, check_is_fitted

from ...autodiff.tape import Array
from ...template.declaring import Declaring
from ...template.fitted import left_by_fit
from ...template.inputs import checked_weight, checked_y
from ...template.parameters import fitted, parameter
from ...template.scikit_learn import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from ...template.targets import class_target
from .fitted_density import fitted_density


class DensityClassifier(ClassifierMixin, MetaEstimatorMixin, Declaring):
    r"""Classifies with one density for each class, by Bayes' rule.

    .. math:: p(k \mid x) = \frac{\pi_k \, p_k(x)}{\sum_j \pi_j \, p_j(x)},

    where :math:`p_k` is the density that a clone of the estimator has learnt from the samples of class :math:`k`, and
    :math:`\pi_k` the prior probability of the class. Gaussians make it quadratic discriminant analysis.

    A classifier that learns the border alone has less to learn and is usually more accurate; this one also knows how
    probable a sample is at all, and its densities draw samples of each class where they can.

    Raises
    ------
    TypeError
        If `sample_weight` is given, but the estimator takes none.
    ValueError
        If `priors` are not one number for each class, none below 0, with a sum of 1; if y is no vector of labels; or if
        the density cannot be fitted to a class.

    See Also
    --------
    sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis : With Gaussians.
    sklearn.naive_bayes.GaussianNB : With Gaussians of independent features, hard to beat on few rows.
    OutlierDetector : Samples that no density expects.

    References
    ----------
    Bishop (2006). Pattern Recognition and Machine Learning, section 4.2. Springer.

    Ng, Jordan (2001). On discriminative vs. generative classifiers: a comparison of logistic regression and naive
    Bayes. NeurIPS 14.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neighbors import KernelDensity
    >>> from sknn import DensityClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = DensityClassifier(KernelDensity(bandwidth=0.4)).fit(X, y)
    >>> classifier.score(X, y) > 0.95
    True
    >>> len(classifier.densities_)
    3
    """

    estimator: BaseEstimator | None = parameter(
        default=None,
        allowed=[HasMethods(["fit", "score_samples"]), None],
        text="A density, whose ``score_samples`` are log-densities in nats; a pipeline that ends in one, too. "
        ":meth:`fit` trains a clone for each class. None: ``NormalizingFlow()``.",
        kw_only=False,
    )
    priors: Sequence[float] | None = parameter(
        default=None,
        text="The prior probability of each class, in the order of `classes_`. None: their shares of the training "
        "samples.",
    )

    classes_: Array = fitted("The labels, sorted.", shape="(n_classes,)")
    densities_: list[BaseEstimator] = fitted("The fitted density of each class.")
    class_prior_: Array = fitted("The prior probability of each class.", shape="(n_classes,)")

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit a density to the samples of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the density takes them.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each counts, for its density and for the priors; None: each alike.

        Returns
        -------
        self : DensityClassifier
        """
        y = checked_y(self, y, numeric=False)
        if y.ndim > 1:
            raise ValueError(f"y has shape {y.shape}, but DensityClassifier takes one label for each sample")
        X, y = indexable(X, y)
        weight = checked_weight(sample_weight, X, allow_all_zero=False)
        counts = np.ones(len(y)) if weight is None else weight
        classes = class_target(y[counts > 0]).attributes["classes_"]
        rows = [np.flatnonzero((y == label) & (counts > 0)) for label in classes]
        total = np.array([counts[each].sum() for each in rows])
        prior = self._priors(len(classes)) if self.priors is not None else total / total.sum()
        densities = [
            self._density(label, _safe_indexing(X, each), None if weight is None else weight[each])
            for label, each in zip(classes, rows, strict=True)
        ]
        self.classes_, self.densities_, self.class_prior_ = classes, densities, prior
        return self

    def score_samples(self, X: Any) -> Array:
        """The log-density of each sample, whatever its class: that of the mixture of all classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the density takes them.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            In nats.
        """
        return logsumexp(self._joint(X), axis=1)

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the probabilities of classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the density takes them.

        Returns
        -------
        log_probability : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`. Those of the priors where no class has a density above 0, so that a sample says
            nothing.
        """
        joint = self._joint(X)
        says_nothing = np.isneginf(joint).all(axis=1)
        with np.errstate(divide="ignore"):
            joint[says_nothing] = np.log(self.class_prior_)
        return joint - logsumexp(joint, axis=1, keepdims=True)

    def predict_proba(self, X: Any) -> Array:
        """The probabilities of classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the density takes them.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: Any) -> Array:
        """The most probable class of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the density takes them.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        return self.classes_[self.predict_log_proba(X).argmax(axis=1)]

    def _joint(self, X: Any) -> Array:
        """Log-densities of samples and class, (n_samples, n_classes)."""
        check_is_fitted(self)
        densities: list[Any] = self.densities_
        of_classes = [np.asarray(density.score_samples(X), np.float64) for density in densities]
        with np.errstate(divide="ignore"):
            return np.stack(of_classes, axis=1) + np.log(self.class_prior_)

    def _density(self, label: Any, X: Any, weight: Array | None) -> Any:
        try:
            return fitted_density(self.estimator, X, weight)
        except ValueError as error:
            samples = f"{_num_samples(X):,} sample(s)"
            raise ValueError(f"the density of class {label!s}, of {samples}, could not be fitted: {error}") from error

    def _priors(self, n_classes: int) -> Array:
        priors = np.asarray(self.priors, np.float64)
        if priors.shape != (n_classes,) or (priors < 0).any() or not np.isclose(priors.sum(), 1):
            raise ValueError(
                f"priors={self.priors!r} must be {n_classes} probabilities with a sum of 1, one for each class"
            )
        return priors

    @property
    def n_features_in_(self) -> int:
        """The number of features seen in fit."""
        return left_by_fit(self, "densities_")[0].n_features_in_

    @property
    def feature_names_in_(self) -> Array:
        """The names of the features seen in fit, if they have string names."""
        return left_by_fit(self, "densities_")[0].feature_names_in_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self.estimator is not None:
            tags.input_tags = get_tags(self.estimator).input_tags
        return tags
