"""Prediction intervals around any regressor, by how wrong it was about samples it had not seen."""

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
from ...pipeline import last_step, mean_and_std, predicts_std
from ...template.declaring import Declaring
from ...template.fitted import left_by_fit
from ...template.inputs import checked_weight, checked_y
from ...template.parameters import fitted, parameter
from ...template.scikit_learn import BaseEstimator, MetaEstimatorMixin, RegressorMixin
from . import set_aside
from .bands import Band, band, check_units, kind_of_band
from .kth_score import kth_smallest, reach, warn_if_too_few
from .set_aside import calibration, fitted_aside

AT_ONCE = 1 << 22  # numbers, of which the k-th smallest are looked for


class ConformalRegressor(RegressorMixin, MetaEstimatorMixin, Declaring):
    r"""Prediction intervals that hold y with a stated probability, around any regressor and whatever the noise.

    The regressor is asked about samples that it has not learnt from. Its errors there are the conformity scores
    :math:`s_i`; an interval about a new prediction is as wide as the k-th smallest of them,
    :math:`k = \lceil c (n + 1) \rceil`. If samples are exchangeable, as independent draws from one distribution are, it
    holds y with a probability of at least c, with any regressor, for any n ("split"). "cv+" and "jackknife+" use all
    samples for both. With :math:`\mu_{-i}`, what was learnt without sample i, the interval goes from

    .. math::

        k\text{-th largest of } \mu_{-i}(x) - s_i \quad \text{to} \quad k\text{-th smallest of } \mu_{-i}(x) + s_i .

    They are sure of 2 c - 1 only, and have about c in practice.

    The probability is that over all samples and fits together, not that at a given x: intervals may be too narrow in
    one region and too wide in another. With `normalize` their width follows what the regressor says of its uncertainty.
    Series whose future differs from their past are not exchangeable, nor are new samples from somewhere else.

    Raises
    ------
    TypeError
        If `sample_weight` is given, but the estimator takes none.
    ValueError
        If the estimator cannot do what `normalize` asks for, `cv` does not go with `method`, or predictions are NaN.

    Warns
    -----
    UserWarning
        In :meth:`predict_interval`, if there are too few scores for the confidence, so that intervals are infinite.

    See Also
    --------
    ConformalClassifier : Sets of classes.
    FlowRegressor : The whole distribution of y, where it is to be known at each x.

    Notes
    -----
    Of several outputs each has an interval by itself, with the confidence of its own; all of them hold together less
    often.

    References
    ----------
    Vovk, Gammerman, Shafer (2005). Algorithmic Learning in a Random World. Springer.

    Papadopoulos, Proedrou, Vovk, Gammerman (2002). Inductive confidence machines for regression. ECML.

    Papadopoulos, Gammerman, Vovk (2008). Normalized nonconformity measures for regression conformal prediction. AIA.

    Romano, Patterson, Candès (2019). Conformalized quantile regression. NeurIPS. arXiv:1905.03222.

    Barber, Candès, Ramdas, Tibshirani (2021). Predictive inference with the jackknife+. Annals of Statistics 49.
    arXiv:1905.02928.

    Tibshirani, Barber, Candès, Ramdas (2019). Conformal prediction under covariate shift. NeurIPS. arXiv:1904.06019.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sknn import ConformalRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 3))
    >>> y = X @ [1.0, 2.0, 3.0] + rng.laplace(size=2000)
    >>> regressor = ConformalRegressor(Ridge(), random_state=0).fit(X[:1000], y[:1000])
    >>> low, high = regressor.predict_interval(X[1000:], confidence=0.8).T
    >>> inside = (low <= y[1000:]) & (y[1000:] <= high)
    >>> inside.mean().round(1)
    np.float64(0.8)
    """

    estimator: BaseEstimator | None = parameter(
        default=None,
        allowed=[HasMethods(["fit", "predict"]), None],
        text="A regressor of sknn or scikit-learn, a pipeline or a search that ends in one, or a ``FrozenEstimator`` "
        "around one that is fitted. :meth:`fit` trains clones of it. None: ``MLPRegressor()``.",
        kw_only=False,
    )
    method: Literal["cv+", "split", "jackknife+"] = set_aside.METHOD
    cv: int | float | Sequence | Any = set_aside.CV
    confidence: float = set_aside.CONFIDENCE
    normalize: Literal["auto", "std", "quantiles"] | None = parameter(
        default="auto",
        text='The units of errors. "std": the standard deviation of ``predict(X, return_std=True)`` or '
        "``predict_std``, so that intervals are wide where the estimator is unsure. "
        '"quantiles": intervals are those between the outer quantiles of ``predict_quantiles``, all widened, or '
        "narrowed, by the same amount (conformalized quantile regression); an estimator that is told its quantiles is "
        "asked for those of `confidence`. None: units of y, so that all intervals are equally wide "
        '("split") or nearly so. "auto": the first of these that the estimator can do.',
    )
    n_jobs: int | None = set_aside.N_JOBS
    random_state: int | np.random.RandomState | None = set_aside.RANDOM_STATE

    estimator_: BaseEstimator = fitted(
        'What predicts: fitted to all samples, or to those that were not set aside by "split".'
    )
    estimators_: list[BaseEstimator] = fitted("The estimator of each fold.")
    conformity_scores_: Array = fitted(
        "How wrong the estimator was about each sample that was set aside, in the order of the samples: its distance "
        "from y in the units of `normalize`, or how far y lay outside of the quantiles, negative inside. Without "
        "samples that no fold has set aside, or that weigh nothing.",
    )
    normalize_: str | None = fitted('What `normalize` was for this estimator: "std", "quantiles" or None.')
    _confidence: float = fitted("That of the quantiles asked for.")
    _fold: Array = fitted("Which of the estimators each score is one of.")
    _weight: Array | None = fitted("How much each score counts.")

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Fit the estimators, and score them on what they have not seen.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their values.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each counts, in the fits of the estimator (of a pipeline, of its last step) and again among the
            scores: the bound is the smallest score at or below which scores weigh a share `confidence` of all, the new
            sample included, which weighs as much as they do on average. None: each alike.
        groups : array-like of shape (n_samples,), default=None
            Groups of samples that are set aside together.

        Returns
        -------
        self : ConformalRegressor
        """
        y = checked_y(self, y, numeric=True)
        X, y, groups = indexable(X, y, groups)
        weight = checked_weight(sample_weight, X, allow_all_zero=False)
        estimator = self._unfitted()
        kind = kind_of_band(self.normalize, estimator)
        folds, members, final = fitted_aside(self, estimator, X, y, weight, groups)
        largest_units: list[Array] = []

        def score(k: int, aside: Array) -> Array:
            said = band(members[k], _safe_indexing(X, aside), kind, self.confidence, y.shape[1:])
            largest_units.append(said.unit.max(axis=0))
            return said.scores(y[aside])

        scores = calibration(folds, y.shape, weight, score)
        check_units(largest_units)
        self.estimator_, self.estimators_ = final, members
        self.conformity_scores_, self._fold, self._weight = scores
        self.normalize_, self._confidence = kind, float(self.confidence)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """What the estimator predicts; nothing of it is calibrated.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        return_std : bool, default=False
            Whether to give the standard deviation as well, if the estimator can.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Its predictions.
        std : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Its standard deviations; only with ``return_std=True``.
        """
        check_is_fitted(self)
        estimator: Any = self.estimator_
        if not return_std:
            return estimator.predict(X)
        end, x = last_step(estimator, X)
        if not predicts_std(end):
            raise ValueError(
                f"return_std=True needs an estimator that predicts standard deviations, which {end!r} is not"
            )
        return mean_and_std(end, x)

    def predict_interval(self, X: Any, confidence: float | None = None) -> Array:
        """Intervals that hold y with a probability.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the estimator takes them.
        confidence : float, default=None
            The probability; None: that of the parameter. It may be any other, and nothing is fitted anew.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            The ends, in order; (-inf, inf), with a warning, if there are too few scores for the confidence.

        Raises
        ------
        ValueError
            If `confidence` does not lie between 0 and 1.
        """
        check_is_fitted(self)
        level = checked_share("confidence", self.confidence if confidence is None else confidence)
        n, weight = len(self.conformity_scores_), self._weight
        warn_if_too_few(level, n, weight)
        wanted, shape = reach(level, n, weight), self.conformity_scores_.shape[1:]
        bands = [band(each, X, self.normalize_, self._confidence, shape) for each in self.estimators_]
        if len(bands) == 1:
            ends = bands[0].widened(kth_smallest(self.conformity_scores_.T, wanted, weight))
        else:
            ends = self._ends_of_folds(bands, wanted)
        return np.sort(np.stack(ends, axis=-1), axis=-1)  # ends that have crossed leave y no place

    def _ends_of_folds(self, bands: Sequence[Band], wanted: float) -> tuple[Array, Array]:
        """The k-th largest of all lower ends and the k-th smallest of all upper ones, each score with its estimator."""
        scores = self.conformity_scores_.T  # the samples last
        low, high, unit = (np.stack(each, axis=-1) for each in zip(*bands, strict=True))
        size = max(1, AT_ONCE // scores.size)
        found = []
        for rows in (slice(k, k + size) for k in range(0, len(low), size)):
            each = Band(*(part[rows][..., self._fold] for part in (low, high, unit)))
            lower, upper = each.widened(scores)
            found.append([-kth_smallest(-lower, wanted, self._weight), kth_smallest(upper, wanted, self._weight)])
        lower, upper = (np.concatenate(ends) for ends in zip(*found, strict=True))
        return lower, upper

    def _unfitted(self) -> Any:
        if self.estimator is not None:
            return self.estimator
        from ... import MLPRegressor

        return MLPRegressor()

    @property
    def n_features_in_(self) -> int:
        """The number of features seen in fit."""
        return left_by_fit(self, "estimator_").n_features_in_

    @property
    def feature_names_in_(self) -> Array:
        """The names of the features seen in fit, if they have string names."""
        return left_by_fit(self, "estimator_").feature_names_in_

    def __sklearn_tags__(self) -> Any:
        tags, inner = super().__sklearn_tags__(), get_tags(self._unfitted())
        tags.input_tags = inner.input_tags
        tags.target_tags.multi_output = inner.target_tags.multi_output
        return tags
