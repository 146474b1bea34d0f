"""Outliers by any density: what it thinks least of."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing, get_tags, indexable
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from ...autodiff.tape import Array
from ...template.declaring import Declaring
from ...template.fitted import left_by_fit
from ...template.inputs import checked_weight
from ...template.parameters import fitted, parameter
from ...template.scikit_learn import BaseEstimator, MetaEstimatorMixin, OutlierMixin
from .fitted_density import fitted_density

AUTO = 0.05  # the share of the training samples that counts as outliers where nothing is known of it


class OutlierDetector(MetaEstimatorMixin, OutlierMixin, Declaring):
    """Finds outliers with any estimator that has ``score_samples``: samples whose score is too low.

    Scores are those of the estimator, log-densities or minus the error of a reconstruction. The offset lies where a
    share `contamination` of the training samples is below. With signs as scikit-learn's detectors have them, a sample
    is an outlier, -1, where ``score_samples(X) - offset_`` is negative.

    The share is a choice, and not found in the data: training samples without any outlier have theirs, too.

    Raises
    ------
    TypeError
        If `sample_weight` is given, but the estimator takes none.
    ValueError
        If more of the training samples than `contamination` have a score of -inf, or some have NaN; or if the
        estimator is a density under a condition (``conditional=True``).

    See Also
    --------
    sklearn.ensemble.IsolationForest : A baseline that is quick, needs no scaling, and is often enough.
    DensityClassifier : Classes by a density of each.

    References
    ----------
    Bishop (1994). Novelty detection and neural network validation. IEE Proceedings - Vision, Image and Signal
    Processing 141.

    Liu, Ting, Zhou (2008). Isolation forest. ICDM.

    Nalisnick, Matsukawa, Teh, Gorur, Lakshminarayanan (2019). Do deep generative models know what they don't know?
    ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> from sknn import OutlierDetector
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> detector = OutlierDetector(KernelDensity(), contamination=0.01).fit(X)
    >>> detector.predict([[0.0, 0.0], [9.0, 0.0]])
    array([ 1, -1])
    >>> int((detector.predict(X) == -1).sum())
    2
    """

    estimator: BaseEstimator | None = parameter(
        default=None,
        allowed=[HasMethods(["fit", "score_samples"]), None],
        text="What gives each sample a score, the lower the less probable: a density of sknn or scikit-learn, an "
        "autoencoder, a pipeline that ends in one. :meth:`fit` trains a clone of it. None: ``NormalizingFlow()``.",
        kw_only=False,
    )
    contamination: float | Literal["auto"] = parameter(
        default="auto",
        interval="(0, 0.5]",
        text='The share of the training samples that counts as outliers. "auto": 0.05.',
    )

    estimator_: BaseEstimator = fitted("The fitted estimator.")
    offset_: float = fitted("The score below which a sample is an outlier.")

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the estimator, and find the offset.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each counts, for the estimator and for the share of outliers; None: each alike.

        Returns
        -------
        self : OutlierDetector
        """
        weight = None
        if sample_weight is not None:
            X, weight = _that_count(X, sample_weight)
        estimator = fitted_density(self.estimator, X, weight)
        scores = np.asarray(estimator.score_samples(X), np.float64)
        share = AUTO if self.contamination == "auto" else self.contamination
        offset = _offset(scores, np.ones(len(scores)) if weight is None else weight, share)
        self.estimator_, self.offset_ = estimator, offset
        return self

    def score_samples(self, X: Any) -> Array:
        """What the estimator thinks of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The lower, the more abnormal; of densities their logarithms, in nats.
        """
        check_is_fitted(self)
        estimator: Any = self.estimator_
        return estimator.score_samples(X)

    def decision_function(self, X: Any) -> Array:
        """How far the score of each sample lies above the offset.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> Array:
        """Whether samples are outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.

        Returns
        -------
        labels : ndarray of int of shape (n_samples,)
            -1 for outliers, those without a score (NaN) among them, 1 for all others.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    @property
    def n_features_in_(self) -> int:
        """The number of features seen in fit."""
        return left_by_fit(self, "estimator_").n_features_in_

    @property
    def feature_names_in_(self) -> Array:
        """The names of the features seen in fit, if they have string names."""
        return left_by_fit(self, "estimator_").feature_names_in_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self.estimator is not None:
            tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def _that_count(X: Any, sample_weight: Any) -> tuple[Any, Array]:
    """Samples whose weight is above 0, which some densities cannot take, and their weights."""
    (X,) = indexable(X)
    weight: Any = checked_weight(sample_weight, X, allow_all_zero=False)
    rows = np.flatnonzero(weight)
    return (X, weight) if len(rows) == len(weight) else (_safe_indexing(X, rows), weight[rows])


def _offset(scores: Array, weight: Array, share: float) -> float:
    """The quantile of training scores; half way between two where the share ends between them.

    A sample of weight two counts as two samples do.
    """
    if np.isnan(scores).any():
        raise ValueError(f"score_samples of the estimator gave NaN for {np.isnan(scores).sum()} training samples")
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weight[order])
    wanted, rounding = share * reached[-1], 1e-9 * reached[-1]
    below = scores[order[np.searchsorted(reached, wanted - rounding, side="left")]]
    kept = scores[order[np.searchsorted(reached, wanted + rounding, side="right")]]
    if np.isneginf(kept):
        raise ValueError(
            f"score_samples of the estimator gave -inf for more training samples than contamination={share:g}, so that "
            "no offset can tell them apart: a smoother density would have a finite one there"
        )
    return float(kept if np.isneginf(below) else (below + kept) / 2)
