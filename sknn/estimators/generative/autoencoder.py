"""Autoencoders: few numbers for each sample, from which it can be made again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, log
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.metrics import r2_score

from ...autodiff import primitives as F
from ...autodiff.tape import Array, Value
from ...nn import Network, Parts
from ...nn.draws import Draws
from ...nn.init import Random
from ...ops.loss import squared_error
from ...template import thousand_steps
from ...template.estimator import Estimator
from ...template.fit import Fit
from ...template.fitted import left_by_fit
from ...template.forward import Forward
from ...template.inputs import checked_weight
from ...template.parameters import fitted, fixed, parameter
from ...template.samples import Batch, Samples
from ...template.scikit_learn import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from ...train import Plan
from . import coding
from .parts import Plans, built, check_unchanged
from .pictures import INPUT_SHAPE, read_pictures

STEPS, FEWEST, MOST = 8000, 20, 500  # of max_iter="auto", and epochs
SPARSE = 1.0  # weight of the penalty for a `sparsity`, beside errors in units of the variance
TINY = 1e-6  # keeps the logarithms of mean activations finite


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):
    r"""Few numbers for each sample, from which it can be made again: an encoder, and a decoder that mirrors it.

    What is minimised is the squared error of samples that went through the code z,

    .. math:: \frac{1}{2} \lVert D(E(x)) - x \rVert^2, \qquad z = E(x).

    Without hidden layers it finds the subspace of :class:`~sklearn.decomposition.PCA`; with them the code is a curved
    one. It can be taught to remove noise (`noise`, `masking`: it sees a spoilt sample and has to make the clean one),
    to use few units at a time (`sparsity`, `activity_l1`), and to see images as such (`filters`).

    See Also
    --------
    sklearn.decomposition.PCA : As good or better on some hundred rows of a table.
    VAE : Codes that have a distribution, so that there is a density, and new samples.
    OutlierDetector : Samples whose error is too large.

    References
    ----------
    Hinton, Salakhutdinov (2006). Reducing the dimensionality of data with neural networks. Science 313.

    Vincent, Larochelle, Lajoie, Bengio, Manzagol (2010). Stacked denoising autoencoders. JMLR 11.

    Ng (2011). Sparse autoencoder. CS294A lecture notes, Stanford.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sknn import Autoencoder
    >>> X = load_digits().data / 16
    >>> autoencoder = Autoencoder(8, max_iter=50, random_state=0).fit(X[:1300])
    >>> autoencoder.transform(X[1300:]).shape
    (497, 8)
    >>> pca = PCA(8).fit(X[:1300])
    >>> error_of_pca = ((pca.inverse_transform(pca.transform(X[1300:])) - X[1300:]) ** 2).sum(axis=1).mean()
    >>> bool(-autoencoder.score_samples(X[1300:]).mean() < 0.8 * error_of_pca)
    True
    """

    n_components: int = coding.N_COMPONENTS
    hidden_layer_sizes: int | Sequence[int] = coding.hidden_layer_sizes((128,))
    activation: str = coding.ACTIVATION
    filters: int | Sequence[int] | None = coding.FILTERS
    input_shape: Sequence[int] | None = INPUT_SHAPE
    noise: float = parameter(
        default=0.0,
        interval="[0, inf)",
        text="Standard deviation of Gaussian noise that is added in training to what the encoder sees, in units of "
        "scaled inputs: with it the autoencoder learns to remove noise.",
    )
    masking: float = parameter(
        default=0.0,
        interval="[0, 1)",
        text="The share of the features that the encoder does not see in training: scaled inputs are set to zero, the "
        "mean, or black.",
    )
    sparsity: float | None = parameter(
        default=None,
        interval="(0, 1)",
        text="The mean activation that each unit of the code is to have, as 0.05; units are then sigmoids. A penalty, "
        "the Kullback-Leibler divergence from it, sees to that. None: any, and units are linear.",
    )
    activity_l1: float = parameter(
        default=0.0,
        interval="[0, inf)",
        text="Strength of a penalty on the sum of the activations of a code, which makes many of them zero; units are "
        "then rectified (ReLU).",
    )
    output: Literal["auto", "linear", "sigmoid"] = parameter(
        default="auto",
        text='What the decoder ends in: "sigmoid" makes samples between 0 and 1. "auto" takes it where all data lie '
        "there and are left as they are.",
    )
    solver = "adamw"
    alpha = 0.1
    learning_rate = "one_cycle"
    learning_rate_init = 0.005
    batch_size: int | Literal["auto"] = thousand_steps.BATCH_SIZE
    max_iter: int | Literal["auto"] = parameter(  # type: ignore[assignment]
        default="auto",
        interval="[1, inf)",
        text='Most epochs; "auto" is as many as make 8,000 steps, but at least 20 and at most 500. For L-BFGS most '
        "iterations, for schedules where they end.",
    )
    n_iter_no_change = inf
    scoring: str | Callable = fixed("loss")
    input_scaling: Literal["global", "standard"] | None = parameter(  # type: ignore[assignment]
        default="global",
        text='How the network scales its inputs, with what it learns in the first fit. "global": all features by one '
        'mean and one scale, and not at all where all lie in [0, 1]; "standard": each feature by its own, so that all '
        "count the same, whatever their units (of grids channel by channel).",
    )

    mean_activations_: Array = fitted(
        "With `sparsity` or `activity_l1` the mean activation of each unit of the code over the samples of the fit.",
        shape="(n_components,)",
    )

    _shape: tuple[int, ...] = fitted("That of a sample, as the networks see it.")
    _given_shape: tuple[int, ...] = fitted("That of a sample, as it was given.")
    _accepted_sparse: ClassVar[Any] = False
    _accepts_grids: ClassVar[bool] = True

    def _read_x(self, X: Any, fresh: bool) -> Array:
        return read_pictures(self, X, fresh)

    def _check_options(self) -> None:
        super()._check_options()
        if self.sparsity is not None:
            self._refuse(("activity_l1",), f"sparsity={self.sparsity!r}; choose one of them")
        if self.output == "sigmoid":
            self._refuse_scaling("output='sigmoid', which makes numbers between 0 and 1")

    def _refuse_scaling(self, why: str) -> None:
        if self.input_scaling == "standard":
            raise ValueError(f"input_scaling='standard' does not apply with {why}")

    def _look_at(self, samples: Samples) -> None:
        within = coding.lie_between_0_and_1(samples)
        if self.output == "sigmoid" and not within:
            raise ValueError("output='sigmoid' makes numbers between 0 and 1, but X holds others: say output='linear'")
        as_they_are = within and self.input_scaling != "standard"
        self.out_activation_ = "logistic" if as_they_are and self.output != "linear" else "identity"

    def _new_scaling(self, samples: Samples) -> Any:
        return coding.global_scaling(samples) if self.input_scaling == "global" else super()._new_scaling(samples)

    # -- the networks ----------------------------------------------------------------------------------------------

    def _plans(self) -> Plans:
        code = "logistic" if self.sparsity is not None else "relu" if self.activity_l1 else "identity"
        return {
            "encoder": (coding.encoder_layers(self, self.n_components, code), self._shape),
            "decoder": (
                coding.decoder_layers(self, self._shape, activation=self.out_activation_),
                (self.n_components,),
            ),
        }

    def _networks(self, x: Any, target: Any, rng: Random, dtype: np.dtype) -> Parts:
        return Parts(**built(self._plans(), rng, dtype))

    def _check_unchanged(self) -> None:
        check_unchanged(self.network_, self._plans())

    @property
    def encoder_(self) -> Network:
        """The network from scaled samples to codes."""
        encoder: Network = left_by_fit(self, "network_").encoder
        return encoder

    @property
    def decoder_(self) -> Network:
        """The network from codes to scaled samples, each of them a row."""
        decoder: Network = left_by_fit(self, "network_").decoder
        return decoder

    # -- the training ----------------------------------------------------------------------------------------------

    def _plan(self, n_samples: int) -> Plan:
        length = {"steps": STEPS, "fewest": FEWEST, "most": MOST}
        return thousand_steps.planned(self, super()._plan(n_samples), n_samples, **length)

    def _objective(self, nets: Any, batch: Batch, draws: Draws) -> Any:
        x = batch.x
        code = nets.encoder(self._spoilt(x, draws) if nets.training else x)
        error = squared_error(nets.decoder(code), x.reshape(len(x), -1))
        if self.sparsity is not None:
            variance = float(x.var(axis=0).sum())
            return {"error": error, "sparsity": (SPARSE * variance, _too_active(code, self.sparsity, batch.weight))}
        if self.activity_l1:
            return {"error": error, "activity": (float(self.activity_l1), F.sum(code, axis=1))}
        return error

    def _spoilt(self, x: Array, draws: Draws) -> Array:
        """What the encoder sees in training."""
        if self.noise:
            x = x + float(self.noise) * draws.normal(x.shape)
        if self.masking:
            x = x * (draws.uniform(x.shape) >= self.masking)
        return x

    def _train(self, fit: Fit) -> None:
        if not fit.fresh and self.out_activation_ == "logistic" and not coding.lie_between_0_and_1(fit.samples):
            raise ValueError(
                "X holds numbers beyond 0 and 1, but all were between them in the first fit, and the decoder makes no "
                "others: fit anew, with output='linear' if that is what comes first"
            )
        super()._train(fit)
        if self.sparsity is not None or self.activity_l1:
            self.mean_activations_ = coding.mean_over(fit.samples, lambda batch: self.encoder_(batch.x))

    # -- codes and back --------------------------------------------------------------------------------------------

    def transform(self, X: Any) -> Array:
        """The codes of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            In the precision of X.
        """
        x = self._inputs(X)
        codes: Array = self._forward(x, lambda nets, batch, draws: nets.encoder(batch.x))
        return codes

    def inverse_transform(self, Z: Any) -> Array:
        """What the decoder makes of codes.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features) or (n_samples, ...)
            In the units and the shape of the X of the fit, in the precision of Z.
        """
        z = coding.read_codes(self, Z)
        return coding.as_samples(self, Forward(self.network_)(z, lambda nets, batch, draws: nets.decoder(batch.x)))

    def reconstruct(self, X: Any) -> Array:
        """Samples that went through the code: what it tells of them, without noise where that was taught.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features) or (n_samples, ...)
            In the units and the shape of the X of the fit, in the precision of X.
        """
        return self._reconstructed(self._inputs(X))

    def _reconstructed(self, x: Array) -> Array:
        raw = self._forward(x, lambda nets, batch, draws: nets.decoder(nets.encoder(batch.x)))
        return coding.as_samples(self, raw)

    def score_samples(self, X: Any) -> Array:
        """How well the code tells each sample: minus the squared error of its reconstruction.

        A sample unlike those of the fit has a low score, but this is no density: the scores of models with different
        `n_components` say nothing of which is more probable.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.

        Returns
        -------
        score : ndarray of shape (n_samples,)
            The sum over features, in squared units of X; 0 is best.
        """
        x = self._inputs(X)
        error = (self._reconstructed(x).reshape(len(x), -1) - x.reshape(len(x), -1)).astype(np.float64)
        return -np.square(error).sum(axis=1)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The share of the variance of samples, over all features together, that comes back through the code.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each counts.

        Returns
        -------
        score : float
            1 where all are reconstructed exactly, 0 for their mean in the place of each, less if that is worse.
        """
        x = self._inputs(X)
        weight = checked_weight(sample_weight, x, allow_all_zero=False)
        given, found = x.reshape(len(x), -1), self._reconstructed(x).reshape(len(x), -1)
        return float(r2_score(given, found, sample_weight=weight, multioutput="variance_weighted"))

    @property
    def _n_features_out(self) -> int:
        return self.encoder_.output_shape[0]


def _too_active(code: Value, wanted: float, weight: Array | None) -> Value:
    """How far the mean activations in a batch are from those wanted, the same number for each of its samples.

    It is the sum over the units of the divergence KL(w || m) = w log(w / m) + (1 - w) log((1 - w) / (1 - m)).
    """
    n, dtype = code.shape[0], code.dtype
    share = np.full(n, 1.0 / n, dtype) if weight is None else (weight / weight.sum()).astype(dtype)
    mean = F.matmul(share, code)
    entropy = wanted * log(wanted) + (1.0 - wanted) * log(1.0 - wanted)
    divergence = entropy - wanted * F.log(mean + TINY) - (1.0 - wanted) * F.log(1.0 + TINY - mean)
    return F.sum(divergence) * np.ones(n, dtype)
