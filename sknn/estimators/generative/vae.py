"""Variational autoencoders: codes that are distributions, and samples by how probable they are."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.special import logsumexp

from ...autodiff import primitives as F
from ...autodiff.tape import Array, Value
from ...nn import Constants, Network, Parts
from ...nn.draws import Draws
from ...nn.init import Random
from ...template import thousand_steps
from ...template.conditions import beside
from ...template.density import Density
from ...template.fit import Fit
from ...template.fitted import left_by_fit
from ...template.forward import Forward
from ...template.likelihoods import Likelihood, likelihood_for, standard_deviation
from ...template.parameters import fitted, parameter
from ...template.samples import Batch, Samples
from ...template.scikit_learn import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from ...train import Plan
from . import coding
from .parts import Plans, built, check_unchanged
from .pictures import INPUT_SHAPE, read_pictures
from .row_noise import noise_of_rows

STEPS, FEWEST, MOST, LARGEST = 3000, 20, 300, 128  # of max_iter="auto", epochs, and rows of batch_size="auto"
WIDEST = 2.0  # logarithm of a standard deviation of codes, that of all being 0: an outlier would make it overflow
ACTIVE = 0.01  # nats that a number of the code tells at least if it is used


class VAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Density):
    r"""Variational autoencoder: codes that are distributions, a density of samples, and new samples.

    A sample x is made from a code z of independent standard normal numbers, p(x) being the mean over z of p(x | z),
    which the decoder tells. The encoder tells where the codes of a sample lie, q(z | x), normal too; both are trained
    to raise the evidence lower bound

    .. math:: \log p(x) \geq \mathbb{E}_{q(z | x)} \log p(x | z) - \beta \, KL(q(z | x) \,\|\, p(z)), \qquad \beta = 1.

    See Also
    --------
    Autoencoder : Nearer reconstructions, and no density.
    sklearn.mixture.GaussianMixture : The better density of a table, in a second.

    References
    ----------
    Kingma, Welling (2014). Auto-encoding variational Bayes. ICLR. arXiv:1312.6114.

    Burda, Grosse, Salakhutdinov (2016). Importance weighted autoencoders. ICLR. arXiv:1509.00519.

    Higgins et al. (2017). beta-VAE: learning basic visual concepts with a constrained variational framework. ICLR.

    Sonderby, Raiko, Maaloe, Sonderby, Winther (2016). Ladder variational autoencoders. NIPS. (The warm-up.)

    Sohn, Lee, Yan (2015). Learning structured output representation using deep conditional generative models. NIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknn import VAE
    >>> X = load_digits().data > 8
    >>> vae = VAE(8, max_iter=20, random_state=0).fit(X[:1300])
    >>> vae.sample(3, random_state=0).shape
    (3, 64)
    >>> bool(vae.elbo(X[1300:]).mean() < vae.score(X[1300:]) < -10)
    True
    """

    n_components: int = coding.N_COMPONENTS
    hidden_layer_sizes: int | Sequence[int] = coding.hidden_layer_sizes((500,))
    activation: str = coding.ACTIVATION
    filters: int | Sequence[int] | None = coding.FILTERS
    input_shape: Sequence[int] | None = INPUT_SHAPE
    likelihood: Literal["auto", "gaussian", "bernoulli", "categorical"] = parameter(
        default="auto",
        text='How samples lie around what the decoder says. "gaussian": normally, with a noise that is learnt, one for '
        'each feature (of grids, channel), or one for all with ``input_scaling="global"``. "bernoulli": features are 0 '
        "or 1; numbers between count as how probable a 1 is, and scores are no log-densities of them. "
        '"categorical": features are of a few levels, such as 0 to 16, for each of which there is an output. "auto" is '
        '"bernoulli" where all numbers are 0 or 1, otherwise "gaussian".',
    )
    beta: float = parameter(
        default=1.0,
        interval="[0, inf)",
        text="The weight of the divergence in what is minimised. Above 1 codes tell less, in numbers that depend less "
        "on each other; at 0 this is an autoencoder. Scores are those of the model in any case.",
    )
    warm_up: float = parameter(
        default=0.1,
        interval="[0, 1]",
        text="The share of the training in which that weight grows from 0, so that no number of the code is given up "
        "before the decoder has learnt to use it.",
    )
    n_importance: int = parameter(
        default=100,
        interval="[1, inf)",
        text="Codes drawn for each sample in `score_samples` and `elbo`. With more of them the bound that is the score "
        "comes nearer to the log-density.",
    )
    solver = "adamw"
    alpha = 0.1
    learning_rate = "one_cycle"
    learning_rate_init = 0.002
    clip_norm = 1.0
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='Samples in a mini-batch; "auto" is a tenth of them, but at least 16 and at most 128.',
    )
    max_iter: int | Literal["auto"] = parameter(  # type: ignore[assignment]
        default="auto",
        interval="[1, inf)",
        text='Most epochs; "auto" is as many as make 3,000 steps, but at least 20 and at most 300. For L-BFGS most '
        "iterations, for schedules where they end.",
    )
    n_iter_no_change = inf
    input_scaling: Literal["standard", "global"] | None = parameter(  # type: ignore[assignment]
        default="standard",
        text='How a Gaussian VAE scales its inputs, with what it learns in the first fit. "standard": each feature by '
        'its own mean and scale (of grids channel by channel); "global": all by one, and not at all where all lie in '
        "[0, 1]. Densities are those of the data as given in any case.",
    )

    kl_: Array = fitted(
        "What each number of the code tells of a sample, in nats: the mean of KL(q(z | x) || p(z)) over the samples of "
        "the fit.",
        shape="(n_components,)",
    )

    _likelihood: Likelihood = fitted("How samples lie around what the decoder says.")
    _shape: tuple[int, ...] = fitted("That of a sample, as the networks see it.")
    _given_shape: tuple[int, ...] = fitted("That of a sample, as it was given.")
    _accepts_grids: ClassVar[bool] = True

    def _read_x(self, X: Any, fresh: bool) -> Array:
        return read_pictures(self, X, fresh)

    def _look_at(self, samples: Samples) -> None:
        self._likelihood = likelihood_for(self.likelihood, (x for x, _ in coding.in_blocks(samples)))

    def _new_scaling(self, samples: Samples) -> Any:
        if (scaling := self._likelihood.scaling(self.input_scaling)) is not None:
            return scaling
        return coding.global_scaling(samples) if self.input_scaling == "global" else super()._new_scaling(samples)

    # -- the networks ----------------------------------------------------------------------------------------------

    def _plans(self, target: Any) -> Plans:
        n_conditions = 0 if target is None else target.n_conditions
        *grid, channels = self._shape
        encoder = coding.encoder_layers(self, 2 * self.n_components)
        decoder = coding.decoder_layers(self, self._shape, self._likelihood.n_each)
        return {
            "encoder": (encoder, (*grid, channels + n_conditions)),
            "decoder": (decoder, (self.n_components + n_conditions,)),
        }

    def _networks(self, x: Any, target: Any, rng: Random, dtype: np.dtype) -> Parts:
        parts: dict[str, Any] = built(self._plans(target), rng, dtype)
        if self._likelihood.has_noise:
            n_noises = self._shape[-1] if self.input_scaling == "standard" else 1
            parts["noise"] = Constants(dtype, log=np.zeros(n_noises))
        return Parts(**parts)

    def _check_unchanged(self) -> None:
        super()._check_unchanged()
        check_unchanged(self.network_, self._plans(self._target))

    @property
    def encoder_(self) -> Network:
        """The network from scaled samples to the means of codes and the logarithms of their standard deviations."""
        encoder: Network = left_by_fit(self, "network_").encoder
        return encoder

    @property
    def decoder_(self) -> Network:
        """The network from codes to what the likelihood is told of scaled samples, each of them a row."""
        decoder: Network = left_by_fit(self, "network_").decoder
        return decoder

    # -- the training ----------------------------------------------------------------------------------------------

    def _plan(self, n_samples: int) -> Plan:
        length = {"steps": STEPS, "fewest": FEWEST, "most": MOST, "largest": LARGEST}
        return thousand_steps.planned(self, super()._plan(n_samples), n_samples, **length)

    def _objective(self, nets: Any, batch: Batch, draws: Draws) -> Any:
        mean, log_sd = self._coded(nets, batch)
        z = mean + F.exp(log_sd) * draws.normal(mean.shape)
        misfit = self._misfit(nets, z, batch.y, batch.x.reshape(len(batch.x), -1))
        weight = float(self.beta) * (min(nets.progress / self.warm_up, 1.0) if self.warm_up else 1.0)
        return {"misfit": misfit, "kl": (weight, F.sum(divergence(mean, log_sd), axis=1))}

    def _coded(self, nets: Any, batch: Batch) -> tuple[Value, Value]:
        """Means of the codes of a batch, and logarithms of their standard deviations."""
        raw = nets.encoder(beside(batch.x, batch.y))
        k = raw.shape[1] // 2
        return raw[:, :k], WIDEST - F.softplus(WIDEST - raw[:, k:])

    def _misfit(self, nets: Any, z: Value, condition: Array | None, x: Array) -> Value:
        """- log p(x | z) for rows of codes and of scaled samples; samples may have an axis of draws that codes lack."""
        raw = nets.decoder(beside(z, condition))
        noise = nets.noise.log if self._likelihood.has_noise else None
        return self._likelihood.misfit(raw if x.ndim == 2 else raw.reshape(len(x), -1, raw.shape[1]), x, noise)

    def _train(self, fit: Fit) -> None:
        super()._train(fit)
        nets = self.network_.function()
        self.kl_ = coding.mean_over(fit.samples, lambda batch: divergence(*self._coded(nets, batch)))

    # -- what it has learnt ----------------------------------------------------------------------------------------

    @property
    def active_units_(self) -> int:
        """How many numbers of the code tell more than 0.01 nats of a sample; the others are as good as not there."""
        return int((left_by_fit(self, "kl_") > ACTIVE).sum())

    @property
    def noise_(self) -> Array:
        """Standard deviation of each feature around what the decoder says, in units of X; for a Gaussian alone."""
        network = left_by_fit(self, "network_")
        if not self._likelihood.has_noise:
            raise AttributeError(f"likelihood={self.likelihood!r} has no noise")
        noise = standard_deviation(network.parameters["noise"]["log"].astype(np.float64))
        scale = 1.0 if self.input_scaling_ is None else self.input_scaling_.scale
        return np.array(np.broadcast_to(noise * scale, self._shape))

    # -- codes and back --------------------------------------------------------------------------------------------

    def transform(self, X: Any, y: Any = None) -> Array:
        """The mean codes of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` the condition of all samples, or of each; ignored otherwise.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            In the precision of X.
        """
        x = self._inputs(X)
        condition = self._conditions(y, len(x), x.dtype)
        codes: Array = self._forward(x, lambda nets, batch, draws: self._coded(nets, batch)[0], y=condition)
        return codes

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Array:
        """Fit, and tell the mean codes of the same samples, under the same conditions.

        Parameters
        ----------
        X, y
            As for :meth:`fit`.
        **fit_params
            What else :meth:`fit` takes.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            As :meth:`transform` gives.
        """
        return self.fit(X, y, **fit_params).transform(X, y)

    def inverse_transform(self, Z: Any, y: Any = None) -> Array:
        """The samples that are expected for codes: of levels the most probable ones.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Codes.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` the condition of all samples, or of each; ignored otherwise.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features) or (n_samples, ...)
            In the units and the shape of the X of the fit, in the precision of Z.
        """
        z = coding.read_codes(self, Z)
        raw = self._decoded(z, self._conditions(y, len(z), z.dtype))
        return coding.as_samples(self, self._likelihood.mean(raw))

    def _decoded(self, z: Array, condition: Array | None) -> Array:
        """Raw outputs of the decoder."""

        def outputs(nets: Any, batch: Batch, draws: None) -> Array:
            found: Array = nets.decoder(beside(batch.x, batch.y))
            return found

        raw: Array = Forward(self.network_)(z, outputs, y=condition)
        return raw

    def _sampled(self, n: int, condition: Array | None, draws: Draws) -> Array:
        raw = self._decoded(draws.normal((n, self._n_features_out)), condition)
        log_noise = self.network_.parameters["noise"]["log"] if self._likelihood.has_noise else None
        return coding.as_samples(self, self._likelihood.drawn(raw, draws, log_noise).astype(np.float64))

    @property
    def _n_features_out(self) -> int:
        return self.encoder_.output_shape[0] // 2

    # -- densities -------------------------------------------------------------------------------------------------

    def score_samples(self, X: Any, y: Any = None) -> Array:
        r"""The log-density of each sample, or its log-probability where features are 0 and 1, or levels, in nats.

        It is the bound with `n_importance` codes, which with more of them comes nearer to log p(x) from below:

        .. math:: \log \frac{1}{K} \sum_{k=1}^K \frac{p(x | z_k) \, p(z_k)}{q(z_k | x)}, \qquad z_k \sim q(z | x).

        The codes follow from the sample alone, so that it has the same score in any batch, and in any units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` the condition of all samples, or of each; ignored otherwise.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Of the data as given, before any scaling.
        """

        def bound(log_p: Array, kl: Array, log_weights: Array) -> Array:
            found: Array = logsumexp(log_p + log_weights, axis=1) - log(self.n_importance)
            return found

        return self._bounds(X, y, bound)

    def elbo(self, X: Any, y: Any = None) -> Array:
        """The evidence lower bound of each sample, which is maximised in training (with ``beta=1``).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` the condition of all samples, or of each; ignored otherwise.

        Returns
        -------
        elbo : ndarray of shape (n_samples,)
            In nats, of the data as given. The mean over `n_importance` codes, the same as those of
            :meth:`score_samples`.
        """
        return self._bounds(X, y, lambda log_p, kl, log_weights: log_p.mean(axis=1) - kl)

    def _bounds(self, X: Any, y: Any, bound: Any) -> Array:
        """``bound(log p(x | z), KL(q || p), log p(z) / q(z | x))`` of each sample."""
        x = self._inputs(X)
        condition = self._conditions(y, len(x), x.dtype)
        n, k = self.n_importance, self._n_features_out

        def outputs(nets: Any, batch: Batch, draws: None) -> Array:
            mean, log_sd = self._coded(nets, batch)
            noise = np.stack(list(noise_of_rows(batch.x, n, k)), axis=1).astype(mean.dtype)
            z = mean[:, None] + np.exp(log_sd)[:, None] * noise
            given = None if batch.y is None else np.repeat(batch.y, n, axis=0)
            misfit = self._misfit(nets, z.reshape(-1, k), given, batch.x.reshape(len(batch.x), 1, -1))
            log_weights = 0.5 * (np.square(noise) - np.square(z)).sum(axis=2) + log_sd.sum(axis=1)[:, None]
            return bound(-misfit, divergence(mean, log_sd).sum(axis=1), log_weights)

        with np.errstate(over="ignore", invalid="ignore"):
            scaled = Forward(self.network_, self.input_scaling_)(x, outputs, y=condition)
        scaled = np.where(np.isnan(scaled), -inf, scaled)  # so far off that the numbers overflow
        volume = 0.0 if self.input_scaling_ is None else self.input_scaling_.log_volume(x)
        return scaled.astype(np.float64) + volume


def divergence(mean: Value, log_sd: Value) -> Value:
    """KL(q || p) of normal numbers of these means and standard deviations from standard normal ones, for each."""
    return 0.5 * (F.square(mean) + F.exp(2.0 * log_sd) - 1.0) - log_sd
