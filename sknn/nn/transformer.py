"""The blocks of transformers: attention, then a small network at each step, each with a way around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Any

from ..autodiff.tape import Value
from ..description import choice, flag, integer, number
from ..ops.activation import ACTIVATIONS, activate
from ..ops.dense import dense
from .attention import Attention, CrossAttention
from .containers import Residual, follow, run
from .dense import Dense
from .dropout import Dropout
from .layer import Context, Layer, Shape, Store
from .norm import LayerNorm
from .sequences import Sequences

GATED = {"reglu": "relu", "geglu": "gelu", "swiglu": "silu"}  # and the activation of their gates


@dataclass(frozen=True, repr=False)
class FeedForward(Layer):
    """Two dense layers at each step, the inner one wider: y = f(x W + b) W' + b'.

    Parameters
    ----------
    ratio : float, default=4.0
        The units of the inner layer, for each channel of the input.
    activation : str, default="gelu"
        A name in :data:`sknn.ops.ACTIVATIONS`; or "reglu", "geglu", "swiglu": then the inner layer is f(x W + b)
        (x V + c), one half of it a gate of the other.
    dropout : float, default=0.0
        Of the inner layer, in training.
    use_bias : bool, default=True
        Whether there are biases.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    Shazeer (2020). GLU variants improve transformer. arXiv:2002.05202.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import FeedForward, Network
    >>> Network([FeedForward(2, "reglu")], (3,), np.random.RandomState(0)).names
    {'0.up.weight': Place(start=0, stop=36, shape=(3, 12)), '0.down.weight': Place(start=36, stop=54, shape=(6, 3)), \
'0.up.bias': Place(start=54, stop=66, shape=(12,)), '0.down.bias': Place(start=66, stop=69, shape=(3,))}
    """

    ratio: float = number("(0, inf)", default=4.0)
    activation: str = choice((*ACTIVATIONS, *GATED), default="gelu")
    _: KW_ONLY
    dropout: float = number("[0, 1)", default=0.0)
    use_bias: bool = flag(default=True)

    @property
    def is_random(self) -> bool:
        return self.dropout > 0

    def build(self, shape: Shape, store: Store) -> Shape:
        width = shape[-1]
        units = max(1, round(self.ratio * width))
        wider = 2 * units if self.activation in GATED else units
        Dense(wider, use_bias=self.use_bias).build((width,), store.inside("up"))
        Dense(width, use_bias=self.use_bias).build((units,), store.inside("down"))
        return shape

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        up, down = params["up"], params["down"]
        if self.activation in GATED:
            both = dense(x, up["weight"], up.get("bias"))
            units = both.shape[-1] // 2
            inner = activate(both[..., :units], activation=GATED[self.activation]) * both[..., units:]
        else:
            inner = dense(x, up["weight"], up.get("bias"), activation=self.activation)
        if self.is_random:
            inner = Dropout(self.dropout).apply({}, inner, context)
        return dense(inner, down["weight"], down.get("bias"))

    def caption(self, shape: Shape) -> str:
        return f"feed forward\n{self.activation}"


@dataclass(frozen=True, repr=False)
class _Block(Layer):
    """Layers in order, which a subclass names by `_made_of`."""

    def _made_of(self) -> tuple[Layer, ...]:
        raise TypeError(f"{type(self).__name__} defines no _made_of")

    @property
    def inner(self) -> tuple[Layer, ...]:
        return _layers(self)

    def build(self, shape: Shape, store: Store) -> Shape:
        return store.chain(_layers(self), shape)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        return run(_layers(self), params, x, context)[0]

    def follow(self, sequences: Sequences) -> Sequences | None:
        return follow(_layers(self), sequences)


@lru_cache(maxsize=256)
def _layers(block: _Block) -> tuple[Layer, ...]:
    return block._made_of()


def _around(layers: Sequence[Layer], dropout: float) -> Residual:
    """x + f(norm(x)), with dropout behind f."""
    return Residual([LayerNorm(), *layers, *([Dropout(dropout)] if dropout else [])])


@dataclass(frozen=True, repr=False)
class TransformerBlock(_Block):
    """x + attention(norm(x)), and then x + feedforward(norm(x)): the pre-norm block of an encoder or a language model.

    Behind the last block comes a LayerNorm as a rule. It is PyTorch's ``TransformerEncoderLayer(norm_first=True)``.

    Parameters
    ----------
    n_heads : int, default=4
        Of :class:`Attention`.
    feedforward : float, default=4.0
        The units within :class:`FeedForward`, for each channel.
    causal : bool, default=False
        Whether a step sees only itself and those before it.
    dropout : float, default=0.0
        Of what is added to x, and within the feed-forward network, in training.
    attention_dropout : float, default=0.0
        Of the weights of attention, in training.
    activation : str, default="gelu"
        Of the feed-forward network, gated ones included.
    rotary : bool, default=False
        Whether attention turns queries and keys with the step.
    use_bias : bool, default=True
        Whether dense layers have biases.

    Raises
    ------
    ValueError
        If a parameter is out of range, samples have no positions (with `rotary`: are no series), or `n_heads` does
        not divide the channels.

    References
    ----------
    Xiong et al. (2020). On layer normalization in the transformer architecture. ICML. arXiv:2002.04745.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Network, TransformerBlock
    >>> Network([TransformerBlock(4, feedforward=2)], (None, 64), np.random.RandomState(0)).n_parameters
    33472
    """

    n_heads: int = integer("[1, inf)", default=4)
    _: KW_ONLY
    feedforward: float = number("(0, inf)", default=4.0)
    causal: bool = flag(default=False)
    dropout: float = number("[0, 1)", default=0.0)
    attention_dropout: float = number("[0, 1)", default=0.0)
    activation: str = choice((*ACTIVATIONS, *GATED), default="gelu")
    rotary: bool = flag(default=False)
    use_bias: bool = flag(default=True)

    def _made_of(self) -> tuple[Layer, ...]:
        attention = Attention(
            self.n_heads,
            causal=self.causal,
            dropout=self.attention_dropout,
            rotary=self.rotary,
            use_bias=self.use_bias,
        )
        feedforward = FeedForward(self.feedforward, self.activation, dropout=self.dropout, use_bias=self.use_bias)
        return _around([attention], self.dropout), _around([feedforward], self.dropout)

    def caption(self, shape: Shape) -> str:
        return f"transformer\n{self.n_heads} heads"


@dataclass(frozen=True, repr=False)
class DecoderBlock(_Block):
    """A causal :class:`TransformerBlock` that looks at an encoder's output in between, by :class:`CrossAttention`.

    Parameters
    ----------
    n_heads : int, default=4
        Of both kinds of attention.
    feedforward : float, default=4.0
        The units within :class:`FeedForward`, for each channel.
    dropout : float, default=0.0
        Of what is added to x, and within the feed-forward network, in training.
    attention_dropout : float, default=0.0
        Of the weights of attention, in training.
    activation : str, default="gelu"
        Of the feed-forward network, gated ones included.
    rotary : bool, default=False
        Whether attention within the series turns queries and keys with the step.
    memory_width : int, default=None
        The channels of the encoder's output. None: as many as the input has.
    use_bias : bool, default=True
        Whether dense layers have biases.

    Raises
    ------
    ValueError
        If a parameter is out of range, samples are no series, `n_heads` does not divide the channels, or there is no
        memory.

    References
    ----------
    Vaswani et al. (2017). Attention is all you need. NeurIPS. arXiv:1706.03762.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import DecoderBlock, Network
    >>> decoder = Network([DecoderBlock(2)], (None, 8), np.random.RandomState(0))
    >>> decoder(np.ones((1, 3, 8), "float32"), memory=np.ones((1, 5, 8), "float32")).shape
    (1, 3, 8)
    """

    n_heads: int = integer("[1, inf)", default=4)
    _: KW_ONLY
    feedforward: float = number("(0, inf)", default=4.0)
    dropout: float = number("[0, 1)", default=0.0)
    attention_dropout: float = number("[0, 1)", default=0.0)
    activation: str = choice((*ACTIVATIONS, *GATED), default="gelu")
    rotary: bool = flag(default=False)
    memory_width: int | None = integer("[1, inf)", default=None)
    use_bias: bool = flag(default=True)

    def _made_of(self) -> tuple[Layer, ...]:
        within = Attention(
            self.n_heads, causal=True, dropout=self.attention_dropout, rotary=self.rotary, use_bias=self.use_bias
        )
        across = CrossAttention(
            self.n_heads, dropout=self.attention_dropout, memory_width=self.memory_width, use_bias=self.use_bias
        )
        feedforward = FeedForward(self.feedforward, self.activation, dropout=self.dropout, use_bias=self.use_bias)
        return tuple(_around([layer], self.dropout) for layer in (within, across, feedforward))

    def caption(self, shape: Shape) -> str:
        return f"decoder\n{self.n_heads} heads"
