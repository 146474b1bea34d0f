"""What ensembles share: members and how many, their weights, and a final estimator that learns what to make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, Self

import numpy as np
from sklearn.utils import Bunch, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from ...autodiff.tape import Array
from ...template.declaring import Declaring
from ...template.fitted import left_by_fit
from ...template.listed import listed
from ...template.parameters import fitted, parameter
from ...template.scikit_learn import BaseEstimator, MetaEstimatorMixin, TransformerMixin
from .members import Given, fit_members, new_members
from .stacking import fitted_final

TAGS = ("one_d_array", "two_d_array", "three_d_array", "sparse", "categorical", "string", "allow_nan")


class Committee(TransformerMixin, MetaEstimatorMixin, Declaring):
    """Several estimators that answer together.

    References
    ----------
    Hansen, Salamon (1990). Neural network ensembles. IEEE Transactions on Pattern Analysis and Machine Intelligence 12.

    Lakshminarayanan, Pritzel, Blundell (2017). Simple and scalable predictive uncertainty estimation using deep
    ensembles. NeurIPS 30.

    Wolpert (1992). Stacked generalization. Neural Networks 5.
    """

    estimator: BaseEstimator | Sequence[Any] | None = parameter(
        default=None,
        allowed=[HasMethods(["fit", "predict"]), list, tuple, None],
        text="An estimator of sknn or scikit-learn, a list of several, or of (name, estimator) pairs. :meth:`fit` "
        "trains clones; what scikit-learn's ``FrozenEstimator`` holds is used as it is. Searches find "
        "``estimator__alpha``, in a list ``estimator__name__alpha``. None: a multi-layer perceptron that standardises "
        "its inputs.",
        kw_only=False,
    )
    n_members: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='How many members there are of each estimator. "auto": 5 of a single one, of a list one each.',
        kw_only=False,
    )
    method: str = parameter(default="mean", text="What is made of what members say.")
    weights: Sequence[float] | None = parameter(
        default=None,
        text='How much each member counts; None: all alike. Not for "stacking", which learns that.',
    )
    bootstrap: bool = parameter(
        default=False,
        text="Whether each member is fitted to as many samples, drawn with replacement. Networks differ by their "
        "initial weights and orders already, and learn less from two thirds of the samples; a sample that is drawn "
        "twice may also train a network and stop it early.",
    )
    final_estimator: BaseEstimator | None = parameter(
        default=None,
        allowed=[HasMethods(["fit", "predict"]), None],
        text='What learns from the answers of members, for "stacking". None: ``LogisticRegression()`` for classes, '
        "``RidgeCV()`` for numbers.",
    )
    cv: int | Iterable[Any] | Any = parameter(
        default=5,
        allowed=("cv_object",),
        text='The folds of "stacking": their number (each with the same share of each class), or a splitter, in whose '
        "test parts no sample comes twice.",
    )
    n_jobs: int | None = parameter(
        default=None,
        text="Processes among which members are divided, each of which fits its share side by side; -1: one for each "
        "processor. The results are the same. None: one, unless joblib is told otherwise.",
    )
    random_state: int | np.random.RandomState | None = parameter(
        default=None,
        interval="[0, 4294967295]",
        text="Determines the random states of members, and which samples `bootstrap` draws. Several members of one "
        "estimator get new ones each; one alone keeps its own, unless that is None.",
    )

    estimators_: list[Any] = fitted("The fitted members.")
    final_estimator_: Any = fitted('The fitted final estimator; None without "stacking".')
    _names: list[str] = fitted("The names of the members.")
    _weights: list[float] | None = fitted("How much each counts; None: each alike.")

    # -- what a kind says ------------------------------------------------------------------------------------------

    def _default(self) -> Any:
        """The estimator where there is none."""
        raise TypeError(f"{type(self).__name__} defines no _default")

    def _default_final(self) -> Any:
        """The final estimator where there is none."""
        raise TypeError(f"{type(self).__name__} defines no _default_final")

    def _check(self, name: str, estimator: Any) -> None:
        """Raise ValueError if an estimator cannot be one of this ensemble."""

    # -- fitting ---------------------------------------------------------------------------------------------------

    def _learn(self, data: Given, says: Callable[[Sequence[Any], Any], Array], **attributes: Any) -> Self:
        """Fit members, and what learns from the columns that `says` makes of their answers; then keep all."""
        rng = check_random_state(self.random_state)
        named = new_members(self._given_or_default(), self.n_members, rng, self._check)
        members, bootstrap = list(named.values()), rng if self.bootstrap else None
        weights = self._checked_weights(len(members))
        final = self._new_final() if self.method == "stacking" else None
        if final is not None:
            self._check("final_estimator", final)
        estimators = fit_members(members, data, self.n_jobs, bootstrap)
        if final is not None:
            final = fitted_final(final, members, says, data, self.cv, self.n_jobs, rng, bootstrap)
        vars(self).update(attributes, estimators_=estimators, final_estimator_=final)
        self._names, self._weights = list(named), weights
        return self

    def _checked_weights(self, n_members: int) -> list[float] | None:
        if self.weights is None:
            return None
        if self.method == "stacking":
            raise ValueError(f"weights={self.weights!r} does not apply with method='stacking', which learns them")
        weights = np.asarray(self.weights, np.float64)
        if weights.shape != (n_members,) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
            raise ValueError(
                f"weights={self.weights!r} must be {n_members} numbers, one for each member, none below 0, not all 0"
            )
        return weights.tolist()

    def _given_or_default(self) -> Any:
        return self._default() if self.estimator is None else self.estimator

    def _new_final(self) -> Any:
        return self._default_final() if self.final_estimator is None else self.final_estimator

    # -- looking ---------------------------------------------------------------------------------------------------

    def _known_members(self) -> Sequence[Any]:
        """The fitted members; before a fit what they will be clones of."""
        fitted = vars(self).get("estimators_")
        return list(listed("estimator", self._given_or_default()).values()) if fitted is None else fitted

    def _known_final(self) -> Any:
        fitted = vars(self).get("final_estimator_")
        return self._new_final() if fitted is None else fitted

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

    def _columns(self) -> list[int]:
        """How many columns of `transform` are of each member."""
        raise TypeError(f"{type(self).__name__} defines no _columns")

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Names for the columns of :meth:`transform`: this class, the member, and the column if it has several.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of str of shape (n_columns,)
        """
        check_is_fitted(self)
        prefix, names = type(self).__name__.lower(), []
        for name, n in zip(self._names, self._columns(), strict=True):
            names += [f"{prefix}_{name}"] if n == 1 else [f"{prefix}_{name}_{k}" for k in range(n)]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        """It takes the X that all members take."""
        tags = super().__sklearn_tags__()
        try:
            inputs = [get_tags(member).input_tags for member in self._known_members()]
        except ValueError:  # which fit raises too, by name
            return tags
        for name in TAGS:
            setattr(tags.input_tags, name, all(getattr(each, name) for each in inputs))
        return tags
