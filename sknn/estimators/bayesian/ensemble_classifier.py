"""Several networks, or other classifiers, that answer together: the mean of their probabilities, a vote, or a stack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ...autodiff.tape import Array
from ...posteriors import class_uncertainty, mean_of_draws
from ...template.inputs import checked_y
from ...template.listed import listed
from ...template.parameters import fitted, parameter
from ...template.scikit_learn import ClassifierMixin
from ...template.targets import class_target
from .bayesian import check_kind
from .committee import Committee
from .disagreement import in_columns
from .members import given


def _members_know_probabilities(ensemble: Any) -> bool:
    for member in ensemble._known_members():
        if not hasattr(member, "predict_proba"):
            raise AttributeError(f"{type(member).__name__}, a member, has no predict_proba")
    return True


def _knows_probabilities(ensemble: Any) -> bool:
    if ensemble.method == "vote":
        raise AttributeError("method='vote' counts labels, and shares of votes are no probabilities: take 'mean'")
    if ensemble.method == "stacking":
        return _final_has("predict_proba", ensemble)
    return _members_know_probabilities(ensemble)


def _final_decides(ensemble: Any) -> bool:
    return ensemble.method == "stacking" and _final_has("decision_function", ensemble)


def _final_has(method: str, ensemble: Any) -> bool:
    getattr(ensemble._known_final(), method)  # whose AttributeError tells why
    return True


class EnsembleClassifier(ClassifierMixin, Committee):
    r"""Lets several classifiers answer together: one network many times, or a list of different ones.

    Each member is fitted by itself, and the mean of their probabilities is taken,

    .. math:: p(k \mid x) = \frac{1}{M} \sum_m p_m(k \mid x),

    whose log loss is never above that of members on average. Where members are sure, but not of the same, more data
    would tell which is right: :meth:`uncertainty` is the mutual information of class and member, in nats.

    Networks of one shape take their steps side by side, in much less time than in turn, and with the same bits, each
    with its own early stopping. Members may be any estimator, in scikit-learn's pipelines too, and X whatever they
    take: images, lists of series. Members in a pipeline are fitted in turn, so ``input_scaling="standard"`` of a
    network is the quicker scaler.

    Raises
    ------
    TypeError
        If `sample_weight` is given, but a member takes none.
    ValueError
        If `estimator` is no classifier and no list of such, y is no vector of labels, `weights` are not one for each
        member, or an option does not go with `method`; and where members raise it. The estimator is then as it was
        before.

    See Also
    --------
    EnsembleRegressor : The same for numbers.
    sklearn.ensemble.VotingClassifier : Different members together, without side by side.
    sklearn.ensemble.RandomForestClassifier : An ensemble already, and on tables often the better one.

    References
    ----------
    Hansen, Salamon (1990). Neural network ensembles. IEEE Transactions on Pattern Analysis and Machine Intelligence 12.

    Lakshminarayanan, Pritzel, Blundell (2017). Simple and scalable predictive uncertainty estimation using deep
    ensembles. NeurIPS 30.

    Wolpert (1992). Stacked generalization. Neural Networks 5.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sknn import EnsembleClassifier, MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier(20, input_scaling="standard", learning_rate_init=0.02, tol=0.001)
    >>> ensemble = EnsembleClassifier(network, random_state=0).fit(X, y)
    >>> ensemble.predict_draws(X).shape
    (5, 150, 3)
    >>> both = [("network", network), ("forest", RandomForestClassifier())]
    >>> stack = EnsembleClassifier(both, method="stacking", random_state=0).fit(X, y)
    >>> stack.score(X, y) > 0.95
    True
    """

    method: Literal["mean", "vote", "stacking"] = parameter(
        default="mean",
        text='What is made of members\' answers: the "mean" of their probabilities; "vote", the label that most '
        'predict (of several the first in `classes_`); or "stacking", what `final_estimator` has learnt to make of '
        "them, from answers to samples that members had not seen in training: probabilities (of two classes that of "
        "the second), otherwise what their ``decision_function`` gives, or the number of the class.",
    )

    classes_: Array = fitted("The labels, sorted.", shape="(n_classes,)")

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Fit the members, and with "stacking" the final estimator.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples, as the members take them.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each sample counts, for members and the final estimator; None: each alike.
        groups : array-like of shape (n_samples,), default=None
            Groups of samples, for the splitter in `cv`, and that in `validation_fraction` of networks.

        Returns
        -------
        self : EnsembleClassifier
        """
        y = checked_y(self, y, numeric=False)
        if y.ndim > 1:
            raise ValueError(f"y has shape {y.shape}, but EnsembleClassifier takes one label for each sample")
        data = given(X, y, sample_weight, groups)
        classes = class_target(data.y).attributes["classes_"]
        _check_labels(listed("estimator", self._given_or_default()).values(), classes)
        return self._learn(data, lambda members, X: _answers(members, X, classes), classes_=classes)

    def predict(self, X: Any) -> Array:
        """The most probable classes; with "vote" those that most members predict.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        if self.method == "stacking":
            return self.final_estimator_.predict(self.transform(X))
        if self.method == "mean":
            return self.classes_[self.predict_proba(X).argmax(axis=1)]
        votes = _numbers(self.estimators_, X, self.classes_)[..., None] == np.arange(len(self.classes_))
        return self.classes_[np.average(votes, axis=0, weights=self._weights).argmax(axis=1)]

    @available_if(_knows_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """The mean of members' probabilities, or those of the final estimator; with "vote" there are none.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        check_is_fitted(self)
        if self.method == "stacking":
            return self.final_estimator_.predict_proba(self.transform(X))
        return mean_of_draws(self.predict_draws(X), self._weights)

    @available_if(_knows_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the probabilities.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        log_probability : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @available_if(_final_decides)
    def decision_function(self, X: Any) -> Array:
        """What the final estimator of a stack decides by.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        check_is_fitted(self)
        return self.final_estimator_.decision_function(self.transform(X))

    @available_if(_knows_probabilities)
    def score_samples(self, X: Any, y: Any = None) -> Array:
        """The log-probability of the label of each sample, in nats; its mean is minus the log loss.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.
        y : array-like of shape (n_samples,), default=None
            Their labels. None: those that are to be expected, over which it is averaged; this is how sure the ensemble
            is of the class, the negative entropy.

        Returns
        -------
        log_probability : ndarray of shape (n_samples,)
            -inf for labels that the fit has not seen.
        """
        if y is None:
            return -class_uncertainty(self.predict_proba(X)[None], "total")
        log_probability, y = self.predict_log_proba(X), checked_y(self, y, numeric=False)
        check_consistent_length(log_probability, y)
        return np.where(y[:, None] == self.classes_, log_probability, -np.inf).max(axis=1)

    @available_if(_members_know_probabilities)
    def predict_draws(self, X: Any) -> Array:
        """The probabilities of each member.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        draws : ndarray of shape (n_members, n_samples, n_classes)
        """
        check_is_fitted(self)
        return np.stack([_probabilities(member, X, self.classes_) for member in self.estimators_])

    @available_if(_members_know_probabilities)
    def uncertainty(self, X: Any, kind: Literal["epistemic", "noise", "total"] = "epistemic") -> Array:
        """How unsure members are, together or each by itself.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.
        kind : {"epistemic", "noise", "total"}, default="epistemic"
            "total" is the entropy of the mean of members' probabilities, "noise" the mean of their entropies, which
            more data would not remove, "epistemic" the difference: the mutual information of class and member, 0 where
            all say the same.

        Returns
        -------
        nats : ndarray of shape (n_samples,)
        """
        check_kind(kind)
        return class_uncertainty(self.predict_draws(X), kind, self._weights)

    def transform(self, X: Any) -> Array:
        """What members say, as features of another model: with "stacking" those of the final estimator.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        features : ndarray of shape (n_samples, n_columns)
            With "mean" the probabilities of each member, with "vote" the number of the class that each predicts.
        """
        check_is_fitted(self)
        if self.method == "stacking":
            return _answers(self.estimators_, X, self.classes_)
        return in_columns(
            self.predict_draws(X) if self.method == "mean" else _numbers(self.estimators_, X, self.classes_)
        )

    def _columns(self) -> list[int]:
        n_classes = len(self.classes_)
        alone = self.method == "vote" or (self.method == "stacking" and n_classes == 2)
        return [1 if alone or _answer(member) == "predict" else n_classes for member in self.estimators_]

    def _default(self) -> Any:
        from ... import MLPClassifier

        return MLPClassifier(input_scaling="standard")

    def _default_final(self) -> Any:
        return LogisticRegression()

    def _check(self, name: str, estimator: Any) -> None:
        if not is_classifier(estimator):
            raise ValueError(
                f"{name}={estimator!r} is no classifier of samples; for numbers there is EnsembleRegressor"
            )
        if self.method == "mean" and not hasattr(estimator, "predict_proba"):
            raise ValueError(
                f"{name}={estimator!r} has no predict_proba, of which method='mean' is the mean: take 'vote' or "
                "'stacking', or put it into CalibratedClassifierCV"
            )


ANSWERS = ("predict_proba", "decision_function", "predict")  # of which the first that it has is an answer to stack


def _answer(member: Any) -> str:
    return next(name for name in ANSWERS if hasattr(member, name))


def _answers(members: Sequence[Any], X: Any, classes: Array) -> Array:
    """What a final estimator learns from."""
    return np.hstack([_answer_of(member, X, classes) for member in members])


def _answer_of(member: Any, X: Any, classes: Array) -> Array:
    """The columns of one member, (n, n_columns)."""
    method = _answer(member)
    if method == "predict_proba":
        return _probabilities(member, X, classes)[:, int(len(classes) == 2) :]
    if method == "predict":
        return _numbers([member], X, classes).T
    if len(member.classes_) < len(classes):
        raise ValueError(
            f"{type(member).__name__} was fitted to samples without the class(es) "
            f"{np.setdiff1d(classes, member.classes_).tolist()}, for which its decision_function has nothing to say: "
            "take fewer folds, or an estimator that has predict_proba"
        )
    return member.decision_function(X).reshape(-1, 1 if len(classes) == 2 else len(classes))


def _probabilities(member: Any, X: Any, classes: Array) -> Array:
    """Those of all classes: 0 for one that the samples of a member lacked."""
    told = member.predict_proba(X)
    if len(member.classes_) == len(classes):
        return told
    probability = np.zeros((len(told), len(classes)), told.dtype)
    probability[:, np.searchsorted(classes, member.classes_)] = told
    return probability


def _numbers(members: Sequence[Any], X: Any, classes: Array) -> Array:
    """The number of the class that each member predicts, (n_members, n)."""
    return np.stack([np.searchsorted(classes, member.predict(X)) for member in members])


def _check_labels(members: Iterable[Any], classes: Array) -> None:
    """Raise ValueError if members that come fitted know labels that y has not."""
    for member in members:
        if isinstance(member, FrozenEstimator) and not np.isin(member.classes_, classes).all():
            raise ValueError(f"{member!r} knows the labels {member.classes_.tolist()}, but y has {classes.tolist()}")
