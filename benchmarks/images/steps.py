"""Steps of training: a network's output, its mean square, the gradient of that, and a step of Adam.

PyTorch takes part in both of its memory layouts, with as many threads as sknn has and with one; the fastest of the four
is what sknn is held against. Compared are the loss and the norm of the gradient: what single weights get depends on how
ReLUs near their kinks are rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn.autodiff import primitives as F
from sknn.nn import Network
from sknn.nn.network import differentiate
from sknn.ops.memory import kept_memory
from sknn.ops.threads import available_threads
from sknn.optim import Adam

from ..common import NHWC, PYTORCH, installed
from ..core.rows import ONE_THREAD, Task, Work, apart, contestants, with_threads
from ..core.rows import steps as called
from ..measure import Goal, Measurement, Sample, Turn
from ..process import peak_growth, tells_peak
from ..sequences.recurrent import RATE
from ..timing import timed
from .networks import NETWORKS

NHWC_ONE_THREAD = f"{NHWC}, 1 thread"
CALLS = 4  # in a turn, after one that is not timed: PyTorch's threads spin for a while after their work


@dataclass(frozen=True)
class Step(Work):
    """A step of training of a network on samples of one shape."""

    network_name: str
    filters: int
    shape: tuple[int, ...]
    n_samples: int

    def data(self) -> np.ndarray:
        return np.random.default_rng(0).standard_normal((self.n_samples, *self.shape), dtype=np.float32)

    def network(self) -> Network:
        return Network(NETWORKS[self.network_name](self.filters), self.shape, np.random.default_rng(1))

    def sknn(self) -> Task:
        network, x = self.network(), self.data()
        function, descent = network.function(watched=True, training=True), Adam().start(network.theta, network.groups)

        def step() -> Sequence[Any]:
            loss, (gradient,) = differentiate(F.mean(F.square(function(x))), [network])
            norm = np.linalg.norm(gradient)
            descent.step(network.theta, gradient, RATE)
            return [loss, norm]

        return step

    def pytorch(self, torch: Any, channels_last: bool = False) -> Task:
        from . import pytorch

        module = pytorch.module_of(self.network_name, self.network(), self.shape[-1], self.filters)
        return pytorch.steps(module, self.data(), channels_last, RATE)

    def others(self) -> dict[str, Task]:
        """PyTorch with the channels last, of images."""
        if len(self.shape) != 3 or not installed("torch"):
            return {}
        import torch

        names = {NHWC: available_threads(), NHWC_ONE_THREAD: 1}
        return {name: with_threads(torch, n, self.pytorch(torch, channels_last=True)) for name, n in names.items()}


def milliseconds(work: Step) -> dict[str, Turn]:
    """The turns of all contestants: the time of a step."""
    return {name: turn_of(task) for name, task in contestants(work).items()}


def turn_of(task: Task) -> Turn:
    def turn() -> Sample:
        with kept_memory():  # that of the step before the first that counts, as in a fit
            task()
            return Sample(1e3 / CALLS * timed(lambda: [task() for _ in range(CALLS)])[0])

    return turn


def megabytes(work: Step) -> dict[str, Turn]:
    """The turns of all contestants: the most by which a process grows while it trains; none where that is not told."""
    if not tells_peak():
        return {}
    return {name: lambda name=name: Sample(peak_growth(training, work, name)) for name in contestants(work)}


def training(work: Step, name: str) -> Callable[[], None]:
    """Some steps of one contestant, made in the process that measures them."""
    task = contestants(work)[name]
    return lambda: called(task, CALLS)


def beside_pytorch(limit: float) -> Goal:
    """A goal against the best of PyTorch's four."""
    return Goal((PYTORCH, ONE_THREAD, NHWC, NHWC_ONE_THREAD), limit, kernels="compiled")


WORK = {
    "ResNet 16, 32x32x3 at 64": (Step("resnet", 16, (32, 32, 3), 64), 0.9),
    "ResNet 64, 150 steps at 16": (Step("resnet1d", 64, (150, 1), 16), 0.9),
    "U-net 8, 128x128 at 8": (Step("unet", 8, (128, 128, 1), 8), 0.9),
    "MobileNet 16, 32x32x3 at 64": (Step("mobilenet", 16, (32, 32, 3), 64), 0.6),
    "ViT 64, 28x28 at 64": (Step("vit", 64, (28, 28, 1), 64), 0.8),
}
MEASUREMENTS = [
    *(
        Measurement("images", name, "ms", work, milliseconds, (beside_pytorch(limit),), check=apart)
        for name, (work, limit) in WORK.items()
    ),
    *(
        Measurement(
            "images", f"memory of {name}", "MB", work, megabytes, (beside_pytorch(1.0),), most_repeats=2, warm_up=0
        )
        for name, (work, _) in WORK.items()
    ),
]
