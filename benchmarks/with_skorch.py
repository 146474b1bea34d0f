"""What a user of scikit-learn would pick for PyTorch: skorch's classifier, told the same work, else at its defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from skorch import NeuralNetClassifier

from .common import Parameters, Workload
from .pytorch import as_images, cnn, mlp, set_up


def classifier(module: torch.nn.Module, workload: Workload, **adam: Any) -> NeuralNetClassifier:
    """The classifier, without what the others have not: a part held out for validation, a table printed."""
    return NeuralNetClassifier(
        module,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        **{f"optimizer__{name}": value for name, value in adam.items()},
        batch_size=workload.batch_size,
        max_epochs=workload.epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def fit_mlp(X: np.ndarray, y: np.ndarray, workload: Workload, start: Parameters, **adam: Any) -> list[float]:
    """Fit a multi-layer perceptron (see :func:`.pytorch.fit_mlp`); returns the mean loss of each epoch."""
    return _loss_curve(classifier(mlp(start), workload, **adam), X.astype(np.float32), y)


def fit_cnn(
    X: np.ndarray, y: np.ndarray, workload: Workload, blocks: Sequence[int], start: Parameters, **adam: Any
) -> list[float]:
    """Fit a convolutional network (see :func:`.pytorch.fit_cnn`); returns the mean loss of each epoch."""
    return _loss_curve(classifier(cnn(blocks, start), workload, **adam), np.ascontiguousarray(as_images(X)), y)


def _loss_curve(net: NeuralNetClassifier, X: np.ndarray, y: np.ndarray) -> list[float]:
    set_up()
    return net.fit(X, y).history[:, "train_loss"]
