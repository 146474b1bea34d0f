"""Networks of densities and generators, and what is minimised in a step, of a batch x and noise.

Convolutions have as much padding before the grid as behind it, as PyTorch has. A class here has its twin in
`pytorch.py`, under the same name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sknn.autodiff import Tensor, grad
from sknn.autodiff import primitives as F
from sknn.nn import (
    Affine,
    Autoregressive,
    BatchNorm,
    Conv,
    ConvTranspose,
    Coupling,
    Dense,
    Flatten,
    Layer,
    Network,
    Parts,
    Spline,
    Unflatten,
    log_prob,
)
from sknn.nn.blocks import noise_unet
from sknn.nn.parts import Nets
from sknn.ops.loss import sigmoid_cross_entropy

Noise = Callable[[str, tuple[int, ...]], Any]  # "normal" or "uniform" numbers of a shape
N_BINS = 8


@dataclass(frozen=True)
class Objective(ABC):
    """Some networks, and what is minimised by turns in a step."""

    @abstractmethod
    def networks(self) -> dict[str, tuple[list[Layer], tuple[int, ...]]]:
        """Layers and input shape by name."""

    def parts(self) -> Parts:
        """The networks, of which no weights begin as zeros here: with those little could be compared."""
        rng = np.random.default_rng(1)
        parts = Parts(**{name: Network(layers, shape, rng) for name, (layers, shape) in self.networks().items()})
        for _, parameters in parts.walk():
            weight = parameters.get("weight")
            if weight is not None and not weight.any():
                weight[...] = 0.1 * rng.standard_normal(weight.shape)
        return parts

    def values(self, nets: Nets, x: np.ndarray, noise: Noise) -> Iterator[tuple[str | None, Any]]:
        """The part that is trained (None: all of them) and the value that it minimises; the next ones come when it has
        taken its step."""
        yield None, self.value(nets, x, noise)

    def value(self, nets: Nets, x: np.ndarray, noise: Noise) -> Any:
        """The one value, of those who have no more."""
        raise TypeError(f"{type(self).__name__} minimises several")


def dense(*sizes: int, activation: str = "relu") -> list[Layer]:
    """Dense layers, with the activation function behind all but the last."""
    return [*(Dense(n, activation) for n in sizes[:-1]), Dense(sizes[-1])]


@dataclass(frozen=True)
class Flow(Objective):
    """Eight couplings of ten columns, each half moved in turns: minus the mean log density."""

    by: ClassVar[Affine | Spline]

    def networks(self) -> dict:
        hidden = (Dense(64, "relu"), Dense(64, "relu"))
        halves = tuple(range(5)), tuple(range(5, 10))
        return {"flow": ([Coupling(hidden, *halves[:: -1 if k % 2 else 1], self.by) for k in range(8)], (11,))}

    def value(self, nets: Nets, x: np.ndarray, noise: Noise) -> Any:
        return -F.mean(log_prob(nets.flow, x))


class RealNVP(Flow):
    """x exp(2 tanh(s / 2)) + t, with t and s from the other half (Dinh et al. 2017)."""

    by = Affine()


class SplineFlow(Flow):
    """Rational-quadratic splines of eight bins (Durkan et al. 2019)."""

    by = Spline(N_BINS)
    zuko: ClassVar[dict[str, int]] = {"transforms": 8, "passes": 2}  # the same there


class AutoregressiveFlow(SplineFlow):
    """Three times such splines of all columns, each of which sees those before it (Papamakarios et al. 2017)."""

    zuko: ClassVar[dict[str, int]] = {"transforms": 3}

    def networks(self) -> dict:
        return {"flow": ([Autoregressive((64, 64), self.by, reverse=k % 2 == 1) for k in range(3)], (11,))}


class VAE(Objective):
    """784-500-20, Bernoulli (Kingma & Welling 2014): cross-entropy and divergence of a row."""

    def networks(self) -> dict:
        return {"encoder": (dense(500, 40), (784,)), "decoder": (dense(500, 784), (20,))}

    def value(self, nets: Nets, x: np.ndarray, noise: Noise) -> Any:
        code = nets.encoder(x)
        mean, log_variance = code[:, :20], code[:, 20:]
        z = mean + F.exp(0.5 * log_variance) * noise("normal", mean.shape)
        divergence = 0.5 * F.sum(F.square(mean) + F.exp(log_variance) - log_variance - 1.0, axis=1)
        return F.mean(sigmoid_cross_entropy(nets.decoder(z), x) + divergence)


class Autoencoder(Objective):
    """8-32-3-32-8: the mean squared error."""

    def networks(self) -> dict:
        return {"encoder": (dense(32, 3), (8,)), "decoder": (dense(32, 8), (3,))}

    def value(self, nets: Nets, x: np.ndarray, noise: Noise) -> Any:
        return F.mean(F.square(nets.decoder(nets.encoder(x)) - x))


def time_features(t: np.ndarray) -> np.ndarray:
    """Sines and cosines at 16 frequencies from 1 to 1,000."""
    angle = t * np.exp(np.linspace(0, 6.9, 16, dtype=t.dtype))
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)


class Diffusion(Objective):
    """The mean squared error of the predicted noise, at a time drawn for each row (Ho et al. 2020)."""

    def value(self, nets: Nets, x: np.ndarray, noise: Noise) -> Any:
        t = noise("uniform", (len(x), 1))
        alpha = np.cos(1.57 * t).reshape(-1, *[1] * (x.ndim - 1))
        drawn = noise("normal", x.shape)
        predicted = self.predicted(nets, alpha * x + np.sqrt(1 - alpha**2) * drawn, time_features(t))
        return F.mean(F.square(predicted - drawn))

    @abstractmethod
    def predicted(self, nets: Nets, x: np.ndarray, features: np.ndarray) -> Any:
        """The noise in x."""


@dataclass(frozen=True)
class NoiseMLP(Diffusion):
    """SiLU network on columns and the features of time."""

    columns: int

    def networks(self) -> dict:
        return {"net": (dense(256, 256, 256, self.columns, activation="silu"), (self.columns + 32,))}

    def predicted(self, nets: Nets, x: np.ndarray, features: np.ndarray) -> Any:
        return nets.net(np.concatenate([x, features], axis=1))


@dataclass(frozen=True)
class NoiseUNet(Diffusion):
    """28x28, two halvings, with the time added in each block."""

    width: int

    def networks(self) -> dict:
        return {"time": ([Dense(64, "silu")], (32,)), "noise": (noise_unet(self.width), (28, 28, 1))}

    def predicted(self, nets: Nets, x: np.ndarray, features: np.ndarray) -> Any:
        return nets.noise(x, time=nets.time(features))


@dataclass(frozen=True)
class GAN(Objective):
    """DCGAN for 28x28 (Radford et al. 2016): a step of the critic, then one of the generator through the same fakes.

    The losses are softplus ones, or with a penalty those of Wasserstein with gradient penalty, and no batch norm in the
    critic (Gulrajani et al. 2017).
    """

    penalty: float = 0.0

    def networks(self) -> dict:
        options: dict[str, Any] = {"kernel_size": 4, "stride": 2, "padding": 1}
        up = [
            ConvTranspose(64, **options),
            BatchNorm(activation="relu"),
            ConvTranspose(1, **options, activation="tanh"),
        ]
        down = [Conv(64, **options, activation="leaky_relu"), Conv(128, **options, activation="leaky_relu")]
        if not self.penalty:
            down[1:] = [Conv(128, **options), BatchNorm(activation="leaky_relu")]
        return {
            "generator": ([Dense(128 * 49, "relu"), Unflatten((7, 7, 128)), *up], (64,)),
            "critic": ([*down, Flatten(), Dense(1)], (28, 28, 1)),
        }

    def values(self, nets: Nets, x: np.ndarray, noise: Noise) -> Iterator[tuple[str | None, Any]]:
        fake = nets.generator(noise("normal", (len(x), 64)))
        yield "critic", self.of_critic(nets, x, F.plain(fake), noise)
        score = nets.critic(fake)
        yield "generator", F.mean(-score if self.penalty else F.softplus(-score))

    def of_critic(self, nets: Nets, real: np.ndarray, fake: np.ndarray, noise: Noise) -> Any:
        if not self.penalty:
            return F.mean(F.softplus(-nets.critic(real))) + F.mean(F.softplus(nets.critic(fake)))
        share = noise("uniform", (len(real), 1, 1, 1))
        between = Tensor(share * real + (1 - share) * fake)
        slope = grad(F.sum(nets.critic(between)), between, create_graph=True)
        excess = F.sqrt(F.sum(F.square(F.reshape(slope, (len(real), -1))), axis=1)) - 1.0
        gain = F.mean(nets.critic(fake)) - F.mean(nets.critic(real))
        return gain + self.penalty * F.mean(F.square(excess))
