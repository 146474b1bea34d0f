"""Classification that says how sure it is."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.utils.validation import check_consistent_length

from ...autodiff.tape import Array
from ...posteriors import class_uncertainty
from ...template.inputs import checked_y
from ...template.parameters import fitted
from ...template.scikit_learn import ClassifierMixin
from .bayesian import Bayesian, check_kind, default_network


class BayesianClassifier(ClassifierMixin, Bayesian):
    r"""A network that says how sure it is of a class: because data are missing, or because classes overlap.

    Probabilities are means over the networks that agree with the data,

    .. math:: p(y \mid x, D) = \int p(y \mid x, \theta)\, p(\theta \mid D)\, d\theta.

    Raises
    ------
    ValueError
        If the network is no classifier with probabilities, if y is no vector of labels, or if a posterior does not suit
        the network.

    See Also
    --------
    ConformalClassifier : Sets of classes around any classifier.
    OutlierDetector : For samples that are of no class: this one is for those that lie between classes.
    sklearn.calibration.CalibratedClassifierCV : Calibrates the probabilities of any classifier.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import BayesianClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = BayesianClassifier(random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    >>> of_training, far_away = model.uncertainty([X[0], [9.0, 9.0, 1.0, 9.0]])
    >>> bool(far_away > of_training)
    True
    """

    classes_: Array = fitted("The labels, sorted.", shape="(n_classes,)")

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Find the networks that agree with the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or what else the network takes
            Samples.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights: a sample of weight two counts as two. None: all are one.

        Returns
        -------
        self : BayesianClassifier
        """
        y = checked_y(self, y, numeric=False)
        if y.ndim > 1:
            raise ValueError(f"y has shape {y.shape}, but BayesianClassifier takes one label for each sample")
        network = self._new_network(X)
        if not hasattr(network, "predict_proba"):
            raise ValueError(f"network={network!r} must be a classifier with predict_proba")
        self._learn(network, X, y, sample_weight, None)
        self.classes_ = self.network_._target.classes_
        return self

    def predict(self, X: Any) -> Array:
        """The most probable class of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        most_probable = self.predict_proba(X).argmax(axis=1)
        return self.classes_[most_probable]

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        found: Array = self._each(X).mean(axis=0)
        return found

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_probability : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return np.log(self.predict_proba(X))

    def score_samples(self, X: Any, y: Any = None) -> Array:
        """The log-probability of the class of each sample, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,), default=None
            Their labels. None: those that are to be expected, over which it is averaged; this is how sure the model is
            of the class, the negative entropy.

        Returns
        -------
        log_probability : ndarray of shape (n_samples,)
            -inf for labels that the fit has not seen.
        """
        if y is None:
            return -self.uncertainty(X, "total")
        log_probability = self.predict_log_proba(X)
        y = checked_y(self, y, numeric=False)
        check_consistent_length(log_probability, y)
        known = np.isin(y, self.classes_)
        place = np.searchsorted(self.classes_, np.where(known, y, self.classes_[0]))
        return np.where(known, log_probability[np.arange(len(y)), place], -np.inf)

    def uncertainty(self, X: Any, kind: Literal["epistemic", "noise", "total"] = "epistemic") -> Array:
        """How unsure the model is of the class of each sample, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        kind : {"epistemic", "noise", "total"}, default="epistemic"
            The mutual information of class and weights, which more data would take away; the mean entropy of what the
            networks say, where classes overlap; or the entropy of their mean, the sum of both.

        Returns
        -------
        uncertainty : ndarray of shape (n_samples,)

        Raises
        ------
        ValueError
            If `kind` is another.
        """
        check_kind(kind)
        return class_uncertainty(self._each(X), kind)

    def predict_draws(self, X: Any) -> Array:
        """What each of `n_draws` networks (each member of an ensemble) says of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probability : ndarray of shape (n_draws, n_samples, n_classes)
            The same networks in every call.
        """
        learnt = self._fitted_posterior()
        return self._probabilities(learnt.members(X, int(self.n_draws)))

    def _each(self, X: Any) -> Array:
        """What each network says, of those that stand for all: (n, n_samples, n_classes)."""
        return self._probabilities(self._fitted_posterior().outputs(X).points())

    def _probabilities(self, raw: Array) -> Array:
        n_draws, n, n_outputs = raw.shape
        found: Array = self.network_._target.proba(raw.reshape(-1, n_outputs))
        return found.reshape(n_draws, n, -1)

    def _new_network(self, X: Any) -> Any:
        if self.network is not None:
            return clone(self.network)
        from ... import MLPClassifier

        return default_network(MLPClassifier, X, self._meant("posterior", self.posterior))
