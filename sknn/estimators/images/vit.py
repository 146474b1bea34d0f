"""Vision transformers: attention among the patches of an image."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, ClassVar, Literal

from ...augment import Augmentation
from ...autodiff.tape import Array
from ...nn import Dense, Dropout, Layer, LayerNorm, Patches, Positions, TimePool, TransformerBlock
from ...ops.windows import per_axis
from ...template import thousand_steps
from ...template.attention import attention_weights
from ...template.augmented import AUGMENT, augmented_batch
from ...template.estimator import Estimator
from ...template.grids import read_grids
from ...template.kinds import Classifier, Regressor
from ...template.layers import stem
from ...template.parameters import fitted, parameter
from ...template.samples import Batch, Samples
from ...train import Plan

KERNEL = 3  # pixels along the side that a convolution of the stem sees
POSITIONS: dict[str, Any] = {"sincos2d": "sinusoidal", "learned": "learned"}  # and their names as a layer
N_STEPS = 3000  # attention has to learn what a convolution knows: that neighbours belong together


class ViT(Estimator):
    """Patches of an image as tokens, then blocks of self-attention, then what is read out of the tokens.

    X are signals (n, T, C) or (n, T), images (n, H, W, C) or volumes (n, D, H, W, C); or a list of signals or images of
    different sizes.

    References
    ----------
    Dosovitskiy et al. (2021). An image is worth 16x16 words: transformers for image recognition at scale. ICLR.
    arXiv:2010.11929.

    Beyer, Zhai, Kolesnikov (2022). Better plain ViT baselines for ImageNet-1k. arXiv:2205.01580.

    Xiao et al. (2021). Early convolutions help transformers see better. NeurIPS. arXiv:2106.14881.
    """

    patch_size: int | Sequence[int] = parameter(
        default=4,
        interval="[1, inf)",
        text="Pixels along the side of a patch, for all axes or for each. A patch is a token, and attention costs as "
        "the square of the number of tokens. What patches do not fill is filled with zeros around the image.",
        kw_only=False,
    )
    width: int = parameter(default=64, interval="[1, inf)", text="Channels of a token, a multiple of `n_heads`.")
    depth: int = parameter(default=4, interval="[1, inf)", text="Blocks of attention and a feed-forward network.")
    n_heads: int = parameter(default=4, interval="[1, inf)", text="Heads of attention.")
    feedforward: float = parameter(
        default=2.0, interval="(0, inf)", text="Hidden units of the feed-forward networks, in widths."
    )
    stem: int | Sequence[int] | None = parameter(
        default=None,
        interval="[1, inf)",
        text="The filters of 3 x 3 convolutions in front of the patches, such as (32, 64), each with a layer norm and "
        "ReLU: a hybrid of both kinds of network. None: there are none.",
    )
    positions: Literal["sincos2d", "learned"] | None = parameter(
        default="sincos2d",
        text="How attention knows where patches lie: by waves along each axis that are added to them (two for images), "
        'by a vector that is learned for each place ("learned", for images of one size), or not at all.',
    )
    pooling: Literal["mean", "max", "mean_max", "attention"] = parameter(
        default="mean",
        text="How one row is made of the tokens: their mean, their maximum, both side by side, or an average with "
        'weights that are learnt ("attention").',
    )
    dropout: float = parameter(
        default=0.0,
        interval="[0, 1)",
        text="The share of values dropped between layers, for few images without augmentation, such as 0.1. Not for "
        '"lbfgs".',
    )
    augment: str | Augmentation | Sequence[str | Augmentation] | None = AUGMENT
    batch_size: int | Literal["auto"] = thousand_steps.BATCH_SIZE
    max_iter: int | Literal["auto"] = parameter(  # type: ignore[assignment]
        default="auto",
        interval="[1, inf)",
        text='Most epochs; "auto" is as many as make 3,000 steps, but at least 20 and at most 150. For L-BFGS most '
        "iterations, for schedules where they end.",
    )
    solver = "adamw"
    alpha = 0.05
    learning_rate = "one_cycle"
    learning_rate_init = 2e-3
    clip_norm = 1.0
    n_iter_no_change = inf
    input_scaling = "standard"

    _shape: tuple[Any, ...] = fitted("That of a sample, (*grid, channels); None where the size is left open.")
    _accepted_sparse: ClassVar[Any] = False
    _accepts_grids: ClassVar[bool] = True
    _how_free: ClassVar[str] = "take positions='sincos2d'"

    @property
    def _free_grid(self) -> bool:
        return self.positions != "learned"

    def _layers(self, n_outputs: int) -> list[Layer]:
        per_axis("patch_size", self.patch_size, len(self._shape) - 1, least=1)
        dropout = float(self.dropout)
        block = TransformerBlock(self.n_heads, feedforward=self.feedforward, dropout=dropout)
        return [
            *stem(self.stem, KERNEL),
            Patches(self.patch_size, self.width),
            *([] if self.positions is None else [Positions(POSITIONS[self.positions])]),
            *([Dropout(dropout)] if dropout else []),
            *[block] * self.depth,
            LayerNorm(),
            TimePool(self.pooling),
            Dense(n_outputs),
        ]

    def _plan(self, n_samples: int) -> Plan:
        return thousand_steps.planned(self, super()._plan(n_samples), n_samples, steps=N_STEPS)

    def _read_x(self, X: Any, fresh: bool) -> Any:
        return read_grids(self, X, fresh)

    def _batch(self, samples: Samples, index: slice | Array, draws: Any) -> Batch:
        return augmented_batch(self, super()._batch(samples, index, draws), draws)

    def attention_weights(self, X: Any) -> Array | list[Array]:
        """How much each patch attends to each other one.

        Parameters
        ----------
        X : array-like of shape (n_samples, *grid, n_channels) or (n_samples, n_steps), or list of arrays
            Images, or signals or volumes.

        Returns
        -------
        weights : ndarray of shape (n_samples, depth, n_heads, n_patches, n_patches), or a list of such
            For each block and head; the weights of a patch that attends, along the last axis, sum to 1. Patches of an
            image are counted row by row. Where samples differ in their number of patches it is a list with an array for
            each.

        See Also
        --------
        sknn.inspection.AttentionDisplay : Draws them over an image.
        """
        return attention_weights(self, X)


class ViTClassifier(ViT, Classifier):
    """Vision transformer classifier for signals, images and volumes.

    Loss and outputs are those of :class:`MLPClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknn import ViTClassifier
    >>> digits = load_digits()
    >>> X, y = digits.images[..., None], digits.target
    >>> vit = ViTClassifier(2, width=32, depth=1, stem=16, max_iter=15, learning_rate_init=0.01, random_state=0)
    >>> vit.fit(X[:1400], y[:1400]).score(X[1400:], y[1400:]) > 0.9
    True
    >>> vit.attention_weights(X[:3]).shape
    (3, 1, 4, 16, 16)
    """


class ViTRegressor(ViT, Regressor):
    """Vision transformer regressor for signals, images and volumes; standardises the target inside.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import ViTRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 8, 8, 1))
    >>> y = X[:, :4].mean(axis=(1, 2, 3)) - X[:, 4:].mean(axis=(1, 2, 3))
    >>> vit = ViTRegressor(2, width=16, depth=1, max_iter=30, random_state=0).fit(X[:250], y[:250])
    >>> vit.score(X[250:], y[250:]) > 0.9
    True
    """
