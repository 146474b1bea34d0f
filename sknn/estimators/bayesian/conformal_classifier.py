"""Sets of classes around any classifier, by how little it expected classes of samples it had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing, get_tags, indexable
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from ...autodiff.tape import Array
from ...description import checked_share
from ...template.declaring import Declaring
from ...template.fitted import left_by_fit
from ...template.inputs import checked_weight, checked_y
from ...template.parameters import fitted, parameter
from ...template.scikit_learn import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from ...template.targets import class_target
from . import set_aside
from .class_scores import SCORES, probabilities
from .kth_score import reach, warn_if_too_few, weight_below
from .set_aside import calibration, fitted_aside


class ConformalClassifier(ClassifierMixin, MetaEstimatorMixin, Declaring):
    r"""Sets of classes that hold the true one with a stated probability, around any classifier.

    The classifier is asked about samples that it has not learnt from. How little it expected their true classes are
    the conformity scores :math:`s_i`; the set of a new sample has all classes whose own score is not larger than the
    k-th smallest of them, :math:`k = \lceil c (n + 1) \rceil`. If samples are exchangeable, as independent draws from
    one distribution are, it holds the true class with a probability of at least c, however wrong the probabilities of
    the classifier are ("split"). "cv+" and "jackknife+" compare each score with what its own fold says of the new
    sample; they are sure of 2 c - 1 only, and have about c in practice.

    A set of one class is a decision, one of several says between which it is open. The probability is that over all
    samples together: rare classes may be missed more often than others.

    Raises
    ------
    TypeError
        If `sample_weight` is given, but the estimator takes none.
    ValueError
        If y is no vector of labels, `cv` does not go with `method`, or probabilities are NaN.

    Warns
    -----
    UserWarning
        In :meth:`predict_set`, if there are too few scores for the confidence, so that sets have all classes.

    See Also
    --------
    ConformalRegressor : Intervals of numbers.
    sklearn.calibration.CalibratedClassifierCV : Probabilities that are nearer to frequencies.

    References
    ----------
    Vovk, Gammerman, Shafer (2005). Algorithmic Learning in a Random World. Springer.

    Sadinle, Lei, Wasserman (2019). Least ambiguous set-valued classifiers with bounded error levels. JASA 114.
    arXiv:1609.00451.

    Romano, Sesia, Candès (2020). Classification with valid and adaptive coverage. NeurIPS. arXiv:2006.02544.

    Barber, Candès, Ramdas, Tibshirani (2021). Predictive inference with the jackknife+. Annals of Statistics 49.
    arXiv:1905.02928.

    Tibshirani, Barber, Candès, Ramdas (2019). Conformal prediction under covariate shift. NeurIPS. arXiv:1904.06019.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sknn import ConformalClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = ConformalClassifier(GaussianNB(), random_state=0).fit(X, y)
    >>> between = [[5.0, 3.4, 1.5, 0.2], [6.0, 2.8, 4.9, 1.7]]
    >>> classifier.predict_set(between, confidence=0.98)
    array([[ True, False, False],
           [False,  True,  True]])
    """

    estimator: BaseEstimator | None = parameter(
        default=None,
        allowed=[HasMethods(["fit", "predict_proba"]), None],
        text="A classifier of sknn or scikit-learn with ``predict_proba``, a pipeline or a search that ends in one, or "
        "a ``FrozenEstimator`` around one that is fitted. :meth:`fit` trains clones of it. None: ``MLPClassifier()``.",
        kw_only=False,
    )
    method: Literal["cv+", "split", "jackknife+"] = set_aside.METHOD
    cv: int | float | Sequence | Any = set_aside.CV
    confidence: float = set_aside.CONFIDENCE
    conformity: Literal["lac", "aps"] = parameter(
        default="lac",
        text='The score of a class. "lac": 1 - its probability; the smallest sets on average, some of which may be '
        'empty. "aps": the probability of all classes that are more probable; larger sets where a sample is hard and '
        "smaller ones where it is easy, and the most probable class is in all of them.",
    )
    n_jobs: int | None = set_aside.N_JOBS
    random_state: int | np.random.RandomState | None = set_aside.RANDOM_STATE

    classes_: Array = fitted("The labels, sorted.", shape="(n_classes,)")
    estimator_: BaseEstimator = fitted(
        'What predicts: fitted to all samples, or to those that were not set aside by "split".'
    )
    estimators_: list[BaseEstimator] = fitted("The estimator of each fold.")
    conformity_scores_: Array = fitted(
        "The score of the true class of each sample that was set aside, in the order of the samples; without those "
        "that no fold has set aside, or that weigh nothing.",
        shape="(n_scores,)",
    )
    _score: str = fitted("What the scores are.")
    _fold: Array = fitted("Which of the estimators each score is one of.")
    _weight: Array | None = fitted("How much each score counts.")

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Fit the estimators, and score them on what they have not seen.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each counts, in the fits of the estimator (of a pipeline, of its last step) and again among the
            scores: a class is in a set as long as the scores below its own weigh less than a share `confidence` of
            all, the new sample included, which weighs as much as they do on average. None: each alike.
        groups : array-like of shape (n_samples,), default=None
            Groups of samples that are set aside together.

        Returns
        -------
        self : ConformalClassifier
        """
        y = checked_y(self, y, numeric=False)
        if y.ndim > 1:
            raise ValueError(f"y has shape {y.shape}, but ConformalClassifier takes one label for each sample")
        X, y, groups = indexable(X, y, groups)
        weight = checked_weight(sample_weight, X, allow_all_zero=False)
        classes = class_target(y).attributes["classes_"]
        folds, members, final = fitted_aside(self, self._unfitted(), X, y, weight, groups)
        classes = np.unique(np.concatenate([classes, *(each.classes_ for each in members)]))

        def score(k: int, aside: Array) -> Array:
            of_classes = SCORES[self.conformity](probabilities(members[k], _safe_indexing(X, aside), classes))
            return of_classes[np.arange(len(aside)), np.searchsorted(classes, y[aside])]

        scores = calibration(folds, y.shape, weight, score)
        self.classes_, self.estimator_, self.estimators_ = classes, final, members
        self.conformity_scores_, self._fold, self._weight = scores
        self._score = self.conformity
        return self

    def predict(self, X: Any) -> Array:
        """The most probable class of each sample, as the estimator says.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        estimator: Any = self.estimator_
        return estimator.predict(X)

    def predict_proba(self, X: Any) -> Array:
        """The probabilities of classes, as the estimator says; nothing of it is calibrated.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        check_is_fitted(self)
        return probabilities(self.estimator_, X, self.classes_)

    def predict_set(self, X: Any, confidence: float | None = None) -> Array:
        """Sets of classes that hold the true one with a probability.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        confidence : float, default=None
            The probability; None: that of the parameter. It may be any other, and nothing is fitted anew.

        Returns
        -------
        inside : ndarray of bool of shape (n_samples, n_classes)
            Whether each class is in the set of a sample, in the order of `classes_`; all are, with a warning, if there
            are too few scores for the confidence.

        Raises
        ------
        ValueError
            If `confidence` does not lie between 0 and 1.
        """
        check_is_fitted(self)
        level = checked_share("confidence", self.confidence if confidence is None else confidence)
        n, weight = len(self.conformity_scores_), self._weight
        warn_if_too_few(level, n, weight)
        below: Any = 0
        for k, estimator in enumerate(self.estimators_):
            of_fold = self._fold == k
            of_classes = SCORES[self._score](probabilities(estimator, X, self.classes_))
            part = None if weight is None else weight[of_fold]
            below = below + weight_below(self.conformity_scores_[of_fold], of_classes, part)
        return below < reach(level, n, weight)

    def _unfitted(self) -> Any:
        if self.estimator is not None:
            return self.estimator
        from ... import MLPClassifier

        return MLPClassifier()

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
        tags.input_tags = get_tags(self._unfitted()).input_tags
        return tags
