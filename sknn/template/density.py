"""What densities are: models of how probable samples are, which ignore y unless they are conditional."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tape import Array
from .generator import Generator
from .inputs import checked_weight
from .scikit_learn import DensityMixin


class Density(DensityMixin, Generator):
    """What densities add: log-densities of samples, and their mean as the score."""

    def score_samples(self, X: Any, y: Any = None) -> Array:
        """The log-density of each sample, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` the condition of all samples, or of each; ignored otherwise.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Of the data as given, before any scaling. A density is no probability: it may be larger than 1, its
            logarithm positive, and it changes with the units of X.
        """
        raise TypeError(f"{type(self).__name__} defines no score_samples")

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The mean log-density of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` the condition of all samples, or of each; ignored otherwise.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each counts.

        Returns
        -------
        log_density : float
            In nats; larger is better.
        """
        log_density = self.score_samples(X, y)
        weight = checked_weight(sample_weight, log_density, allow_all_zero=False)
        if weight is None:
            return float(log_density.mean())
        counts = weight > 0  # a density of 0 is no matter where nothing counts: 0 times -inf would be NaN
        return float(np.average(log_density[counts], weights=weight[counts]))
