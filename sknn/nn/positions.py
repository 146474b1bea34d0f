"""Where a step stands in a series, or a token in an image, added to what it holds: attention by itself knows not."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value
from ..description import choice, integer, number
from .layer import Context, Layer, Shape, Store
from .sequences import Sequences, of_equal_lengths

SLOWEST = 10_000.0  # the longest of the wave lengths, over 2 pi


@dataclass(frozen=True, repr=False)
class Positions(Layer):
    """Adds to each step of a series a vector that tells where it stands: y_t = x_t + p(t).

    "sinusoidal" has p(t)_2i = sin(t / 10000^(2i / channels)), and the cosine of the same for 2i + 1, with t the number
    of the step; "time" has the same of its time stamp, counted from the first step of the series, so that gaps and
    uneven steps show and the clock may be shifted; "learned" has a parameter for each step. Queries and keys that turn
    with the step are ``Attention(rotary=True)``.

    On grids, images (n, H, W, channels) as they come from :class:`Patches` or volumes, "sinusoidal" shares the channels
    out among the axes: the first part has the waves of the row, the second those of the column. "learned" has a
    parameter for each position.

    Time stamps come in ``context.given["times"]``, as samples do: ``network(x, times=t)`` with (n, T) or a
    :class:`Sequences` of them, in units in which neighbours are about 1 apart. A cache (``cache=``) tells how many
    steps came before.

    Parameters
    ----------
    kind : {"sinusoidal", "learned", "time"}, default="sinusoidal"
        Which.
    length : int, default=None
        How many steps of series "learned" has parameters for. None: as many as samples have, if they all have as many.
    gain : float, default=0.02
        The standard deviation of the initial values of learned ones, which are normal.

    Raises
    ------
    ValueError
        If a parameter is out of range, samples have no positions or fewer channels than axes, times are needed and
        missing or of other lengths, a series is longer than the positions that were learned, or those of grids of any
        size are to be.

    References
    ----------
    Vaswani et al. (2017). Attention is all you need. NeurIPS. arXiv:1706.03762.

    Beyer, Zhai, Kolesnikov (2022). Better plain ViT baselines for ImageNet-1k. arXiv:2205.01580. (Waves along two
    axes.)

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Network, Positions
    >>> Network([Positions()], (None, 2), None)(np.zeros((1, 3, 2))).round(2)
    array([[[ 0.  ,  1.  ],
            [ 0.84,  0.54],
            [ 0.91, -0.42]]])
    """

    kind: Literal["sinusoidal", "learned", "time"] = choice(("sinusoidal", "learned", "time"), default="sinusoidal")
    _: KW_ONLY
    length: int | None = integer("[1, inf)", default=None)
    gain: float = number("[0, inf)", default=0.02)

    @property
    def accompanies(self) -> bool:
        return True

    @property
    def needs_grid(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        *grid, channels = shape
        if not grid or channels is None:
            raise ValueError(
                f"{self!r} works on the steps of series and the positions of grids, samples of shape (*grid, "
                f"channels), but they are of shape {shape}"
            )
        if self.kind == "time" and len(grid) > 1:
            raise ValueError(f"{self!r} works on series, samples of shape (T, channels), but they are of shape {shape}")
        if channels < len(grid):
            raise ValueError(f"{self!r} needs a channel for each axis of the grid, but samples are of shape {shape}")
        if self.kind == "learned":
            places = self._learned(tuple(grid))
            store.parameter("weight", (*places, channels), "lecun_normal", gain=self.gain, decay=False)
        return shape

    def _learned(self, grid: Shape) -> Shape:
        """The positions that there are parameters for."""
        if len(grid) > 1:
            if self.length is not None or None in grid:
                raise ValueError(
                    f"length={self.length!r}: positions of a grid are learned for all of it, so it must be of one "
                    f"size and length=None, but it is of {grid}; take 'sinusoidal'"
                )
            return grid
        length = self.length or grid[0]
        if length is None:
            raise ValueError("length=None: series of any length need a number of learned positions, such as 512")
        return (length,)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        if len(x.shape) > 3:
            learned = self.kind == "learned"
            return x + (params["weight"] if learned else _lattice(x.shape[1:-1], x.shape[-1], x.dtype.char))
        lying = of_equal_lengths(*x.shape[:2]) if context.sequences is None else context.sequences
        cache = context.given.get("cache")
        slot = None if cache is None else cache.slot()
        if self.kind == "time":
            return x + _waves(self._elapsed(lying, context, slot), x.shape[-1]).astype(x.dtype).reshape(x.shape)
        if context.sequences is None and slot is None:  # the same for all samples
            return x + self._up_to(x.shape[1], params, x, lying)
        steps = lying.step if slot is None else lying.step + _passed(slot, lying)[lying.sample]
        table = self._up_to(int(steps.max()) + 1, params, x, lying)
        return x + F.reshape(table[steps], x.shape)

    def _up_to(self, n_steps: int, params: dict[str, Any], x: Value, lying: Sequences) -> Value:
        """The vectors of the first steps."""
        if self.kind == "sinusoidal":
            return _table(1 << (n_steps - 1).bit_length(), x.shape[-1], x.dtype.char)[:n_steps]
        weight = params["weight"]
        if n_steps > len(weight):
            longest = int(np.argmax(lying.lengths))
            raise ValueError(
                f"sample {longest} has {n_steps} steps, but Positions('learned') has learned {len(weight)}: state a "
                "greater length, or take 'sinusoidal'"
            )
        return weight[:n_steps]

    def _elapsed(self, lying: Sequences, context: Context, slot: dict[str, Any] | None) -> Array:
        """The time of each position since the first of its sample."""
        times = context.given.get("times")
        if times is None:
            raise ValueError("times=None: Positions('time') needs the time of each step; call network(x, times=t)")
        values = np.asarray(times.values if hasattr(times, "lengths") else times, np.float64).ravel()
        if len(values) != len(lying.values):
            raise ValueError(f"times must be one for each of {len(lying.values)} steps; there are {len(values)}")
        firsts = values[lying.starts] if not slot else slot["first"]
        if slot is not None:
            slot["first"] = firsts
        return values - lying.at_positions(firsts)

    def caption(self, shape: Shape) -> str:
        return f"positions\n{self.kind}"


def _passed(slot: dict[str, Any], lying: Sequences) -> Array:
    """How many steps of each sample came before; from now on these came, too."""
    before = slot.get("n_steps", np.zeros(len(lying), np.intp))
    slot["n_steps"] = before + lying.lengths
    return before


@lru_cache(maxsize=16)
def _table(n_steps: int, width: int, dtype: str) -> Array:
    """The waves at the first steps, read-only."""
    table = _waves(np.arange(n_steps), width).astype(dtype)
    table.flags.writeable = False
    return table


def _waves(times: Array, width: int) -> Array:
    """Sine and cosine by turns, (n, width), in float64."""
    angles = times[:, None] * SLOWEST ** (-np.arange(0, width, 2) / width)
    waves = np.empty((len(times), width))
    waves[:, 0::2] = np.sin(angles)
    waves[:, 1::2] = np.cos(angles)[:, : width // 2]
    return waves


@lru_cache(maxsize=64)
def _lattice(grid: Shape, width: int, dtype: str) -> Array:
    """The waves at the positions of a grid, (*grid, width), read-only: each axis has its share of the channels."""
    lattice, n_axes = np.empty((*grid, width), dtype), len(grid)
    for axis, n in enumerate(grid):
        share = slice(width * axis // n_axes, width * (axis + 1) // n_axes)
        waves = _waves(np.arange(n), share.stop - share.start)
        lattice[..., share] = waves.reshape(n, *(1,) * (n_axes - axis - 1), -1)
    lattice.flags.writeable = False
    return lattice
