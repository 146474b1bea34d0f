"""Recurrent layers: a state that each step of a series changes."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

from ..autodiff import primitives as F
from ..autodiff.tape import Value
from ..description import choice, flag, integer
from ..ops.recurrence import CELLS, Steps, recurrence
from .cache import Cache
from .layer import Context, Layer, Shape, Store
from .sequences import Sequences, of_equal_lengths


@dataclass(frozen=True, repr=False)
class Recurrent(Layer):
    """The states of a recurrent cell that reads series (n, T, channels), or series in rows, step by step.

    A state h depends on the step and on the state before, 0 in the beginning::

        "rnn"   h = tanh(x W + h' U + b)
        "lstm"  c = f c' + i g, h = o tanh(c), i, f, o = logistic and g = tanh of x W + h' U + b
        "gru"   h = (1 - z) n + z h', r, z = logistic(x W + h' U + b), n = tanh(x W_n + b_n + r (h' U_n + b_hn))

    The weights U of states are orthogonal in the beginning, gate by gate, the biases of forget gates f are 1. Given a
    :class:`sknn.nn.Cache` by the name "cache", the layer begins with the states that it left there, and leaves
    its last ones: so a series may come piece by piece.

    Parameters
    ----------
    units : int
        The size of the state.
    cell : {"gru", "lstm", "rnn"}, default="gru"
        How a state follows the one before.
    bidirectional : bool, default=False
        Whether a second cell, with weights of its own, reads the series from the end; its states stand beside those of
        the first.
    sequences : bool, default=True
        Whether the output has the states of all steps, or for each sample only those after all has been read.

    Raises
    ------
    ValueError
        If `units` is no positive integer, `cell` unknown, or a truth value none; when it is built, if samples are no
        series; when it is applied, if there is a cache and `bidirectional`.

    References
    ----------
    Elman (1990), Finding structure in time. Hochreiter & Schmidhuber (1997), Long short-term memory. Gers, Schmidhuber
    & Cummins (2000), Learning to forget. Cho et al. (2014), Learning phrase representations using RNN encoder-decoder.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Network, Recurrent, Sequences
    >>> network = Network([Recurrent(3)], (None, 2), np.random.RandomState(0))
    >>> network(np.zeros((4, 5, 2), "float32")).shape
    (4, 5, 3)
    >>> network(Sequences(np.zeros((4, 2), "float32"), [3, 1]))
    Sequences(2 samples of 1 to 3 steps, 3 channels, float32)
    >>> last = Network([Recurrent(3, "lstm", bidirectional=True, sequences=False)], (None, 2), np.random.RandomState(0))
    >>> last(np.zeros((4, 5, 2), "float32")).shape
    (4, 6)
    """

    units: int = integer("[1, inf)")
    cell: Literal["gru", "lstm", "rnn"] = choice(tuple(CELLS), default="gru")
    _: KW_ONLY
    bidirectional: bool = flag(default=False)
    sequences: bool = flag(default=True)

    @property
    def sees_all(self) -> bool:
        return True

    def build(self, shape: Shape, store: Store) -> Shape:
        if len(shape) != 2 or shape[-1] is None:
            raise ValueError(
                f"{self!r} works on series, samples of shape (T, channels), but they are of shape {shape}: state the "
                "input_shape, or put an Unflatten in front"
            )
        self._declare(store, shape[-1])
        if self.bidirectional:
            self._declare(store.inside("back"), shape[-1])
        width = self.units * (1 + self.bidirectional)
        return (shape[0], width) if self.sequences else (width,)

    def _declare(self, store: Store, n_channels: int) -> None:
        gates, fans = len(CELLS[self.cell].logistic), (n_channels, self.units)
        biases = ["zeros"] * CELLS[self.cell].n_biases
        if self.cell == "lstm":
            biases[1] = "ones"  # cells are kept at first, and gradients come through (Gers et al. 2000)
        store.parameter("weight", (n_channels, gates * self.units), ["glorot_uniform"] * gates, fans=fans)
        store.parameter("recurrent_weight", (self.units, gates * self.units), ["orthogonal"] * gates)
        store.parameter("bias", (len(biases) * self.units,), biases, decay=False)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        lying = of_equal_lengths(*x.shape[:2]) if context.sequences is None else context.sequences
        steps = lying.steps
        cache = context.given.get("cache")
        if cache is not None:
            return self._go_on(params, x, steps, cache)
        forth = self._read(params, x, steps, reverse=False)
        if not self.bidirectional:
            return forth
        return F.concatenate([forth, self._read(params["back"], x, steps, reverse=True)], axis=-1)

    def _read(self, params: dict[str, Any], x: Value, steps: Steps, reverse: bool) -> Value:
        y = recurrence(x, *weights_of(params), steps=steps, cell=self.cell, reverse=reverse)
        return y if self.sequences else _last(y, steps, reverse)

    def _go_on(self, params: dict[str, Any], x: Value, steps: Steps, cache: Cache) -> Value:
        """What comes after the states in the cache, which is left with the last ones."""
        if self.bidirectional:
            raise ValueError(f"{self!r} reads series from their ends too: it cannot go on from the states in a cache")
        slot = cache.slot()
        y = recurrence(x, *weights_of(params), slot.get("state"), steps=steps, cell=self.cell, whole=True)
        last = slot["state"] = _last(y, steps, reverse=False)
        return (y if self.sequences else last)[..., : self.units]

    def follow(self, sequences: Sequences) -> Sequences | None:
        return sequences if self.sequences else None

    def caption(self, shape: Shape) -> str:
        return self.cell.upper() + ("\nboth ways" if self.bidirectional else "")


def weights_of(params: dict[str, Any]) -> tuple:
    return params["weight"], params["recurrent_weight"], params["bias"]


def _last(y: Value, steps: Steps, reverse: bool) -> Value:
    """The states of each sample after all of its steps."""
    return F.take(F.reshape(y, (steps.n_positions, y.shape[-1])), steps.last(reverse))


def RNN(units: int, *, bidirectional: bool = False, sequences: bool = True) -> Recurrent:
    """A :class:`Recurrent` layer of tanh units."""
    return Recurrent(units, "rnn", bidirectional=bidirectional, sequences=sequences)


def LSTM(units: int, *, bidirectional: bool = False, sequences: bool = True) -> Recurrent:
    """A :class:`Recurrent` layer of long short-term memory."""
    return Recurrent(units, "lstm", bidirectional=bidirectional, sequences=sequences)


def GRU(units: int, *, bidirectional: bool = False, sequences: bool = True) -> Recurrent:
    """A :class:`Recurrent` layer of gated recurrent units."""
    return Recurrent(units, "gru", bidirectional=bidirectional, sequences=sequences)
