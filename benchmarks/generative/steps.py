"""Steps of training: what an objective says of a batch, the gradient of that, and a step of Adam.

PyTorch takes part with as many threads as sknn has and with one, for images in both of its memory layouts; the fastest
is what sknn is held against. Compared are the values and the norms of their gradients, with the same noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sknn.nn import Draws, from_noise
from sknn.nn.network import differentiate
from sknn.ops.threads import available_threads
from sknn.optim import Adam

from ..common import NHWC, installed
from ..core import rows
from ..core.rows import Task, Work, apart, with_threads
from ..images import steps as of_images
from ..images.steps import NHWC_ONE_THREAD
from ..measure import Goal, Measurement
from ..sequences.recurrent import RATE
from .objectives import (
    GAN,
    VAE,
    Autoencoder,
    AutoregressiveFlow,
    Noise,
    NoiseMLP,
    NoiseUNet,
    Objective,
    RealNVP,
    SplineFlow,
)

ZUKO, ZUKO_ONE_THREAD = "zuko", "zuko, 1 thread"
ARRAYS = {"normal": "standard_normal", "uniform": "random"}


@dataclass(frozen=True)
class Step(Work):
    """A step of an objective on samples of one shape; `alike`: with the same noise for all contestants."""

    objective: Objective
    n_samples: int
    shape: tuple[int, ...]
    alike: bool = False

    def data(self) -> np.ndarray:
        return np.random.default_rng(0).random((self.n_samples, *self.shape), dtype=np.float32)

    def noise(self) -> Noise | None:
        """Arrays that are the same for everybody who draws the same ones in the same order."""
        if not self.alike:
            return None
        rng = np.random.default_rng(2)
        return lambda kind, shape: getattr(rng, ARRAYS[kind])(tuple(shape), dtype=np.float32)

    def sknn(self) -> Task:
        parts, x, draws = self.objective.parts(), self.data(), Draws(0)
        noise = self.noise() or (lambda kind, shape: getattr(draws, kind)(shape))
        watched = parts.function(watched=True, training=True)
        descents: dict[str | None, Any] = {}

        def step() -> Sequence[Any]:
            results: list[Any] = []
            for name, value in self.objective.values(watched, x, noise):
                part = parts if name is None else parts[name]
                loss, (gradient,) = differentiate(value, [part])
                if name not in descents:
                    descents[name] = Adam().start(part.theta, part.groups)
                results += [loss, np.linalg.norm(gradient)]
                descents[name].step(part.theta, gradient, RATE)
            return results

        return step

    def pytorch(self, torch: Any, channels_last: bool = False) -> Task | None:
        from . import pytorch

        if type(self.objective).__name__ not in pytorch.TWINS:
            return None
        twin = pytorch.twin_of(self.objective, self.objective.parts())
        return self._steps(torch, twin, channels_last)

    def _steps(self, torch: Any, twin: Any, channels_last: bool = False) -> Task:
        from . import pytorch

        same = self.noise()
        noise = pytorch.drawn if same is None else (lambda kind, shape: torch.from_numpy(same(kind, shape)))
        return pytorch.steps(twin, self.data(), noise, channels_last, RATE)

    def others(self) -> dict[str, Task]:
        """PyTorch with the channels last, of images; zuko, of splines."""
        if not installed("torch"):
            return {}
        import torch

        from . import pytorch

        if len(self.shape) == 3:
            names = {NHWC: available_threads(), NHWC_ONE_THREAD: 1}
            return {name: with_threads(torch, n, self.pytorch(torch, channels_last=True)) for name, n in names.items()}
        if isinstance(self.objective, SplineFlow):
            return beside_zuko(torch, lambda: self._steps(torch, pytorch.Zuko(self.objective)))
        return {}


@dataclass(frozen=True)
class Sampling(Work):
    """Rows drawn from a flow, which is as it begins."""

    objective: SplineFlow
    n_samples: int

    def sknn(self) -> Task:
        flow, draws = self.objective.parts().flow.function(), Draws(0)
        return lambda: [from_noise(flow, draws.normal((self.n_samples, 10)))]

    def others(self) -> dict[str, Task]:
        if not installed("torch"):
            return {}
        import torch

        from . import pytorch

        def task() -> Task:
            flow = pytorch.Zuko(self.objective)
            return lambda: [flow.sample(self.n_samples)]

        return beside_zuko(torch, task)


def beside_zuko(torch: Any, make: Callable[[], Task]) -> dict[str, Task]:
    """zuko with as many threads as sknn has and with one, if it is there."""
    names = {ZUKO: available_threads(), ZUKO_ONE_THREAD: 1} if installed("zuko") else {}
    return {name: with_threads(torch, n_threads, make()) for name, n_threads in names.items()}


def apart_with_the_same_noise(work: Step) -> float:
    return apart(replace(work, alike=True))


def row(name: str, work: Step, limit: float) -> Measurement:
    """Of images, PyTorch has four ways; of tables two."""
    suite = of_images if len(work.shape) == 3 else rows
    goals = (suite.beside_pytorch(limit),)
    return Measurement("generative", name, "ms", work, suite.milliseconds, goals, check=apart_with_the_same_noise)


def spline_row(name: str, work: Step | Sampling, limit: float) -> Measurement:
    """zuko's networks are others, so that only times are compared."""
    goals = (Goal((ZUKO, ZUKO_ONE_THREAD), limit, kernels="compiled"),)
    return Measurement("generative", name, "ms", work, rows.milliseconds, goals)


IMAGES, DIGITS = (28, 28, 1), (784,)
MEASUREMENTS = [
    row("RealNVP 8x(64, 64), 10 columns at 256", Step(RealNVP(), 256, (10,)), 0.6),
    spline_row("spline coupling 8x(64, 64), 10 columns at 256", Step(SplineFlow(), 256, (10,)), 0.25),
    spline_row("spline autoregressive 3x(64, 64), 10 columns at 256", Step(AutoregressiveFlow(), 256, (10,)), 0.4),
    spline_row("256 rows of spline coupling 8x(64, 64), 10 columns", Sampling(SplineFlow(), 256), 0.3),
    row("VAE 784-500-20 at 128", Step(VAE(), 128, DIGITS), 0.9),
    row("autoencoder 8-32-3-32-8 at 128", Step(Autoencoder(), 128, (8,)), 0.35),
    row("diffusion 3x256, 2 columns at 256", Step(NoiseMLP(2), 256, (2,)), 0.85),
    row("diffusion 3x256, 64 columns at 256", Step(NoiseMLP(64), 256, (64,)), 0.85),
    row("diffusion U-net 16, 28x28 at 64", Step(NoiseUNet(16), 64, IMAGES), 1.0),
    row("diffusion U-net 32, 28x28 at 64", Step(NoiseUNet(32), 64, IMAGES), 1.0),
    row("DCGAN 128-64, 28x28 at 64", Step(GAN(), 64, IMAGES), 1.0),
    row("WGAN-GP 128-64, 28x28 at 64", Step(GAN(10.0), 64, IMAGES), 1.2),
]
