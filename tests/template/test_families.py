"""Families that the template has to carry, each written as a contributor would: from public parts, in some dozen lines.

They are no part of the package. Here they show that one seam is enough for all of them: what holds of every estimator
(validation, early stopping, checkpoints, copies, draws) is asked of each in the table below.
"""

import copy
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.spatial.distance import cdist
from scipy.special import expit
from scipy.stats import multivariate_normal
from sklearn.base import TransformerMixin, clone
from sklearn.datasets import make_moons
from sklearn.model_selection import cross_val_score
from sklearn.utils import check_random_state
from sklearn.utils.estimator_checks import parametrize_with_checks

import sknn
from sknn import (
    GAN,
    Autoencoder,
    DiffusionModel,
    FlowRegressor,
    FTTransformerRegressor,
    LanguageModel,
    MLPClassifier,
    MobileNetRegressor,
    NetworkClassifier,
    NormalizingFlow,
    ResNetClassifier,
    RNNClassifier,
    RNNSegmenter,
    Seq2Seq,
    TransformerClassifier,
    UNetRegressor,
    UNetSegmenter,
    ViTClassifier,
)
from sknn.autodiff import Tensor, check_grads, grad
from sknn.autodiff import primitives as F
from sknn.callbacks import Checkpoint
from sknn.metrics import dice_score
from sknn.nn import Activation, Constants, Dense, Dropout, GlobalPool, Layer, Network, Parts, Sequences
from sknn.optim import LBFGS, Adam
from sknn.series import read_series
from sknn.template.density import Density
from sknn.template.estimator import Estimator
from sknn.template.kinds import Classifier, Regressor
from sknn.template.parameters import fixed, parameter
from sknn.template.segmenter import Segmenter
from sknn.train import Phase, Stage, Verdict, phases

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
LOG_2_PI = float(np.log(2.0 * np.pi))


# -- a variational autoencoder -------------------------------------------------------------------------------------


class VAE(TransformerMixin, Estimator):
    """A variational autoencoder (Kingma & Welling 2014) of numbers with noise of variance 1 / `precision`."""

    n_components: int = parameter(default=2, interval="[1, inf)", text="Numbers in a code.")
    units: int = parameter(default=16, interval="[1, inf)", text="Hidden units of encoder and decoder.")
    precision: float = parameter(default=10.0, interval="(0, inf)", text="Of the noise on scaled inputs.")
    warm_up: float = parameter(default=0.5, interval="(0, 1]", text="The share of the fit in which KL fades in.")
    input_scaling = "standard"

    _accepted_sparse: ClassVar[Any] = False

    def _networks(self, x, target, rng, dtype):
        n_features, k = x.shape[1], self.n_components
        ways = {"encoder": (n_features, 2 * k), "decoder": (k, n_features)}
        return Parts(
            **{
                name: Network([Dense(self.units, activation="tanh"), Dense(n_out)], (n_in,), rng, dtype)
                for name, (n_in, n_out) in ways.items()
            }
        )

    def _objective(self, nets, batch, draws):
        code = nets.encoder(batch.x)
        mean, log_variance = code[:, : self.n_components], code[:, self.n_components :]
        z = mean + F.exp(0.5 * log_variance) * draws.normal(mean.shape)
        misfit = F.sum(F.square(nets.decoder(z) - batch.x), axis=1)
        divergence = F.sum(F.square(mean) + F.exp(log_variance) - log_variance - 1.0, axis=1)
        fading_in = min(nets.progress / self.warm_up, 1.0)  # 1 in validation
        return {"misfit": 0.5 * self.precision * misfit, "kl": (fading_in, 0.5 * divergence)}

    def transform(self, X):
        x = self._inputs(X)
        return self._forward(x, lambda nets, batch, draws: nets.encoder(batch.x)[:, : self.n_components])

    def inverse_transform(self, Z):
        scaling = self.input_scaling_
        return self.network_.decoder(np.asarray(Z)) * scaling.scale + scaling.mean

    @property
    def _n_features_out(self):
        return self.n_components


# -- a coupling flow -----------------------------------------------------------------------------------------------


class CouplingFlow(Density):
    """Real NVP (Dinh, Sohl-Dickstein & Bengio 2017): half of the features shift and stretch the others, by turns."""

    n_couplings: int = parameter(default=4, interval="[1, inf)", text="How often.")
    units: int = parameter(default=16, interval="[1, inf)", text="Hidden units of each coupling.")
    input_scaling = "standard"

    _accepted_sparse: ClassVar[Any] = False

    def _networks(self, x, target, rng, dtype):
        d = x.shape[1]
        layers = [Dense(self.units, activation="tanh"), Dense(2 * d, gain=0.1)]
        return Parts(**{f"coupling_{k}": Network(layers, (d,), rng, dtype) for k in range(self.n_couplings)})

    def _couplings(self, nets, d):
        """Functions of what stays as it is: shift and log-stretch of the features that a coupling moves."""
        for k in range(self.n_couplings):
            stays = (np.arange(d) + k) % 2 == 0

            def coupling(x, network=nets[f"coupling_{k}"], stays=stays):
                raw = network(x * stays.astype(x.dtype))
                return raw[:, :d] * ~stays, F.tanh(raw[:, d:]) * ~stays

            yield coupling

    def _outputs(self, nets, batch, draws):
        """Log-densities of scaled inputs."""
        z, log_volume = batch.x, 0.0
        for coupling in self._couplings(nets, z.shape[1]):
            shift, stretch = coupling(z)
            z, log_volume = z * F.exp(stretch) + shift, log_volume + F.sum(stretch, axis=1)
        return log_volume - 0.5 * F.sum(F.square(z) + LOG_2_PI, axis=1)

    def _objective(self, nets, batch, draws):
        return -self._outputs(nets, batch, draws)

    def score_samples(self, X, y=None):
        return self._raw_outputs(X) + self.input_scaling_.log_volume(np.asarray(X))

    def sample(self, n_samples=1, y=None, random_state=None):
        z = check_random_state(random_state).normal(size=(n_samples, self.n_features_in_))
        for coupling in reversed(list(self._couplings(self.network_.function(), z.shape[1]))):
            shift, stretch = coupling(z)
            z = (z - shift) * np.exp(-stretch)
        return z * self.input_scaling_.scale + self.input_scaling_.mean


