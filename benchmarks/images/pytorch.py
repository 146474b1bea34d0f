"""The networks of images and signals in PyTorch, with the weights of those in sknn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from sknn.nn import Network

from ..sequences.pytorch import block, in_order
from .networks import STRIDES


class Residual(nn.Module):
    """a(f(x) + s(x))."""

    def __init__(self, body: nn.Module, shortcut: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut, self.activation = body, shortcut, activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.activation(self.body(x) + self.shortcut(x))


class Concat(nn.Module):
    """x beside f(x), along the channels."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.body(x)], 1)


class Mean(nn.Module):
    """Over all positions."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(tuple(range(2, x.dim())))


def normed(
    before: int, filters: int, kernel_size: int, *activation: nn.Module, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    conv = nn.Conv2d(before, filters, kernel_size, stride, kernel_size // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(filters), *activation]


def residual(before: int, filters: int, stride: int) -> nn.Module:
    body = [*normed(before, filters, 3, nn.ReLU(), stride=stride), *normed(filters, filters, 3)]
    same = (before, stride) == (filters, 1)
    shortcut = nn.Identity() if same else nn.Sequential(*normed(before, filters, 1, stride=stride))
    return Residual(nn.Sequential(*body), shortcut, nn.ReLU())


def inverted(before: int, filters: int, stride: int) -> nn.Module:
    wide = 4 * before
    depthwise = normed(wide, wide, 3, nn.ReLU6(), stride=stride, groups=wide)
    body = nn.Sequential(*normed(before, wide, 1, nn.ReLU6()), *depthwise, *normed(wide, filters, 1))
    return Residual(body, nn.Identity(), nn.Identity()) if (before, stride) == (filters, 1) else body


def staged(block: Callable[[int, int, int], nn.Module], channels: int, filters: int) -> nn.Module:
    widths = [filters, filters, 2 * filters, 4 * filters]
    blocks = [block(widths[k], widths[k + 1], stride) for k, stride in enumerate(STRIDES)]
    return nn.Sequential(*normed(channels, filters, 3, nn.ReLU()), *blocks, Mean(), nn.Linear(4 * filters, 10))


def resnet1d(channels: int, filters: int) -> nn.Module:
    def step(before: int, filters: int, kernel_size: int) -> list[nn.Module]:
        return [nn.Conv1d(before, filters, kernel_size, padding="same", bias=False), nn.BatchNorm1d(filters)]

    def block(before: int, filters: int) -> nn.Module:
        body = [*step(before, filters, 8), nn.ReLU(), *step(filters, filters, 5), nn.ReLU(), *step(filters, filters, 3)]
        shortcut = [nn.BatchNorm1d(filters)] if before == filters else step(before, filters, 1)
        return Residual(nn.Sequential(*body), nn.Sequential(*shortcut), nn.ReLU())

    widths = [channels, filters, 2 * filters, 2 * filters]
    return nn.Sequential(*(block(*widths[k : k + 2]) for k in range(3)), Mean(), nn.Linear(2 * filters, 2))


def unet(channels: int, filters: int, depth: int = 3) -> nn.Module:
    def double(before: int, filters: int) -> list[nn.Module]:
        return [*normed(before, filters, 3, nn.ReLU()), *normed(filters, filters, 3, nn.ReLU())]

    def level(before: int, filters: int, depth: int) -> list[nn.Module]:
        if not depth:
            return double(before, filters)
        up = nn.ConvTranspose2d(2 * filters, filters, 2, 2)
        below = nn.Sequential(nn.MaxPool2d(2), *level(filters, 2 * filters, depth - 1), up)
        return [*double(before, filters), Concat(below), *double(2 * filters, filters)]

    return nn.Sequential(*level(channels, filters, depth), nn.Conv2d(filters, 1, 1))


class VisionTransformer(nn.Module):
    """Patches of 4 with positions, through the blocks."""

    def __init__(self, network: Network, channels: int, width: int, n_heads: int = 4) -> None:
        super().__init__()
        _, positions, *blocks, _, _, _ = in_order(network)
        self.patches = nn.Conv2d(channels, width, 4, 4)
        self.positions = nn.Parameter(torch.tensor(positions["weight"].reshape(-1, width)))
        self.blocks = nn.Sequential(*(block(each, n_heads, causal=False) for each in blocks))
        self.norm, self.output = nn.LayerNorm(width), nn.Linear(width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.positions
        return self.output(self.norm(self.blocks(tokens)).mean(1))


BUILDERS: dict[str, Callable[[int, int], nn.Module]] = {
    "resnet": lambda channels, filters: staged(residual, channels, filters),
    "mobilenet": lambda channels, filters: staged(inverted, channels, filters),
    "resnet1d": resnet1d,
    "unet": unet,
}


def module_of(name: str, network: Network, channels: int, filters: int) -> nn.Module:
    """The network of this name, with the same weights; norms begin alike anyway."""
    if name == "vit":
        module = VisionTransformer(network, channels, filters)
        first, *_, last = in_order(network)
        ours, theirs = [first, last], [module.patches, module.output]
    else:
        module = BUILDERS[name](channels, filters)
        kinds = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
        theirs = [each for each in module.modules() if isinstance(each, kinds)]
        ours = [parameters for _, parameters in network.walk() if "weight" in parameters]
    with torch.no_grad():
        for layer, parameters in zip(theirs, ours, strict=True):
            layer.weight.copy_(torch.tensor(np.moveaxis(parameters["weight"], (-1, -2), (0, 1)).copy()))
            if layer.bias is not None:
                layer.bias.zero_()
    return module


def steps(module: nn.Module, x: np.ndarray, channels_last: bool, rate: float) -> Callable[[], list[float]]:
    """Each call is a step of Adam towards 0, from images with their channels last as sknn has them."""
    inputs = torch.tensor(np.moveaxis(x, -1, 1)).contiguous()
    if channels_last:
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # PyTorch's annotations leave it out
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(module.parameters(), rate, fused=True)

    def step() -> list[float]:
        optimizer.zero_grad(set_to_none=True)
        loss = module(inputs).square().mean()
        loss.backward()
        optimizer.step()
        return [loss.item(), nn.utils.get_total_norm([each.grad for each in module.parameters()]).item()]

    return step
