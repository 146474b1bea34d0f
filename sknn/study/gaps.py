"""Columns in which next to nothing is known, for models that otherwise take missing values as they are."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

FEWEST = 20  # the leaf of a tree has as many rows
LEAST_SHARE = 0.01


class GapFiller(TransformerMixin, BaseEstimator):
    """Put 0 for what is missing in columns without values, and leave all other missing values alone.

    scikit-learn's histogram boosting finds no bins for a column that is missing in all rows that it learns from, and
    fails. From more than 10,000 rows it holds a tenth back, and so does not see a few values for certain. Fewer than 20
    are too few for a split of their own, so that nothing is lost with them.

    Attributes
    ----------
    is_empty_ : ndarray of bool of shape (n_features,)
        The columns with fewer than 20 values, and values in fewer than 1 % of the rows.

    Examples
    --------
    >>> filler = GapFiller().fit([[1.0, np.nan], [np.nan, np.nan]])
    >>> filler.transform([[np.nan, np.nan], [2.0, 3.0]])
    array([[nan,  0.],
           [ 2.,  3.]])
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find those columns.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.
        y : None
            Ignored.

        Returns
        -------
        GapFiller
            Itself.
        """
        known = ~np.isnan(np.asarray(X))
        self.is_empty_ = known.sum(axis=0) < min(FEWEST, LEAST_SHARE * len(known))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Fill them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            A copy.
        """
        filled = np.array(X)
        filled[self.is_empty_ & np.isnan(filled)] = 0
        return filled