# -- a Wasserstein GAN with gradient penalty -----------------------------------------------------------------------


def energy_distance(x, y):
    """0 for samples of one distribution, apart from noise (Szekely & Rizzo 2013)."""
    return 2.0 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean()


class WGAN(Estimator):
    """A Wasserstein GAN with gradient penalty (Gulrajani et al. 2017): a critic in each step, a generator in some."""

    n_latent: int = parameter(default=2, interval="[1, inf)", text="Numbers that the generator starts from.")
    units: int = parameter(default=32, interval="[1, inf)", text="Hidden units of each of the two layers of both.")
    n_critic: int = parameter(default=5, interval="[1, inf)", text="Steps of the critic for one of the generator.")
    penalty: float = parameter(default=1.0, interval="[0, inf)", text="Strength of the penalty on the critic's slope.")
    input_scaling = "standard"

    _accepted_sparse: ClassVar[Any] = False

    def _check_options(self):
        super()._check_options()
        if not self.early_stopping:
            self._refuse(
                ("n_iter_no_change",), "early_stopping=False: the losses of adversaries do not say when to stop"
            )

    def _networks(self, x, target, rng, dtype):
        hidden, d = [Dense(self.units, activation="relu")] * 2, x.shape[1]
        return Parts(
            generator=Network([*hidden, Dense(d)], (self.n_latent,), rng, dtype),
            critic=Network([*hidden, Dense(1)], (d,), rng, dtype),
        )

    def _stages(self, n_samples):
        plan, adam = self._plan(n_samples), Adam(beta_1=0.0, beta_2=0.9)
        phases = [
            Phase(self._criticise, ["critic"], name="critic", optimizer=adam),
            Phase(self._generate, ["generator"], self.n_critic, adam, name="generator", averaging=0.99),
        ]
        return [Stage(phases, plan if self.early_stopping else replace(plan, n_iter_no_change=inf))]

    def _drawn(self, nets, n, draws):
        return nets.generator(draws.normal((n, self.n_latent)))

    def _criticise(self, nets, batch, draws):
        real, fake = batch.x, self._drawn(nets, len(batch.x), draws)
        between = Tensor(fake + draws.uniform((len(real), 1)) * (real - fake))
        slope = grad(F.sum(nets.critic(between)), between, create_graph=True)
        length = F.sqrt(F.sum(F.square(slope), axis=1) + 1e-12)
        return {
            "distance": F.sum(nets.critic(fake) - nets.critic(real), axis=1),
            "penalty": (self.penalty, F.square(length - 1.0)),
        }

    def _generate(self, nets, batch, draws):
        return -F.sum(nets.critic(self._drawn(nets, len(batch.x), draws)), axis=1)

    def _verdict(self, nets, samples, draws):
        real = samples.take(slice(0, len(samples))).x
        distance = float(energy_distance(self._drawn(nets, len(real), draws), real))
        return Verdict(-distance, distance)

    def sample(self, n_samples=1, y=None, random_state=None):
        z = check_random_state(random_state).normal(size=(n_samples, self.n_latent))
        return self.network_.generator(z) * self.input_scaling_.scale + self.input_scaling_.mean


# -- a recurrent layer ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class GRU(Layer):
    """A bidirectional gated recurrent unit (Cho et al. 2014) over packed rows: a step is one of all samples."""

    units: int

    def build(self, shape, store):
        for way in ("forward", "backward"):
            part, size = store.inside(way), (shape[-1], 3 * self.units)
            part.parameter("weight", size, "glorot_uniform", fans=size)
            part.parameter("recurrent", (self.units, size[1]), "orthogonal")
            part.parameter("bias", size[1:], decay=False)
        return (*shape[:-1], 2 * self.units)

    def apply(self, params, x, context):
        lengths, starts = context.sequences.lengths, context.sequences.starts
        order = np.argsort(-lengths, kind="stable")  # so that those not over yet are always the first so many
        first, last = starts[order], (starts + lengths - 1)[order]
        n_steps = np.arange(lengths.max())
        going_on = np.searchsorted(-lengths[order], -n_steps)
        ways = [[first[:n] + t for t, n in zip(n_steps, going_on, strict=True)]]
        ways += [[last[:n] - t for t, n in zip(n_steps, going_on, strict=True)]]
        both = zip(("forward", "backward"), ways, strict=True)
        return F.concatenate([self._one_way(params[name], x, places) for name, places in both], axis=1)

    def _one_way(self, params, x, places):
        u, recurrent = self.units, params["recurrent"]
        driven = x @ params["weight"] + params["bias"]
        h, states = np.zeros((len(places[0]), u), x.dtype), []
        for rows in places:
            h, now = h[: len(rows)], driven[rows]
            gates = F.sigmoid(now[:, : 2 * u] + h @ recurrent[:, : 2 * u])
            candidate = F.tanh(now[:, 2 * u :] + (gates[:, :u] * h) @ recurrent[:, 2 * u :])
            h = candidate + gates[:, u:] * (h - candidate)
            states.append(h)
        return F.concatenate(states)[np.argsort(np.concatenate(places))]


