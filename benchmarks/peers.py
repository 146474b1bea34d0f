"""What others would write: plain PyTorch training loops doing the same work as sknn's estimators."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch


def torch_mlp(X: np.ndarray, y: np.ndarray, sizes: tuple[int, ...], batch_size: int, epochs: int) -> float:
    """Fit with Adam and weight decay on float32 tensors; returns the mean loss of the last epoch."""
    torch.manual_seed(0)
    inputs, classes = torch.from_numpy(X.astype(np.float32)), torch.from_numpy(y)
    layers: list[torch.nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        linear = torch.nn.Linear(n_in, n_out)
        torch.nn.init.xavier_uniform_(linear.weight)  # as scikit-learn and sknn start
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-4 / batch_size)
    loss_of = torch.nn.CrossEntropyLoss()
    for _ in range(epochs):
        total = 0.0
        order = torch.randperm(len(inputs))
        for start in range(0, len(inputs), batch_size):
            index = order[start : start + batch_size]
            optimizer.zero_grad()
            loss = loss_of(model(inputs[index]), classes[index])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(index)
    return total / len(inputs)
