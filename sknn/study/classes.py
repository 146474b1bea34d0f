"""All classes of a data set, also for models whose training rows lack some: each has a probability of every class."""

from typing import Any, Self

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import has_fit_parameter


def fit_to_classes(estimator: Any, X: Any, y: np.ndarray, classes: np.ndarray | None) -> Any:
    """Fit a model that will have a probability for each class, though y may lack some.

    A network of sknn, also at the end of a pipeline or in a search, is told of them by its ``fit(classes=...)``; any
    other classifier is put into `AllClasses`. Where y lacks none, ``fit(X, y)`` is all there is to do.

    Parameters
    ----------
    estimator : scikit-learn estimator
        To be fitted.
    X : array-like
        The training rows.
    y : ndarray of shape (n_samples,)
        Their labels or numbers.
    classes : ndarray of shape (n_classes,) or None
        All classes, sorted; None: y are numbers.

    Returns
    -------
    estimator
        Fitted; its ``classes_`` are all of them.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> model = fit_to_classes(DummyClassifier(), [[0], [1]], np.array(["a", "c"]), np.array(["a", "b", "c"]))
    >>> model.predict_proba([[0]])
    array([[0.5, 0. , 0.5]])
    """
    if classes is None or len(np.unique(y)) == len(classes):
        return estimator.fit(X, y)
    told = _told(estimator, classes)
    if not told:
        return AllClasses(estimator, classes).fit(X, y)
    with config_context(enable_metadata_routing=False):  # with it, pipelines and searches ask for requests first
        return estimator.fit(X, y, **told)


def _told(estimator: Any, classes: np.ndarray) -> dict[str, np.ndarray]:
    """What to give to ``fit`` so that it comes to the network, or nothing if there is none that takes it."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        return {f"{name}__{key}": value for key, value in _told(last, classes).items()}
    if isinstance(estimator, BaseSearchCV):
        return _told(estimator.estimator, classes)
    return {"classes": classes} if has_fit_parameter(estimator, "classes") else {}


class AllClasses(ClassifierMixin, BaseEstimator):
    """A classifier with a probability for each class of a data set: 0 for those that its training rows lack.

    Parameters
    ----------
    estimator : scikit-learn classifier
        A copy of it is fitted.
    classes : array-like of shape (n_classes,)
        All classes, sorted.

    Attributes
    ----------
    classifier_ : estimator
        The fitted copy.
    classes_ : ndarray of shape (n_classes,)
        All classes.
    """

    def __init__(self, estimator: Any, classes: Any) -> None:
        self.estimator = estimator
        self.classes = classes

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.
        y : array-like of shape (n_samples,)
            Their labels.

        Returns
        -------
        AllClasses
            Itself.
        """
        self.classes_ = np.asarray(self.classes)
        self.classifier_ = clone(self.estimator).fit(X, y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict one of the classes of the training rows for each sample."""
        return self.classifier_.predict(X)

    @available_if(lambda self: hasattr(self.classifier_, "predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probability of every class, shape (n_samples, n_classes)."""
        return self._laid_out(self.classifier_.predict_proba(X), 0.0)

    @available_if(lambda self: hasattr(self.classifier_, "predict_log_proba"))
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Predict the log probability of every class, shape (n_samples, n_classes)."""
        return self._laid_out(self.classifier_.predict_log_proba(X), -np.inf)

    def _laid_out(self, values: Any, elsewhere: float) -> np.ndarray:
        values = np.asarray(values)
        columns = np.full((len(values), len(self.classes_)), elsewhere, values.dtype)
        columns[:, np.searchsorted(self.classes_, self.classifier_.classes_)] = values
        return columns