# -- a tagger ------------------------------------------------------------------------------------------------------


class Tagger(Segmenter):
    """A label for each step of a series: layers over rows without padding, then scores of the labels at each step."""

    layers: Sequence[Layer] = parameter(default=(GRU(8),), allowed=(list, tuple), text="Hidden.", kw_only=False)

    def _read_x(self, X, fresh):
        return read_series(self, X, fresh)

    def _layers(self, n_outputs):
        return [*self.layers, Dense(n_outputs)]


# -- a convolution over a graph ------------------------------------------------------------------------------------


class Graph:
    """Nodes as rows: part of them may be asked for, but they keep all their neighbours."""

    ndim = 2

    def __init__(self, features, adjacency, nodes=None):
        self.features, self.adjacency = features, adjacency
        self.nodes = np.arange(features.shape[0]) if nodes is None else nodes
        self.shape, self.dtype = (len(self.nodes), features.shape[1]), features.dtype

    def __len__(self):
        return len(self.nodes)

    def __getitem__(self, rows):
        rows = rows[0] if isinstance(rows, tuple) else rows  # x[rows, ...], as splitters ask
        return Graph(self.features, self.adjacency, self.nodes[rows])

    def astype(self, dtype):
        return Graph(self.features.astype(dtype), self.adjacency.astype(dtype), self.nodes)


@dataclass(frozen=True, repr=False)
class GraphConv(Layer):
    """A x W + b with the normalised adjacency A of the graph that the batch lies in."""

    units: int

    def build(self, shape, store):
        store.parameter("weight", (shape[-1], self.units), "glorot_uniform", fans=(shape[-1], self.units))
        store.parameter("bias", (self.units,), decay=False)
        return (self.units,)

    def apply(self, params, x, context):
        return context.given["adjacency"] @ (x @ params["weight"]) + params["bias"]


class GCN(Classifier):
    """A graph convolutional network (Kipf & Welling 2017): classes of nodes, from few that are known."""

    units: int = parameter(default=16, interval="[1, inf)", text="Hidden units.")
    dropout: float = parameter(default=0.5, interval="[0, 1)", text="The share dropped in front of each layer.")

    def _read_x(self, X, fresh):
        self.n_features_in_ = X.shape[1]
        return X

    def _layers(self, n_outputs):
        first = [Dropout(self.dropout), GraphConv(self.units), Activation("relu")]
        return [*first, Dropout(self.dropout), GraphConv(n_outputs)]

    def _outputs(self, nets, batch, draws):
        graph = batch.x
        return nets(graph.features, adjacency=graph.adjacency)[graph.nodes]


# -- an equation with an unknown constant --------------------------------------------------------------------------


class Oscillation(Regressor):
    """u(t) with u'' + c u = 0 and an unknown c, from observations: Adam, then L-BFGS (Raissi et al. 2019)."""

    guess: float = parameter(default=2.0, text="Where c begins.")
    n_points: int = parameter(default=50, interval="[1, inf)", text="Where the equation is asked for, in each step.")
    n_polish: int = parameter(default=200, interval="[1, inf)", text="Iterations of L-BFGS.")
    target_scaling: None = fixed(None)
    dtype = "float64"

    def _networks(self, x, target, rng, dtype):
        self._ends = x.min(), x.max()
        layers = [Dense(16, activation="tanh"), Dense(16, activation="tanh"), Dense(1)]
        return Parts(solution=Network(layers, x.shape[1:], rng, dtype), constants=Constants(dtype, c=self.guess))

    def _stages(self, n_samples):
        (first,) = super()._stages(n_samples)
        return [first, replace(first, plan=replace(first.plan, max_epochs=self.n_polish, tol=1e-6), solver=LBFGS())]

    def _batch(self, samples, index, draws):
        first, last = self._ends
        points = first + (last - first) * draws.uniform((self.n_points, 1))
        return samples.take(index)._replace(given={"points": points})

    def _outputs(self, nets, batch, draws):
        return nets.solution(batch.x)

    def _objective(self, nets, batch, draws):
        t = Tensor(batch.given["points"])
        u = nets.solution(t)
        speed = grad(F.sum(u), t, create_graph=True)
        residual = grad(F.sum(speed), t, create_graph=True) + nets.constants.c * u
        misfit = self._target.loss(self._outputs(nets, batch, draws), batch.y)
        return {"data": misfit, "equation": (0.1, F.mean(F.square(residual)))}

    @property
    def c_(self):
        return float(self.network_.parameters["constants"]["c"])


# -- the table of them ---------------------------------------------------------------------------------------------

MOONS = make_moons(600, noise=0.1, random_state=0)[0] * [1.0, 100.0]
PLANE = RNG.normal(size=(300, 2)) @ RNG.normal(size=(2, 5)) + 0.1 * RNG.normal(size=(300, 5)) + 7.0


def explained(vae, X):
    """The share of the variance that comes back through the code."""
    return 1.0 - (vae.inverse_transform(vae.transform(X)) - X).var() / (X - X.mean(axis=0)).var()


def more_than_a_gaussian(density, X):
    """How many nats a sample is more probable than by the Gaussian of the same mean and covariance."""
    return density.score(X) - multivariate_normal(X.mean(axis=0), np.cov(X.T)).logpdf(X).mean()


def near_in_energy(gan, X):
    return -energy_distance(gan.sample(len(X), random_state=0) / X.std(axis=0), X / X.std(axis=0))


def waves(n):
    """Ragged series of one channel that rise slowly and fall fast, or the other way round."""
    falling = RNG.integers(2, size=n)
    times = [RNG.uniform(0, 4) + 0.15 * np.arange(RNG.integers(8, 16)) for _ in falling]
    return [np.where(f, t % 1.0, -t % 1.0)[:, None] for f, t in zip(falling, times, strict=True)], falling


