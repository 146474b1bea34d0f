"""A recurrent cell that looks at another series at each step and reads at the next one what it has seen there.

All steps of all samples of a batch are one operation, as in :mod:`.recurrence`: they go forward together in the order
of their lengths, and the keys and values that they look at lie in that order too, so that those of the samples that
still have steps are always the first ones. Gradients of weights are one product for all steps. How steps match keys is
worked out again on the way back: it would take the memory of all pairs of steps and keys, for each unit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from .attention import Scope
from .recurrence import GRUCell, Steps
from .threads import single_thread

CELL = GRUCell()


class Memory:
    """Keys and values, those of the sample that comes first in `order` first, and so on."""

    def __init__(self, kv: Array, n_units: int, scope: Scope, order: Array) -> None:
        lengths = scope.key_lengths[order]
        self.ends = np.cumsum(lengths)
        self.starts = self.ends - lengths
        self.sample = np.repeat(np.arange(len(order)), lengths)
        self.rows = np.arange(len(self.sample)) + np.repeat(scope.key_starts[order] - self.starts, lengths)
        in_order = np.take(kv, self.rows, axis=0)
        self.keys, self.values = in_order[:, :n_units].copy(), in_order[:, n_units:].copy()

    def read(self, queries: Array, v: Array) -> tuple[Array, Array]:
        """What the first samples get of their values, one query each; and the weights of these."""
        sample, starts, end = self._of_first(len(queries))
        weights = self._matches(queries) @ v
        weights -= np.maximum.reduceat(weights, starts)[sample]
        np.exp(weights, out=weights)
        weights /= np.add.reduceat(weights, starts)[sample]
        bounds = np.append(starts, end).astype(np.int32)
        each = csr_array((weights, np.arange(end, dtype=np.int32), bounds), (len(queries), end))
        return each @ self.values[:end], weights

    def back(self, slopes: Array, queries: Array, weights: Array, v: Array, to: tuple[Array, Array, Array]) -> Array:
        """The gradient of the queries; those of keys, values and v are added to what is in `to`."""
        sample, starts, end = self._of_first(len(queries))
        to_keys, to_values, to_v = to
        at_keys = slopes[sample]
        of_weights = weights * np.einsum("ku,ku->k", at_keys, self.values[:end])
        of_weights -= weights * np.add.reduceat(of_weights, starts)[sample]
        at_keys *= weights[:, None]
        to_values[:end] += at_keys
        matches = self._matches(queries)
        to_v += of_weights @ matches
        np.multiply(matches, matches, out=matches)
        np.subtract(1.0, matches, out=matches)
        matches *= v
        matches *= of_weights[:, None]
        to_keys[:end] += matches
        return np.add.reduceat(matches, starts)

    def _matches(self, queries: Array) -> Array:
        sample, _, end = self._of_first(len(queries))
        matches = queries[sample]
        matches += self.keys[:end]
        return np.tanh(matches, out=matches)

    def _of_first(self, n: int) -> tuple[Array, Array, int]:
        """Of the keys of the first n samples: whose they are, where those of each begin, and where all of them end."""
        end = int(self.ends[n - 1])
        return self.sample[:end], self.starts[:n], end


@op
def attentive_recurrence(
    z: Array,
    C: Array,
    U: Array,
    b: Array,
    Q: Array,
    kv: Array,
    v: Array,
    state: Array | None = None,
    *,
    steps: Steps,
    scope: Scope,
) -> tuple[Array, Any]:
    """[h, c] after each step of each sample: the states of a GRU that reads c, and what they see of a memory.

    h = GRU(z + c' C, h'), c = sum over j of w_j values_j with w = softmax over j of v . tanh(h Q + keys_j)
    (Bahdanau, Cho & Bengio 2015).

    z: (n_positions, 3 units), the inputs' part of the gates, bias included; C: (width, 3 units) and U: (units, 3
    units), the weights of what was seen and of the states; b: (units,), the bias of the states in n; Q: (units, units);
    kv: (n_keys, units + width), keys beside values, of which `scope` tells those of each sample; v: (units,); state:
    the initial [h, c], or None for 0.
    """
    if state is None:
        state = np.zeros((len(steps), len(U) + len(C)), z.dtype)
    given = [z, C, U, b, Q, kv, v, state]
    dtype = np.result_type(*given)
    z, C, U, b, Q, kv, v, state = (each.astype(dtype, copy=False) for each in given)
    n_units, initial = len(U), state[steps.order]
    memory = Memory(kv, n_units, scope, steps.order)
    h, c = initial[:, :n_units], initial[:, n_units:]
    halves, rows = CELL.halves(n_units, dtype), steps.rows(reverse=False)
    states, passed = np.empty((len(rows), n_units + len(C)), dtype), []
    with single_thread():  # the products of single steps are small
        in_time, of_seen, of_states = np.take(z, rows, axis=0) * halves, C * halves, U * halves
        for first, last in steps.spans:
            n, now = last - first, in_time[first:last]
            now += c[:n] @ of_seen
            (h,), kept = CELL.run(now, of_states, b, [h[:n]], [(0, n)])
            c, weights = memory.read(h @ Q, v)
            states[first:last, :n_units], states[first:last, n_units:] = h, c
            passed.append((kept, weights))
    y = np.empty_like(states)
    y[rows] = states
    return y, (C, U, Q, kv, v, memory, initial, states, passed, steps)


@attentive_recurrence.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    C, U, Q, kv, v, memory, initial, states, passed, steps = saved
    n_units, rows, dtype = len(U), steps.rows(reverse=False), states.dtype
    g, before = np.take(g, rows, axis=0), steps.before(states, initial)
    dz, dq = np.empty((len(rows), 4 * n_units), dtype), np.empty((len(rows), n_units), dtype)
    dkeys, dvalues, dv = (np.zeros(each.shape, dtype) for each in (memory.keys, memory.values, v))
    dstate = np.zeros(initial.shape, dtype)
    with single_thread():
        queries, to_seen = states[:, :n_units] @ Q, np.roll(C, n_units, axis=1).T  # n comes first among slopes
        for (first, last), (kept, weights) in zip(reversed(steps.spans), reversed(passed), strict=True):
            n, now = last - first, dstate[: last - first]
            now += g[first:last]
            dh, dc = now[:, :n_units], now[:, n_units:]
            dq[first:last] = memory.back(dc, queries[first:last], weights, v, (dkeys, dvalues, dv))
            dh += dq[first:last] @ Q.T
            h, h_before = states[first:last, :n_units], before[first:last, :n_units]
            slopes, (dh[...],) = CELL.back([dh], [h], kept, U, [h_before], _single(n))
            dz[first:last] = slopes.reshape(n, -1)
            np.matmul(dz[first:last, : 3 * n_units], to_seen, out=dc)
        to_inputs, to_states = np.roll(dz[:, : 3 * n_units], -n_units, axis=1), dz[:, n_units:]
        dC, dU = before[:, n_units:].T @ to_inputs, before[:, :n_units].T @ to_states
        dQ = states[:, :n_units].T @ dq
    dkv, to_z, to_state = np.zeros(kv.shape, dtype), np.empty_like(to_inputs), np.empty_like(dstate)
    dkv[memory.rows] = np.concatenate([dkeys, dvalues], axis=1)
    to_z[rows], to_state[steps.order] = to_inputs, dstate
    return (to_z, dC, dU, to_states[:, 2 * n_units :].sum(axis=0), dQ, dkv, dv, to_state)[: len(out)]


@lru_cache(maxsize=256)
def _single(n: int) -> Steps:
    """One step of each of n samples."""
    return Steps(np.ones(n, np.intp))


@attentive_recurrence.reference
def _(
    z: Value,
    C: Value,
    U: Value,
    b: Value,
    Q: Value,
    kv: Value,
    v: Value,
    state: Value | None = None,
    *,
    steps: Steps,
    scope: Scope,
) -> Value:
    n_units, rows = F.shape_of(U)[0], steps.rows(reverse=False)
    z = F.take(z, rows)
    if state is None:
        state = np.zeros((len(steps), n_units + F.shape_of(C)[0]), F.plain(z).dtype)
    start = F.take(state, steps.order)
    h, c, after = start[:, :n_units], start[:, n_units:], []
    for first, last in steps.spans:
        n = last - first
        (h,) = CELL.step(z[first:last] + c[:n] @ C, [h[:n]], U, b)
        queries = h @ Q
        seen = []
        for k, sample in enumerate(steps.order[:n]):
            own = kv[scope.key_starts[sample] :][: scope.key_lengths[sample]]
            weights = _weights(queries[k : k + 1], own[:, :n_units], v)
            seen.append(weights @ own[:, n_units:])
        c = F.concatenate(seen)
        after.append(F.concatenate([h, c], axis=1))
    return F.take(F.concatenate(after), np.argsort(rows))


@attentive_recurrence.takes
def _(y: Array, z: Array, C: Array, U: Array, b: Array, Q: Array, *others: Any, scope: Scope, **options: Any) -> Any:
    return len(y) * (C.size + U.size + Q.size) + scope.n_weights * y.shape[1], y.size + z.size + scope.n_weights


def additive_weights(h: Array, Q: Array, kv: Array, v: Array, *, scope: Scope) -> list[Array]:
    """The weights w of :func:`attentive_recurrence` at states h, (1, queries, keys) for each sample."""
    queries, found, n_units = h @ Q, [], len(v)
    for start, n, first, n_keys, _ in scope.table:
        found.append(_weights(queries[start : start + n], kv[first : first + n_keys, :n_units], v)[None])
    return found


def _weights(queries: Value, keys: Value, v: Value) -> Value:
    """softmax over j of v . tanh(q_i + k_j), of a sample."""
    (n, n_units), n_keys = F.shape_of(queries), F.shape_of(keys)[0]
    matches = F.tanh(F.reshape(queries, (n, 1, n_units)) + keys)
    return F.softmax(F.reshape(matches @ F.reshape(v, (n_units, 1)), (n, n_keys)), axis=1)
