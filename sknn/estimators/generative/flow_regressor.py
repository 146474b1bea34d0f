"""The whole distribution of y under X, as a conditional normalizing flow: posteriors of simulators."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.special import ndtri
from sklearn.utils.validation import check_consistent_length

from ...autodiff.tape import Array
from ...description import checked_count, checked_share, checked_shares
from ...nn import Layer, Network, from_noise, log_prob
from ...nn.draws import Draws
from ...nn.init import Random
from ...template import flows
from ...template.bounds import read_bounds
from ...template.density_target import DensityTarget, columns
from ...template.drawing import draws_by
from ...template.even_points import normal_points
from ...template.kinds import Regressor
from ...template.parameters import fitted, fixed, parameter
from ...template.power import PowerScaling
from ...template.residuals import Residuals, linear_residuals
from ...template.samples import Batch, Samples
from ...template.ties import spacings
from ...template.validation import mean_objective
from ...train import Verdict

AVERAGING = 0.99  # of the weights, over some hundred steps
SHARE, SMALLEST, LARGEST = 30, 32, 128  # batches: one of so many, no smaller, no larger
TIED = (
    "output(s) {} of y hold values that are repeated, as whole or rounded numbers are: a density grows there without "
    "bound; add noise of the size of their steps, such as y + rng.uniform(-0.5, 0.5, y.shape) for whole numbers"
)
ENOUGH = 20_000  # samples, evenly spaced, say what is linear
AT_ONCE = 1 << 21  # numbers drawn to be summarised


class FlowRegressor(Regressor):
    r"""The distribution of y under X, learnt from pairs of both: whatever shape it has, with several y jointly.

    A normalizing flow that is told x turns y into standard normal numbers, so that

    .. math:: \log p(y \mid x) = \log \mathcal N(f(y; x); 0, I) + \log |\det \partial f / \partial y|,

    whose mean over the samples is maximised. Where linear regression tells all of y but a noise that is the same
    everywhere, the flow learns what it leaves. Fitted to parameters y that were drawn from a prior, and the X that a
    simulator made of them, it is the posterior of the parameters for any observation x (neural posterior estimation),
    and needs no likelihood. Numbers y may be between `bounds`, which no draw ever leaves.

    See Also
    --------
    sknn.inspection.sbc_ranks : Whether posteriors are calibrated.
    NormalizingFlow : The density of X alone.

    References
    ----------
    Papamakarios, Murray (2016). Fast epsilon-free inference of simulation models with Bayesian conditional density
    estimation. NeurIPS. arXiv:1605.06376.

    Greenberg, Nonnenmacher, Macke (2019). Automatic posterior transformation for likelihood-free inference. ICML.
    arXiv:1905.07488.

    Durkan, Bekasov, Murray, Papamakarios (2019). Neural spline flows. NeurIPS. arXiv:1906.04032.

    Examples
    --------
    A parameter between 0 and 1 is seen with noise; where little is known the posterior leans on its bounds.

    >>> import numpy as np
    >>> from sknn import FlowRegressor
    >>> rng = np.random.default_rng(0)
    >>> y = rng.uniform(0, 1, 500)
    >>> X = (y + rng.normal(0, 0.2, 500)).reshape(-1, 1)
    >>> flow = FlowRegressor(bounds=(0, 1), random_state=0).fit(X, y)
    >>> draws = flow.sample_y([[0.0], [0.5], [1.0]], 1000, random_state=0)
    >>> draws.shape, bool(0 < draws.min() < draws.max() < 1)
    ((3, 1000), True)
    >>> mean, std = flow.predict([[0.5]], return_std=True)
    >>> std.round(1)
    array([0.2])
    """

    kind: Literal["spline", "affine", "glow", "autoregressive"] = parameter(
        default="autoregressive",
        text='What the flow is made of. "autoregressive": splines of each y that see all before it; "spline": '
        'couplings, in which half of the y bend the others by splines, quicker to draw from for many y; "affine": '
        'couplings that shift and stretch (Real NVP); "glow": the same, each after a mixing of all y.',
        kw_only=False,
    )
    n_transforms: int | Literal["auto"] = flows.N_TRANSFORMS
    hidden_layer_sizes: int | Sequence[int] = flows.HIDDEN_LAYER_SIZES
    n_bins: int = flows.N_BINS
    bound: float = flows.BOUND
    bounds: tuple[Any, Any] | list[Any] | Literal["unit"] | None = parameter(
        default=None,
        text="Between which values y lies, such as the ends of a uniform prior: (low, high), each a number or one for "
        'each output, -inf and inf where there is none; "unit" is (0, 1). Nothing is drawn beyond them, and no density '
        "is lost there.",
    )
    n_draws: int = parameter(
        default=1000,
        interval="[2, inf)",
        text="From how many points of the distribution of a sample its mean, standard deviation, quantiles and "
        "intervals are computed. The points are spread evenly and are always the same.",
    )
    target_scaling: Literal["power", "standard"] | None = parameter(  # type: ignore[assignment]
        default="power",
        text='How y comes to the flow, once it is freed of its bounds: "power" makes each output as normal as a power '
        'of Yeo and Johnson can, "standard" only standardises it.',
    )
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='Samples in a mini-batch; "auto" is a thirtieth of them, but at least 32 and at most 128.',
    )
    loss: str = fixed("log_density")  # type: ignore[assignment]
    delta: float = fixed(1.35)
    quantile: float | Sequence[float] = fixed(0.5)
    solver = "adamw"
    input_scaling = "standard"
    early_stopping = True
    n_iter_no_change = 20
    max_iter = 1000

    pretrained: None = fixed(None)
    freeze: int = fixed(0)
    fine_tune_rate: float = fixed(0.1)

    _residuals: Residuals | None = fitted("What linear regression leaves of y, if that is what the flow learns.")
    _accepted_sparse: ClassVar[Any] = False

    # -- what is learnt --------------------------------------------------------------------------------------------

    def _layers(self, n_outputs: int) -> list[Layer]:
        return flows.flow_of(self, n_outputs, self.n_features_in_)

    def _networks(self, x: Any, target: Any, rng: Random, dtype: np.dtype) -> Network:
        return Network(self._layers(target.n_outputs), (target.n_outputs + 1,), rng, dtype)

    def _new_target(self, y: Array, sample_weight: Array | None) -> DensityTarget:  # type: ignore[override]
        tied = np.flatnonzero(spacings(columns(y)))
        if len(tied):
            warnings.warn(TIED.format(", ".join(map(str, tied[:8])) + ", ..." * (len(tied) > 8)), stacklevel=2)
        bounds = read_bounds(self.bounds, (columns(y).shape[1],))
        scaling = PowerScaling(columns(y), sample_weight, kind=self.target_scaling, bounds=bounds)
        return DensityTarget(scaling, y.shape[1:])

    def _check_target(self, target: Any) -> None:
        """The scale that the flow has learnt in can only stay as it is."""
        scaling, bounds = target.scaling, read_bounds(self.bounds, (target.n_outputs,))
        if scaling.kind != self.target_scaling or scaling.bounds != bounds:
            raise ValueError("bounds or target_scaling was changed after the first fit; fit anew with warm_start=False")

    def _loss(self) -> Any:
        return None

    def _new_scaling(self, samples: Samples) -> Any:
        """That of the inputs; what linear regression on them leaves of y is learnt along with it."""
        scaling = super()._new_scaling(samples)
        some = samples.part(np.arange(0, len(samples), -(-len(samples) // ENOUGH)))
        x, y, weight = (some.of(each) for each in (some.x, some.y, some.weight))
        x = x.astype(np.float64)
        z = self._target.encode(y, x.dtype)
        self._residuals = linear_residuals(x if scaling is None else scaling(x), z, weight)
        return scaling

    def _outputs(self, nets: Any, batch: Batch, draws: Draws | None) -> Any:
        """Log-densities of scaled y."""
        residuals = self._residuals
        if residuals is None:
            return log_prob(nets, batch.y, batch.x)
        return log_prob(nets, residuals(batch.y, batch.x), batch.x) + residuals.log_volume

    def _objective(self, nets: Any, batch: Batch, draws: Draws) -> Any:
        return -self._outputs(nets, batch, draws)

    @property
    def _averaging(self) -> float:
        return AVERAGING

    def _verdict(self, nets: Any, samples: Samples, draws: Draws) -> Verdict:
        return _scored(self, mean_objective(self, nets, samples, draws))

    def _batch_size(self, n_samples: int) -> int:
        if self.batch_size == "auto":
            return min(n_samples, max(SMALLEST, min(LARGEST, n_samples // SHARE)))
        return super()._batch_size(n_samples)

    # -- what is known of y ----------------------------------------------------------------------------------------

    def score_samples(self, X: Any, y: Any = None) -> Array:
        """The log-density log p(y | X) of each y under its X, in nats.

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
            Of y as given, before any scaling; -inf beyond `bounds`, finite within. A density is no probability: it may
            be larger than 1, and it changes with the units of y.

        Raises
        ------
        ValueError
            If y has another number of outputs than in fit, or of samples than X.
        """
        x = self._inputs(X)
        if y is None:
            return self._summarised(x, self._even_points(), self._mean_log_density)
        y = self._read_y(y)
        check_consistent_length(x, y)
        self._target.check_shape(y)
        return self._log_density(x, y)

    def sample_y(self, X: Any, n_samples: int = 1, random_state: Any = None) -> Array:
        """Draw from p(y | X).

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
        x = self._inputs(X)
        n_samples, draws = checked_count("n_samples", n_samples, 0), draws_by(random_state, self.network_.theta.dtype)
        return self._of_noise(x, draws.normal((len(x), n_samples, self._target.n_outputs)))

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """The mean of y under X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        return_std : bool, default=False
            Whether to give the standard deviation as well.

        Returns
        -------
        mean : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the precision of X.
        std : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            How far y scatters about it; only with ``return_std=True``.
        """
        x, points = self._inputs(X), self._even_points()
        if not return_std:
            return self._summarised(x, points, lambda x, y: y.mean(axis=-1))
        both = self._summarised(x, points, lambda x, y: np.stack([y.mean(axis=-1), y.std(axis=-1)], axis=-1))
        return both[..., 0], both[..., 1]

    def predict_quantiles(self, X: Any, quantiles: Sequence[float] = (0.05, 0.5, 0.95)) -> Array:  # type: ignore[override]
        """Quantiles of y under X, of each output by itself.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        quantiles : sequence of float, default=(0.05, 0.5, 0.95)
            Which, above 0 and below 1.

        Returns
        -------
        y : ndarray of shape (n_samples, n_quantiles) or (n_samples, n_outputs, n_quantiles)
            Of a single output exactly those of the fitted distribution; of several those of `n_draws` points. In the
            precision of X.

        Raises
        ------
        ValueError
            If there is none, or one is not above 0 and below 1.
        """
        x, levels = self._inputs(X), np.array(checked_shares("quantiles", quantiles))
        if self._target.n_outputs == 1:  # y rises with the noise, so its quantiles are those of the noise
            return self._summarised(x, ndtri(levels)[:, None], lambda x, y: y)
        return self._summarised(
            x, self._even_points(), lambda x, y: np.moveaxis(np.quantile(y, levels, axis=-1), 0, -1)
        )

    def predict_interval(self, X: Any, confidence: float = 0.9) -> Array:
        """Central intervals of y under X, of each output by itself.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        confidence : float, default=0.9
            The probability that y lies inside; beyond either end lies half of the rest.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            Its ends, in the precision of X.

        Raises
        ------
        ValueError
            If `confidence` does not lie between 0 and 1.
        """
        confidence = checked_share("confidence", confidence)
        return self.predict_quantiles(X, [(1 - confidence) / 2, (1 + confidence) / 2])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R2 of the mean: 1 for perfect predictions, 0 for the best constant.

        It says nothing of the rest of the distribution, as the mean of :meth:`score_samples` does.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
        """
        return super().score(X, y, sample_weight)

    # -- from noise to y -------------------------------------------------------------------------------------------

    def _summarised(self, x: Array, points: Array, summary: Callable[[Array, Array], Any]) -> Any:
        """What `summary(x, y)` says of y (n, ..., n_points), where all samples have the same noise."""
        size = max(1, AT_ONCE // points.size)
        parts = (x[k : k + size] for k in range(0, len(x), size))
        found = [
            summary(part, self._of_noise(part, np.broadcast_to(points, (len(part), *points.shape)))) for part in parts
        ]
        return np.concatenate(found).astype(x.dtype, copy=False)

    def _mean_log_density(self, x: Array, y: Array) -> Array:
        """Over all y (n, ..., n_points) of each sample."""
        n_points = y.shape[-1]
        each = np.moveaxis(y, -1, 1).reshape(-1, *self._target.shape)
        return self._log_density(np.repeat(x, n_points, axis=0), each).reshape(-1, n_points).mean(axis=1)

    def _log_density(self, x: Array, y: Array) -> Array:
        z = self._target.encode(y, np.dtype(np.float64))
        log_density: Array = self._forward(x, self._outputs, z)
        return log_density + self._target.log_volume(y)

    def _even_points(self) -> Array:
        """Always the same, so that no two samples differ by luck."""
        return normal_points(self.n_draws, self._target.n_outputs)

    def _of_noise(self, x: Array, noise: Array) -> Array:
        """y (n, n_points) or (n, n_outputs, n_points) of noise (n, n_points, n_outputs), in double precision."""
        forward, n_points = self._forward, noise.shape[1]
        scaled = x if forward.scaling is None else forward.scaling(x)
        z = noise.reshape(-1, noise.shape[-1])

        def part(rows: slice) -> Array:
            condition = scaled[np.arange(rows.start, rows.stop) // n_points]
            condition = condition.astype(z.dtype, copy=False)
            found = from_noise(forward.nets, z[rows], condition)
            return found if self._residuals is None else self._residuals.inverse(found, condition)

        if len(z):
            z = forward.over(z, part)
        y = self._target.decode(z)
        return np.moveaxis(y.reshape(len(x), n_points, *y.shape[1:]), 1, -1)


def _scored(model: Any, verdict: Verdict) -> Verdict:
    """With what the scorer says of the model, if there is one and the model is not yet lost."""
    if model._scorer is None or not isfinite(verdict.loss):
        return verdict
    return verdict._replace(score=model._scorer(None))
