"""Several networks, or other regressors, that answer together: their mean, or what a final one makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context, is_regressor
from sklearn.linear_model import RidgeCV
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from ...autodiff.tape import Array
from ...template.declaring import Declaring
from ...template.fitted import left_by_fit
from ...template.inputs import given as checked_given
from ...template.parameters import fitted, parameter
from ...template.scikit_learn import BaseEstimator, MetaEstimatorMixin, RegressorMixin, TransformerMixin
from .disagreement import in_columns, mean, spread
from .members import (
    ALLOWED,
    BOOTSTRAP,
    CV,
    N_JOBS,
    N_MEMBERS,
    RANDOM_STATE,
    WEIGHTS,
    check_weights,
    feature_names,
    fit_members,
    given,
    new_members,
    tags_of_members,
)
from .stacking import fitted_final

NO_NOISE = (
    "kind={!r} does not apply: members of an EnsembleRegressor say what they expect, and nothing of the noise; "
    'BayesianRegressor(posterior="ensemble") learns the noise too, and ConformalRegressor gives intervals around any '
    "regressor"
)


class EnsembleRegressor(RegressorMixin, TransformerMixin, MetaEstimatorMixin, Declaring):
    r"""Averages or stacks several regressors: one network many times, or a list of different ones.

    Each member is fitted by itself. Their mean has a smaller error than members have on average, by the variance among
    them,

    .. math:: (y - \bar f)^2 = \frac{1}{M} \sum_m (y - f_m)^2 - \frac{1}{M} \sum_m (f_m - \bar f)^2,

    and where they differ, more data would tell which is right: :meth:`uncertainty`. Networks that begin with other
    weights end as other functions; members that all learn the same, as a ridge regression does, are no ensemble.

    Networks of one shape take their steps side by side, in much less time than in turn, and with the same bits, each
    with its own early stopping. Members may be any estimator, in scikit-learn's pipelines too, and X whatever they
    take: images, lists of series. Members in a pipeline are fitted in turn, so ``input_scaling="standard"`` of a
    network is the quicker scaler.

    Raises
    ------
    TypeError
        If `sample_weight` is given, but a member takes none.
    ValueError
        If `estimator` is no regressor and no list of such, `weights` are not one for each member, or an option does not
        go with `method`; and where members raise it. The estimator is then as it was before.

    See Also
    --------
    EnsembleClassifier : The same for classes.
    sklearn.ensemble.VotingRegressor : The mean of different members, without side by side.
    sklearn.ensemble.RandomForestRegressor : An ensemble already, and on tables often the better one.

    References
    ----------
    Hansen, Salamon (1990). Neural network ensembles. IEEE Transactions on Pattern Analysis and Machine Intelligence 12.

    Krogh, Vedelsby (1995). Neural network ensembles, cross validation, and active learning. NeurIPS 7.

    Lakshminarayanan, Pritzel, Blundell (2017). Simple and scalable predictive uncertainty estimation using deep
    ensembles. NeurIPS 30.

    Wolpert (1992). Stacked generalization. Neural Networks 5.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import EnsembleRegressor, MLPRegressor
    >>> X = np.random.default_rng(0).uniform(-1, 1, size=(200, 1))
    >>> network = MLPRegressor(20, activation="tanh", learning_rate_init=0.02, max_iter=500, tol=0.001)
    >>> ensemble = EnsembleRegressor(network, random_state=0).fit(X, np.sin(3 * X[:, 0]))
    >>> len(ensemble.estimators_)
    5
    >>> inside, outside = ensemble.uncertainty([[0.5], [3.0]])
    >>> bool(inside < 0.1 < outside)
    True
    """

    estimator: BaseEstimator | Sequence[Any] | None = parameter(
        default=None,
        allowed=ALLOWED,
        text="A regressor of sknn or scikit-learn, a list of several, or of (name, regressor) pairs. :meth:`fit` "
        "trains clones; what scikit-learn's ``FrozenEstimator`` holds is used as it is. Searches find "
        "``estimator__alpha``, in a list ``estimator__name__alpha``. None: "
        '``MLPRegressor(input_scaling="standard")``.',
        kw_only=False,
    )
    n_members: int | Literal["auto"] = N_MEMBERS
    method: Literal["mean", "stacking"] = parameter(
        default="mean",
        text='What is made of members\' predictions: their mean, or "stacking", what `final_estimator` has learnt to '
        "make of them, from predictions of samples that members had not seen in training.",
    )
    weights: Sequence[float] | None = WEIGHTS
    bootstrap: bool = BOOTSTRAP
    final_estimator: BaseEstimator | None = parameter(
        default=None,
        allowed=[HasMethods(["fit", "predict"]), None],
        text='The regressor that learns from members\' predictions, for "stacking". None: ``RidgeCV()``.',
    )
    cv: Any = CV
    n_jobs: int | None = N_JOBS
    random_state: int | np.random.RandomState | None = RANDOM_STATE

    estimators_: list[Any] = fitted("The fitted members.")
    final_estimator_: Any = fitted('The fitted final estimator; None without "stacking".')
    _names: list[str] = fitted("The names of the members.")
    _n_outputs: int = fitted("Numbers that a member predicts for a sample.")

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Fit the members, and with "stacking" the final estimator.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples, as the members take them.
        y : array-like of shape (n_samples,) or (n_samples, ...)
            Values, of one output or several.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each sample counts, for members and the final estimator; None: each alike.
        groups : array-like of shape (n_samples,), default=None
            Groups of samples, for the splitter in `cv`, and that in `validation_fraction` of networks.

        Returns
        -------
        self : EnsembleRegressor
        """
        data, rng = given(X, checked_given(self, y), sample_weight, groups), check_random_state(self.random_state)
        named = new_members(self._estimator(), self.n_members, rng, _check_regressor)
        members, bootstrap = list(named.values()), rng if self.bootstrap else None
        check_weights(self, len(members))
        estimators, final = fit_members(members, data, self.n_jobs, bootstrap), None
        if self.method == "stacking":
            final = RidgeCV() if self.final_estimator is None else self.final_estimator
            _check_regressor("final_estimator", final)
            final = fitted_final(
                final,
                members,
                lambda fitted, X: in_columns(_draws(fitted, X)),
                data,
                cv=self.cv,
                of_classes=False,
                n_jobs=self.n_jobs,
                rng=rng,
                bootstrap=bootstrap,
            )
        self.estimators_, self.final_estimator_ = estimators, final
        self._names, self._n_outputs = list(named), prod(np.shape(data.y)[1:])
        return self

    def predict(self, X: Any) -> Array:
        """The mean of members' predictions, or what the final estimator makes of them.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, ...)
        """
        draws = self.predict_draws(X)
        if self.final_estimator_ is not None:
            return self.final_estimator_.predict(in_columns(draws))
        return mean(draws, self.weights)

    def predict_draws(self, X: Any) -> Array:
        """What each member predicts.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        draws : ndarray of shape (n_members, n_samples) or (n_members, n_samples, ...)
        """
        check_is_fitted(self)
        return _draws(self.estimators_, X)

    def uncertainty(self, X: Any, kind: Literal["epistemic"] = "epistemic") -> Array:
        """How far members are apart: the part of the uncertainty that more data would remove.

        It is the standard deviation of the mixture of members' predictions, with the mean of all squares below the
        root; 0 where all say the same. It says nothing of the noise in y.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.
        kind : {"epistemic"}, default="epistemic"
            Others, that families with a model of the noise know, are refused.

        Returns
        -------
        std : ndarray of shape (n_samples,) or (n_samples, ...)
            In units of y.
        """
        if kind != "epistemic":
            raise ValueError(NO_NOISE.format(kind))
        return spread(self.predict_draws(X), self.weights)

    def transform(self, X: Any) -> Array:
        """What members predict, as features of another model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...), or list of arrays
            Samples.

        Returns
        -------
        features : ndarray of shape (n_samples, n_members * n_outputs)
        """
        return in_columns(self.predict_draws(X))

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Names for the columns of :meth:`transform`: the class, the member, and the output if there are several.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of str of shape (n_members * n_outputs,)
        """
        check_is_fitted(self)
        return feature_names(self, [self._n_outputs] * len(self._names))

    @property
    def named_estimators_(self) -> Bunch:
        """The fitted members by name."""
        return Bunch(**dict(zip(left_by_fit(self, "_names"), self.estimators_, strict=True)))

    @property
    def n_features_in_(self) -> int:
        """The number of features seen in fit."""
        return left_by_fit(self, "estimators_")[0].n_features_in_

    @property
    def feature_names_in_(self) -> Array:
        """The names of the features seen in fit, if they have string names."""
        return left_by_fit(self, "estimators_")[0].feature_names_in_

    def _estimator(self) -> Any:
        if self.estimator is not None:
            return self.estimator
        from ... import MLPRegressor

        return MLPRegressor(input_scaling="standard")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        return tags_of_members(tags, self._estimator())


def _draws(members: Sequence[Any], X: Any) -> Array:
    """What each member predicts, the members first."""
    draws = np.stack([np.asarray(member.predict(X)) for member in members])
    return draws if draws.dtype.kind == "f" else draws.astype(np.float64)


def _check_regressor(name: str, estimator: Any) -> None:
    if not is_regressor(estimator):
        raise ValueError(f"{name}={estimator!r} is no regressor; for classes there is EnsembleClassifier")