WAVES, DIRECTIONS = waves(120)
PHASES = [np.digitize(x[:, 0], [0.25, 0.5]) * np.append(1, np.abs(np.diff(x[:, 0])) < 0.5) for x in WAVES]
PHASES = [np.where(np.arange(len(y)) % 5, y, -1) for y in PHASES]  # every fifth is not labelled


def citations(n=2708, n_kinds=7, n_links=5000):
    """Nodes that link mostly to their kind, with features that tell little of it; and their kinds."""
    kinds = RNG.integers(n_kinds, size=n)
    ends = RNG.integers(n, size=(40_000, 2))
    ends = ends[(kinds[ends[:, 0]] == kinds[ends[:, 1]]) | (RNG.uniform(size=len(ends)) < 0.03)][:n_links]
    links = sparse.coo_array((np.ones(len(ends)), ends.T), shape=(n, n)).tocsr()
    links = sparse.csr_array(((links + links.T) > 0) + sparse.eye_array(n), dtype=np.float64)
    scale = sparse.diags_array(links.sum(axis=1) ** -0.5)
    features = RNG.normal(size=(n, 20)) + 0.7 * RNG.normal(size=(n_kinds, 20))[kinds]
    return Graph(features, sparse.csr_array(scale @ links @ scale)), kinds


NODES, KINDS = citations()
KNOWN_NODES = RNG.permutation(len(NODES))[:140]
TIMES = np.linspace(0.0, 4.0, 40)[:, None]
OBSERVED = np.sin(2.0 * TIMES[:, 0]) + 0.01 * RNG.normal(size=40)
TEXTS = ["".join(RNG.choice(["ab", "cde"], RNG.integers(1, 5))) for _ in range(120)]
BACKWARDS = [text[::-1] for text in TEXTS]
LIGHT = [np.sin(RNG.uniform(0, 6) + RNG.uniform(0.2, 1.0) * np.arange(RNG.integers(5, 9))) for _ in range(120)]
UPPER = RNG.integers(2, size=120)
SPOTS = 0.3 * RNG.normal(size=(120, 4, 6, 1))  # images with a bright half, the lower or the upper one
SPOTS[np.arange(120)[:, None], np.arange(2) + 2 * (1 - UPPER[:, None])] += 1.0
SHORT_FLOW: dict = {"learning_rate_init": 0.01, "batch_size": 100, "random_state": 0}


LINES = np.zeros((24, 12, 12), int)
for _image, _row in zip(LINES, RNG.integers(1, 11, 24), strict=True):
    _image[_row] = 1
SHARP = LINES + 0.3 * RNG.normal(size=LINES.shape)
BLURRED = (SHARP + np.roll(SHARP, 1, axis=1) + np.roll(SHARP, -1, axis=1))[..., None]
HALF_LABELLED = np.where(np.arange(12) % 2, LINES, -1)
UNEVEN = [image[: 8 + k % 5] for k, image in enumerate(BLURRED)]
SMALL_UNET: dict = {"filters": 4, "depth": 1, "random_state": 0}


class Family(NamedTuple):
    """A family with its data, and what it is asked to reach."""

    estimator: Any
    data: tuple
    figure: Any  # called as figure(estimator, *data)
    at_least: float
    several_curves: tuple = ()
    brief: Any = MappingProxyType({"max_iter": 4})  # what makes a short fit of it
    classes: Any = None


