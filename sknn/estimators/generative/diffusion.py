"""Diffusion models: samples made of noise, step by step, by a network that has learnt to take noise away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import inf, isfinite, pi
from numbers import Real
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ...autodiff import primitives as F
from ...autodiff.tape import Array
from ...description import checked_count, is_integer
from ...nn import Parts
from ...nn.draws import Draws
from ...nn.init import Random
from ...ops.activation import ACTIVATIONS
from ...ops.loss import squared_error
from ...template import thousand_steps
from ...template.density import Density
from ...template.drawing import draws_by
from ...template.fit import Fit
from ...template.inputs import at_once, cast
from ...template.layers import listed_sizes
from ...template.parameters import fitted, parameter
from ...template.samples import Batch, Samples
from ...template.values import numbers
from ...train import Plan
from .denoising import PREDICTIONS, Denoiser
from .imputing import NOISY, hidden, masked, read_with_gaps, scaling_of_known, to_fill
from .lower_bound import lower_bound
from .noise_networks import DenseNoise, Seen, Sizes, UNetNoise, predicted
from .parts import built, check_unchanged
from .pictures import INPUT_SHAPE, as_given, read_pictures
from .samplers import SAMPLERS, ddim, even_in_time, level

N_STEPS, SMALLEST, LARGEST = 6000, 128, 256  # of max_iter="auto", and the batches of batch_size="auto"
N_TIMES, N_ROWS = 10, 1000  # of `loss_by_time_`, and the most rows that it is the mean of


class DiffusionModel(Density):
    """Denoising diffusion: samples are made of noise by a network that has learnt to take noise away.

    A sample x0 disappears in noise over a time t from 0 to 1, x = cos(pi t / 2) x0 + sin(pi t / 2) noise (Nichol &
    Dhariwal 2021), and a network learns to tell the noise (or v = cos(pi t / 2) noise - sin(pi t / 2) x0, Salimans & Ho
    2022) from x and t, by its mean squared error. Samples come from the way back.

    Parameters are averaged over the steps of the fit. Samples stay in the range that each value had in the fit. Of the
    density a lower bound is known.

    See Also
    --------
    NormalizingFlow : Has the density itself.
    GAN : Draws in one pass of the network; its samples are worse.
    sklearn.impute.IterativeImputer : Fills gaps as well or better where the columns hang together linearly.

    References
    ----------
    Ho, Jain, Abbeel (2020). Denoising diffusion probabilistic models. NeurIPS. arXiv:2006.11239.

    Ho, Salimans (2021). Classifier-free diffusion guidance. NeurIPS workshop. arXiv:2207.12598.

    Kingma, Salimans, Poole, Ho (2021). Variational diffusion models. NeurIPS. arXiv:2107.00630.

    Nichol, Dhariwal (2021). Improved denoising diffusion probabilistic models. ICML. arXiv:2102.09672.

    Salimans, Ho (2022). Progressive distillation for fast sampling of diffusion models. ICLR. arXiv:2202.00512.

    Lu, Zhou, Bao, Chen, Li, Zhu (2022). DPM-Solver++: fast solver for guided sampling of diffusion probabilistic
    models. arXiv:2211.01095.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import DiffusionModel
    >>> rng = np.random.default_rng(0)
    >>> X = rng.choice([-3.0, 3.0], (500, 1)) + rng.normal(size=(500, 2))
    >>> model = DiffusionModel((32, 32), max_iter=100, random_state=0).fit(X)
    >>> samples = model.sample(200, random_state=0)
    >>> samples.shape, bool(0.7 < np.corrcoef(samples.T)[0, 1] < 1)
    ((200, 2), True)
    """

    hidden_layer_sizes: int | Sequence[int] = parameter(
        default=(256, 256, 256), interval="[1, inf)", text="Units of each hidden layer.", kw_only=False
    )
    activation: str = parameter(default="silu", named=ACTIVATIONS, text="Of the hidden layers.")
    filters: int | None = parameter(
        default=None,
        interval="[2, inf)",
        text="A U-net with so many filters on its finest grid, for images, signals and volumes, in place of dense "
        "layers.",
    )
    input_shape: Sequence[int] | None = INPUT_SHAPE
    target: Literal["v", "noise"] = parameter(
        default="v",
        text="What the network predicts: the noise alone says little about the data where there is little else.",
    )
    guidance_dropout: float = parameter(
        default=0.1,
        interval="[0, 1)",
        text="With ``conditional=True`` the share of samples of which training does not tell the condition, so that "
        "samples can be drawn without it and guided away from those.",
    )
    missing: float = parameter(
        default=0.0,
        interval="[0, 1)",
        text="The share of values that are hidden in training, to be found from the others, in three quarters of the "
        "samples; of each the share is drawn anew with this mean. With it X may have gaps, NaN, and :meth:`impute` "
        "fills some.",
    )
    averaging: float = parameter(
        default=0.999, interval="[0, 1)", text="How much of their average parameters keep in a step."
    )
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='Samples in a mini-batch; "auto" is a tenth of them, but at least 128 and at most 256.',
    )
    max_iter: int | Literal["auto"] = parameter(  # type: ignore[assignment]
        default="auto", interval="[1, inf)", text='Most epochs; "auto" is as many as make 6,000 steps.'
    )
    input_scaling: Literal["standard"] | None = parameter(
        default="standard",
        text="Whether X is standardised, column by column (of grids channel by channel), with what is learnt in the "
        "first fit. Noise and network reckon with a spread of about 1.",
    )
    solver = "adamw"
    learning_rate = "one_cycle"
    learning_rate_init = 5e-3
    n_iter_no_change = inf

    network_: Parts = fitted("The fitted networks: `noise`, and `time` in front of a U-net.")  # type: ignore[assignment]
    loss_by_time_: Array = fitted(
        "The mean squared error of the noise predicted for samples of the fit, at the middle of each tenth of the time "
        "from data to noise. For Gaussian data with a spread of 1 none is less than cos(pi t / 2)^2.",
        shape="(10,)",
    )

    _shape: tuple[int, ...] = fitted("That of a sample.")
    _predicts: str = fitted("What the networks predict.")
    _fills_gaps: bool = fitted("Whether they have learnt to.")
    _takes_guidance: bool = fitted("Whether they have learnt to do without a condition.")
    _range: Array = fitted("The least and the largest of each of its values in the fit.")
    _given_shape: tuple[int, ...] = fitted("That of a sample as it was given.")
    _takes_grids_as_conditions: ClassVar[bool] = True

    # -- the data --------------------------------------------------------------------------------------------------

    @property
    def _accepts_nan(self) -> bool:  # type: ignore[override]
        return bool(self.missing)

    @property
    def _accepts_grids(self) -> bool:  # type: ignore[override]
        return self.filters is not None

    def _read_x(self, X: Any, fresh: bool) -> Array:
        return read_with_gaps(self, X, fresh) if self.missing else read_pictures(self, X, fresh)

    def _new_scaling(self, samples: Samples) -> Any:
        if self.input_scaling is None or not self.missing:
            return super()._new_scaling(samples)
        x, weight = samples.of(samples.x), samples.of(samples.weight)
        if x.ndim == 2:
            return scaling_of_known(x, weight)
        positions = x.reshape(-1, x.shape[-1])
        return scaling_of_known(positions, None if weight is None else np.repeat(weight, len(positions) // len(x)))

    # -- the networks ----------------------------------------------------------------------------------------------

    @property
    def _noise(self) -> Any:
        """What is predicted with."""
        if self.filters is not None:
            return UNetNoise(self.filters)
        return DenseNoise(tuple(listed_sizes(self.hidden_layer_sizes)), self.activation)

    def _sizes(self, target: Any) -> Sizes:
        return Sizes(self._shape, None if target is None else target.shape, bool(self.missing))

    def _networks(self, x: Any, target: Any, rng: Random, dtype: np.dtype) -> Parts:
        return Parts(**built(self._noise.networks(self._sizes(target)), rng, dtype))

    def _check_unchanged(self) -> None:
        super()._check_unchanged()
        check_unchanged(self.network_, self._noise.networks(self._sizes(self._target)))
        if self.target != self._predicts:
            raise ValueError(
                f"target was changed after the first fit, to {self.target!r}; fit anew with warm_start=False"
            )

    # -- the training ----------------------------------------------------------------------------------------------

    def _objective(self, nets: Any, batch: Batch, draws: Draws) -> Any:
        gapped = masked(batch.x, float(self.missing), draws) if self.missing else None
        data = batch.x if gapped is None else gapped.values
        n, dtype = len(data), data.dtype
        time = (draws.uniform((1,)) + np.arange(n, dtype=dtype) / dtype.type(n)) % dtype.type(1.0)
        alpha, sigma = (wave(0.5 * pi * time).reshape(n, *[1] * (data.ndim - 1)) for wave in (np.cos, np.sin))
        noise = draws.normal(data.shape)
        x = alpha * data + sigma * noise
        wanted = PREDICTIONS[self.target].wanted(data, noise, alpha, sigma)
        raw = F.reshape(predicted(nets, self._seen(nets, x, time, gapped, batch.y, draws)), (n, -1))
        if gapped is None:
            return squared_error(raw, wanted.reshape(n, -1)) * (2.0 / raw.shape[1])
        learnt = (gapped.roles == NOISY).reshape(n, -1)
        wanted = np.where(learnt, wanted.reshape(n, -1), F.plain(raw))  # elsewhere there is nothing to be learnt
        return squared_error(raw, wanted) * (2.0 / np.maximum(learnt.sum(axis=1), 1).astype(dtype))

    def _seen(self, nets: Any, x: Array, time: Array, gapped: Any, condition: Any, draws: Draws) -> Seen:
        """What the network is shown of noisy samples in a fit."""
        told = None
        if condition is not None:
            n = len(x)
            told = np.ones(n, x.dtype)
            if nets.training:
                told = (draws.uniform((n,)) >= self.guidance_dropout).astype(x.dtype)
            condition = condition.astype(x.dtype, copy=False) * told.reshape(n, *[1] * (condition.ndim - 1))
        roles = None if gapped is None else gapped.roles
        return Seen(x if gapped is None else gapped.shown(x), time, roles, condition, told)

    @property
    def _averaging(self) -> float:
        return float(self.averaging)

    def _plan(self, n_samples: int) -> Plan:
        each = {"steps": N_STEPS, "fewest": 1, "most": N_STEPS, "smallest": SMALLEST, "largest": LARGEST}
        return thousand_steps.planned(self, super()._plan(n_samples), n_samples, **each)

    def _train(self, fit: Fit) -> None:
        self._range = self._range_with(fit.samples, vars(self).get("_range") if not fit.fresh else None)
        super()._train(fit)
        self._predicts, self._fills_gaps = self.target, bool(self.missing)
        self._takes_guidance = bool(self.guidance_dropout)
        rows = np.unique(np.linspace(0, len(fit.samples) - 1, N_ROWS).astype(int))
        self.loss_by_time_ = self._errors(fit.samples.take(rows))

    def _range_with(self, samples: Samples, earlier: Array | None) -> Array:
        """The least and the largest of each value, of samples in their units and of earlier ones."""
        ends = [] if earlier is None else [earlier]
        for rows in samples.blocks(at_once(samples.x)):
            x = samples.take(rows).x
            ends.append(np.stack([np.fmin.reduce(x), np.fmax.reduce(x)]))
        return np.stack([np.fmin.reduce([low for low, _ in ends]), np.fmax.reduce([high for _, high in ends])])

    def _errors(self, batch: Batch) -> Array:
        """The mean squared error of the predicted noise at the middle of each tenth of the time."""
        draws = Draws(0, batch.x.dtype)
        known = hidden(batch.x) if np.isnan(batch.x).any() else None
        data, counts = (batch.x, ...) if known is None else (known.values, known.roles == NOISY)
        denoiser, errors = Denoiser(self, batch.y, known=known), []
        for time in (np.arange(N_TIMES) + 0.5) / N_TIMES:
            alpha, sigma = level(time)
            noise = draws.normal(data.shape)
            difference = denoiser.predicted_noise(alpha * data + sigma * noise, time) - noise
            errors.append(np.square(difference[counts], dtype=np.float64).mean())
        return np.array(errors)

    # -- drawing ---------------------------------------------------------------------------------------------------

    def sample(
        self,
        n_samples: int = 1,
        y: Any = None,
        random_state: Any = None,
        *,
        n_steps: int = 20,
        method: str = "dpm",
        guidance: float = 0.0,
    ) -> Array:
        """Draw samples.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` the condition that all are drawn under, or one for each, which says how many.
            None: conditions are drawn from those of the fit.
        random_state : int, RandomState instance or None, default=None
            An int gives the same samples in every call; None others in each.
        n_steps : int, default=20
            From noise to data: how often the network is asked.
        method : {"dpm", "ddim", "ddpm"}, default="dpm"
            The sampler: DPM-Solver++ of second order, or its first order, which both draw nothing but the noise that
            they start from; or the one that draws new noise in each step and needs 100 of them or more.
        guidance : float, default=0.0
            With ``conditional=True`` by how much what the condition changes is exaggerated: samples are clearer cases
            of it, and less varied. -1 are samples without the condition.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features) or (n_samples, ...)
            In the units and the shape of the X of the fit.

        Raises
        ------
        ValueError
            If `n_samples` is negative, y is given without ``conditional=True``, has another number of rows, or a class
            that was not there in fit; if `method` is unknown, or guidance is asked for that was not trained.
        """
        check_is_fitted(self)
        self._check_guidance(guidance)
        sampler = _sampler(method, n_steps)
        return self._drawn(n_samples, y, random_state, partial(self._made, sampler=sampler, guidance=guidance))

    def _made(self, n: int, condition: Array | None, draws: Draws, *, sampler: Any, guidance: float) -> Array:
        """Samples in the units of X, under encoded conditions if there are any."""
        noise = draws.normal((n, *self._shape))
        return self._given_back(sampler(Denoiser(self, condition, guidance), noise, draws))

    def _check_guidance(self, guidance: float) -> None:
        if not isinstance(guidance, Real) or not isfinite(guidance):
            raise ValueError(f"guidance={guidance!r} must be a finite number")
        if guidance and self._target is None:
            raise ValueError(f"guidance={guidance!r} needs a condition to guide to: fit with conditional=True")
        if guidance and not self._takes_guidance:
            raise ValueError(
                f"guidance={guidance!r} needs samples without condition to guide away from: fit with "
                "guidance_dropout=0.1 instead of 0"
            )

    def _scaled(self, x: Array, dtype: np.dtype) -> Array:
        """Validated samples as the networks see them."""
        scaled: Array = cast(x, dtype, self.input_scaling_)
        return scaled

    def _given_back(self, z: Array) -> Array:
        """Samples in the units and the shape of those of the fit, in double precision."""
        x = z.astype(np.float64)
        return as_given(self, x if self.input_scaling_ is None else self.input_scaling_.inverse(x))

    # -- filling gaps ----------------------------------------------------------------------------------------------

    def impute(
        self,
        X: Any,
        n_samples: int | None = None,
        y: Any = None,
        random_state: Any = None,
        *,
        n_steps: int = 20,
        method: str = "dpm",
    ) -> Array:
        """Fill gaps by draws from the distribution of what is missing, given what is known.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or (n, ...)
            Samples with NaN where a value is missing.
        n_samples : int, default=None
            How often each is filled; None: once, as a single answer.
        y : scalar or array-like of shape (n,) or (n, n_columns), default=None
            For ``conditional=True`` the condition of all samples, or of each.
        random_state : int, RandomState instance or None, default=None
            An int gives the same in every call; None something else in each.
        n_steps : int, default=20
            From noise to data.
        method : {"dpm", "ddim", "ddpm"}, default="dpm"
            As for :meth:`sample`.

        Returns
        -------
        filled : ndarray of the shape of X, or (n_samples, \\*shape of X)
            With all that was known as it was, to the bit.

        Raises
        ------
        ValueError
            If the model was not trained with masks (``missing=0``): draws that respect what is known cannot be had from
            a network that was never shown it.
        """
        check_is_fitted(self)
        if not self._fills_gaps:
            raise ValueError(
                "impute needs a model that was trained with masks: fit with missing=0.5, say, the share of values that "
                "training hides (this one had missing=0)"
            )
        if n_samples is not None and (not is_integer(n_samples) or n_samples < 1):
            raise ValueError(f"n_samples={n_samples!r} must be a whole number, at least 1, or None")
        sampler, x = _sampler(method, n_steps), self._inputs(X)
        dtype, times = self.network_.theta.dtype, 1 if n_samples is None else int(n_samples)
        condition = self._conditions(y, len(x), dtype)
        draws = draws_by(random_state, dtype)
        filled = np.repeat(x[None], times, axis=0)
        incomplete = np.flatnonzero(np.isnan(x).reshape(len(x), -1).any(axis=1))
        if len(incomplete):
            rows = np.tile(incomplete, times)
            known = to_fill(self._scaled(x[rows], dtype))
            denoiser = Denoiser(self, None if condition is None else condition[rows], known=known)
            drawn = self._given_back(sampler(denoiser, draws.normal(known.values.shape), draws))
            drawn = drawn.reshape(times, len(incomplete), *x.shape[1:]).astype(x.dtype)
            part = filled[:, incomplete]
            filled[:, incomplete] = np.where(np.isnan(part), drawn, part)
        shape = np.shape(X) if n_samples is None else (times, *np.shape(X))
        return filled.reshape(shape)

    # -- densities -------------------------------------------------------------------------------------------------

    def score_samples(self, X: Any, y: Any = None) -> Array:
        """A lower bound on the log-density of each sample, in nats.

        It is that of the data with noise of a hundredth of their spread, found with 128 draws of noise, which follow
        from the values of a sample and from nothing else: it has the same score in any table, and in any units. So it
        scatters around the bound, by tenths of a nat for two columns, by one or two for fifty; the mean over samples by
        less.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples, without gaps.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` the condition of all samples, or of each; ignored otherwise.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Of the data as given, before any scaling.

        References
        ----------
        Kingma, Salimans, Poole, Ho (2021). Variational diffusion models. NeurIPS. arXiv:2107.00630.
        """
        x = self._complete(X)
        double = np.dtype(np.float64)
        denoiser = Denoiser(self, self._conditions(y, len(x), double))
        with np.errstate(over="ignore"):  # of samples as far away as 1e200 the bound is -inf
            bound = lower_bound(denoiser.predicted_noise, self._scaled(x.astype(double), double))
        if self.input_scaling_ is not None:
            bound -= np.log(np.broadcast_to(self.input_scaling_.scale, self._shape)).sum()
        return bound.astype(x.dtype)

    # -- samples as noise ------------------------------------------------------------------------------------------

    def to_noise(self, X: Any, y: Any = None, *, n_steps: int = 100) -> Array:
        """The noise of which samples are made, by the steps of DDIM backwards.

        What lies between two samples in the noise is made into samples by :meth:`from_noise`; what lies between them in
        the data mixes both.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` the condition of all samples, or of each.
        n_steps : int, default=100
            From data to noise, at least 2.

        Returns
        -------
        Z : ndarray of the shape of X
            About as standard normal numbers are.
        """
        x = self._complete(X)
        dtype = self.network_.theta.dtype
        denoiser = Denoiser(self, self._conditions(y, len(x), dtype))
        noise = ddim(denoiser, self._scaled(x, dtype), even_in_time(checked_count("n_steps", n_steps, 2))[-2::-1])
        return as_given(self, noise.astype(np.float64))

    def from_noise(self, Z: Any, y: Any = None, *, n_steps: int = 100) -> Array:
        """The samples that noise becomes, by the steps of DDIM; the inverse of :meth:`to_noise` as steps grow many.

        Parameters
        ----------
        Z : array-like of the shape of samples
            Standard normal numbers.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` the condition of all samples, or of each.
        n_steps : int, default=100
            From noise to data.

        Returns
        -------
        X : ndarray of the shape of Z
            In the units of the X of the fit.
        """
        check_is_fitted(self)
        z = self._read_noise(Z)
        denoiser = Denoiser(self, self._conditions(y, len(z), z.dtype))
        return self._given_back(ddim(denoiser, z, even_in_time(checked_count("n_steps", n_steps, 1))))

    def _complete(self, X: Any) -> Array:
        """Validated samples, none of them with a gap, though there may have been some in the fit."""
        x: Array = self._inputs(X)
        if np.isnan(x).any():
            raise ValueError("X has gaps (NaN), and a sample with gaps has neither a density nor noise: impute them")
        return x

    def _read_noise(self, Z: Any) -> Array:
        z: Array = np.asarray(numbers("Z", Z), self.network_.theta.dtype)
        if z.shape[1:] != self._given_shape:
            raise ValueError(f"Z has shape {z.shape}, but noise has that of samples, {('n', *self._given_shape)}")
        if not np.isfinite(z).all():
            raise ValueError("Z contains NaN or infinity, but samples are made of finite numbers")
        return z.reshape(len(z), *self._shape)


def _sampler(method: str, n_steps: int) -> Any:
    """A way from noise to data, as ``sampler(denoise, x, draws)``."""
    if method not in SAMPLERS:
        raise ValueError(f"method={method!r} must be one of {', '.join(map(repr, SAMPLERS))}")
    sampler = SAMPLERS[method]
    times = sampler.times(checked_count("n_steps", n_steps, 1))
    return lambda denoise, x, draws: sampler.draw(denoise, x, times, draws)
