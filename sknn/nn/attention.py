"""Attention as a layer: within a series, and from one series to another.

Series come as a grid (n, T, channels) or in rows of steps (``context.sequences``); either way a sample attends to its
own steps alone. What is said of the steps of a series holds of the positions of images and volumes, (n, *grid,
channels), in the order in which they lie in memory.

What the layers read by name in ``context.given``: "memory", the series that cross attention looks at; "cache", a
:class:`sknn.nn.Cache` if a series comes piece by piece; "attention_weights", a list to which each layer appends its
weights, (heads, queries, keys) for each sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache, partial
from math import prod
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value
from ..description import choice, flag, integer, number
from ..ops.attention import Scope, attention, attention_weights
from ..ops.dense import dense
from ..ops.rotary import rotate
from .dense import Dense
from .init import INITIALISERS
from .layer import Context, Layer, Shape, Store
from .sequences import Sequences, of_equal_lengths

BASE = 10_000.0  # by which the slowest angle is slower than the fastest


@dataclass(frozen=True, repr=False)
class Attention(Layer):
    """Each step of a series gets a mean of all its steps, weighted by how well their keys match its query.

    softmax(Q K^T / sqrt(d)) V for each head, with Q, K, V = x W + b, d = channels / n_heads; the heads, side by side,
    pass through another matrix. Weights and biases are those of PyTorch's ``MultiheadAttention``, transposed.

    Parameters
    ----------
    n_heads : int, default=4
        Into which the channels are divided.
    causal : bool, default=False
        Whether a step sees only itself and those before it.
    dropout : float, default=0.0
        The share of the weights that is dropped in training, 0 <= dropout < 1.
    rotary : bool, default=False
        Whether queries and keys are turned by angles that grow with the step, so that weights depend on how far steps
        are apart (:class:`Positions` adds where they are to the input instead).
    use_bias : bool, default=True
        Whether there are biases.
    init : str, default="glorot_uniform"
        A name in :data:`sknn.nn.init.INITIALISERS`.

    Raises
    ------
    ValueError
        If a parameter is out of range, samples have no positions (with `rotary`: are no series), `n_heads` does not
        divide the channels, or the layer drops weights in training without draws.

    References
    ----------
    Vaswani et al. (2017). Attention is all you need. NeurIPS. arXiv:1706.03762.

    Su et al. (2021). RoFormer: enhanced transformer with rotary position embedding. arXiv:2104.09864.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Attention, Network
    >>> network = Network([Attention(2, causal=True)], (None, 4), np.random.RandomState(0))
    >>> weights = []
    >>> network(np.ones((1, 3, 4), "float32"), attention_weights=weights).shape
    (1, 3, 4)
    >>> weights[0][0][1].round(2)  # of the second head
    array([[1.  , 0.  , 0.  ],
           [0.5 , 0.5 , 0.  ],
           [0.33, 0.33, 0.33]], dtype=float32)
    """

    n_heads: int = integer("[1, inf)", default=4)
    _: KW_ONLY
    causal: bool = flag(default=False)
    dropout: float = number("[0, 1)", default=0.0)
    rotary: bool = flag(default=False)
    use_bias: bool = flag(default=True)
    init: str = choice(INITIALISERS, default="glorot_uniform")

    @property
    def is_random(self) -> bool:
        return self.dropout > 0

    @property
    def sees_all(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        width = _width_of_heads(self, shape)
        if self.rotary and len(shape) > 2:
            raise ValueError(f"rotary=True turns with the step of a series, but samples are of shape {shape}")
        if self.rotary and width // self.n_heads % 2:
            raise ValueError(f"rotary=True needs heads of an even width, but {self!r} has {width // self.n_heads}")
        _declare(self, store.inside("qkv"), width, 3 * width)
        _declare(self, store.inside("out"), width, width)
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        lying = lying_of(x, context)
        qkv = _affine(params["qkv"], positions(x))
        width = x.shape[-1]
        slot = slot_of(context)
        if self.rotary:
            places = lying.step if slot is None else lying.step + _passed(slot, lying)[lying.sample]
            cos, sin = _angles(places, width // self.n_heads // 2)
            qkv = rotate(qkv, cos=cos, sin=sin, turned=2 * width)
        if slot is None:
            mixed = _mixed(self, context, qkv, None, lying.scope(self.causal))
        else:
            kv, scope = _remembered(slot, F.plain(qkv)[:, width:], lying, self.causal)
            mixed = _mixed(self, context, qkv[:, :width], kv, scope)
        return F.reshape(_affine(params["out"], mixed), x.shape)

    def caption(self, shape: Shape) -> str:
        return f"attention\n{self.n_heads} heads"


@dataclass(frozen=True, repr=False)
class CrossAttention(Layer):
    """Each step of a series gets a mean of the steps of another one, weighted by how well their keys match its query.

    As :class:`Attention`, but keys and values are those of ``context.given["memory"]``, the output of an encoder as a
    rule: ``decoder(y, memory=encoder(x))``, with as many samples, of any lengths, and in either form.

    Parameters
    ----------
    n_heads : int, default=4
        Into which the channels are divided.
    dropout : float, default=0.0
        The share of the weights that is dropped in training, 0 <= dropout < 1.
    memory_width : int, default=None
        The channels of the memory. None: as many as the input has.
    use_bias : bool, default=True
        Whether there are biases.
    init : str, default="glorot_uniform"
        A name in :data:`sknn.nn.init.INITIALISERS`.

    Raises
    ------
    ValueError
        If a parameter is out of range, samples have no positions, `n_heads` does not divide the channels, there is no
        memory or one of other channels, or the layer drops weights in training without draws.

    References
    ----------
    Vaswani et al. (2017). Attention is all you need. NeurIPS. arXiv:1706.03762.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import CrossAttention, Network, Sequences
    >>> network = Network([CrossAttention(2, memory_width=3)], (None, 4), np.random.RandomState(0))
    >>> memory = Sequences.of([np.zeros((7, 3), "float32"), np.ones((2, 3), "float32")])
    >>> network(np.ones((2, 5, 4), "float32"), memory=memory).shape
    (2, 5, 4)
    """

    n_heads: int = integer("[1, inf)", default=4)
    _: KW_ONLY
    dropout: float = number("[0, 1)", default=0.0)
    memory_width: int | None = integer("[1, inf)", default=None)
    use_bias: bool = flag(default=True)
    init: str = choice(INITIALISERS, default="glorot_uniform")

    @property
    def is_random(self) -> bool:
        return self.dropout > 0

    def build(self, shape: Shape, store: Store) -> Shape:
        width = _width_of_heads(self, shape)
        _declare(self, store.inside("q"), width, width)
        _declare(self, store.inside("kv"), self.memory_width or width, 2 * width)
        _declare(self, store.inside("out"), width, width)
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        lying = lying_of(x, context)
        kv, scope = looked_at(partial(self._projected, params["kv"], context), lying, slot_of(context))
        mixed = _mixed(self, context, _affine(params["q"], positions(x)), kv, scope)
        return F.reshape(_affine(params["out"], mixed), x.shape)

    def _projected(self, params: dict[str, Any], context: Context) -> tuple[Value, Sequences]:
        """Keys and values of the memory, and how its samples lie."""
        memory, lying = memory_of(self, params["weight"].shape[0], context)
        return _affine(params, memory), lying

    def caption(self, shape: Shape) -> str:
        return f"cross attention\n{self.n_heads} heads"


def looked_at(
    keys_and_values: Callable[[], tuple[Value, Sequences]], lying: Sequences, slot: dict[str, Any] | None
) -> tuple[Value, Scope]:
    """Keys and values of the memory, which are kept in the slot if there is one, and what series see of them."""
    if slot is None:
        kv, keys = keys_and_values()
        return kv, Scope(lying.lengths, keys.lengths)
    if "kv" not in slot:
        kv, keys = keys_and_values()
        _remember(slot, F.plain(kv), keys)
    kv, starts = _kept(slot)
    return kv, Scope(lying.lengths, slot["n_steps"], starts)


def memory_of(layer: Layer, width: int, context: Context) -> tuple[Value, Sequences]:
    """The steps of the memory, (n_positions, width), and how its samples lie; ValueError if there is none like this."""
    memory = context.given.get("memory")
    if memory is None:
        raise ValueError(f"memory=None: {layer!r} looks at another series; call network(x, memory=encoder(x))")
    in_rows = hasattr(memory, "lengths")
    values = memory.values if in_rows else memory
    if len(values.shape) < (2 if in_rows else 3) or values.shape[-1] != width:
        raise ValueError(f"memory must be series of {width} channels for {layer!r}; its shape is {values.shape}")
    return positions(values), memory if in_rows else _lying_in_grid(values)


def width_of(layer: Layer, shape: Shape) -> int:
    """The channels of series of this shape; ValueError if they are none."""
    if len(shape) != 2 or shape[-1] is None:
        raise ValueError(f"{layer!r} works on series, samples of shape (T, channels), but they are of shape {shape}")
    return shape[-1]


def _width_of_heads(layer: Attention | CrossAttention, shape: Shape) -> int:
    """The channels of series, images or volumes; ValueError if they cannot be divided into the heads."""
    if len(shape) < 2 or shape[-1] is None:
        raise ValueError(
            f"{layer!r} works on the steps of series and the positions of grids, samples of shape (*grid, channels), "
            f"but they are of shape {shape}"
        )
    if shape[-1] % layer.n_heads:
        raise ValueError(f"n_heads={layer.n_heads} must divide the {shape[-1]} channels of the input")
    return shape[-1]


def _declare(layer: Attention | CrossAttention, store: Store, n_in: int, n_out: int) -> None:
    Dense(n_out, init=layer.init, use_bias=layer.use_bias).build((n_in,), store)


def _affine(params: dict[str, Any], x: Value) -> Value:
    return dense(x, params["weight"], params.get("bias"))


def positions(x: Value) -> Value:
    """The steps of all samples, (n_positions, channels)."""
    return x if len(x.shape) == 2 else F.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))


def lying_of(x: Value, context: Context) -> Sequences:
    """How the samples lie in these."""
    return _lying_in_grid(x) if context.sequences is None else context.sequences


def _lying_in_grid(x: Value) -> Sequences:
    return of_equal_lengths(x.shape[0], prod(x.shape[1:-1]))


def _mixed(layer: Attention | CrossAttention, context: Context, q: Value, kv: Value | None, scope: Scope) -> Value:
    """What each step gets of the values."""
    asked = context.given.get("attention_weights")
    if asked is not None:
        plain = None if kv is None else F.plain(kv)
        asked.append(attention_weights(F.plain(q), plain, scope=scope, n_heads=layer.n_heads))
    if not context.training or layer.dropout == 0:
        return attention(q, kv, scope=scope, n_heads=layer.n_heads)
    if context.draws is None:
        kind = type(layer).__name__
        raise ValueError(f"draws=None: {kind} drops weights in training; pass draws=Draws(seed) along with training")
    if not context.draws.by_pair:
        return attention(q, kv, scope=scope, n_heads=layer.n_heads)
    kept = _drawn(context.draws, layer.n_heads * scope.n_weights, layer.dropout)
    return attention(q, kv, scope=scope, n_heads=layer.n_heads, kept=kept, rate=layer.dropout)


def _drawn(draws: Any, size: int, rate: float) -> Array:
    """Which of so many weights stay, drawn some at a time: the numbers take four times the room of the answers."""
    kept, some = np.empty(size, bool), 1 << 18
    for first in range(0, size, some):
        part = kept[first : first + some]
        np.greater_equal(draws.uniform(part.shape), rate, out=part)
    return kept


# -- places as angles ----------------------------------------------------------------------------------------------


def _angles(places: Array, half: int) -> tuple[Array, Array]:
    """Cosine and sine of the angles at these steps, each (n_positions, half)."""
    cos, sin = _table(1 << int(places.max(initial=0)).bit_length(), half)
    return cos[places], sin[places]


@lru_cache(maxsize=16)
def _table(n_steps: int, half: int) -> tuple[Array, Array]:
    angles = np.arange(n_steps)[:, None] * BASE ** (-np.arange(half) / half)
    return np.cos(angles), np.sin(angles)


# -- keys and values of the steps that came before -----------------------------------------------------------------


def slot_of(context: Context) -> dict[str, Any] | None:
    cache = context.given.get("cache")
    return None if cache is None else cache.slot()


def _passed(slot: dict[str, Any], lying: Sequences) -> Array:
    """How many steps of each sample have been seen."""
    return slot.get("n_steps", np.zeros(len(lying), np.intp))


def _remembered(slot: dict[str, Any], kv: Array, lying: Sequences, causal: bool) -> tuple[Array, Scope]:
    """The keys and values of all steps so far, with those of the new ones, and what the new ones see of them."""
    _remember(slot, kv, lying)
    rows, starts = _kept(slot)
    return rows, Scope(lying.lengths, slot["n_steps"], starts, causal=causal)


def _remember(slot: dict[str, Any], kv: Array, lying: Sequences) -> None:
    """Append the new steps (n_positions, width) of each sample to those in the slot, where each has as much room."""
    before = _passed(slot, lying)
    after = before + lying.lengths
    longest = int(after.max())
    if "kv" not in slot:
        slot["kv"] = np.zeros((len(lying), longest, kv.shape[1]), kv.dtype)
    elif longest > slot["kv"].shape[1]:  # twice the room, so that copies do not add up
        slot["kv"] = np.pad(slot["kv"], ((0, 0), (0, 2 * longest - slot["kv"].shape[1]), (0, 0)))
    slot["kv"][lying.sample, before[lying.sample] + lying.step] = kv
    slot["n_steps"] = after


def _kept(slot: dict[str, Any]) -> tuple[Array, Array]:
    """The keys and values in rows, and where those of each sample begin."""
    n, room, width = slot["kv"].shape
    return slot["kv"].reshape(n * room, width), room * np.arange(n)
