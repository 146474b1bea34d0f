"""One row of channels for each series, or for each image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ..autodiff import primitives as F
from ..autodiff.tape import Value
from ..description import choice
from ..ops.segment import segment_max, segment_mean, segment_softmax, segment_sum
from .attention import lying_of, positions
from .layer import Context, Layer, Shape, Store
from .sequences import Sequences


@dataclass(frozen=True, repr=False)
class TimePool(Layer):
    """What is left of a series: (n, T, channels), or rows of steps, to (n, channels), twice as many for "mean_max".

    Or of an image or a volume, (n, *grid, channels), whose positions are the steps.

    Parameters
    ----------
    kind : {"mean_max", "last", "mean", "max", "attention"}, default="mean_max"
        The last step; of each channel the mean or the largest over the steps, or both beside each other; or a mean
        weighted by softmax over the steps of x w, with learned w that begin with 0, that is with the mean.

    Raises
    ------
    ValueError
        If `kind` is unknown, or samples are features without positions.

    References
    ----------
    Lin, Feng, dos Santos et al. (2017). A structured self-attentive sentence embedding. ICLR. arXiv:1703.03130.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Network, TimePool
    >>> Network([TimePool("mean_max")], (None, 1), None)(np.array([[[1.0], [5.0], [3.0]]]))
    array([[3., 5.]])
    """

    kind: Literal["mean_max", "last", "mean", "max", "attention"] = choice(
        ("mean_max", "last", "mean", "max", "attention"), default="mean_max"
    )

    def build(self, shape: Shape, store: Store) -> Shape:
        if len(shape) < 2 or shape[-1] is None:
            raise ValueError(
                f"{self!r} works on the steps of series and the positions of grids, samples of shape (*grid, "
                f"channels), but they are of shape {shape}"
            )
        if self.kind == "attention":
            store.parameter("weight", (shape[-1], 1), "zeros")
        return (shape[-1] * (2 if self.kind == "mean_max" else 1),)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        lying, x = lying_of(x, context), positions(x)
        segments = lying.segments
        if self.kind == "last":
            return x[lying.starts + lying.lengths - 1]
        if self.kind == "mean":
            return segment_mean(x, segments=segments)
        if self.kind == "max":
            return segment_max(x, segments=segments)
        if self.kind == "mean_max":
            return F.concatenate([segment_mean(x, segments=segments), segment_max(x, segments=segments)], axis=1)
        share = segment_softmax(F.matmul(x, params["weight"]), segments=segments)
        return segment_sum(x * share, segments=segments)

    def follow(self, sequences: Sequences) -> None:
        return None

    def caption(self, shape: Shape) -> str:
        return f"{self.kind.replace('_', ' and ')}\nof steps"