FAMILIES = {
    "VAE": Family(
        VAE(learning_rate_init=0.01, batch_size=50, random_state=0), (PLANE,), explained, 0.9, ("misfit", "kl")
    ),
    "flow": Family(
        NormalizingFlow(
            hidden_layer_sizes=(16, 16),
            batch_size=50,
            max_iter=40,
            learning_rate_init=0.01,
            early_stopping=False,
            random_state=0,
        ),
        (MOONS,),
        more_than_a_gaussian,
        0.3,
    ),
    "flow of counts under conditions": Family(
        NormalizingFlow(
            "affine",
            conditional=True,
            dequantize=True,
            batch_size=50,
            max_iter=20,
            early_stopping=False,
            random_state=0,
        ),
        (np.floor(4 * MOONS), MOONS[:, 0]),
        lambda model, X, y: model.score(X, y) - model.score(X, y[::-1]),
        0.3,
    ),
    "autoencoder": Family(
        Autoencoder(2, hidden_layer_sizes=(16,), noise=0.1, masking=0.05, sparsity=0.3, max_iter=120, random_state=0),
        (PLANE,),
        lambda model, X: model.score(X),
        0.9,
        ("error", "sparsity"),
    ),
    "convolutional autoencoder": Family(
        Autoencoder(3, filters=(8,), hidden_layer_sizes=(16,), activity_l1=0.001, max_iter=60, random_state=0),
        (SPOTS,),
        lambda model, X: model.score(X),
        0.5,
        ("error", "activity"),
    ),
    "variational autoencoder": Family(
        sknn.VAE(2, hidden_layer_sizes=(16,), learning_rate_init=0.01, max_iter=100, n_importance=20, random_state=0),
        (PLANE,),
        more_than_a_gaussian,
        -0.5,
        ("misfit", "kl"),
    ),
    "coupling flow": Family(CouplingFlow(**SHORT_FLOW, max_iter=60), (MOONS,), more_than_a_gaussian, 0.3),
    "WGAN-GP": Family(
        WGAN(learning_rate_init=0.003, batch_size=100, max_iter=100, random_state=0),
        (MOONS,),
        near_in_energy,
        -0.02,  # a Gaussian of the same mean and covariance: -0.04
        ("critic", "distance", "generator", "penalty"),
    ),
    "diffusion": Family(
        DiffusionModel((32, 32), missing=0.3, averaging=0.95, learning_rate_init=0.01, max_iter=120, random_state=0),
        (MOONS,),
        near_in_energy,
        -0.02,
    ),
    "posterior": Family(
        FlowRegressor(
            hidden_layer_sizes=16,
            n_transforms=2,
            n_draws=50,
            learning_rate_init=0.01,
            early_stopping=False,
            max_iter=30,
            n_iter_no_change=30,
            random_state=0,
        ),
        (PLANE[:, :3], PLANE[:, 3:]),
        lambda model, X, y: model.score(X, y),
        0.9,
    ),
    "adversaries": Family(
        GAN(hidden_layer_sizes=(32, 32), packing=2, max_iter=80, random_state=0),
        (MOONS,),
        lambda model, X: model.score(X),
        -0.15,  # a Gaussian of the same mean and covariance: -0.17
        ("critic", "critic_loss", "generator", "penalty"),
    ),
    "convolutional adversaries": Family(
        GAN(8, filters=(8,), penalty=0.0, conditional=True, max_iter=60, random_state=0),
        (SPOTS, UPPER),
        lambda model, X, y: model.score(X, y),
        -0.6,
        ("critic", "critic_loss", "generator"),
    ),
    "GRU in a network": Family(
        NetworkClassifier([GRU(8), GlobalPool()], learning_rate_init=0.05, batch_size=20, max_iter=25, random_state=0),
        (WAVES, DIRECTIONS),
        lambda model, X, y: model.score(X, y),
        0.95,
        classes=[0, 1],
        brief={"max_iter": 3},
    ),
    "tagger": Family(
        Tagger(learning_rate_init=0.05, batch_size=20, max_iter=25, class_weight={0: 0.8, 2: 1.2}, random_state=0),
        (WAVES, PHASES),
        lambda model, X, y: model.score(X, y),
        0.9,
        classes=[0, 1, 2],
        brief={"max_iter": 3},
    ),
    "residual network": Family(
        ResNetClassifier(
            (8,),
            kernel_size=3,
            stochastic_depth=0.1,
            augment=["shift", "noise"],
            learning_rate_init=0.02,
            max_iter=15,
            random_state=0,
        ),
        (WAVES, DIRECTIONS),
        lambda model, X, y: model.score(X, y),
        0.95,
        classes=[0, 1],
        brief={"max_iter": 3},
    ),
    "network of few weights": Family(
        MobileNetRegressor((8,), blocks=1, learning_rate_init=0.02, max_iter=30, random_state=0),
        (WAVES, [np.ptp(x) + 0.5 * falls for x, falls in zip(WAVES, DIRECTIONS, strict=True)]),
        lambda model, X, y: model.score(X, y),
        0.8,
        brief={"max_iter": 3},
    ),
    "RNN": Family(
        RNNClassifier(8, learning_rate_init=0.02, max_iter=15, random_state=0),
        (WAVES, DIRECTIONS),
        lambda model, X, y: model.score(X, y),
        0.95,
        classes=[0, 1],
        brief={"max_iter": 3},
    ),
    "RNN with labels at steps": Family(
        RNNSegmenter(8, cell="lstm", learning_rate_init=0.02, max_iter=15, random_state=0),
        (WAVES, PHASES),
        lambda model, X, y: model.score(X, y),
        0.9,
        classes=[0, 1, 2],
        brief={"max_iter": 3},
    ),
    "U-net": Family(
        UNetSegmenter(max_iter=20, class_weight={0: 0.5}, augment="flip", **SMALL_UNET),
        (BLURRED, HALF_LABELLED),
        lambda model, X, y: model.score(X, y),
        0.9,
        classes=[0, 1],
        brief={"max_iter": 3},
    ),
    "U-net on images of different sizes": Family(
        UNetSegmenter(max_iter=20, loss="both", attention=True, **SMALL_UNET),
        (UNEVEN, [labels[: 8 + k % 5] for k, labels in enumerate(LINES)]),
        lambda model, X, y: model.score(X, y),
        0.9,
        classes=[0, 1],
        brief={"max_iter": 3},
    ),
    "U-net from image to image": Family(
        UNetRegressor(max_iter=30, **SMALL_UNET),
        (BLURRED, SHARP),
        lambda model, X, y: model.score(X, y),
        0.6,
        brief={"max_iter": 3},
    ),
    "transformer": Family(
        TransformerClassifier(8, depth=1, stem=(8,), learning_rate_init=0.01, max_iter=15, random_state=0),
        (WAVES, DIRECTIONS),
        lambda model, X, y: model.score(X, y),
        0.95,
        classes=[0, 1],
        brief={"max_iter": 3},
    ),
    "vision transformer": Family(
        ViTClassifier(2, width=8, depth=1, augment="flip", learning_rate_init=0.02, max_iter=20, random_state=0),
        (SPOTS, UPPER),
        lambda model, X, y: model.score(X, y),
        0.9,
        classes=[0, 1],
        brief={"max_iter": 3},
    ),
    "FT-transformer": Family(
        FTTransformerRegressor(8, depth=1, learning_rate_init=0.01, max_iter=30, random_state=0),
        (PLANE[:, :4], PLANE[:, 4]),
        lambda model, X, y: model.score(X, y),
        0.9,
        brief={"max_iter": 3},
    ),
    "GCN": Family(
        GCN(learning_rate_init=0.02, alpha=0.1, max_iter=60, random_state=0),
        (NODES[KNOWN_NODES], KINDS[KNOWN_NODES]),
        lambda model, X, y: model.score(NODES, KINDS),
        0.8,
        classes=range(7),
    ),
    "language model": Family(
        LanguageModel(16, learning_rate_init=0.02, context=16, max_iter=40, random_state=0),
        (TEXTS,),
        lambda model, X: model.score(X),
        -0.45,  # which of two syllables comes next is open, and when it ends: about 1 nat for 2.5 letters
    ),
    "strings to strings": Family(
        Seq2Seq(24, learning_rate_init=0.02, batch_size=20, max_iter=40, random_state=0),
        (TEXTS, BACKWARDS),
        lambda model, X, y: model.score(X, y),
        0.9,
    ),
    "numbers to numbers": Family(
        Seq2Seq(16, learning_rate_init=0.01, batch_size=20, max_iter=40, random_state=0),
        (LIGHT, [2.0 * np.cumsum(x) for x in LIGHT]),
        lambda model, X, y: model.score(X, y),
        0.9,
    ),
    "equation": Family(
        Oscillation(learning_rate_init=0.005, max_iter=200, random_state=0),
        (TIMES, OBSERVED),
        lambda model, X, y: -abs(model.c_ - 4.0) / 4.0,
        -0.01,
        ("data", "equation"),
        brief={"max_iter": 4, "n_polish": 10},
    ),
}
each_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def short(family, **params):
    """A fit of a few epochs, none of which is left out."""
    return clone(family.estimator).set_params(**{**family.brief, "tol": 0.0, **params})


