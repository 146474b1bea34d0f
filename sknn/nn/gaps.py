"""What is missing in the inputs of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Value
from ..description import in_order, is_integer
from .layer import Context, Layer, Shape, Store


@dataclass(frozen=True, repr=False)
class FillGaps(Layer):
    """0 in place of NaN, the mean of a channel that is standardised; and beside x, for some channels, 1 where it was.

    Parameters
    ----------
    channels : sequence of int, default=()
        Those of which a further channel says where they were NaN: y = [x, is_nan(x)[..., channels]].

    Raises
    ------
    ValueError
        If a channel is none, or not there.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import FillGaps, Network
    >>> Network([FillGaps([1])], (2,), None)(np.array([[1.0, np.nan], [np.nan, 4.0]]))
    array([[1., 0., 1.],
           [0., 4., 0.]])
    """

    channels: Sequence[int] = ()

    def __post_init__(self) -> None:
        listed: Any = tuple(self.channels) if in_order(self.channels) else (None,)
        if not all(is_integer(channel) and channel >= 0 for channel in listed):
            raise ValueError(f"channels must be a list of integers that are not negative; got {self.channels!r}")
        object.__setattr__(self, "channels", tuple(int(channel) for channel in listed))

    @property
    def accompanies(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        if max(self.channels, default=0) >= shape[-1]:
            raise ValueError(f"channels={self.channels!r} are not all there: samples have {shape[-1]}")
        return (*shape[:-1], shape[-1] + len(self.channels))

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        values = F.plain(x)
        missing = np.isnan(values)
        filled = F.where(missing, 0.0, x) if missing.any() else x
        if not self.channels:
            return filled
        return F.concatenate([filled, missing[..., list(self.channels)].astype(values.dtype)], axis=-1)

    def caption(self, shape: Shape) -> str:
        return "gaps filled"
