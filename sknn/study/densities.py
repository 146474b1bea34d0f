"""Densities in a study: what they take, what is to be said of their data, and baselines in the same units."""

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .names import listed
from .numbers import rows
from .rows import is_mapped
from .series import are_ragged

OFTEN = 0.02  # a value that so many rows share is none of a continuous quantity
FEWEST_ALIKE = 5
MOST_NAMED = 3  # columns in a note
INNER = KFold(3, shuffle=True, random_state=0)  # of training rows
INDEPENDENT = 1e-10  # the least variance of standardised columns in any direction, the largest being 1


def is_density(estimator: Any) -> bool:
    """Tell whether an estimator learns a density.

    Tags tell it of estimators of sknn, whose ``score_samples`` may be an error; others, some of which have no tag, are
    known by that method, if they are for nothing else. Of a pipeline it is the last step.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.neighbors import KernelDensity
    >>> is_density(KernelDensity()), is_density(IsolationForest())
    (True, False)
    """
    if not hasattr(estimator, "score_samples"):
        return False
    if hasattr(estimator, "steps"):
        return is_density(estimator.steps[-1][1])
    kind = get_tags(estimator).estimator_type
    if kind is not None or type(estimator).__module__.startswith("sknn."):
        return kind == "density_estimator"
    return True


