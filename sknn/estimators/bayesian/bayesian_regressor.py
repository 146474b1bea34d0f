"""Regression that says how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from ...autodiff.tape import Array
from ...description import checked_count, checked_share, checked_shares
from ...posteriors import NormalMixture
from ...template.inputs import checked_y
from ...template.parameters import fitted, parameter
from ...template.scikit_learn import RegressorMixin
from .bayesian import Bayesian, check_kind, default_network


class BayesianRegressor(RegressorMixin, Bayesian):
    r"""A network that says how sure it is: of what is predicted, because data are missing, and of y, because of noise.

    The prediction is a mixture over the networks that agree with the data,

    .. math:: p(y \mid x, D) = \int \mathcal{N}(y; f_\theta(x), \sigma^2)\, p(\theta \mid D)\, d\theta,

    with a variance that is the sum of two parts: how much the networks differ, which more data would change, and the
    noise, which no data would.

    Raises
    ------
    ValueError
        If the network has another loss than the squared error, or if a posterior does not suit the network.

    See Also
    --------
    ConformalRegressor : Intervals around any estimator that hold what they promise on average, whatever the noise.
    sklearn.gaussian_process.GaussianProcessRegressor : The baseline on up to some thousand rows.
    sklearn.linear_model.BayesianRidge : The same as this, of a linear model.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import BayesianRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.uniform(-3, -1, 60), rng.uniform(1, 3, 60)])[:, None]
    >>> y = np.sin(X[:, 0]) + rng.normal(0, 0.1, 120)
    >>> model = BayesianRegressor(random_state=0).fit(X, y)
    >>> known, gap = model.uncertainty([[2.0], [0.0]])
    >>> bool(gap > 2 * known)
    True
    >>> round(model.noise_, 1)
    0.1
    """

    noise: float | Literal["constant", "learned"] = parameter(
        default="constant",
        interval="(0, inf)",
        text='The noise of y: "constant", the same everywhere, found from the data; "learned", a standard deviation '
        "that depends on X, for which the network has a second output; or a number, its standard deviation in units of "
        "y.",
    )

    noise_: float | Array | None = fitted(
        "The standard deviation of constant noise, in units of y, one for each output; None where it depends on X."
    )

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Find the networks that agree with the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or what else the network takes
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their values.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights: a sample of weight two counts as two. None: all are one.

        Returns
        -------
        self : BayesianRegressor
        """
        network = self._new_network(X)
        if getattr(network, "loss", None) != "squared_error":
            raise ValueError(
                f"network={network!r} must be a regressor with loss='squared_error'; what is said of the noise is said "
                "by noise="
            )
        if self.noise == "learned":
            network.set_params(loss="normal")
        y = checked_y(self, y, numeric=True)
        self._learn(network, X, y, sample_weight, self.noise)
        noise = self._learnt.noise
        self.noise_ = None if noise is None else noise if len(noise) > 1 else float(noise[0])
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """The mean of y.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        return_std : bool, default=False
            Whether to give its standard deviation as well, noise included.

        Returns
        -------
        mean : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        std : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Only with ``return_std=True``.
        """
        mixture = self._predictive(X)
        mean = self._as_y(mixture.center())
        return (mean, self._as_y(mixture.std("total"))) if return_std else mean

    def uncertainty(self, X: Any, kind: Literal["epistemic", "noise", "total"] = "epistemic") -> Array:
        """How unsure the model is of each sample, as a standard deviation in units of y.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        kind : {"epistemic", "noise", "total"}, default="epistemic"
            Of what is not known because data are missing; of the noise; or of both together.

        Returns
        -------
        std : ndarray of shape (n_samples,) or (n_samples, n_outputs)

        Raises
        ------
        ValueError
            If `kind` is another.
        """
        check_kind(kind)
        return self._as_y(self._predictive(X).std(kind))

    def predict_quantiles(self, X: Any, quantiles: Sequence[float] = (0.05, 0.5, 0.95)) -> Array:
        """Quantiles of y, of each output by itself.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        quantiles : sequence of float, default=(0.05, 0.5, 0.95)
            Which, above 0 and below 1.

        Returns
        -------
        y : ndarray of shape (n_samples, n_quantiles) or (n_samples, n_outputs, n_quantiles)

        Raises
        ------
        ValueError
            If there is none, or one is not above 0 and below 1.
        """
        levels = checked_shares("quantiles", quantiles)
        return self._as_y(self._predictive(X).quantiles(levels))

    def predict_interval(self, X: Any, confidence: float = 0.9) -> Array:
        """Central intervals of y, of each output by itself.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        confidence : float, default=0.9
            The probability that y lies inside; beyond either end lies half of the rest.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)

        Raises
        ------
        ValueError
            If `confidence` does not lie between 0 and 1.
        """
        confidence = checked_share("confidence", confidence)
        return self.predict_quantiles(X, [(1 - confidence) / 2, (1 + confidence) / 2])

    def score_samples(self, X: Any, y: Any = None) -> Array:
        """The log-density log p(y | X) of each y, in nats; a mixture is scored as a mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Their values. None: those that are to be expected, over which it is averaged; this is how sure the model is
            of y, the negative entropy of p(y | X).

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Of y as given. The noise of several outputs counts as independent.
        """
        mixture = self._predictive(X)
        if y is None:
            return mixture.mean_log_density()
        y = checked_y(self, y, numeric=True)
        check_consistent_length(mixture.center(), y)
        self.network_._target.check(y, all_of_them=False)
        return mixture.log_density(y.reshape(len(y), -1).astype(np.float64))

    def predict_draws(self, X: Any) -> Array:
        """What each of `n_draws` networks (each member of an ensemble) says of the mean of y.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_draws, n_samples) or (n_draws, n_samples, n_outputs)
            Each is one function of X, the same in every call.
        """
        learnt = self._fitted_posterior()
        raw = learnt.members(X, int(self.n_draws))
        return np.stack([self._as_y(each) for each in self._means(raw)])

    def sample_y(self, X: Any, n_samples: int = 1, random_state: Any = None) -> Array:
        """Draw y: each time one network for all samples, and noise for each.

        Parameters
        ----------
        X : array-like of shape (n_samples_X, n_features)
            Samples.
        n_samples : int, default=1
            Draws for each of them.
        random_state : int, RandomState instance or None, default=None
            An int gives the same draws in every call; None others in each.

        Returns
        -------
        y : ndarray of shape (n_samples_X, n_samples) or (n_samples_X, n_outputs, n_samples)
            As ``GaussianProcessRegressor`` gives them.

        Raises
        ------
        ValueError
            If `n_samples` is negative.
        """
        rng = check_random_state(random_state)
        raw = self._fitted_posterior().drawn(X, checked_count("n_samples", n_samples, 0), rng)
        mean = self._means(raw)
        drawn = mean + self._noise(raw) * rng.standard_normal(mean.shape)
        return self._as_y(np.moveaxis(drawn, 0, -1))

    def _new_network(self, X: Any) -> Any:
        if self.network is not None:
            return clone(self.network)
        from ... import MLPRegressor

        return default_network(MLPRegressor, X, self._meant("posterior", self.posterior))

    # -- from raw outputs to y -------------------------------------------------------------------------------------

    def _predictive(self, X: Any) -> NormalMixture:
        outputs = self._fitted_posterior().outputs(X)
        mean = self._means(outputs.each)
        spread = np.zeros((1, 1, 1))
        if outputs.covariance is not None:
            n_outputs, target = mean.shape[-1], self.network_._target
            variance = np.diagonal(outputs.covariance, axis1=1, axis2=2)[:, :n_outputs]
            spread = np.sqrt(np.maximum(variance, 0.0))[None] * target.scale_
        return NormalMixture(mean, spread, self._noise(outputs.each))

    def _means(self, raw: Array) -> Array:
        """(n_draws, n_samples, n_outputs) in units of y."""
        target = self.network_._target
        mean: Array = target.loss.predict(raw) * target.scale_ + target.mean_
        return mean

    def _noise(self, raw: Array) -> Array:
        """The standard deviation of the noise, broadcast to the means."""
        target, noise = self.network_._target, self._learnt.noise
        if noise is None:
            return np.sqrt(target.loss.variance(raw)) * target.scale_
        return np.broadcast_to(noise, (1, 1, len(target.scale_)))

    def _as_y(self, values: Array) -> Array:
        """(n_samples, n_outputs, ...) without the axis of outputs if there is one."""
        return values[:, 0] if values.shape[1] == 1 else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
