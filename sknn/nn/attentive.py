"""A recurrent layer that looks at another series at each step, and reads at the next one what it saw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from ..autodiff import primitives as F
from ..autodiff.tape import Value
from ..description import integer
from ..ops.attentive_recurrence import additive_weights, attentive_recurrence
from ..ops.dense import dense
from .attention import looked_at, lying_of, memory_of, positions, slot_of, width_of
from .dense import Dense
from .layer import Context, Layer, Shape, Store
from .recurrent import Recurrent, weights_of
from .sequences import Sequences


@dataclass(frozen=True, repr=False)
class AttentiveRecurrent(Layer):
    """The states of a GRU that looks at another series at each step, beside what it sees there.

    The state h depends on the step x, on the state before and on what was seen before, both 0 in the beginning; it then
    asks for what is seen next::

        h = GRU([x, c'], h')
        c = sum over j of w_j m_j   with w = softmax over j of e . tanh(h Q + m_j K + b)

    and the output at the step is [h, c]. The GRU is that of :class:`Recurrent`; the steps m_j of the other series are
    those of ``context.given["memory"]``, the output of an encoder as a rule: ``decoder(y, memory=encoder(x))``, with as
    many samples, of any lengths, and in either form. Unlike that of :class:`CrossAttention` the attention is additive,
    and the next step knows where this one looked. Given a :class:`sknn.nn.cache.Cache` by the name "cache", a series
    may come piece by piece.

    Parameters
    ----------
    units : int
        The size of the state, and of queries and keys.
    memory_width : int, default=None
        The channels of the memory. None: as many as the input has.

    Raises
    ------
    ValueError
        If a parameter is no positive integer, samples are no series, or there is no memory or one of other channels.

    References
    ----------
    Bahdanau, Cho, Bengio (2015). Neural machine translation by jointly learning to align and translate. ICLR.
    arXiv:1409.0473.

    Luong, Pham, Manning (2015). Effective approaches to attention-based neural machine translation. EMNLP.
    arXiv:1508.04025. (There what was seen goes into the cell at the next step by the name of input feeding.)

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import AttentiveRecurrent, Network, Sequences
    >>> network = Network([AttentiveRecurrent(5, memory_width=3)], (None, 4), np.random.RandomState(0))
    >>> memory = Sequences.of([np.zeros((7, 3), "float32"), np.ones((2, 3), "float32")])
    >>> network(np.ones((2, 6, 4), "float32"), memory=memory).shape
    (2, 6, 8)
    """

    units: int = integer("[1, inf)")
    memory_width: int | None = integer("[1, inf)", default=None)

    @property
    def sees_all(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        width = width_of(self, shape)
        n_units, seen = self.units, self.memory_width or width
        Recurrent(n_units).build((shape[0], width + seen), store.inside("cell"))
        Dense(n_units, use_bias=False).build((n_units,), store.inside("q"))
        Dense(n_units).build((seen,), store.inside("k"))
        store.parameter("energy", (n_units,), ["glorot_uniform"], fans=(n_units, 1))
        return (shape[0], n_units + seen)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        lying, slot = lying_of(x, context), slot_of(context)
        kv, scope = looked_at(partial(self._keys_and_values, params["k"], context), lying, slot)
        Q, v = params["q"]["weight"], params["energy"]
        (W, U, bias), n_units, n_channels = weights_of(params["cell"]), self.units, x.shape[-1]
        z = dense(positions(x), W[:n_channels], bias[: 3 * n_units])
        state = None if slot is None else slot.get("state")
        y = attentive_recurrence(
            z, W[n_channels:], U, bias[3 * n_units :], Q, kv, v, state, steps=lying.steps, scope=scope
        )
        if slot is not None:
            slot["state"] = F.take(F.plain(y), lying.steps.last(reverse=False))
        asked = context.given.get("attention_weights")
        if asked is not None:
            asked.append(additive_weights(*map(F.plain, (y[:, :n_units], Q, kv, v)), scope=scope))
        return F.reshape(y, (*x.shape[:-1], y.shape[-1]))

    def _keys_and_values(self, params: dict[str, Any], context: Context) -> tuple[Value, Sequences]:
        """Keys beside the steps of the memory, and how its samples lie."""
        memory, lying = memory_of(self, params["weight"].shape[0], context)
        return F.concatenate([dense(memory, params["weight"], params["bias"]), memory], axis=1), lying

    def caption(self, shape: Shape) -> str:
        return "GRU\nwith attention"
