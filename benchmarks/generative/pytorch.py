"""The same networks and objectives in PyTorch, with the weights of those in sknn; and zuko's splines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sknn.nn import Parts

from .objectives import N_BINS, Noise, Objective, SplineFlow

Values = Iterator[tuple[str | None, Tensor]]


class Twin(nn.Module):
    """The value that all parameters minimise, or several with the name of the part that does."""

    def values(self, x: Tensor, noise: Noise) -> Values:
        yield None, self(x, noise)


def dense(*sizes: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), activation())]
    return nn.Sequential(*layers[:-1])


class RealNVP(Twin):
    def __init__(self, objective: Any) -> None:
        super().__init__()
        self.networks = nn.ModuleList([dense(5, 64, 64, 10) for _ in range(8)])

    def forward(self, x: Tensor, noise: Noise) -> Tensor:
        log_density = torch.full((len(x),), -5 * math.log(2 * math.pi))
        for network in self.networks:
            kept, moved = x[:, :5], x[:, 5:]
            shift, scale = network(kept).view(-1, 5, 2).unbind(2)
            scale = 2 * torch.tanh(scale / 2)
            log_density = log_density + scale.sum(1)
            x = torch.cat([moved * torch.exp(scale) + shift, kept], 1)
        return (0.5 * (x * x).sum(1) - log_density).mean()


class VAE(Twin):
    def __init__(self, objective: Any) -> None:
        super().__init__()
        self.encoder, self.decoder = dense(784, 500, 40), dense(20, 500, 784)

    def forward(self, x: Tensor, noise: Noise) -> Tensor:
        mean, log_variance = self.encoder(x).chunk(2, 1)
        logits = self.decoder(mean + torch.exp(0.5 * log_variance) * noise("normal", mean.shape))
        divergence = 0.5 * (mean * mean + log_variance.exp() - log_variance - 1).sum()
        return (F.binary_cross_entropy_with_logits(logits, x, reduction="sum") + divergence) / len(x)


class Autoencoder(Twin):
    def __init__(self, objective: Any) -> None:
        super().__init__()
        self.network = nn.Sequential(*dense(8, 32, 3), *dense(3, 32, 8))

    def forward(self, x: Tensor, noise: Noise) -> Tensor:
        return F.mse_loss(self.network(x), x)


def time_features(t: Tensor) -> Tensor:
    angle = t * torch.exp(torch.linspace(0, 6.9, 16))
    return torch.cat([torch.sin(angle), torch.cos(angle)], 1)


class Diffusion(Twin):
    def forward(self, x: Tensor, noise: Noise) -> Tensor:
        t = noise("uniform", (len(x), 1))
        alpha = torch.cos(1.57 * t).view(-1, *[1] * (x.dim() - 1))
        drawn = noise("normal", x.shape)
        predicted = self.predicted(alpha * x + torch.sqrt(1 - alpha**2) * drawn, time_features(t))
        return F.mse_loss(predicted, drawn)


class NoiseMLP(Diffusion):
    def __init__(self, objective: Any) -> None:
        super().__init__()
        self.network = dense(objective.columns + 32, 256, 256, 256, objective.columns, activation=nn.SiLU)

    def predicted(self, x: Tensor, features: Tensor) -> Tensor:
        return self.network(torch.cat([x, features], 1))


class TimeBlock(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(8, before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1))
        self.time = nn.Linear(64, after)
        self.second = nn.Sequential(nn.GroupNorm(8, after), nn.SiLU(), nn.Conv2d(after, after, 3, padding=1))
        self.skip = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.second(self.first(x) + self.time(t)[:, :, None, None]) + self.skip(x)


class NoiseUNet(Diffusion):
    def __init__(self, objective: Any) -> None:
        super().__init__()
        c = objective.width
        self.time = nn.Sequential(nn.Linear(32, 64), nn.SiLU())
        self.input = nn.Conv2d(1, c, 3, padding=1)
        self.down_1, self.down_2, self.middle = TimeBlock(c, c), TimeBlock(c, 2 * c), TimeBlock(2 * c, 2 * c)
        self.up_2, self.up_1 = TimeBlock(4 * c, c), TimeBlock(2 * c, c)
        self.output = nn.Conv2d(c, 1, 3, padding=1)

    def predicted(self, x: Tensor, features: Tensor) -> Tensor:
        t = self.time(features)
        fine = self.down_1(self.input(x), t)
        coarse = self.down_2(F.avg_pool2d(fine, 2), t)
        x = self.middle(F.avg_pool2d(coarse, 2), t)
        x = self.up_2(torch.cat([coarse, F.interpolate(x, scale_factor=2)], 1), t)
        return self.output(self.up_1(torch.cat([fine, F.interpolate(x, scale_factor=2)], 1), t))


class GAN(Twin):
    def __init__(self, objective: Any) -> None:
        super().__init__()
        self.penalty = objective.penalty
        first = [nn.Linear(64, 128 * 49), nn.ReLU(), nn.Unflatten(1, (128, 7, 7))]
        up = [nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(), nn.ConvTranspose2d(64, 1, 4, 2, 1)]
        self.generator = nn.Sequential(*first, *up, nn.Tanh())
        norm = [] if self.penalty else [nn.BatchNorm2d(128)]
        down = [nn.Conv2d(1, 64, 4, 2, 1), nn.LeakyReLU(), nn.Conv2d(64, 128, 4, 2, 1), *norm, nn.LeakyReLU()]
        self.critic = nn.Sequential(*down, nn.Flatten(), nn.Linear(128 * 49, 1))

    def values(self, x: Tensor, noise: Noise) -> Values:
        fake = self.generator(noise("normal", (len(x), 64)))
        yield "critic", self.of_critic(x, fake.detach(), noise)
        score = self.critic(fake)
        yield "generator", (-score if self.penalty else F.softplus(-score)).mean()

    def of_critic(self, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        if not self.penalty:
            return F.softplus(-self.critic(real)).mean() + F.softplus(self.critic(fake)).mean()
        share = noise("uniform", (len(real), 1, 1, 1))
        between = (share * real + (1 - share) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        excess = slope.flatten(1).norm(dim=1) - 1
        return self.critic(fake).mean() - self.critic(real).mean() + self.penalty * excess.square().mean()


class Zuko(Twin):
    """Flows with splines of as many bins, by masked networks, which make the parameters of all columns."""

    def __init__(self, objective: SplineFlow) -> None:
        import zuko

        super().__init__()
        self.flow = zuko.flows.NSF(10, hidden_features=(64, 64), bins=N_BINS, **objective.zuko)

    def forward(self, x: Tensor, noise: Noise) -> Tensor:
        return -self.flow().log_prob(x).mean()

    def sample(self, n: int) -> Tensor:
        with torch.no_grad():
            return self.flow().sample((n,))


TWINS: dict[str, type[Twin]] = {each.__name__: each for each in (RealNVP, VAE, Autoencoder, NoiseMLP, NoiseUNet, GAN)}


def twin_of(objective: Objective, parts: Parts) -> Twin:
    """With the same weights; norms begin alike anyway."""
    twin = TWINS[type(objective).__name__](objective)
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    theirs = [each for each in twin.modules() if isinstance(each, kinds)]
    ours = [parameters["weight"] for _, parameters in parts.walk() if np.ndim(parameters.get("weight")) > 1]
    with torch.no_grad():
        for layer, weight in zip(theirs, ours, strict=True):
            layer.weight.copy_(torch.tensor(np.moveaxis(weight, (-1, -2), (0, 1)).copy()))
            layer.bias.zero_()
        if isinstance(twin, GAN):
            _lay_out_by_channel(twin.generator[0].weight)
            _lay_out_by_channel(twin.critic[-1].weight.T)
    return twin


def _lay_out_by_channel(weight: Tensor) -> None:
    """Rows of 7x7 positions with 128 channels each become rows of 128 channels with 7x7 positions each."""
    weight.copy_(weight.reshape(7, 7, 128, -1).movedim(2, 0).reshape(weight.shape).clone())


def drawn(kind: str, shape: Any) -> Tensor:
    return torch.randn(shape) if kind == "normal" else torch.rand(shape)


def steps(twin: Twin, x: np.ndarray, noise: Noise, channels_last: bool, rate: float) -> Callable[[], list[float]]:
    """Each call is a step; x has its channels last, as sknn has them."""
    inputs = torch.tensor(x if x.ndim == 2 else np.moveaxis(x, -1, 1).copy())
    if channels_last:
        twin.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # PyTorch's annotations leave it out
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    trained = {None: twin, **dict(twin.named_children())}
    optimizers: dict[str | None, torch.optim.Optimizer] = {}

    def step() -> list[float]:
        results = []
        for name, value in twin.values(inputs, noise):
            parameters = list(trained[name].parameters())
            if name not in optimizers:
                optimizers[name] = torch.optim.Adam(parameters, rate, fused=True)
            optimizers[name].zero_grad(set_to_none=True)
            value.backward()
            optimizers[name].step()
            results += [value.item(), nn.utils.get_total_norm([each.grad for each in parameters]).item()]
        return results

    return step
