"""Recurrent cells over whole series: all steps of all samples of a batch in one operation.

The samples need not be of one length. They go forward together in the order of their lengths, so that those that still
have steps are always the first ones. Inputs meet their weights in one product for all steps; each step then takes one
product with the states before it, and so it is on the way back. Gradients of weights are one product for all steps.

States are h, or for an LSTM h and the cells c beside each other. The weights of the gates stand side by side, in
PyTorch's order: i, f, g, o of an LSTM; r, z, n of a GRU. The bias of a GRU has a fourth part, that of the states before
in n, which r multiplies too.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from . import compiled
from .threads import single_thread

States = list[Array]  # h, or h and c: each (rows, units)
Spans = list[tuple[int, int]]


class Steps:
    """Which steps of a batch of series are at the same time.

    Rows *in time* are the first steps of all samples, the longest sample first, then the second steps of those that
    have one, and so on. What operations need is worked out once and kept: who has the same lengths again hands over
    the same object.

    Parameters
    ----------
    lengths : array-like of int, of shape (n_samples,)
        How many steps each sample has; the samples lie one after the other.

    Examples
    --------
    >>> from sknn.ops.recurrence import Steps
    >>> steps = Steps([1, 3])
    >>> steps.spans
    [(0, 2), (2, 3), (3, 4)]
    >>> steps.rows(reverse=False), steps.rows(reverse=True)
    (array([1, 0, 2, 3]), array([3, 0, 2, 1]))
    """

    def __init__(self, lengths: Any) -> None:
        self.lengths = np.asarray(lengths, np.intp)
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.order = np.argsort(-self.lengths, kind="stable")
        self._rows: dict[bool, Array] = {}

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def n_positions(self) -> int:
        """The steps of all samples together."""
        return int(self.lengths.sum())

    @cached_property
    def going(self) -> Array:
        """How many samples have a first step, a second one, and so on."""
        times = np.arange(self.lengths.max(initial=0))
        return len(self) - np.searchsorted(np.sort(self.lengths), times, side="right")

    @cached_property
    def spans(self) -> Spans:
        """Which rows in time belong to each step: from the first to before the last."""
        ends = np.cumsum(self.going)
        return list(zip((ends - self.going).tolist(), ends.tolist(), strict=True))

    def rows(self, reverse: bool) -> Array:
        """The positions of the rows in time, with `reverse` of series that are read from their ends."""
        if reverse not in self._rows:
            time = np.repeat(np.arange(len(self.going)), self.going)
            first = np.repeat(np.cumsum(self.going) - self.going, self.going)
            sample = self.order[np.arange(self.n_positions) - first]
            self._rows[reverse] = self.starts[sample] + (self.lengths[sample] - 1 - time if reverse else time)
        return self._rows[reverse]

    def last(self, reverse: bool) -> Array:
        """The position of each sample that is read last."""
        return self.starts if reverse else self.starts + self.lengths - 1

    def before(self, states: Array, initial: Array | None) -> Array:
        """For each row in time the states one step earlier, for the first steps the initial ones, or 0."""
        earlier = np.empty_like(states)
        n = len(self)
        earlier[:n] = 0.0 if initial is None else initial
        np.take(states, self._earlier, axis=0, out=earlier[n:], mode="clip")
        return earlier

    @cached_property
    def _earlier(self) -> Array:
        """The row one step earlier of each row in time but the first steps."""
        return np.arange(len(self), self.n_positions) - np.repeat(self.going[:-1], self.going[1:])


class Cell:
    """How states follow each other, on rows in time.

    Attributes
    ----------
    logistic : tuple of bool
        For each gate whether its function is logistic(z) = (1 + tanh(z / 2)) / 2, or tanh.
    n_biases, n_states : int
        Of how many parts, one number a unit each, bias and state are made.
    turned : int
        Slopes stand in groups, the first of which belong to the inputs, in the order of the weights but that this many
        of the last gates come first; the last ones belong to the states, in the order of the weights.
    """

    logistic: tuple[bool, ...] = (False,)
    n_biases = 1
    n_states = 1
    turned = 0

    def halves(self, units: int, dtype: np.dtype) -> Array:
        """A half for units of gates with a logistic function, whose tanh has half of the argument; 1 for others."""
        return np.repeat(np.where(self.logistic, 0.5, 1.0).astype(dtype), units)

    def run(self, z: Array, U: Array, bias: Array, initial: list, spans: Spans) -> tuple[States, Any]:
        """The states after each step, and what the way back wants kept.

        What stands before the functions of the gates comes without the states' part, in z, which may be overwritten; U
        has the weights of the states, both with :meth:`halves`. `bias` is what is left of it for the states.
        """
        raise TypeError(f"{type(self).__name__} defines no run")

    def back(
        self, slopes: list, states: States, kept: Any, U: Array, initial: list, steps: Steps
    ) -> tuple[Array, States]:
        """Slopes before the functions of the gates, (rows, groups, units), and those of the initial states.

        `slopes` are those of the states after each step, None for none.
        """
        raise TypeError(f"{type(self).__name__} defines no back")

    def step(self, z: Value, before: list[Value], U: Value, bias: Value) -> list[Value]:
        """The states after a step, in primitives; arguments as of :meth:`run`, but without halves."""
        raise TypeError(f"{type(self).__name__} defines no step")


class ElmanCell(Cell):
    """h = tanh(x W + h' U + b) (Elman 1990)."""

    def run(self, z: Array, U: Array, bias: Array, initial: list, spans: Spans) -> tuple[States, Any]:
        (h,) = initial
        for first, last in spans:
            now = z[first:last]
            if h is not None:
                now += h[: last - first] @ U
            h = np.tanh(now, out=now)
        return [z], None

    def back(
        self, slopes: list, states: States, kept: Any, U: Array, initial: list, steps: Steps
    ) -> tuple[Array, States]:
        (h,), (of_h,) = states, slopes
        dz = 1.0 - h * h
        dh = np.zeros((len(steps), len(U)), h.dtype)
        for first, last in reversed(steps.spans):
            now, dh_now = dz[first:last], dh[: last - first]
            dh_now += of_h[first:last]
            now *= dh_now
            np.dot(now, U.T, out=dh_now)
        return dz[:, None], [dh]

    def step(self, z: Value, before: list[Value], U: Value, bias: Value) -> list[Value]:
        return [F.tanh(z + F.matmul(before[0], U))]


class LSTMCell(Cell):
    """c = f c' + i g and h = o tanh(c), with i, f, o logistic functions and g the tanh of x W + h' U + b.

    Hochreiter & Schmidhuber (1997), with the forget gate f of Gers, Schmidhuber & Cummins (2000).
    """

    logistic = (True, True, False, True)
    n_biases = 4
    n_states = 2

    def run(self, z: Array, U: Array, bias: Array, initial: list, spans: Spans) -> tuple[States, Any]:
        n_units = len(U)
        gates = z.reshape(len(z), 4, n_units)
        factor = self.halves(n_units, z.dtype)
        shift = (factor < 1.0) * factor
        h, c = initial
        hs, cs = np.empty((2, len(z), n_units), z.dtype)
        for first, last in spans:
            m, now, gate = last - first, z[first:last], gates[first:last]
            if h is not None:
                now += h[:m] @ U
            np.tanh(now, out=now)
            now *= factor
            now += shift
            cell = np.multiply(gate[:, 0], gate[:, 2], out=cs[first:last])
            if c is not None:
                cell += gate[:, 1] * c[:m]
            h, c = np.tanh(cell, out=hs[first:last]), cell
            h *= gate[:, 3]
        return [hs, cs], gates

    def back(
        self, slopes: list, states: States, kept: Any, U: Array, initial: list, steps: Steps
    ) -> tuple[Array, States]:
        (of_h, of_c), cells, gates = slopes, states[1], kept
        dz, open_, forget = np.empty_like(gates), np.tanh(cells), gates[:, 1]
        i, f, g, o = (gates[:, k] for k in range(4))
        np.multiply(g, i * (1.0 - i), out=dz[:, 0])
        np.multiply(steps.before(cells, initial[1]), f * (1.0 - f), out=dz[:, 1])
        np.multiply(i, 1.0 - g * g, out=dz[:, 2])
        np.multiply(open_, o * (1.0 - o), out=dz[:, 3])
        through = np.multiply(o, 1.0 - open_ * open_, out=open_)
        dh, dc = np.zeros((2, len(steps), len(U)), cells.dtype)
        for first, last in reversed(steps.spans):
            m, now = last - first, dz[first:last]
            dh_now, dc_now = dh[:m], dc[:m]
            dh_now += of_h[first:last]
            dc_now += dh_now * through[first:last]
            if of_c is not None:
                dc_now += of_c[first:last]
            now[:, :3] *= dc_now[:, None]
            now[:, 3] *= dh_now
            dc_now *= forget[first:last]
            np.dot(now.reshape(m, -1), U.T, out=dh_now)
        return dz, [dh, dc]

    def step(self, z: Value, before: list[Value], U: Value, bias: Value) -> list[Value]:
        (h, c), n_units = before, F.shape_of(U)[0]
        z = z + F.matmul(h, U)
        i, f, g, o = (z[:, k * n_units : (k + 1) * n_units] for k in range(4))
        c = F.sigmoid(f) * c + F.sigmoid(i) * F.tanh(g)
        return [F.sigmoid(o) * F.tanh(c), c]


class GRUCell(Cell):
    """h = (1 - z) n + z h', with r, z = logistic(x W + h' U + b) and n = tanh(x W_n + b_n + r (h' U_n + b_hn)).

    Cho et al. (2014), with r after the product, as cuDNN and PyTorch have it.
    """

    logistic = (True, True, False)
    n_biases = 4
    turned = 1

    def run(self, z: Array, U: Array, bias: Array, initial: list, spans: Spans) -> tuple[States, Any]:
        n_units = len(U)
        both = 2 * n_units
        (h,) = initial
        hs, inner = np.empty((2, len(z), n_units), z.dtype)
        inner[...] = bias
        for first, last in spans:
            m, now, n_from_h = last - first, z[first:last], inner[first:last]
            r_and_z, n = now[:, :both], now[:, both:]
            if h is not None:
                from_h = h[:m] @ U
                r_and_z += from_h[:, :both]
                n_from_h += from_h[:, both:]
            np.tanh(r_and_z, out=r_and_z)
            r_and_z *= 0.5
            r_and_z += 0.5
            n += now[:, :n_units] * n_from_h
            np.tanh(n, out=n)
            update, new = now[:, n_units:both], hs[first:last]
            if h is None:
                np.multiply(n, 1.0 - update, out=new)
            else:
                np.subtract(h[:m], n, out=new)
                new *= update
                new += n
            h = new
        return [hs], (z.reshape(len(z), 3, n_units), inner)

    def back(
        self, slopes: list, states: States, kept: Any, U: Array, initial: list, steps: Steps
    ) -> tuple[Array, States]:
        (h,), (of_h,), (gates, inner) = states, slopes, kept
        r, z, n = (gates[:, k] for k in range(3))
        dz = np.empty((len(h), 4, len(U)), h.dtype)
        closed = 1.0 - z
        to_n = np.multiply(closed, 1.0 - n * n, out=dz[:, 0])
        inside = np.multiply(to_n, r, out=dz[:, 3])
        np.multiply(inside * (1.0 - r), inner, out=dz[:, 1])
        earlier = steps.before(h, initial[0])
        earlier -= n
        closed *= z
        np.multiply(earlier, closed, out=dz[:, 2])
        dh = np.zeros((len(steps), len(U)), h.dtype)
        for first, last in reversed(steps.spans):
            m, now = last - first, dz[first:last]
            dh_now = dh[:m]
            dh_now += of_h[first:last]
            now *= dh_now[:, None]
            dh_now *= z[first:last]
            dh_now += now[:, 1:].reshape(m, -1) @ U.T
        return dz, [dh]

    def step(self, z: Value, before: list[Value], U: Value, bias: Value) -> list[Value]:
        (h,), n_units = before, F.shape_of(U)[0]
        both, from_h = 2 * n_units, F.matmul(h, U)
        gates = F.sigmoid(z[:, :both] + from_h[:, :both])
        r, update = gates[:, :n_units], gates[:, n_units:]
        n = F.tanh(z[:, both:] + r * (from_h[:, both:] + bias))
        return [n + update * (h - n)]


CELLS: dict[str, Cell] = {"gru": GRUCell(), "lstm": LSTMCell(), "rnn": ElmanCell()}


@op
def recurrence(
    x: Array,
    W: Array,
    U: Array,
    b: Array,
    state: Array | None = None,
    *,
    steps: Steps,
    cell: str,
    reverse: bool = False,
    whole: bool = False,
) -> tuple[Array, Any]:
    """The states h of a recurrent cell after each step of each sample; with `whole`, of an LSTM [h, c].

    x: (n_positions, channels), or (n, T, channels) for samples of one length; W: (channels, gates units); U: (units,
    gates units); b: (biases units,); state: the initial states [h] or [h, c] of all samples, (n, states units), or None
    for 0; y: as x, with units for channels. With `reverse` series are read from their ends.
    """
    kind, n_units = CELLS[cell], len(U)
    dtype = np.result_type(x, W, U, b) if state is None else np.result_type(x, W, U, b, state)
    x, W, U, b = (each.astype(dtype, copy=False) for each in (x, W, U, b))
    state = state if state is None else state.astype(dtype, copy=False)
    x_rows = _positions(x, steps)
    found = compiled.recurrence(x, W, U, b, state, steps, cell, reverse, whole)
    if found is not None:
        return found
    initial = [None] * kind.n_states if state is None else _parts(state[steps.order], n_units)
    rows, halves = steps.rows(reverse), kind.halves(n_units, dtype)
    in_time = np.take(x_rows, rows, axis=0)
    with single_thread():  # the products of single steps are small
        z = in_time @ (W * halves)
        z += b[: len(halves)] * halves
        states, kept = kind.run(z, U * halves, b[len(halves) :], initial, steps.spans)
    given = states if whole else states[:1]
    y = np.empty((len(rows), len(given) * n_units), dtype)
    for k, each in enumerate(given):
        y[rows, k * n_units : (k + 1) * n_units] = each
    return y.reshape(*x.shape[:-1], y.shape[1]), (kind, x.shape, in_time, W, U, initial, states, kept, steps, rows)


@recurrence.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    if isinstance(saved, compiled.Read):
        return compiled.recurrence_back(g, saved, out)
    kind, shape, in_time, W, U, initial, states, kept, steps, rows = saved
    n_units, n_inputs = len(U), W.shape[1]
    slopes: list[Array | None] = [None] * kind.n_states
    for k, part in enumerate(_parts(g.reshape(len(rows), -1), n_units)):
        slopes[k] = np.take(part, rows, axis=0)
    with single_thread():
        dz, of_initial = kind.back(slopes, states, kept, U, initial, steps)
        dz = dz.reshape(len(rows), -1)
        to_inputs, to_states = dz[:, :n_inputs], dz[:, dz.shape[1] - n_inputs :]
        turn = kind.turned * n_units
        dx = dW = dU = db = dstate = None
        if out[0] is not None:
            dx = np.empty((len(rows), shape[-1]), g.dtype)
            dx[rows] = to_inputs @ np.roll(W, turn, axis=1).T
            dx = dx.reshape(shape)
        if out[1] is not None:
            dW = np.roll(in_time.T @ to_inputs, -turn, axis=1)
        if out[2] is not None:
            dU = steps.before(states[0], initial[0]).T @ to_states
        if out[3] is not None:
            sums = np.dot(np.ones(len(dz), dz.dtype), dz)
            db = np.concatenate([np.roll(sums[:n_inputs], -turn), sums[n_inputs:]])
    if len(out) > 4 and out[4] is not None:
        dstate = np.empty((len(steps), kind.n_states * n_units), g.dtype)
        dstate[steps.order] = np.concatenate(of_initial, axis=1)
    return (dx, dW, dU, db, dstate)[: len(out)]


@recurrence.reference
def _(
    x: Value,
    W: Value,
    U: Value,
    b: Value,
    state: Value | None = None,
    *,
    steps: Steps,
    cell: str,
    reverse: bool = False,
    whole: bool = False,
) -> Value:
    kind, (n_units, n_inputs), shape = CELLS[cell], F.shape_of(U), F.shape_of(x)
    z = F.take(_positions(x, steps), steps.rows(reverse)) @ W + b[:n_inputs]
    if state is None:
        states = [np.zeros((len(steps), n_units), F.plain(z).dtype)] * kind.n_states
    else:
        states = _parts(F.take(state, steps.order), n_units)
    after = []
    for first, last in steps.spans:
        before = [each[: last - first] for each in states]
        states = kind.step(z[first:last], before, U, b[n_inputs:])
        after.append(F.concatenate(states, axis=1) if whole else states[0])
    y = F.take(F.concatenate(after), np.argsort(steps.rows(reverse)))
    return F.reshape(y, (*shape[:-1], F.shape_of(y)[-1]))


@recurrence.takes
def _(y: Array, x: Array, W: Array, U: Array, b: Array, state: Array | None = None, **options: Any) -> tuple[int, int]:
    positions = y.size // y.shape[-1]
    return positions * (W.size + U.size), y.size + positions * (len(b) + len(U))


def _positions(x: Value, steps: Steps) -> Value:
    """x with one axis for all positions; ValueError if they are not those of the steps."""
    shape = F.shape_of(x)
    if int(np.prod(shape[:-1])) != steps.n_positions:
        raise ValueError(f"x must have the {steps.n_positions} positions of the steps; its shape is {shape}")
    return x if len(shape) == 2 else F.reshape(x, (steps.n_positions, shape[-1]))


def _parts(states: Value, n_units: int) -> list[Value]:
    """h, or h and c, of states beside each other."""
    return [states[:, k : k + n_units] for k in range(0, F.shape_of(states)[1], n_units)]
