"""Generative adversarial networks: a generator that learns from a critic, which tells its rows from real ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import inf, nan
from typing import Any, ClassVar, Literal

import numpy as np

from ...autodiff import primitives as F
from ...autodiff.tape import Array, Value
from ...metrics import energy_distance
from ...nn import Draws, Network, Parts
from ...nn.init import Random
from ...optim import Adam, AdamW, RMSprop, Solver
from ...template import layers as dense
from ...template.conditions import beside
from ...template.fit import Fit
from ...template.fitted import left_by_fit
from ...template.forward import Forward
from ...template.generator import Generator
from ...template.inputs import checked_weight
from ...template.parameters import fitted, parameter
from ...template.samples import Batch, Samples
from ...template.thousand_steps import planned
from ...train import FitLoop, Observer, Phase, Plan, Stage, TrainingState, Verdict
from .adversarial_layers import critic_layers, generator_layers
from .adversaries import ADVERSARIES, Critic
from .collapse import warn_of_collapse
from .parts import Plans, built, check_unchanged
from .pictures import INPUT_SHAPE, as_given, read_pictures

N_STEPS = 6000  # of max_iter="auto"
LARGEST_BATCH = 256
COMPARED = 1000  # rows, at most, that generated ones are compared with after an epoch: pairs cost their square
SOLVERS: dict[str, Solver] = {
    "adam": Adam(beta_1=0.5, beta_2=0.99),
    "adamw": AdamW(beta_1=0.5, beta_2=0.99),
    "rmsprop": RMSprop(),
}


class GAN(Generator):
    r"""A generative adversarial network: it draws samples that a critic cannot tell from real ones.

    Two networks are trained by turns. A generator makes samples of random numbers z from N(0, I); a critic scores
    samples, real ones high and generated ones low, and shows the generator by its slope what would score higher. With
    ``loss="non_saturating"`` they minimise

    .. math::

        \operatorname{E} \log(1 + e^{-C(x)}) + \operatorname{E} \log(1 + e^{C(G(z))})
        + \tfrac{\gamma}{2} \operatorname{E} \lVert \nabla_x C(x) \rVert^2
        \quad\text{and}\quad \operatorname{E} \log(1 + e^{-C(G(z))}).

    It has no likelihood, so that nothing tells how probable a sample is, and its losses do not fall: they say neither
    how good it is nor when to stop. What says so is the energy distance of drawn samples from held-out ones, which is
    the score; ``early_stopping=True`` goes by it. What is drawn, validated and kept is the average of the generator
    over the last steps. A generator that draws only some of what there is has collapsed: a `ConvergenceWarning` says by
    what that is seen.

    See Also
    --------
    DiffusionModel : Draws better samples, each in some 20 passes of its network.
    sklearn.neighbors.KernelDensity : On a few columns samples as good, in a second.

    References
    ----------
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio (2014). Generative adversarial nets.
    NeurIPS. arXiv:1406.2661.

    Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville (2017). Improved training of Wasserstein GANs. NeurIPS.
    arXiv:1704.00028.

    Mescheder, Geiger, Nowozin (2018). Which training methods for GANs do actually converge? ICML. arXiv:1801.04406.

    Radford, Metz, Chintala (2016). Unsupervised representation learning with deep convolutional generative adversarial
    networks. ICLR. arXiv:1511.06434.

    Lin, Khetan, Fanti, Oh (2018). PacGAN: the power of two samples in generative adversarial networks. NeurIPS.
    arXiv:1712.04086.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import GAN
    >>> rng = np.random.default_rng(0)
    >>> kinds = rng.choice(["near", "far"], 500)
    >>> X = 10.0 * (kinds == "far")[:, None] + rng.normal(size=(500, 2))
    >>> gan = GAN(conditional=True, max_iter=40, random_state=0).fit(X, kinds)
    >>> drawn = gan.sample(100, y="far", random_state=0)
    >>> drawn.shape, bool((drawn > 5.0).mean() > 0.9)
    ((100, 2), True)
    """

    latent_dim: int = parameter(
        default=32, interval="[1, inf)", text="Random numbers that a sample is made of.", kw_only=False
    )
    hidden_layer_sizes: int | Sequence[int] = parameter(
        default=(128, 128), interval="[1, inf)", text="Units of the hidden layers of both networks; not with `filters`."
    )
    filters: int | Sequence[int] | None = parameter(
        default=None,
        interval="[1, inf)",
        text="For signals, images and volumes: the filters of each convolution of the critic, which halves the grid, "
        "such as (64, 128); the generator is the way back, in transposed convolutions with batch norm (DCGAN). None: "
        "both are dense.",
    )
    input_shape: Sequence[int] | None = INPUT_SHAPE
    loss: Literal["non_saturating", "wasserstein", "hinge"] = parameter(
        default="non_saturating",
        text="What the two minimise: log-odds, the Wasserstein distance that the critic finds, or margins.",
    )
    penalty: float = parameter(
        default=0.5,
        interval="[0, inf)",
        text="How the critic's slope is held down: gamma of R1 as above; for ``loss='wasserstein'`` a factor on how "
        "far its length is from 1, squared, between real and generated samples. At 0, which seldom does well, "
        "convolutions of the critic have batch norm, as DCGAN has.",
    )
    packing: int = parameter(
        default=1,
        interval="[1, inf)",
        text="How many samples the critic sees side by side, so that it sees whether they differ: against collapse.",
    )
    n_critic: int = parameter(default=1, interval="[1, inf)", text="Steps of the critic for one of the generator.")
    averaging: float = parameter(
        default=0.99,
        interval="[0, 1)",
        text="How much of the averaged generator a step leaves; 0: the last one is kept as it is.",
    )
    solver: str | Solver = parameter(
        default="adam",
        named=SOLVERS,
        text="How both learn: a name, or a description of :mod:`sknn.optim`. Here ``'adam'`` and ``'adamw'`` stand for "
        "those with ``beta_1=0.5, beta_2=0.99``, since the slopes of adversaries are soon out of date. Not L-BFGS.",
    )
    alpha = 0.0
    learning_rate = "one_cycle"
    learning_rate_init = 0.003
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='Samples in a mini-batch; "auto" is a tenth of them, but at least 16 and at most 256.',
    )
    max_iter: int | Literal["auto"] = parameter(  # type: ignore[assignment]
        default="auto", interval="[1, inf)", text='Epochs; "auto" is as many as make 6,000 steps.'
    )
    n_iter_no_change = inf
    input_scaling = "standard"

    _shape: tuple[int, ...] = fitted("That of a sample, as the networks see it.")
    _given_shape: tuple[int, ...] = fitted("That of a sample, as it was given.")
    _accepts_grids: ClassVar[bool] = True

    # -- the data --------------------------------------------------------------------------------------------------

    def _read_x(self, X: Any, fresh: bool) -> Any:
        return read_pictures(self, X, fresh)

    def _batch(self, samples: Samples, index: slice | Array, draws: Draws) -> Batch:
        """Whole packs of samples; where these have weights, drawn with probabilities in proportion."""
        rows = np.arange(len(samples))[index]
        missing = -len(rows) % self.packing
        if samples.weight is not None:
            share = samples.of(samples.weight)
            rows = draws.choice(len(samples), (len(rows) + missing,), share / share.sum())
        elif missing:
            rows = np.concatenate([rows, draws.integers(len(samples), (missing,))])
        else:
            return samples.take(index)
        return samples.take(rows)._replace(weight=None)

    # -- the networks ----------------------------------------------------------------------------------------------

    def _networks(self, x: Any, target: Any, rng: Random, dtype: np.dtype) -> Parts:
        return Parts(**built(self._plans(target), rng, dtype))

    def _plans(self, target: Any) -> Plans:
        n_conditions = 0 if target is None else target.n_conditions
        sizes = dense.listed_sizes(self.hidden_layer_sizes)
        filters = dense.listed_filters(self.filters)
        *grid, channels = self._shape
        critic = critic_layers(sizes, filters, self.packing * n_conditions, batch_norm=not self.penalty)
        return {
            "generator": (generator_layers(self._shape, sizes, filters), (self.latent_dim + n_conditions,)),
            "critic": (critic, (*grid, self.packing * channels)),
        }

    def _check_unchanged(self) -> None:
        super()._check_unchanged()
        check_unchanged(self.network_, self._plans(self._target))

    def _check_options(self) -> None:
        super()._check_options()
        if not self._solver().is_stochastic:
            raise ValueError(f"solver={self.solver!r} minimises one function, and adversaries have two: take 'adam'")
        if not self.early_stopping:
            why = "early_stopping=False: the losses of adversaries do not say when to stop"
            self._refuse(("n_iter_no_change",), why)
        if self.filters is not None:
            self._refuse(
                ("hidden_layer_sizes",), f"filters={self.filters!r}, whose networks have no hidden dense layers"
            )
            dense.listed_filters(self.filters)

    # -- what is minimised -----------------------------------------------------------------------------------------

    def _plan(self, n_samples: int) -> Plan:
        return planned(
            self, super()._plan(n_samples), n_samples, steps=N_STEPS, fewest=1, most=N_STEPS, largest=LARGEST_BATCH
        )

    def _batch_size(self, n_samples: int) -> int:
        return n_samples if self.batch_size == "auto" else super()._batch_size(n_samples)

    def _stages(self, n_samples: int) -> list[Stage]:
        solver, _ = self._solver().penalised(float(self.alpha))
        critic = Phase(self._criticise, ["critic"], name="critic")
        averaging = float(self.averaging)
        generator = Phase(self._generate, ["generator"], self.n_critic, name="generator", averaging=averaging)
        plan = self._plan(n_samples)
        if self.packing > plan.batch_size:
            raise ValueError(
                f"packing={self.packing!r} needs as many samples in a batch, which has {plan.batch_size}: take a "
                "smaller one, or a larger batch_size"
            )
        return [Stage([critic, generator], plan, solver)]

    def _criticise(self, nets: Any, batch: Batch, draws: Draws) -> Any:
        """What the critic minimises."""
        n, m = len(batch.x), self.packing
        fake = self._generated(nets, n, batch.y, draws)
        critic = self._scores(nets, batch.y)
        return self._adversaries.criticism(critic, packed(batch.x, m), packed(fake, m), float(self.penalty), draws)

    def _generate(self, nets: Any, batch: Batch, draws: Draws) -> Any:
        """What the generator minimises."""
        fake = self._generated(nets, len(batch.x), batch.y, draws)
        return self._adversaries.generator(self._scores(nets, batch.y)(packed(fake, self.packing)))

    @property
    def _adversaries(self) -> Any:
        return ADVERSARIES[self.loss]

    def _generated(self, nets: Any, n: int, condition: Array | None, draws: Draws) -> Value:
        """Generated samples as the networks see them."""
        return nets.generator(beside(draws.normal((n, self.latent_dim)), condition))

    def _scores(self, nets: Any, condition: Array | None) -> Critic:
        """The scores of packs of samples."""
        return nets.critic if condition is None else partial(nets.critic, condition=packed(condition, self.packing))

    # -- what validation says, and collapse ------------------------------------------------------------------------

    def _verdict(self, nets: Any, samples: Samples, draws: Draws) -> Verdict:
        real, fake = self._compared(nets, samples, draws)
        if not np.isfinite(fake).all():
            return Verdict(nan, nan)
        distance = energy_distance(real, fake)
        return Verdict(-distance, distance)

    def _compared(self, nets: Any, samples: Samples, draws: Draws) -> tuple[Array, Array]:
        """Real and generated samples, as rows with their conditions, spread evenly over all there are."""
        every = -(-len(samples) // COMPARED)
        batch = self._batch(samples, np.arange(0, len(samples), every), draws)
        fake = self._generated(nets, len(batch.x), batch.y, draws)
        return _in_rows(batch.x, batch.y), _in_rows(fake, batch.y)

    def _run(
        self, fit: Fit, stages: list[Stage], state: TrainingState, *, observer: Observer | None, **watching: Any
    ) -> FitLoop:
        loop = super()._run(fit, stages, state, observer=observer, **watching)
        if fit.network.is_finite and not fit.incremental:
            real, fake = self._compared(fit.network.function(), fit.samples, Draws(state.seed, fit.dtype))
            is_bounded = self._adversaries.is_bounded and state.loss_curves
            warn_of_collapse(fake, real, state.loss_curves["critic_loss"][-1] if is_bounded else nan)
        return loop

    # -- drawing and judging ---------------------------------------------------------------------------------------

    def _sampled(self, n: int, condition: Array | None, draws: Draws) -> Array:
        x = self._drawn_scaled(n, condition, draws)
        return as_given(self, x.astype(np.float64) if self.input_scaling_ is None else self.input_scaling_.inverse(x))

    def _drawn_scaled(self, n: int, condition: Array | None, draws: Draws) -> Array:
        """Samples of the fitted generator, which knows best of how many numbers it makes one."""
        n_conditions = 0 if condition is None else condition.shape[1]
        z = draws.normal((n, self.generator_.input_shape[0] - n_conditions))
        x: Array = Forward(self.generator_)(beside(z, condition))
        return x

    def critic(self, X: Any, y: Any = None) -> Array:
        """The critic's scores: larger is more like real samples than like generated ones.

        With ``loss="non_saturating"`` they are log-odds of being real.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` the condition of all, or of each.

        Returns
        -------
        scores : ndarray of shape (n_samples / packing,)
            One for each pack of samples that follow one another.

        Raises
        ------
        ValueError
            If samples are left over that make no pack.
        """
        x, m = self._scaled(X), self.critic_.input_shape[-1] // self._shape[-1]
        if len(x) % m:
            raise ValueError(f"X has {len(x)} samples, which make no whole packs of packing={m}")
        condition = self._conditions(y, len(x), x.dtype)
        packs = None if condition is None else packed(condition, m)
        scores: Array = Forward(self.critic_)(packed(x, m), _score, packs)
        return scores[:, 0]

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """How near generated samples are: minus the energy distance of as many, drawn with a fixed seed.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples that were not learnt from.
        y : array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` their conditions, under which the others are drawn: the two are compared with
            their conditions beside them.
        sample_weight : array-like of shape (n_samples,), default=None
            With weights, samples that are drawn from X with probabilities in proportion stand for X.

        Returns
        -------
        score : float
            0 at most, in scaled units; that of as many real samples is below 0 too.

        See Also
        --------
        sknn.metrics.energy_distance : Of any samples, in their own units.
        """
        x = self._scaled(X)
        draws = Draws(0, self.network_.theta.dtype)
        condition = self._conditions(y, len(x), draws.dtype)
        weight = checked_weight(sample_weight, x, allow_all_zero=False)
        if weight is not None:
            rows = draws.choice(len(x), (len(x),), weight / weight.sum())
            x, condition = x[rows], None if condition is None else condition[rows]
        fake = self._drawn_scaled(len(x), condition, draws)
        return -energy_distance(_in_rows(x, condition), _in_rows(fake, condition))

    def _scaled(self, X: Any) -> Array:
        """X as the networks see it, in its own precision."""
        x = self._inputs(X)
        scaled: Array = x if self.input_scaling_ is None else self.input_scaling_(x)
        return scaled

    @property
    def generator_(self) -> Network:
        """The averaged generator: from random numbers, and conditions, to scaled samples."""
        generator: Network = left_by_fit(self, "network_").generator
        return generator

    @property
    def critic_(self) -> Network:
        """The critic of scaled samples."""
        critic: Network = left_by_fit(self, "network_").critic
        return critic


def packed(x: Value, m: int) -> Value:
    """Each m rows that follow one another side by side, on the last axis.

    Examples
    --------
    >>> packed(np.arange(8.0).reshape(4, 2), 2)
    array([[0., 1., 2., 3.],
           [4., 5., 6., 7.]])
    """
    if m == 1:
        return x
    n, *grid, channels = F.shape_of(x)
    if grid:
        apart = F.reshape(x, (n // m, m, *grid, channels))
        x = F.transpose(apart, (0, *range(2, 2 + len(grid)), 1, apart.ndim - 1))
    return F.reshape(x, (n // m, *grid, m * channels))


def _in_rows(x: Array, condition: Array | None) -> Array:
    """Samples as rows, with their conditions beside them."""
    return beside(x.reshape(len(x), -1), condition)


def _score(nets: Any, batch: Batch, draws: None) -> Any:
    return nets(batch.x) if batch.y is None else nets(batch.x, condition=batch.y)
