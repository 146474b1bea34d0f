"""A recurrent layer that looks at another series at each step, and reads at the next one what it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..autodiff import primitives as F
from ..autodiff.tape import Value
from ..description import integer
from ..ops.attentive_recurrence import additive_weights, attentive_recurrence
from ..ops.dense import dense
from .attention import looked_at, lying_of, positions, slot_of, width_of
from .dense import Dense
from .layer import Context, Layer, Shape, Store
from .recurrent import Recurrent, weights_of


@dataclass(frozen=True, repr=False)
class AttentiveRecurrent(Layer):
    """The states of a GRU that looks at another series at each step, beside what it sees there.

    The state h depends on the step x, on the state before and on what was seen before, both 0 in the beginning; it then
    asks for what is seen next::

        h = GRU([x, c'], h')
        c = sum over j of w_j (m_j V + b_v)   with w = softmax over j of e . tanh(h Q + m_j K + b_k)

    and the output at the step is [h, c]. The GRU is that of :class:`Recurrent`; the steps m_j of the other series are
    those of ``context.given["memory"]``, the output of an encoder as a rule: ``decoder(y, memory=encoder(x))``, with as
    many samples, of any lengths, and in either form. As :class:`CrossAttention`, but attention is additive, and the
    next step knows where the last one looked, for instance that it has to go on from there. Given a
    :class:`sknn.nn.cache.Cache` by the name "cache", a series may come piece by piece.

    Parameters
    ----------
    units : int
        The size of the state, and of what is seen.
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
    (2, 6, 10)
    """

    units: int = integer("[1, inf)")
    memory_width: int | None = integer("[1, inf)", default=None)

    @property
    def sees_all(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        width = width_of(self, shape)
        n_units = self.units
        Recurrent(n_units).build((shape[0], width + n_units), store.inside("cell"))
        Dense(n_units, use_bias=False).build((n_units,), store.inside("q"))
        Dense(2 * n_units).build((self.memory_width or width,), store.inside("kv"))
        store.parameter("energy", (n_units,), ["glorot_uniform"], fans=(n_units, 1))
        return (shape[0], 2 * n_units)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        lying, slot = lying_of(x, context), slot_of(context)
        kv, scope = looked_at(self, params["kv"], lying, context, slot)
        (weight, of_states, bias), n_units = weights_of(params["cell"]), self.units
        of_inputs, of_seen = weight[:-n_units], weight[-n_units:]
        z = dense(positions(x), of_inputs, bias[: 3 * n_units])
        attending = params["q"]["weight"], kv, params["energy"]
        state = None if slot is None else slot.get("state")
        y = attentive_recurrence(
            z, of_seen, of_states, bias[3 * n_units :], *attending, state, steps=lying.steps, scope=scope
        )
        if slot is not None:
            slot["state"] = F.take(F.plain(y), lying.steps.last(reverse=False))
        asked = context.given.get("attention_weights")
        if asked is not None:
            query, keys, energy = map(F.plain, attending)
            asked.append(additive_weights(F.plain(y)[:, :n_units], query, keys, energy, scope))
        return F.reshape(y, (*x.shape[:-1], 2 * n_units))

    def caption(self, shape: Shape) -> str:
        return "GRU\nwith attention"
