"""U-nets: what is seen at each pixel of an image, or another image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any, ClassVar, Literal

import numpy as np

from ...augment import Augmentation
from ...autodiff.tape import Array
from ...losses import DiceLoss
from ...nn import Concat, Conv, Layer
from ...nn.blocks import reach, unet
from ...nn.draws import Draws
from ...template import thousand_steps
from ...template.augmented import AUGMENT, augmented_batch
from ...template.estimator import Estimator
from ...template.fit import FamilyData, Fit
from ...template.grids import read_grids
from ...template.inputs import given
from ...template.kinds import Regressor
from ...template.parameters import fitted, fixed, parameter
from ...template.pixels import PixelTarget
from ...template.positions import in_a_row
from ...template.samples import Batch, Samples
from ...template.segmenter import Segmenter
from ...template.validation import judged
from ...train import FitLoop, Observer, Plan, Stage, TrainingState, Verdict, train
from .crops import Crops, sizes_of
from .pixels import enlarged, enlargement, numbers_at_pixels, pixel_values
from .tiles import in_rows, joined, tiles_of

N_STEPS, N_CROPS = 500, 8  # of max_iter="auto", and in each of these
PATCHES = {1: 1024, 2: 128, 3: 32}  # along each axis of signals, images and volumes
TILES = {1: 1 << 16, 2: 512, 3: 64}
DICE = DiceLoss()


class UNet(Estimator):
    """Convolutions on a grid, on coarser and coarser ones and back, past what was seen on the way.

    X are images (n, H, W, C), signals (n, T, C) or (n, T), volumes (n, D, H, W, C), or a list of any of these that
    differ in size; predictions have the size of the image, whatever it is. It learns from crops anywhere in the images,
    of which the fit takes several in a step, so that one image is enough to begin with.

    References
    ----------
    Ronneberger, Fischer, Brox (2015). U-Net: convolutional networks for biomedical image segmentation. MICCAI.
    arXiv:1505.04597.

    Oktay et al. (2018). Attention U-Net: learning where to look for the pancreas. MIDL. arXiv:1804.03999.
    """

    filters: int = parameter(
        default=8,
        interval="[1, inf)",
        text="Of each convolution on the finest grid; on each coarser one they are twice as many.",
        kw_only=False,
    )
    depth: int = parameter(
        default=3,
        interval="[0, inf)",
        text="How often the grid is halved. What a network sees of the surroundings grows twofold with each.",
    )
    attention: bool = parameter(
        default=False, text="Whether gates decide what goes past the coarser grids (Oktay et al. 2018)."
    )
    residual: bool = parameter(default=False, text="Whether each pair of convolutions has a way around it.")
    up: Literal["transpose", "nearest"] = parameter(
        default="transpose",
        text="How a grid is doubled: by a transposed convolution, or by repetition and a convolution, which leaves no "
        "chequered pattern.",
    )
    skips: bool = parameter(
        default=True,
        text="Whether anything goes past the coarser grids. Without it what is thin is not found again, what is thick "
        "is.",
    )
    patch: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='Pixels along the side of a crop; "auto" is 128 (1,024 for signals, 32 for volumes). Never more than the '
        "largest image has.",
    )
    augment: str | Augmentation | Sequence[str | Augmentation] | None = AUGMENT
    tile: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text="Larger images are predicted in tiles of so many pixels along the side, each of which is shown so much of "
        'what lies around it that the prediction is that of the whole; "auto" is 512 (65,536 for signals, 64 for '
        "volumes).",
    )
    batch_size: int | Literal["auto"] = parameter(
        default="auto", interval="[1, inf)", text='Crops in a mini-batch; "auto" is 8.'
    )
    max_iter: int | Literal["auto"] = parameter(  # type: ignore[assignment]
        default="auto",
        interval="[1, inf)",
        text='Most epochs; "auto" is as many as make 500 steps. An epoch has as many crops as take all images once.',
    )
    solver = "adamw"
    learning_rate = "one_cycle"
    learning_rate_init = 0.01
    clip_norm = 1.0
    n_iter_no_change = inf
    input_scaling = "standard"

    n_patches_: int = fitted("Crops in an epoch.")

    _shape: tuple[Any, ...] = fitted("That of a sample, (*grid, channels); None where the size is left open.")
    _accepted_sparse: ClassVar[Any] = False
    _accepts_grids: ClassVar[bool] = True
    _free_grid: ClassVar[bool] = True

    def _read_x(self, X: Any, fresh: bool) -> Any:
        return read_grids(self, X, fresh)

    # -- the network -----------------------------------------------------------------------------------------------

    def _layers(self, n_outputs: int) -> list[Layer]:
        return [*self._unet(), Conv(n_outputs, kernel_size=1)]

    def _unet(self) -> list[Layer]:
        """All layers but that of the output."""
        return unet(
            self.filters,
            self.depth,
            attention=self.attention,
            residual=self.residual,
            skips=self.skips,
            up=self.up,
        )

    # -- the training ----------------------------------------------------------------------------------------------

    def _run(
        self, fit: Fit, stages: list[Stage], state: TrainingState, *, observer: Observer | None, **watching: Any
    ) -> FitLoop:
        crops: Any = Crops(fit.samples, self._side(self.patch, PATCHES), self._batch_size(N_CROPS))
        plan = self._plan(len(crops))
        size, epochs = plan.batch_size, plan.max_epochs
        stages = [replace(stage, plan=replace(stage.plan, batch_size=size, max_epochs=epochs)) for stage in stages]
        self.n_patches_ = len(crops)
        return train(fit.network, FamilyData(self, crops), stages, state, fit.rng, observer=observer, **watching)

    def _batch(self, samples: Any, index: slice | Array, draws: Draws) -> Batch:
        return augmented_batch(self, samples.take(index, draws), draws, maps=True)

    def _plan(self, n_samples: int) -> Plan:
        each = {"steps": N_STEPS, "fewest": 1, "most": N_STEPS, "smallest": N_CROPS, "largest": N_CROPS}
        return thousand_steps.planned(self, super()._plan(n_samples), n_samples, **each)

    def _batch_size(self, n_samples: int) -> int:
        return N_CROPS if self.batch_size == "auto" else self.batch_size  # however few images the crops are of

    def _side(self, stated: int | str, usual: dict[int, int]) -> int:
        return usual[len(self._shape) - 1] if isinstance(stated, str) else stated

    # -- predicting ------------------------------------------------------------------------------------------------

    def _raw_outputs(self, X: Any) -> Any:
        """Of each image, tile by tile: an array for an array, otherwise rows of pixels."""
        if self._known is not None and X is self._known[0]:
            return self._known[1]
        x = self._inputs(X)
        tiles = tiles_of(sizes_of(x), self._side(self.tile, TILES), reach(self.depth), 1 << self.depth)
        raw = joined(tiles, self._forward(in_rows([x[tile.image][tile.shown] for tile in tiles]), self._outputs), x)
        is_array = not hasattr(x, "lengths") and isinstance(X, np.ndarray) and X.dtype.kind != "O"
        return raw.values.reshape(*x.shape[:-1], -1) if is_array else raw


class UNetSegmenter(UNet, Segmenter):
    """U-net for a label at every pixel of images, signals and volumes of any size.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import UNetSegmenter
    >>> rng = np.random.default_rng(0)
    >>> y = np.zeros((12, 32, 32), int)
    >>> for labels, (a, b) in zip(y, rng.integers(2, 20, (12, 2))):
    ...     labels[a : a + 10, b : b + 10] = 1
    >>> X = (y + rng.normal(0, 1, y.shape))[..., None]
    >>> unet = UNetSegmenter(4, depth=2, max_iter=40, random_state=0).fit(X[:8], y[:8])
    >>> unet.predict(X[8:]).shape, unet.score(X[8:], y[8:]) > 0.9
    ((4, 32, 32), True)
    """

    loss: Literal["cross_entropy", "dice", "both"] = parameter(
        default="cross_entropy",
        text="What is minimised: the log loss of the pixels, 1 - the mean Dice coefficient of the classes over a batch "
        "(in which rare classes count as much as others), or the sum of both.",
    )

    def _objective(self, nets: Any, batch: Batch, draws: Draws) -> Any:
        return self._losses(self._outputs(nets, batch, draws), batch.y, batch.weight)

    def _losses(self, raw: Any, y: Array, weight: Array | None) -> Any:
        """The loss of each pixel."""
        if self.loss == "cross_entropy":
            return self._target.loss(raw, y)
        dice = DICE(in_a_row(raw), y, weight)
        return dice if self.loss == "dice" else dice + self._target.loss(raw, y)

    def _verdict(self, nets: Any, samples: Samples, draws: Draws) -> Verdict:
        return judged(self, nets, samples, draws, self._losses)


class UNetRegressor(UNet, Regressor):
    """U-net from image to image: clean ones from noisy or blurred ones, amounts at each pixel.

    y are images of the size of X, (n, H, W) or (n, H, W, K), or so many times as large: then X is enlarged first,
    linearly between its pixels. Pixels of y that are NaN are not known and count for nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.ndimage import gaussian_filter
    >>> from sknn import UNetRegressor
    >>> rng = np.random.default_rng(0)
    >>> y = gaussian_filter(rng.normal(size=(20, 32, 32)), (0, 3, 3))
    >>> y /= y.std()
    >>> X = (y + rng.normal(size=y.shape))[..., None]
    >>> unet = UNetRegressor(4, depth=2, max_iter=30, random_state=0).fit(X[:15], y[:15])
    >>> unet.predict(X[15:]).shape, unet.score(X[15:], y[15:]) > 0.6
    ((5, 32, 32), True)
    """

    loss: Literal["squared_error", "absolute_error", "huber"] = parameter(  # type: ignore[assignment]
        default="squared_error",
        text="What is minimised, of each pixel. Absolute errors leave edges sharper than squared ones, which are "
        "minimal for the mean of all images that are possible.",
    )
    quantile: float = fixed(0.5)

    factors_: tuple[int, ...] = fitted("How many times as large as X the images y are, along each axis.")

    def _unet(self) -> list[Layer]:
        """With the image itself beside what is seen in it, so that only what differs has to be learnt."""
        return [Concat(super()._unet())] if self.skips else super()._unet()

    def _read(self, X: Any, y: Any, sample_weight: Any, fresh: bool, allow_all_zero: bool) -> Samples:
        samples = super()._read(X, y, sample_weight, fresh, allow_all_zero)
        if fresh:
            self.factors_ = enlargement(samples.x, samples.y)
        x = enlarged(samples.x, self.factors_)
        return replace(samples, x=x, y=pixel_values(x, samples.y))

    def _read_y(self, y: Any) -> Any:
        return numbers_at_pixels(given(self, y))

    def _new_target(self, y: Any, sample_weight: Array | None) -> PixelTarget:  # type: ignore[override]
        make = super()._new_target
        return PixelTarget(y, sample_weight, len(self._shape) - 1, make)

    def _check_target(self, target: Any) -> None:
        super()._check_target(target.inner)

    def _weighted(self, samples: Samples, target: Any, by_class: Any) -> Samples:
        return replace(samples, weight=target.weights(samples.y, samples.score_weight))

    def _inputs(self, X: Any) -> Any:
        return enlarged(super()._inputs(X), self.factors_)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R2 over all pixels together: 1 for perfect predictions, 0 for the mean of y everywhere.

        Parameters
        ----------
        X : array-like of shape (n_samples, *grid, n_channels), or list of arrays
            Images.
        y : array-like of shape (n_samples, *grid) or (n_samples, *grid, n_outputs), or list of arrays
            What they are to become; pixels that are NaN count for nothing.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
        """
        return self._target.score(y, self.predict(X), sample_weight)
