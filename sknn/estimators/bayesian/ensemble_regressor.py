"""Several networks, or other regressors, that answer together: their mean, or what a final one makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context, is_regressor
from sklearn.linear_model import RidgeCV
from sklearn.utils.validation import check_is_fitted

from ...autodiff.tape import Array
from ...posteriors import mean_of_draws
from ...template.inputs import given as checked_given
from ...template.parameters import fitted, parameter
from ...template.scikit_learn import RegressorMixin
from .committee import Committee
from .disagreement import in_columns, spread
from .members import given

NO_NOISE = (
    "kind={!r} does not apply: members of an EnsembleRegressor say what they expect, and nothing of the noise; "
    'BayesianRegressor(posterior="ensemble") learns the noise too, and ConformalRegressor gives intervals around any '
    "regressor"
)


class EnsembleRegressor(RegressorMixin, Committee):
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

    method: Literal["mean", "stacking"] = parameter(
        default="mean",
        text='What is made of members\' predictions: their mean, or "stacking", what `final_estimator` has learnt to '
        "make of them, from predictions of samples that members had not seen in training.",
    )

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
        data = given(X, checked_given(self, y), sample_weight, groups)
        n_outputs = prod(np.shape(data.y)[1:])
        return self._learn(data, lambda members, X: in_columns(_draws(members, X)), _n_outputs=n_outputs)

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
        return mean_of_draws(draws, self._weights)

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
        return spread(self.predict_draws(X), self._weights)

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

    def _columns(self) -> list[int]:
        return [self._n_outputs] * len(self._names)

    def _default(self) -> Any:
        from ... import MLPRegressor

        return MLPRegressor(input_scaling="standard")

    def _default_final(self) -> Any:
        return RidgeCV()

    def _check(self, name: str, estimator: Any) -> None:
        if not is_regressor(estimator):
            raise ValueError(f"{name}={estimator!r} is no regressor; for classes there is EnsembleClassifier")


def _draws(members: Sequence[Any], X: Any) -> Array:
    """What each member predicts, the members first."""
    draws = np.stack([np.asarray(member.predict(X)) for member in members])
    return draws if draws.dtype.kind == "f" else draws.astype(np.float64)
