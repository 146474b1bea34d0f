"""What others would write: plain PyTorch training loops doing the same work as sknn's estimators."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from sknn.ops.threads import available_threads

from .common import Parameters, Workload

LAYOUTS = {"PyTorch": torch.contiguous_format, "channels_last": torch.channels_last}


def torch_mlp(X: np.ndarray, y: np.ndarray, workload: Workload, sizes: tuple[int, ...]) -> list[float]:
    """Fit with Adam and weight decay on float32 tensors; returns the mean loss of each epoch."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        linear = nn.Linear(n_in, n_out)
        nn.init.xavier_uniform_(linear.weight)  # as scikit-learn and sknn start
        layers += [linear, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-4 / workload.batch_size)
    return _descend(model, optimizer, torch.from_numpy(X.astype(np.float32)), torch.from_numpy(y), workload)


def torch_cnn(
    X: np.ndarray,
    y: np.ndarray,
    workload: Workload,
    blocks: Sequence[int],
    start: Parameters,
    layout: str,
    **adam: Any,
) -> list[float]:
    """Fit with Adam, so set, in one of the layouts; returns the mean loss of each epoch.

    X has its channels last; signals are computed as images of height one, which is what PyTorch itself does with them.
    `blocks` tells how many convolutions each has, `start` weight and bias of all layers as sknn keeps them.
    """
    images = torch.from_numpy(X if X.ndim == 4 else X[:, None]).permute(0, 3, 1, 2)
    inputs = images.contiguous(memory_format=LAYOUTS[layout])
    model = _convolutional(blocks, start)
    model.to(memory_format=LAYOUTS[layout])  # type: ignore[call-overload]  # PyTorch's annotations leave it out
    optimizer = torch.optim.Adam(model.parameters(), **adam)
    return _descend(model, optimizer, inputs, torch.from_numpy(y), workload)


def _convolutional(blocks: Sequence[int], start: Parameters) -> nn.Sequential:
    """Blocks of convolutions, each pooled, and dense layers, with ReLU between all of them."""
    parameters = iter(start)
    layers: list[nn.Module] = []
    for n_convolutions in blocks:
        for weight, bias in islice(parameters, n_convolutions):
            layers += [_convolution(weight, bias), nn.ReLU()]
        layers.append(nn.MaxPool2d((1, 2) if weight.ndim == 3 else 2))
    layers.append(nn.Flatten())
    channels = len(bias)
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
    """Minimise the log loss on as many threads as sknn has; returns the mean loss of each epoch."""
    torch.set_num_threads(available_threads())
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
