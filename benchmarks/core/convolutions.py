"""Convolutions: penalties on gradients through them, steps of those with strides, and a small residual network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn.autodiff import Tensor, grad
from sknn.autodiff import primitives as F
from sknn.nn import Activation, BatchNorm, Conv, Dense, GlobalPool, Layer, Network, Residual, differentiate
from sknn.ops.conv import conv
from sknn.ops.windows import make_windows

from .rows import Task, Work, beside_pytorch, row


def drawn(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Weights, as large as keeps outputs the size of inputs, and biases."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(s, dtype=np.float32) / np.float32(np.prod(s[:-1]) ** 0.5) for s in shapes]


def images(seed: int, n: int, size: int, channels: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, size, size, channels), dtype=np.float32)


def grids(torch: Any, x: np.ndarray) -> Any:
    """Images as PyTorch has them, channels in front; in memory they stay where they are, which is the quicker here."""
    return torch.from_numpy(x).permute(0, 3, 1, 2)


def kernels(torch: Any, w: np.ndarray) -> Any:
    """Kernels as PyTorch has them, as leaves."""
    there = torch.from_numpy(w).permute(3, 2, 0, 1)
    return there.contiguous(memory_format=torch.channels_last).requires_grad_()


@dataclass(frozen=True)
class Strided(Work):
    """All gradients of a convolution of kernels of 3 by stride 2, as in a ResNet."""

    n: int = 64
    size: int = 32
    channels: int = 16
    filters: int = 32

    def data(self) -> list[np.ndarray]:
        (w,) = drawn((3, 3, self.channels, self.filters))
        return [images(1, self.n, self.size, self.channels), w, images(2, self.n, -(-self.size // 2), self.filters)]

    def sknn(self) -> Task:
        x, w, seed = self.data()
        windows = make_windows((self.size, self.size), 3, 2, 1)

        def task() -> Sequence[Any]:
            leaves = [Tensor(x), Tensor(w)]
            return grad(conv(*leaves, windows=windows), leaves, seed=seed)

        return task

    def pytorch(self, torch: Any) -> Task:
        x, w, seed = self.data()
        image, kernel, slope = grids(torch, x).requires_grad_(), kernels(torch, w), grids(torch, seed)

        def task() -> Sequence[Any]:
            y = torch.nn.functional.conv2d(image, kernel, stride=2, padding=1)
            to_x, to_w = torch.autograd.grad(y, (image, kernel), slope)
            return [to_x.permute(0, 2, 3, 1), to_w.permute(2, 3, 1, 0)]

        return task


@dataclass(frozen=True)
class Penalty(Work):
    """The loss of a Wasserstein critic with gradient penalty and its gradients: convolutions of kernels of 4 by stride
    2 to c and 2 c filters, leaky ReLU, and a dense layer."""

    n: int = 64
    size: int = 28
    filters: int = 64

    def data(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        c, side = self.filters, self.size // 4
        return drawn((4, 4, 1, c), (4, 4, c, 2 * c), (side * side * 2 * c, 1)), [
            images(1, self.n, self.size, 1),
            images(2, self.n, self.size, 1),
            np.random.default_rng(3).random((self.n, 1, 1, 1), dtype=np.float32),
        ]

    def sknn(self) -> Task:
        weights, (real, fake, share) = self.data()
        each_windows = [make_windows((size, size), 4, 2, 1) for size in (self.size, self.size // 2)]

        def critic(x: Any, first: Any, second: Any, last: Any) -> Any:
            for w, windows in zip((first, second), each_windows, strict=True):
                x = conv(x, w, windows=windows, activation="leaky_relu")
            return F.reshape(x, (self.n, -1)) @ last

        def task() -> Sequence[Any]:
            leaves, between = [Tensor(w) for w in weights], Tensor(share * real + (1 - share) * fake)
            slope = grad(F.sum(critic(between, *leaves)), between, create_graph=True)
            excess = F.sqrt(F.sum(F.square(slope), axis=(1, 2, 3))) - 1.0
            loss = F.mean(critic(fake, *leaves)) - F.mean(critic(real, *leaves)) + 10.0 * F.mean(F.square(excess))
            return grad(loss, leaves)

        return task

    def pytorch(self, torch: Any) -> Task:
        (first, second, last), given = self.data()
        convolutions, dense = [kernels(torch, first), kernels(torch, second)], torch.tensor(last, requires_grad=True)
        real, fake, share = (grids(torch, each) for each in given)

        def critic(x: Any) -> Any:
            for kernel in convolutions:
                x = torch.nn.functional.leaky_relu(torch.nn.functional.conv2d(x, kernel, stride=2, padding=1))
            return x.permute(0, 2, 3, 1).flatten(1) @ dense

        def task() -> Sequence[Any]:
            between = (share * real + (1 - share) * fake).requires_grad_()
            (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
            excess = slope.flatten(1).norm(dim=1) - 1
            loss = critic(fake).mean() - critic(real).mean() + 10 * excess.square().mean()
            to_first, to_second, to_last = torch.autograd.grad(loss, (*convolutions, dense))
            return [to_first.permute(2, 3, 1, 0), to_second.permute(2, 3, 1, 0), to_last]

        return task


@dataclass(frozen=True)
class ResNet(Work):
    """Loss and gradient of a small residual network: stem of c filters, one block each of c, 2 c and 4 c (strides 1, 2,
    2; convolutions of 3, batch norms), mean, 10 outputs, squared error.

    Of the gradient its norm is compared: one ReLU of a million, so near to its kink that rounding decides, makes a
    thousandth of what single weights get.
    """

    n: int = 64
    size: int = 32
    filters: int = 16

    @property
    def blocks(self) -> list[tuple[int, int, int]]:
        """Filters before and in each block, and its stride."""
        c = self.filters
        return [(c, c, 1), (c, 2 * c, 2), (2 * c, 4 * c, 2)]

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Images and targets."""
        rng = np.random.default_rng(2)
        return images(1, self.n, self.size, 3), 10 * rng.standard_normal((self.n, 10), dtype=np.float32)

    def network(self) -> Network:
        def normed(filters: int, size: int, stride: int = 1) -> list[Layer]:
            convolution = Conv(filters, kernel_size=size, stride=stride, padding=size // 2, use_bias=False)
            return [convolution, BatchNorm(epsilon=1e-5)]

        layers = [*normed(self.filters, 3), Activation("relu")]
        for before, filters, stride in self.blocks:
            body = [*normed(filters, 3, stride), Activation("relu"), *normed(filters, 3)]
            shortcut = [] if (before, stride) == (filters, 1) else normed(filters, 1, stride)
            layers += [Residual(body, shortcut=shortcut), Activation("relu")]
        shape = (self.size, self.size, 3)
        return Network([*layers, GlobalPool(), Dense(10)], shape, np.random.default_rng(0), "float32")

    def sknn(self) -> Task:
        network, (x, target) = self.network(), self.data()

        def task() -> Sequence[Any]:
            raw = network.function(watched=True, training=True)(x)
            loss, (gradient,) = differentiate(F.mean(F.square(raw - target)), [network])
            return [np.array(loss), np.linalg.norm(gradient)]

        return task

    def pytorch(self, torch: Any) -> Task:
        nn, x, target = torch.nn, grids(torch, self.data()[0]), torch.from_numpy(self.data()[1])

        def normed(before: int, filters: int, size: int, stride: int = 1) -> list[Any]:
            return [nn.Conv2d(before, filters, size, stride, size // 2, bias=False), nn.BatchNorm2d(filters)]

        class Block(nn.Module):
            def __init__(self, before: int, filters: int, stride: int) -> None:
                super().__init__()
                body = [*normed(before, filters, 3, stride), nn.ReLU(), *normed(filters, filters, 3)]
                self.body = nn.Sequential(*body)
                self.shortcut = nn.Sequential(*normed(before, filters, 1, stride) * ((before, stride) != (filters, 1)))

            def forward(self, x: Any) -> Any:
                return torch.relu(self.body(x) + self.shortcut(x))

        stem = [*normed(3, self.filters, 3), nn.ReLU()]
        body = nn.Sequential(*stem, *(Block(*block) for block in self.blocks)).to(memory_format=torch.channels_last)
        last = nn.Linear(4 * self.filters, 10)
        ours = [parameters["weight"] for _, parameters in self.network().walk() if "weight" in parameters]
        theirs = [each.weight for each in [*body.modules(), last] if isinstance(each, nn.Conv2d | nn.Linear)]
        with torch.no_grad():
            last.bias.zero_()
            for weight, array in zip(theirs, ours, strict=True):
                weight.copy_(torch.from_numpy(np.moveaxis(array, (-1, -2), (0, 1)).copy()))

        def task() -> Sequence[Any]:
            loss = (last(body(x).mean((2, 3))) - target).square().mean()
            gradients = torch.autograd.grad(loss, [*body.parameters(), *last.parameters()])
            return [loss.detach(), torch.cat([each.flatten() for each in gradients]).norm()]

        return task


MEASUREMENTS = [
    row("strided convolution, backward", Strided(), beside_pytorch(1.0)),
    row("residual network, 32x32", ResNet(), beside_pytorch(1.0)),
    row("gradient penalty through convolutions", Penalty(), beside_pytorch(1.2)),
]
