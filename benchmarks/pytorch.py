"""What others would write in PyTorch: training loops doing the same work as sknn's estimators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import nn

from sknn.ops.threads import available_threads

from .common import Parameters, Workload


def set_up() -> None:
    """As many threads as sknn has, and the same shuffles in every fit."""
    torch.set_num_threads(available_threads())
    torch.manual_seed(0)


def fit_mlp(X: np.ndarray, y: np.ndarray, workload: Workload, start: Parameters, **adam: Any) -> list[float]:
    """Fit with Adam, so set, on float32 tensors; returns the mean loss of each epoch."""
    model = mlp(start)
    optimizer = torch.optim.Adam(model.parameters(), **adam)
    return _descend(model, optimizer, torch.from_numpy(X.astype(np.float32)), torch.from_numpy(y), workload)


def fit_cnn(
    X: np.ndarray,
    y: np.ndarray,
    workload: Workload,
    blocks: Sequence[int],
    start: Parameters,
    channels_last: bool = False,
    **adam: Any,
) -> list[float]:
    """Fit with Adam, so set, in one of the memory layouts; returns the mean loss of each epoch.

    X has its channels last. `blocks` tells how many convolutions each has, `start` weight and bias of all layers as
    sknn keeps them.
    """
    layout = torch.channels_last if channels_last else torch.contiguous_format
    inputs = torch.from_numpy(as_images(X)).contiguous(memory_format=layout)
    model = cnn(blocks, start)
    model.to(memory_format=layout)  # type: ignore[call-overload]  # PyTorch's annotations leave it out
    optimizer = torch.optim.Adam(model.parameters(), **adam)
    return _descend(model, optimizer, inputs, torch.from_numpy(y), workload)


def as_images(X: np.ndarray) -> np.ndarray:
    """The channels in front; signals become images of height one, which is what PyTorch itself computes with."""
    return (X if X.ndim == 4 else X[:, None]).transpose(0, 3, 1, 2)


def mlp(start: Parameters) -> nn.Sequential:
    """Dense layers with ReLU between them; `start` is weight and bias of each, as sknn keeps them."""
    return cnn([], start)


def cnn(blocks: Sequence[int], start: Parameters) -> nn.Sequential:
    """Blocks of convolutions, each pooled, and dense layers, with ReLU between all of them."""
    parameters = iter(start)
    layers: list[nn.Module] = []
    channels = 1
    for n_convolutions in blocks:
        for weight, bias in islice(parameters, n_convolutions):
            layers += [_convolution(weight, bias), nn.ReLU()]
        layers.append(nn.MaxPool2d((1, 2) if weight.ndim == 3 else 2))
        channels = len(bias)
    if blocks:
        layers.append(nn.Flatten())
    for weight, bias in parameters:
        layers += [_linear(weight, bias, channels), nn.ReLU()]
        channels = 1
    return nn.Sequential(*layers[:-1])


def _convolution(weight: np.ndarray, bias: np.ndarray) -> nn.Conv2d:
    weight = weight if weight.ndim == 4 else weight[None]
    height, width, n_in, n_out = weight.shape
    layer = nn.Conv2d(n_in, n_out, (height, width), padding=(height // 2, width // 2))
    layer.load_state_dict({"weight": torch.from_numpy(weight.transpose(3, 2, 0, 1)), "bias": torch.from_numpy(bias)})
    return layer


def _linear(weight: np.ndarray, bias: np.ndarray, channels: int) -> nn.Linear:
    """Of inputs that PyTorch flattens channel by channel, sknn position by position."""
    n_in, n_out = weight.shape
    by_channel = weight.reshape(-1, channels, n_out).transpose(2, 1, 0).reshape(n_out, n_in)
    layer = nn.Linear(n_in, n_out)
    layer.load_state_dict({"weight": torch.from_numpy(by_channel), "bias": torch.from_numpy(bias)})
    return layer


def _descend(
    model: nn.Module, optimizer: torch.optim.Optimizer, inputs: torch.Tensor, classes: torch.Tensor, workload: Workload
) -> list[float]:
    """Minimise the log loss; returns the mean loss of each epoch."""
    set_up()
    loss_of = nn.CrossEntropyLoss()
    curve = []
    for _ in range(workload.epochs):
        total = 0.0
        order = torch.randperm(len(inputs))
        for start in range(0, len(inputs), workload.batch_size):
            index = order[start : start + workload.batch_size]
            optimizer.zero_grad()
            loss = loss_of(model(inputs[index]), classes[index])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(index)
        curve.append(total / len(inputs))
    return curve


def predict(model: nn.Module, inputs: np.ndarray) -> np.ndarray:
    """The class of each input."""
    with torch.inference_mode():
        return model(torch.from_numpy(inputs)).argmax(1).numpy()


def product_of(a: np.ndarray, b: np.ndarray) -> Callable[[], torch.Tensor]:
    """The product of two matrices, to be called for."""
    set_up()
    one, other = torch.from_numpy(a), torch.from_numpy(b)
    return lambda: one.mm(other)