class Standardised(DensityMixin, BaseEstimator):
    r"""A density of standardised columns, told in the units of the data as given.

    With :math:`z_j = (x_j - \mu_j) / \sigma_j` the density of x is that of z times the change of volume:

    .. math:: \log p(x) = \log p(z) - \sum_j \log \sigma_j.

    A pipeline with a scaler leaves the sum out, so that its log-densities cannot be compared with those of others.

    Parameters
    ----------
    estimator : density
        Of scikit-learn's kind, with ``score_samples`` and ``score``. A copy of it is fitted.
    grid : dict of str to list, default=None
        Values of its parameters, of which those are taken that give rows of three inner folds the highest density; None
        takes it as it is.

    Attributes
    ----------
    density_ : estimator
        The fitted copy, or the search for the best.
    scaler_ : StandardScaler
        Of the training rows.

    Examples
    --------
    >>> from scipy.stats import norm
    >>> from sklearn.mixture import GaussianMixture
    >>> X = np.array([[990.0], [1010.0]])
    >>> density = Standardised(GaussianMixture()).fit(X)
    >>> bool(np.isclose(density.score_samples([[1010.0]])[0], norm(1000, 10).logpdf(1010.0)))
    True
    """

    def __init__(self, estimator: Any, grid: dict[str, list[Any]] | None = None) -> None:
        self.estimator = estimator
        self.grid = grid

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit scaler and density.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : None
            Ignored.

        Returns
        -------
        Standardised
            Itself.
        """
        self.scaler_ = StandardScaler()
        density = clone(self.estimator)
        if self.grid is not None:
            density = GridSearchCV(density, self.grid, cv=INNER)
        self.density_ = density.fit(self.scaler_.fit_transform(np.asarray(X, float)))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """The log-density of each sample, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Of the data as given.
        """
        check_is_fitted(self)
        of_scaled = self.density_.score_samples(self.scaler_.transform(np.asarray(X, float)))
        return of_scaled - np.log(self.scaler_.scale_).sum()

    def score(self, X: Any, y: Any = None) -> float:
        """The mean log-density of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : None
            Ignored.

        Returns
        -------
        float
            In nats; larger is better.
        """
        return float(self.score_samples(X).mean())


def as_quantities(name: str, X: Any) -> tuple[Any, list[str]]:
    """Take the columns that may have a density, all of them numbers without gaps.

    Parameters
    ----------
    name : str
        Of the data set, for messages.
    X : DataFrame or ndarray
        The data.

    Returns
    -------
    DataFrame or ndarray of float of shape (n_samples, n_features)
        Samples in rows, images too, without the columns that hold but one value.
    list of str
        What is to be said of the data: columns left out, columns whose values repeat, columns that follow from others.

    Raises
    ------
    ValueError
        If samples differ in size or are sparse, columns hold no numbers or have gaps, or none is left.

    Examples
    --------
    >>> X, notes = as_quantities("toy", pd.DataFrame({"a": [0.5, 0.25, 2.0], "unit": [1, 1, 1]}))
    >>> list(X), notes
    (['a'], ["column 'unit' of 'toy' has one value in all rows, and was left out"])
    """
    for what, is_so in {"sparse": issparse(X), "of samples of different sizes": are_ragged(X)}.items():
        if is_so:
            raise ValueError(f"X of {name!r} is {what}, of which no model here learns a density; give a table")
    if is_mapped(X):
        raise ValueError(f"X of {name!r} is mapped from a file; a density is learnt in memory: give np.array(X)")
    table = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.reshape(X, (len(X), -1))).add_prefix("x")
    numbers = pd.api.types.is_numeric_dtype
    if others := [key for key, column in table.items() if not numbers(column.dtype)]:
        raise ValueError(
            f"X of {name!r} holds other things than numbers in {listed(map(repr, others))}, which have no density; "
            "leave these columns out with --drop"
        )
    if gaps := [key for key, column in table.items() if column.isna().any()]:
        raise ValueError(
            f"X of {name!r} has gaps in {listed(map(repr, gaps))}; a density is of whole rows: leave out the rows, or "
            "the columns with --drop"
        )
    table = table.astype(float)
    constant = [key for key, column in table.items() if column.nunique() == 1]
    varied = table.drop(columns=constant)
    if not varied.shape[1]:
        raise ValueError(f"X of {name!r} has no column with more than one value, so there is no density")
    notes = [*_left_out(name, constant), *_repeated(name, varied), *_dependent(name, varied)]
    return (varied if isinstance(X, pd.DataFrame) else varied.to_numpy()), notes


def _left_out(name: str, constant: list[Any]) -> list[str]:
    return [f"column {key!r} of {name!r} has one value in all rows, and was left out" for key in constant]


def _repeated(name: str, table: pd.DataFrame) -> list[str]:
    """Name the columns in which many rows share a value: a density may grow there without bound."""
    fewest = max(FEWEST_ALIKE, OFTEN * len(table))
    counts = {key: column.value_counts() for key, column in table.items()}
    tied = {key: count for key, count in counts.items() if count.iloc[0] >= fewest}
    if not tied:
        return []
    examples = [
        f"{key!r} ({len(count):,} values, {count.index[0]:g} in {rows(int(count.iloc[0]))})"
        for key, count in list(tied.items())[:MOST_NAMED]
    ]
    others = f" and {len(tied) - MOST_NAMED} other columns" if len(tied) > MOST_NAMED else ""
    return [
        f"values repeat in {listed(examples)}{others} of {name!r}: a density has no bound there, whoever makes it the "
        "narrower is ahead, and the comparison says little; leave such columns out with --drop, or add noise of the "
        "width of their steps"
    ]


def _dependent(name: str, table: pd.DataFrame) -> list[str]:
    """Say whether a column follows from others: all rows lie in a plane then, where a density has no bound either."""
    if table.shape[1] < 2:
        return []
    variances = np.linalg.eigvalsh(np.corrcoef(table.to_numpy(), rowvar=False))
    if variances[0] > INDEPENDENT * variances[-1]:
        return []
    return [
        f"some columns of {name!r} follow from others (a sum, a copy, another unit), so that all rows lie in a plane, "
        "where a density has no bound; leave one of them out with --drop"
    ]


def impossible(log_densities: np.ndarray) -> list[str]:
    """Say how many rows have a density of 0, as far from all data kernels of bounded width have.

    Parameters
    ----------
    log_densities : ndarray of shape (n_samples,)
        Of test rows.

    Returns
    -------
    list of str
        One sentence, or none.

    Examples
    --------
    >>> impossible(np.array([0.5, -np.inf]))
    ['Impossible rows: 1 of 2 have a density of 0, so that the mean of the logarithms is minus infinity']
    """
    n_impossible = int(np.isneginf(log_densities).sum())
    if not n_impossible:
        return []
    return [
        f"Impossible rows: {n_impossible:,} of {len(log_densities):,} have a density of 0, so that the mean of the "
        "logarithms is minus infinity"
    ]
