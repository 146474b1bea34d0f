"""What densities are: models of how probable samples are, which ignore y."""

from __future__ import annotations

from typing import Any

from ..autodiff.tape import Array
from .estimator import Estimator
from .scikit_learn import DensityMixin


class Density(DensityMixin, Estimator):
    """What densities add: log-densities of samples, and their mean as the score."""

    def score_samples(self, X: Any) -> Array:
        """The log-density of each sample, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Of the data as given, before any scaling.
        """
        raise TypeError(f"{type(self).__name__} defines no score_samples")

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
        log_density : float
            In nats; larger is better.
        """
        return float(self.score_samples(X).mean())