def assert_same_fit(one, other):
    assert_array_equal(one.network_.theta, other.network_.theta)
    assert_array_equal(one.network_.state, other.network_.state)
    for name in ("n_iter_", "t_", "loss_curve_", "loss_curves_", "validation_scores_", "validation_loss_curve_"):
        assert getattr(one, name, None) == getattr(other, name, None), name


@each_family
def test_it_learns(family):
    fitted = clone(family.estimator).fit(*family.data)
    assert family.figure(fitted, *family.data) >= family.at_least
    assert sorted(getattr(fitted, "loss_curves_", {})) == sorted(family.several_curves)


@each_family
def test_one_random_state_gives_one_fit(family):
    one, other = (short(family).fit(*family.data) for _ in range(2))
    assert_same_fit(one, other)
    assert not np.array_equal(short(family, random_state=1).fit(*family.data).network_.theta, one.network_.theta)


class StopAfter:
    """Ends a fit after some epochs."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context):
        return context.task_name == "epoch" and context.task_id + 1 == self.n_epochs


# the equation goes on from the best, by a search
@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "equation"])
def test_early_stopping_keeps_the_best_of_the_validated(name):
    family = FAMILIES[name]
    stopping = short(family, early_stopping=True, validation_fraction=0.25)
    fitted = clone(stopping).fit(*family.data)
    scores = fitted.validation_scores_
    assert len(scores) == len(fitted.validation_loss_curve_) == fitted.n_iter_
    assert np.isfinite(scores).all()
    best = int(np.argmax(scores)) + 1
    until_then = clone(stopping).set_callbacks(StopAfter(best)).fit(*family.data)
    assert until_then.n_iter_ == best
    assert_array_equal(fitted.network_.theta, until_then.network_.theta)
    assert_array_equal(fitted.network_.state, until_then.network_.state)


class Killed(Exception):
    pass


@pytest.fixture
def kill(monkeypatch):
    """Has a fit die in its n-th gradient: within an epoch, a phase, or an iteration of a search; counts them."""

    def gradient(*args):
        kill.seen += 1
        if kill.seen == kill.at:
            raise Killed
        return whole(*args)

    def kill(at):
        kill.seen, kill.at = 0, at

    whole = phases.RunningPhase.gradient
    monkeypatch.setattr(phases.RunningPhase, "gradient", gradient)
    kill(None)
    return kill


@each_family
@pytest.mark.parametrize("early_stopping", [False, True])
def test_killed_at_any_instant_it_goes_on_to_the_same_bits(family, early_stopping, kill, tmp_path):
    model = short(family, early_stopping=early_stopping)
    whole = clone(model).fit(*family.data)
    rng, n_gradients = np.random.default_rng(0), kill.seen
    for instant in rng.integers(n_gradients // 3 + 1, n_gradients // 2 + 1, 2):
        kill(at=instant)
        with pytest.raises(Killed):
            clone(model).set_callbacks(Checkpoint(tmp_path, every=1)).fit(*family.data)
    kill(at=None)
    found = clone(model).set_callbacks(Checkpoint(tmp_path, every=1)).fit(*family.data)
    assert kill.seen < n_gradients
    assert_same_fit(found, whole)
    assert len(list(tmp_path.iterdir())) == 1


def pickled(fitted):
    return pickle.loads(pickle.dumps(fitted))


def saved(fitted):
    """From a file, which may name the classes of this one."""
    own = {cls.__name__: cls for cls in (type(fitted), GRU, GraphConv)}
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr("sknn.persistence.registry._registered", own)
        sknn.save(fitted, f"{folder}/model")
        return sknn.load(f"{folder}/model")


@each_family
@pytest.mark.parametrize("copied", [pickled, copy.deepcopy, saved], ids=["pickle", "deepcopy", "file"])
def test_a_copy_predicts_the_same_and_a_clone_is_not_fitted(family, copied):
    fitted = short(family).fit(*family.data)
    twin = copied(fitted)
    assert_same_fit(twin, fitted)
    assert family.figure(twin, *family.data) == family.figure(fitted, *family.data)
    assert not hasattr(clone(fitted), "network_")
    fitted.network_.theta[:] = 0.0
    assert twin.network_.theta.any()


@each_family
def test_a_warm_start_goes_on_where_the_last_fit_ended(family):
    warm = short(family, warm_start=True).fit(*family.data)
    before = warm.network_.theta.copy()
    warm.fit(*family.data)
    assert warm.n_iter_ >= 1
    assert len(warm.loss_curve_) > warm.n_iter_
    assert not np.array_equal(warm.network_.theta, before)
    assert warm._drawn_so_far[1] > short(family).fit(*family.data)._drawn_so_far[1]


@pytest.mark.parametrize("kept", [pickled, saved], ids=["pickle", "file"])
@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "equation"])  # of two stages, where fit has both
def test_partial_fit_is_an_epoch_and_goes_on_after_a_pickle(name, kept):
    family = FAMILIES[name]
    model = short(family, max_iter=1)
    classes = {} if family.classes is None else {"classes": family.classes}
    once = clone(model).partial_fit(*family.data, **classes)
    assert_array_equal(once.network_.theta, clone(model).fit(*family.data).network_.theta)
    assert_same_fit(kept(once).partial_fit(*family.data), once.partial_fit(*family.data))
    assert len(once.loss_curve_) == 2


# -- what else they promise -----------------------------------------------------------------------------------------


def test_the_density_of_a_flow_integrates_to_one_and_its_samples_are_distributed_by_it():
    flow = CouplingFlow(**SHORT_FLOW, max_iter=20).fit(MOONS)
    centre, spread, side = MOONS.mean(axis=0), MOONS.std(axis=0), np.linspace(-8, 8, 240)  # none of it 0
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    mass = np.exp(flow.score_samples(grid * spread + centre)) * spread.prod() * (side[1] - side[0]) ** 2
    assert_allclose(mass.sum(), 1.0, rtol=1e-4)

    drawn = (flow.sample(10_000, random_state=0) - centre) / spread
    quadrants = [np.bincount((rows > 0) @ [1, 2], weight, 4) for rows, weight in ((grid, mass), (drawn, None))]
    assert_allclose(quadrants[1] / len(drawn), quadrants[0], atol=5 * 0.5 / np.sqrt(len(drawn)))  # five standard errors
    assert_array_equal(flow.sample(3, random_state=0), flow.sample(3, random_state=0))


def test_the_density_of_a_flow_is_that_of_the_gaussian_that_it_learnt_from():
    """A maximum-likelihood fit of p parameters to n samples loses about p / (2 n) nats on new ones (Wilks 1938)."""
    rng = np.random.default_rng(0)
    mean, factor = np.array([1000.0, -2.0]), np.array([[3.0, 0.0], [0.02, 0.01]])
    truth = multivariate_normal(mean, factor @ factor.T)
    X, new = (rng.normal(size=(2000, 2)) @ factor.T + mean for _ in range(2))
    flow = CouplingFlow(**SHORT_FLOW, max_iter=40, early_stopping=True).fit(X)
    lost = truth.logpdf(new) - flow.score_samples(new)
    assert -0.01 < lost.mean() < flow.network_.n_parameters / (2 * len(X))
    assert flow.score(new) == flow.score_samples(new).mean()


def test_adversaries_stop_by_a_verdict_of_their_own():
    gan = WGAN(learning_rate_init=0.003, batch_size=100, max_iter=60, random_state=0, early_stopping=True)
    fitted = clone(gan).set_params(n_iter_no_change=5, validation_fraction=0.3).fit(MOONS)
    assert fitted.n_iter_ == np.argmax(fitted.validation_scores_) + 1 + 6 < 60
    assert_allclose(fitted.validation_scores_, -np.array(fitted.validation_loss_curve_))
    with pytest.raises(ValueError, match="n_iter_no_change=5 does not apply with early_stopping=False: the losses of"):
        clone(gan).set_params(n_iter_no_change=5, early_stopping=False).fit(MOONS)


def stepped(x, weight, recurrent, bias):
    """The states of a gated recurrent unit for one sample, step by step as Cho et al. write it."""
    h, states, u = np.zeros(len(recurrent)), [], len(recurrent)
    for row in x:
        reset = expit(row @ weight[:, :u] + bias[:u] + h @ recurrent[:, :u])
        update = expit(row @ weight[:, u : 2 * u] + bias[u : 2 * u] + h @ recurrent[:, u : 2 * u])
        candidate = np.tanh(row @ weight[:, 2 * u :] + bias[2 * u :] + (reset * h) @ recurrent[:, 2 * u :])
        h = update * h + (1.0 - update) * candidate
        states.append(h)
    return np.array(states)


def test_a_packed_gru_is_that_of_each_sample_alone_step_by_step():
    x = Sequences.of([RNG.normal(size=(n, 3)) for n in (4, 1, 7, 4)])
    network = Network([GRU(5)], x.sample_shape, np.random.RandomState(0), "float64")
    network.theta += RNG.normal(size=network.theta.size)
    for found, sample in zip(network(x), x, strict=True):
        there, back = (network.parameters["0"][way] for way in ("forward", "backward"))
        assert_allclose(found, np.hstack([stepped(sample, **there), stepped(sample[::-1], **back)[::-1]]), rtol=1e-12)
    check_grads(lambda theta: network.at(theta)(x).values, network.theta)


# -- what a tagger promises

ROWS = Tagger([Dense(6, activation="tanh")], dtype="float64", max_iter=20, unlabelled="?", random_state=0)
STEPS = [RNG.normal(size=(n, 2)) for n in RNG.integers(3, 9, 40)]
TAGS = [np.array(["low", "high"])[(x.sum(axis=1) > 0.8).astype(int)] for x in STEPS]
KNOWN = [np.arange(len(x)) % 2 == 0 for x in STEPS]
SOME_TAGS = [np.where(known, tags, "?") for known, tags in zip(KNOWN, TAGS, strict=True)]


def rows_fit(*data, X_val=None, y_val=None, **params):
    return clone(ROWS).set_params(**params).fit(*data, X_val=X_val, y_val=y_val)


def test_a_position_without_a_label_is_as_if_it_were_not_there():
    left_out = [[each[k] for each, k in zip(rows, KNOWN, strict=True)] for rows in (STEPS, TAGS)]
    fitted, other = rows_fit(STEPS, SOME_TAGS), rows_fit(*left_out)
    assert_allclose(fitted.network_.theta, other.network_.theta, rtol=1e-9)
    assert_allclose(fitted.loss_curve_, other.loss_curve_)
    assert fitted.classes_.tolist() == ["high", "low"]
    assert (
        fitted.score(STEPS, SOME_TAGS)
        == fitted.score(*left_out)
        == dice_score(left_out[1], fitted.predict(left_out[0]))
    )


@pytest.mark.parametrize("weight", [[1.0, 2.0, 0.0, 1.0], [2.0, 2.0, 3.0, 1.0]])
def test_a_sample_of_weight_two_counts_as_two(weight):
    repeated = np.repeat(np.arange(40), np.tile(weight, 10).astype(int))
    twice = [[rows[k] for k in repeated] for rows in (STEPS, TAGS)]
    found, expected = rows_fit(STEPS, TAGS, np.tile(weight, 10)), rows_fit(*twice)
    assert_allclose(found.network_.theta, expected.network_.theta, rtol=1e-9)


def test_weights_of_classes_are_factors_at_their_positions():
    counts = np.unique(np.concatenate(TAGS), return_counts=True)[1]
    by_hand = dict(zip(["high", "low"], counts.sum() / (2 * counts), strict=True))
    balanced, named = (rows_fit(STEPS, TAGS, class_weight=weights) for weights in ("balanced", by_hand))
    assert_array_equal(balanced.network_.theta, named.network_.theta)
    often = [np.concatenate(rows_fit(STEPS, TAGS, class_weight={"high": w}).predict(STEPS)) == "high" for w in (1, 9)]
    assert often[0].sum() < often[1].sum()


def test_validation_of_a_tagger_knows_weights_of_classes_and_missing_labels():
    """The loss counts both, the score the labels that are known."""
    X, y = STEPS[25:], SOME_TAGS[25:]
    given = rows_fit(STEPS[:25], TAGS[:25], X_val=X, y_val=y, scoring=Tagger.score, class_weight={"high": 3.0})
    assert given.validation_scores_[-1] == given.score(X, y)
    truth, proba = np.concatenate(y), np.concatenate(given.predict_proba(X))
    weight = np.select([truth == "high", truth == "low"], [3.0, 1.0], 0.0)
    loss = -np.log(np.where(truth == "high", proba[:, 0], proba[:, 1]))
    assert_allclose(given.validation_loss_curve_[-1], np.average(loss, weights=weight))
    assert rows_fit(STEPS, SOME_TAGS, early_stopping=True, n_iter_no_change=2, tol=0.05).n_iter_ < 20


# -- what the others promise


def test_a_graph_tells_more_than_the_features_of_its_nodes():
    known, kinds = NODES[KNOWN_NODES], KINDS[KNOWN_NODES]
    gcn = clone(FAMILIES["GCN"].estimator).fit(known, kinds)
    mlp = MLPClassifier(16, alpha=0.1, dropout=0.5, learning_rate_init=0.02, max_iter=60, random_state=0)
    without = mlp.fit(NODES.features[KNOWN_NODES], kinds).score(NODES.features, KINDS)
    assert gcn.score(NODES, KINDS) > without + 0.1
    assert_allclose(gcn.predict_proba(NODES[5:9]), gcn.predict_proba(NODES)[5:9])  # a node keeps its neighbours
    assert cross_val_score(gcn, known, kinds, cv=2).min() > 0.5


def test_a_search_is_killed_and_begins_again_where_the_stage_before_ended(kill, tmp_path):
    model = clone(FAMILIES["equation"].estimator).set_params(max_iter=5, n_polish=20, tol=0.0)
    data = {"X_val": TIMES[::3], "y_val": OBSERVED[::3]}
    whole = clone(model).fit(TIMES, OBSERVED, **data)
    assert len(whole.validation_scores_) == whole.n_iter_ == len(whole.loss_curve_) == 25
    for instant in (12, 9, 1):  # five are those of Adam, in the first fit alone
        kill(at=instant)
        with pytest.raises(Killed):
            clone(model).set_callbacks(Checkpoint(tmp_path)).fit(TIMES, OBSERVED, **data)
    kill(at=None)
    assert_same_fit(clone(model).set_callbacks(Checkpoint(tmp_path)).fit(TIMES, OBSERVED, **data), whole)
    assert kill.seen >= 20


# -- scikit-learn's checks of those that take any table ------------------------------------------------------------

TABULAR = [
    VAE(max_iter=20, dtype="float64", random_state=0),
    CouplingFlow(max_iter=20, dtype="float64", random_state=0),
    WGAN(max_iter=5, dtype="float64", random_state=0),
]
DRAWS = "a sample of weight two draws once, a sample seen twice draws twice"
EXPECTED_FAILURES = {VAE: {"check_sample_weight_equivalence_on_dense_data": DRAWS}}


@parametrize_with_checks(TABULAR, expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator), {}))
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_a_summary_tells_the_layers_of_all_parts():
    table = short(FAMILIES["VAE"]).fit(*FAMILIES["VAE"].data).summary()
    assert table["layer"].str.partition(":")[0].tolist() == ["encoder"] * 2 + ["decoder"] * 2
    assert table["parameters"].sum() == short(FAMILIES["VAE"]).fit(*FAMILIES["VAE"].data).network_.n_parameters
