"""Normalizing flows: densities of tables and images that can be computed, drawn from and turned into noise."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log, prod
from typing import Any, Literal

import numpy as np
from scipy.special import logsumexp
from sklearn.utils.validation import check_array, check_is_fitted

from ...autodiff.tape import Array
from ...nn import Layer, Network, from_noise, image_flow_layers, log_prob, to_noise
from ...nn.draws import Draws
from ...nn.init import Random
from ...template.bounds import Bounds, read_bounds
from ...template.density import Density
from ...template.fit import all_positions
from ...template.flows import BOUND, HIDDEN_LAYER_SIZES, KIND, N_BINS, N_TRANSFORMS, flow_of
from ...template.layers import listed_filters
from ...template.parameters import fitted, parameter
from ...template.power import PowerScaling
from ...template.samples import Batch, Samples
from ...template.scikit_learn import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from ...template.thousand_steps import planned
from ...template.ties import Spread, places, spacings, warn_of_ties
from ...train import Plan
from .pictures import as_given, read_pictures

AVERAGING = 0.99  # of the weights over the last steps: what is validated early then does not hang on the last batches
N_PLACES = 16  # in a cell, from which its mean density is estimated
STEPS, FEWEST, MOST, SMALLEST, LARGEST = 3000, 20, 150, 32, 256


class NormalizingFlow(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Density):
    """A density, learnt as a map of the data to standard normal numbers that can be undone.

    With such a map f, its layers chosen so that the determinant of their Jacobian is known, the density is

    .. math:: \\log p(x) = \\log N(f(x); 0, I) + \\log |\\det \\partial f / \\partial x|,

    which is what is maximised. Samples are the inverse of noise. Scores are log-densities of the data as given, in
    nats; scaling and bounds are accounted for.

    See Also
    --------
    sklearn.mixture.GaussianMixture : Better on round shapes, in a second.
    FlowRegressor : The distribution of y under X.
    OutlierDetector : Which samples are too improbable.

    References
    ----------
    Dinh, Sohl-Dickstein, Bengio (2017). Density estimation using Real NVP. ICLR. arXiv:1605.08803.

    Durkan, Bekasov, Murray, Papamakarios (2019). Neural spline flows. NeurIPS. arXiv:1906.04032.

    Kingma, Dhariwal (2018). Glow: generative flow with invertible 1x1 convolutions. NeurIPS. arXiv:1807.03039.

    Papamakarios, Pavlakou, Murray (2017). Masked autoregressive flow for density estimation. NeurIPS. arXiv:1705.07057.

    Yeo, Johnson (2000). A new family of power transformations to improve normality or symmetry. Biometrika 87.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sknn import NormalizingFlow
    >>> X, _ = make_moons(500, noise=0.1, random_state=0)
    >>> flow = NormalizingFlow(max_iter=30, random_state=0).fit(X)
    >>> X_new = flow.sample(100, random_state=0)
    >>> bool(flow.score(X) > flow.score(X[:, ::-1]))
    True
    """

    kind: Literal["spline", "affine", "glow", "autoregressive"] = KIND
    n_transforms: int | Literal["auto"] = N_TRANSFORMS
    hidden_layer_sizes: int | Sequence[int] = HIDDEN_LAYER_SIZES
    n_bins: int = N_BINS
    bound: float = BOUND
    bounds: tuple[Any, Any] | list[Any] | Literal["unit"] | None = parameter(
        default=None,
        text="Between which values lie, and all samples will: (low, high), each a number or one for each feature, "
        'infinite where there is no bound; "unit" is (0, 1). For images one for each channel.',
    )
    dequantize: bool = parameter(
        default=False,
        text="Whether values of columns in which they are repeated (whole or rounded numbers) are spread evenly over "
        "the grid on which they lie, anew in each step of training. A score is then the mean density in the cell, and "
        "samples are put back on the grid.",
    )
    filters: int | Sequence[int] | None = parameter(
        default=None,
        interval="[1, inf)",
        text="For images: filters of the hidden convolutions in each coupling, such as (64, 64), in place of "
        "`hidden_layer_sizes`; `n_transforms` are then those of each scale. None: samples are rows of features.",
    )
    input_shape: Sequence[int] | None = parameter(
        default=None,
        text="With `filters` the shape of an image, (H, W, C), channels last, with even sides. X may have that shape, "
        "may leave out a single channel, or be flattened. None: X is (n, H, W, C).",
    )
    solver = "adamw"
    learning_rate = "one_cycle"
    learning_rate_init = 0.003
    n_iter_no_change = inf
    early_stopping = True
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='Samples in a mini-batch; "auto" is a tenth of them, but at least 32 and at most 256.',
    )
    max_iter: int | Literal["auto"] = parameter(  # type: ignore[assignment]
        default="auto",
        interval="[1, inf)",
        text='Most epochs; "auto" is as many as make 3,000 steps, but at least 20 and at most 150. For L-BFGS most '
        "iterations, for schedules where they end.",
    )
    input_scaling: Literal["power", "standard"] | None = parameter(  # type: ignore[assignment]
        default="power",
        text='What is done to each feature in front of the flow. "power": it is centred and scaled by its quartiles, '
        "bent by the powers (Yeo and Johnson), one on each side, that make it as normal as it can be, and "
        'standardised, which helps much where tails are heavy. "standard": it is standardised alone. The density is '
        "that of the data as given in any case.",
    )

    input_scaling_: PowerScaling = fitted(  # type: ignore[assignment]
        "What stands in front of the flow: its `bounds`, the scales `first` and `last`, and the `powers` between them."
    )
    spacing_: Array = fitted(
        "How far apart the nearest values of each column with repeated values are; 0 for a column without.",
        shape="(n_features,)",
    )
    _spread: Spread | None = fitted("What spreads repeated values, and puts samples back; None: nothing does.")
    _shape: tuple[int, ...] = fitted("That of a sample in front of the flow.")
    _given_shape: tuple[int, ...] = fitted("That of a sample as it was given.")

    # -- the data --------------------------------------------------------------------------------------------------

    def _read_x(self, X: Any, fresh: bool) -> Array:
        return read_pictures(self, X, fresh)

    def _read(self, X: Any, y: Any, sample_weight: Any, fresh: bool, allow_all_zero: bool) -> Samples:
        samples = super()._read(X, y, sample_weight, fresh, allow_all_zero)
        if (bounds := self._bounds()) is not None:
            counting = samples.influential()
            bounds.check("X", all_positions(counting.of(counting.x), None)[0])
        return samples

    def _bounds(self) -> Bounds | None:
        """What the parameter states, for rows of features or the channels of pixels."""
        return read_bounds(self.bounds, self._shape[-1:])

    def _look_at(self, samples: Samples) -> None:
        x, _ = all_positions(samples.of(samples.x), None)
        self.spacing_ = spacings(x)
        self._spread = Spread(self.spacing_, x.min(axis=0), self._bounds()) if self.dequantize else None
        if not self.dequantize:
            warn_of_ties(self, self.spacing_)

    def _new_scaling(self, samples: Samples) -> PowerScaling:
        x, weight = all_positions(samples.of(samples.x), samples.of(samples.weight))
        if self._spread is not None:  # of what nearly always has one value, only what is spread has a scale
            x = self._spread(x, np.random.default_rng(0).random(x.shape))
        return PowerScaling(x, weight, kind=self.input_scaling, bounds=self._bounds())

    def _check_unchanged(self) -> None:
        """The flow has learnt of values as they were freed of their bounds and spread, and can only go on so."""
        super()._check_unchanged()
        for name, is_so in {
            "bounds": self._bounds() == self.input_scaling_.bounds,
            "dequantize": self.dequantize == (self._spread is not None),
        }.items():
            if not is_so:
                raise ValueError(f"{name} was changed after the first fit; fit anew with warm_start=False")

    def _plan(self, n_samples: int) -> Plan:
        sizes = {"steps": STEPS, "fewest": FEWEST, "most": MOST, "smallest": SMALLEST, "largest": LARGEST}
        return planned(self, super()._plan(n_samples), n_samples, **sizes)

    @property
    def _averaging(self) -> float:
        return AVERAGING

    # -- the network -----------------------------------------------------------------------------------------------

    def _networks(self, x: Array, target: Any, rng: Random, dtype: np.dtype) -> Network:
        return Network(self._flow(target), (prod(self._shape) + 1,), rng, dtype)

    def _flow(self, target: Any) -> list[Layer]:
        n_conditions = 0 if target is None else target.n_conditions
        if self.filters is None:
            return flow_of(self, self._shape[0], n_conditions)
        return image_flow_layers(
            self.kind,
            self._shape,
            n_conditions,
            n_transforms=4 if self.n_transforms == "auto" else int(self.n_transforms),
            filters=listed_filters(self.filters),
            n_bins=self.n_bins,
            bound=float(self.bound),
        )

    def _layers(self, n_outputs: int) -> list[Layer]:
        return self._flow(self._target)

    def _outputs(self, nets: Any, batch: Batch, draws: Draws | None) -> Any:
        """Log-densities of scaled samples."""
        return log_prob(nets, _flat(batch.x), batch.y)

    def _objective(self, nets: Any, batch: Batch, draws: Draws) -> Any:
        if self._spread is not None:  # anew in each step: from scaled values back to the given ones, and again
            x, scaling = batch.x, self.input_scaling_
            spread = self._spread(scaling.inverse(x), draws.uniform(x.shape))
            batch = batch._replace(x=scaling(spread).astype(x.dtype))
        return -self._outputs(nets, batch, draws)

    # -- what it says of samples, and draws ------------------------------------------------------------------------

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
            Of the data as given, before any scaling; -inf beyond the bounds. A density is no probability: it may be
            larger than 1, its logarithm positive, and it changes with the units of X. With ``dequantize=True`` it is
            the mean density in the cell of repeated values, from 16 places in it, the same for all rows: the logarithm
            of their probability, less that of the size of the cell.
        """
        x = self._inputs(X)
        condition = self._conditions(y, len(x), self._forward.dtype)
        if self._spread is None or not self.spacing_.any():
            return self._log_density(x, condition)
        shares = places(N_PLACES, self.spacing_.shape if self.filters is None else x.shape[1:])
        each = [self._log_density(self._spread(x, share), condition) for share in shares]
        scored: Array = logsumexp(each, axis=0) - x.dtype.type(log(N_PLACES))
        return scored

    def _log_density(self, x: Array, condition: Array | None) -> Array:
        """Of validated samples, in their precision."""
        with np.errstate(over="ignore"):  # so far out that the density is 0
            log_density = self._forward(x, self._outputs, y=condition)
            found: Array = (log_density + self.input_scaling_.log_volume(x)).astype(x.dtype, copy=False)
        return found

    def transform(self, X: Any, y: Any = None) -> Array:
        """The noise that the flow makes of samples: standard normal numbers, as far as it has learnt their density.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` their conditions; ignored otherwise.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_values)
            In the precision of X.
        """
        x = self._inputs(X)
        condition = self._conditions(y, len(x), self._forward.dtype)
        found: Array = self._forward(
            x, lambda nets, batch, draws: to_noise(nets, _flat(batch.x), batch.y)[0], y=condition
        )
        return found

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Array:
        """Fit, and make noise of the same samples, under the same conditions.

        Parameters
        ----------
        X, y
            As for :meth:`fit`.
        **fit_params
            What else :meth:`fit` takes.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_values)
            As :meth:`transform` gives.
        """
        return self.fit(X, y, **fit_params).transform(X, y)

    def inverse_transform(self, Z: Any, y: Any = None) -> Array:
        """The samples of which :meth:`transform` makes Z.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_values)
            Noise.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` their conditions; ignored otherwise.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features) or (n_samples, ...)
            In double precision, in the units and the shape of the X of the fit.
        """
        check_is_fitted(self)
        z = check_array(Z, dtype=np.float64, input_name="Z", estimator=self)
        if z.shape[1] != self._n_features_out:
            raise ValueError(
                f"Z has {z.shape[1]} columns, but the flow makes {self._n_features_out} numbers of a sample"
            )
        return as_given(self, self._samples_of(z, self._conditions(y, len(z), z.dtype)))

    def _sampled(self, n: int, condition: Array | None, draws: Draws) -> Array:
        z = draws.normal((n, self._n_features_out)).astype(np.float64)
        x = self._samples_of(z, condition)
        return as_given(self, x if self._spread is None else self._spread.back(x))

    def _samples_of(self, z: Array, condition: Array | None) -> Array:
        """In double precision, so that there and back is the same."""
        forward = self._forward

        def part(rows: slice) -> Array:
            return from_noise(forward.nets, z[rows], None if condition is None else condition[rows])

        x = forward.over(z, part)
        return self.input_scaling_.inverse(x.reshape(len(x), *self._shape))

    @property
    def _n_features_out(self) -> int:
        return prod(self._shape)


def _flat(x: Array) -> Array:
    return x.reshape(len(x), -1)
