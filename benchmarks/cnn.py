"""Fitting a convolutional network: the time of one training step; Adam, ReLU, log loss.

All contestants do the same work, in float32 and on equally many threads: the same data, the same layers, batch size and
number of epochs, starting from the same weights, without penalty or scaling of the inputs. PyTorch takes part in both
of its memory layouts, contiguous (N, C, H, W) and channels last, with its plain Adam and the fused one; the fastest of
the four is what sknn is held against. PyTorch's threads go on spinning for a while after their work, so contestants
take turns by whole fits, not by steps.

That the work is the same is checked: on one batch, taken again and again, the losses of the first steps must agree. In
the fits that are timed each shuffles for itself, so their final losses agree but roughly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from sknn import CNNClassifier
from sknn.optim import Adam

from .common import (
    EPSILON,
    FIRST_STEPS,
    FUSED,
    NHWC,
    NHWC_FUSED,
    PYTORCH,
    RATE,
    Fit,
    Parameters,
    Workload,
    installed,
    loss_curve,
    losses_apart,
    turns,
)
from .measure import Goal, Measurement, Turn

N_CLASSES = 10
HIDDEN = 128


@dataclass(frozen=True)
class Case(Workload):
    """One network on samples of one shape; each block of convolutions is followed by pooling to half the size."""

    shape: tuple[int, ...]
    filters: tuple[tuple[int, ...], ...]
    kernel_size: int = 3

    @property
    def name(self) -> str:
        blocks = " ".join("-".join(map(str, block)) for block in self.filters)
        return f"{'x'.join(map(str, self.shape))}: {blocks} at {self.batch_size}"

    @property
    def multiply_adds(self) -> int:
        """Of a fit's convolutions and products: outputs, gradients of weights and of all inputs but the data.

        Multiplications with the zeros around an image count.
        """
        *grid, channels = self.shape
        layers = []
        for block in self.filters:
            for n_filters in block:
                layers.append(prod(grid) * self.kernel_size ** len(grid) * channels * n_filters)
                channels = n_filters
            grid = [size // 2 for size in grid]
        layers += [n_in * n_out for n_in, n_out in pairwise((prod(grid) * channels, HIDDEN, N_CLASSES))]
        return self.epochs * self.n_samples * (3 * sum(layers) - layers[0])


def make_data(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """A pattern for each class, in noise as strong; made in place, lest freed memory be there for a fit to take."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((case.n_samples, *case.shape), dtype=np.float32)
    patterns = rng.standard_normal((N_CLASSES, *case.shape), dtype=np.float32)
    for k, pattern in enumerate(patterns):
        X[k::N_CLASSES] += pattern
    return X, np.arange(case.n_samples) % N_CLASSES


def classifier(case: Case) -> CNNClassifier:
    """The estimator, without what the others have not: a penalty, a scaling of the inputs, a stop before the end."""
    return CNNClassifier(
        case.filters,
        kernel_size=case.kernel_size,
        hidden_layer_sizes=(HIDDEN,),
        input_shape=case.shape,
        alpha=0.0,
        input_scaling=None,
        learning_rate_init=RATE,
        solver=Adam(epsilon=EPSILON),
        batch_size=case.batch_size,
        max_iter=case.epochs,
        n_iter_no_change=np.inf,
        random_state=0,
    )


def initial_parameters(case: Case) -> Parameters:
    """Weight and bias of each layer as the classifier draws them: fitted at a rate that changes nothing."""
    one_batch = replace(case, n_samples=case.batch_size, epochs=1)
    fitted = classifier(one_batch).set_params(learning_rate_init=1e-30)
    loss_curve(fitted, *make_data(one_batch))
    layers = [fitted.network_.parameters.get(str(k)) for k in range(len(fitted.network_.layers))]
    return [(layer["weight"], layer["bias"]) for layer in layers if layer]


def fits(case: Case, start: Parameters) -> dict[str, Fit]:
    """The fit of each contestant, with its data at hand."""
    X, y = make_data(case)
    blocks = [len(block) for block in case.filters]
    adam: dict[str, Any] = {"lr": RATE, "eps": EPSILON}
    found: dict[str, Fit] = {"sknn": lambda: loss_curve(classifier(case), X, y)}
    if installed("torch"):
        from .pytorch import fit_cnn

        fit = partial(fit_cnn, X, y, case, blocks, start, **adam)
        found[PYTORCH] = fit
        found[FUSED] = partial(fit, fused=True)
        found[NHWC] = partial(fit, channels_last=True)
        found[NHWC_FUSED] = partial(fit, channels_last=True, fused=True)
    if installed("skorch"):
        from .with_skorch import fit_cnn as skorch_cnn

        found["skorch"] = lambda: skorch_cnn(X, y, case, blocks, start, **adam)
    return found


def first_losses_apart(case: Case) -> float:
    """How far the losses of the first steps are apart, relatively, where each step takes the same batch."""
    one_batch = replace(case, n_samples=case.batch_size, epochs=FIRST_STEPS)
    return losses_apart(fits(one_batch, initial_parameters(case)))


def milliseconds_per_step(case: Case) -> dict[str, Turn]:
    """The turns of all contestants."""
    return turns(fits(case, initial_parameters(case)), 1e3 / case.steps)


def goals(compiled: float, numpy: float) -> tuple[Goal, ...]:
    """Limits of the ratio to the fastest of PyTorch's loops; NumPy alone is held against those with plain Adam."""
    return (
        Goal((PYTORCH, FUSED, NHWC, NHWC_FUSED), compiled, kernels="compiled"),
        Goal((PYTORCH, NHWC), numpy, kernels="numpy"),
    )


IMAGES = Case(128, 1280, 2, shape=(28, 28, 1), filters=((32, 32), (64, 64)))
CASES = {
    Case(64, 2560, 12, shape=(8, 8, 1), filters=((16,), (32,))): goals(compiled=0.35, numpy=1.0),
    IMAGES: goals(compiled=0.85, numpy=1 / 0.45),
    Case(128, 640, 2, shape=(32, 32, 3), filters=((32, 32), (64, 64), (128, 128))): goals(0.85, numpy=1 / 0.45),
    Case(64, 640, 2, shape=(1000, 1), filters=((32,), (64,)), kernel_size=7): goals(compiled=0.85, numpy=1 / 0.45),
}
MEASUREMENTS = [
    Measurement("cnn", case.name, "ms per step", case, milliseconds_per_step, held_to, check=first_losses_apart)
    for case, held_to in CASES.items()
]
