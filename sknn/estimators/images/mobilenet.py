"""Networks of few weights for signals, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf
from typing import Any, ClassVar, Literal

from ...augment import Augmentation
from ...nn import Conv, Dense, GlobalPool, InvertedResidual, Layer
from ...nn.blocks import normalised
from ...ops.activation import ACTIVATIONS
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

DEEPER, WIDER = 1.2, 1.1  # by a step of `scale`: so Tan & Le (2019) found for twice the work
EIGHT = 8  # channels fill the vectors of a processor


class MobileNet(Estimator):
    """Stages of inverted residuals with squeeze-and-excitation, then the mean of each channel, then an output layer.

    A block widens the channels, convolves each by itself, weighs them by what is in the whole sample, and narrows them
    again: a convolution of k positions of C channels has k C + C C' weights instead of k C C'.

    Samples are signals (n, T) or (n, T, channels), images (n, H, W, channels) or volumes (n, D, H, W, channels), or
    lists of arrays of different sizes: the mean over positions makes one row of each.

    References
    ----------
    Sandler, Howard, Zhu, Zhmoginov, Chen (2018). MobileNetV2: inverted residuals and linear bottlenecks. CVPR.
    arXiv:1801.04381.

    Tan, Le (2019). EfficientNet: rethinking model scaling for convolutional neural networks. ICML. arXiv:1905.11946.
    """

    filters: int | Sequence[int] = parameter(
        default=(16, 24, 40, 80),
        interval="[1, inf)",
        text="Channels of each stage; a convolution in front of them has as many as the first.",
        kw_only=False,
    )
    blocks: int | Sequence[int] = parameter(
        default=2, interval="[1, inf)", text="Inverted residuals of a stage: of all, or of each."
    )
    kernel_size: Size = parameter(
        default=3, interval="[1, inf)", text="Taps of the depthwise kernels: for all axes, or for each."
    )
    stride: Size | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text="How far the positions of the first convolution are apart, and those of a stage, counted in those of the "
        'stage before, from the second one on; "auto" is 2 for images and volumes, 1 for signals.',
    )
    expansion: float = parameter(
        default=4.0, interval="(0, inf)", text="How many times as many channels a block has in its middle."
    )
    squeeze: float = parameter(
        default=0.25,
        interval="[0, inf)",
        text="Units of squeeze-and-excitation for each channel that comes to a block; 0: there is none.",
    )
    activation: str = parameter(default="silu", named=ACTIVATIONS, text="Of all layers but the last one of each block.")
    scale: float = parameter(
        default=0.0,
        text="Makes a larger network of the same kind: EfficientNet's phi. A stage has 1.2^scale times as many blocks, "
        "rounded up, and 1.1^scale times as many channels, rounded to multiples of 8; below 0 fewer.",
    )
    norm: Literal["batch", "group", "layer"] = stages.NORM
    stochastic_depth: float = stages.STOCHASTIC_DEPTH
    augment: str | Augmentation | Sequence[str | Augmentation] | None = AUGMENT
    batch_size: int | Literal["auto"] = thousand_steps.BATCH_SIZE
    max_iter: int | Literal["auto"] = thousand_steps.MAX_ITER  # type: ignore[assignment]
    solver = "adamw"
    learning_rate = "one_cycle"
    learning_rate_init = 1e-2  # validation, beside 3e-3: digits .988 / .978, fashion .877 / .838
    clip_norm = 1.0
    n_iter_no_change = inf
    input_scaling = "standard"

    _shape: tuple[Any, ...] = fitted("That of a sample, None along axes whose length is left open.")
    _accepted_sparse: ClassVar[Any] = False
    _accepts_grids: ClassVar[bool] = True
    _free_grid: ClassVar[bool] = True

    def _layers(self, n_outputs: int) -> list[Layer]:
        widths, n_blocks = self._scaled()
        options: dict[str, Any] = {
            name: getattr(self, name) for name in ("kernel_size", "expansion", "squeeze", "activation", "norm")
        }
        stride = stages.strides(self.stride, len(self._shape) - 1)
        layers = normalised(Conv(widths[0], self.kernel_size, stride, init="he_uniform"), self.norm, self.activation)
        for filters, step, rate in stages.blocks_of(widths, n_blocks, stride, float(self.stochastic_depth)):
            layers.append(InvertedResidual(filters, stride=step, stochastic_depth=rate, **options))
        last = max(1, round(self.expansion * widths[-1]))
        layers += normalised(Conv(last, 1, init="he_uniform"), self.norm, self.activation)
        return [*layers, GlobalPool(), Dense(n_outputs)]

    def _scaled(self) -> tuple[list[int], list[int]]:
        """The channels and the number of blocks of each stage, as `scale` makes them."""
        widths = stages.whole_numbers("filters", self.filters)
        n_blocks = stages.whole_numbers("blocks", self.blocks, len(widths))
        if self.scale == 0:
            return widths, n_blocks
        wider, deeper = WIDER**self.scale, DEEPER**self.scale
        return [max(EIGHT, EIGHT * round(width * wider / EIGHT)) for width in widths], [
            ceil(round(count * deeper, 9)) for count in n_blocks
        ]

    def _plan(self, n_samples: int) -> Plan:
        return thousand_steps.planned(self, super()._plan(n_samples), n_samples)

    def _read_x(self, X: Any, fresh: bool) -> Any:
        return read_grids(self, X, fresh)

    def _batch(self, samples: Samples, index: Any, draws: Any) -> Batch:
        return augmented_batch(self, samples.take(index), draws)


class MobileNetClassifier(MobileNet, Classifier):
    """Classifier of few weights for signals, images and volumes.

    Loss and outputs are those of :class:`MLPClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import MobileNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(2, size=150)
    >>> X = rng.standard_normal((150, 8, 8, 1))
    >>> X[y == 1, 2:5, 2:5] += 1.0  # a bright square
    >>> mobilenet = MobileNetClassifier((8, 16), blocks=1, max_iter=15, learning_rate_init=0.01, random_state=0)
    >>> mobilenet.fit(X[:100], y[:100]).score(X[100:], y[100:]) > 0.8
    True
    """


class MobileNetRegressor(MobileNet, Regressor):
    """Network of few weights for numbers from signals, images and volumes; standardises the target inside.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import MobileNetRegressor
    >>> rng = np.random.default_rng(0)
    >>> width = rng.uniform(1, 4, 200)
    >>> X = np.exp(-(((np.arange(30) - 15) / width[:, None]) ** 2)) + 0.05 * rng.standard_normal((200, 30))
    >>> mobilenet = MobileNetRegressor((8, 16), blocks=1, max_iter=20, learning_rate_init=0.01, random_state=0)
    >>> mobilenet.fit(X[:150], width[:150]).score(X[150:], width[150:]) > 0.9
    True
    """
