"""Residual networks for signals, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, ClassVar, Literal

from ...augment import Augmentation
from ...nn import Conv, Dense, GlobalPool, Layer
from ...nn import blocks as made_of
from ...template import thousand_steps
from ...template.augmented import AUGMENT, augmented_batch
from ...template.estimator import Estimator
from ...template.grids import read_grids
from ...template.kinds import Classifier, Regressor
from ...template.parameters import fitted, parameter
from ...template.samples import Batch, Samples
from ...train import Plan
from . import stages
from .stages import Size

BLOCKS = {"basic": made_of.basic, "bottleneck": made_of.bottleneck, "preactivation": made_of.preactivation}


class ResNet(Estimator):
    """Stages of residual blocks, then the mean of each channel over all positions, then an output layer.

    A block adds to its input what its convolutions make of it, relu(x + f(x)): so a gradient comes to the first layers
    undiminished, however many there are.

    Samples are signals (n, T) or (n, T, channels), images (n, H, W, channels) or volumes (n, D, H, W, channels), or
    lists of arrays of different sizes: the mean over positions makes one row of each.

    References
    ----------
    He, Zhang, Ren, Sun (2016). Deep residual learning for image recognition. CVPR. arXiv:1512.03385.

    Wang, Yan, Oates (2017). Time series classification from scratch with deep neural networks. IJCNN. arXiv:1611.06455.
    """

    filters: int | Sequence[int] | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text="Channels of each stage; a convolution in front of them has as many as the first. "
        '"auto" is (16, 32, 64) for images and volumes, (32, 64, 64) for signals.',
        kw_only=False,
    )
    blocks: int | Sequence[int] = parameter(
        default=1, interval="[1, inf)", text="Residual blocks of a stage: of all, or of each."
    )
    block: Literal["basic", "bottleneck", "preactivation"] = parameter(
        default="basic",
        text='What a block is: convolutions in a row; "bottleneck" has a quarter of the channels in the middle, '
        'between convolutions of single positions; "preactivation" norms and ReLU in front of the convolutions, and '
        "nothing on the way around them.",
    )
    kernel_size: Size | list[Size] | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text="Taps of a kernel: for all axes, for each axis (a tuple), or for each convolution of a block (a list of "
        'such); "auto" is 3 for images and volumes, [8, 5, 3] for signals.',
    )
    stride: Size | Literal["auto"] = stages.STRIDE
    norm: Literal["batch", "group", "layer"] = stages.NORM
    zero_init: bool = parameter(
        default=True,
        text="Whether blocks begin as what goes around them: then a deep network begins as a shallow one.",
    )
    stochastic_depth: float = stages.STOCHASTIC_DEPTH
    augment: str | Augmentation | Sequence[str | Augmentation] | None = AUGMENT
    batch_size: int | Literal["auto"] = thousand_steps.BATCH_SIZE
    max_iter: int | Literal["auto"] = thousand_steps.MAX_ITER  # type: ignore[assignment]
    solver = "adamw"
    learning_rate = "one_cycle"
    learning_rate_init = 1e-2  # validation, beside 3e-3: digits .991 / .988, MNIST-1D .983 / .981, fashion .882 / .873
    clip_norm = 1.0
    n_iter_no_change = inf
    input_scaling = "standard"

    _shape: tuple[Any, ...] = fitted("That of a sample, None along axes whose length is left open.")
    _accepted_sparse: ClassVar[Any] = False
    _accepts_grids: ClassVar[bool] = True
    _free_grid: ClassVar[bool] = True

    def _layers(self, n_outputs: int) -> list[Layer]:
        n_axes = len(self._shape) - 1
        filters, kernel_size = self._filters(n_axes), self._kernel_size(n_axes)
        options: dict[str, Any] = {"kernel_size": kernel_size, "norm": self.norm, "zero_init": self.zero_init}
        first = kernel_size[0] if isinstance(kernel_size, list) else kernel_size
        channels = filters[0]
        layers = made_of.normalised(Conv(channels, first, init="he_uniform"), self.norm, "relu")
        n_blocks = stages.whole_numbers("blocks", self.blocks, len(filters))
        stride = stages.strides(self.stride, n_axes)
        for width, step, rate in stages.blocks_of(filters, n_blocks, stride, float(self.stochastic_depth)):
            layers += BLOCKS[self.block](channels, width, stride=step, stochastic_depth=rate, **options)
            channels = width
        if self.block == "preactivation":
            layers += made_of.normalisation(self.norm, channels, "relu")
        return [*layers, GlobalPool(), Dense(n_outputs)]

    def _filters(self, n_axes: int) -> list[int]:
        if isinstance(self.filters, str):
            return [32, 64, 64] if n_axes == 1 else [16, 32, 64]
        return stages.whole_numbers("filters", self.filters)

    def _kernel_size(self, n_axes: int) -> Any:
        if isinstance(self.kernel_size, str):
            return [8, 5, 3] if n_axes == 1 else 3
        return self.kernel_size

    def _plan(self, n_samples: int) -> Plan:
        return thousand_steps.planned(self, super()._plan(n_samples), n_samples)

    def _read_x(self, X: Any, fresh: bool) -> Any:
        return read_grids(self, X, fresh)

    def _batch(self, samples: Samples, index: Any, draws: Any) -> Batch:
        return augmented_batch(self, samples.take(index), draws)


class ResNetClassifier(ResNet, Classifier):
    """Residual network classifier for signals, images and volumes.

    Loss and outputs are those of :class:`MLPClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import ResNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(2, size=150)
    >>> X = rng.standard_normal((150, 8, 8, 1))
    >>> X[y == 1, 2:5, 2:5] += 1.0  # a bright square
    >>> resnet = ResNetClassifier((4, 8), max_iter=10, random_state=0)
    >>> resnet.fit(X[:100], y[:100]).score(X[100:], y[100:]) > 0.8
    True
    """


class ResNetRegressor(ResNet, Regressor):
    """Residual network regressor for signals, images and volumes; standardises the target inside.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import ResNetRegressor
    >>> rng = np.random.default_rng(0)
    >>> width = rng.uniform(1, 4, 200)
    >>> X = np.exp(-(((np.arange(30) - 15) / width[:, None]) ** 2)) + 0.05 * rng.standard_normal((200, 30))
    >>> resnet = ResNetRegressor((8, 8), max_iter=20, learning_rate_init=0.01, random_state=0)
    >>> resnet.fit(X[:150], width[:150]).score(X[150:], width[150:]) > 0.9
    True
    """
