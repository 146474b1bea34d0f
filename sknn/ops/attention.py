"""Attention: each query gets the mean of values, weighted by how well their keys match it.

Which keys a query sees is said by :class:`Scope`: those of its own sample, wherever the rows of samples lie, so that
samples of different lengths need no padding and no mask. A sample gets the same bits whatever lies beside it.

Weights are kept for the backward pass where all of them together are few, and made again where they are many.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from . import compiled
from .threads import share_out

KEPT = 1 << 24  # bytes of weights; if there are more, the backward pass makes them again
AT_ONCE = 1 << 18  # weights; so many stay in the cache


class Scope:
    """Which keys each query attends to: those of its sample, or only those up to its own step.

    Parameters
    ----------
    lengths : array-like of int, of shape (n_samples,)
        How many queries each sample has; they lie one after the other.
    key_lengths : array-like of int, of shape (n_samples,), default=None
        How many keys. None: there is one for each query.
    key_starts : array-like of int, of shape (n_samples,), default=None
        The row at which the keys of each sample begin. None: they lie one after the other too.
    causal : bool, default=False
        Whether the last query of a sample sees all of its keys, the one before it all but the last, and so on.

    Raises
    ------
    ValueError
        If a sample has no keys, or is causal and has more queries than keys.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.ops.attention import Scope, attention_weights
    >>> alike = np.ones((5, 3))  # one head of width 1: queries, keys and values side by side
    >>> two, three = attention_weights(alike, scope=Scope([2, 3], causal=True), n_heads=1)
    >>> two
    array([[[1. , 0. ],
            [0.5, 0.5]]])
    """

    def __init__(self, lengths: Any, key_lengths: Any = None, key_starts: Any = None, *, causal: bool = False) -> None:
        self.lengths = np.asarray(lengths, np.intp)
        self.key_lengths = self.lengths if key_lengths is None else np.asarray(key_lengths, np.intp)
        self.causal = causal
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.has_gaps = key_starts is not None
        if key_starts is not None:
            self.key_starts = np.asarray(key_starts, np.intp)
        else:
            self.key_starts = np.cumsum(self.key_lengths) - self.key_lengths
        if len(self.key_lengths) != len(self.lengths):
            raise ValueError(f"there are queries of {len(self.lengths)} samples, but keys of {len(self.key_lengths)}")
        fewest = self.lengths if causal else 1
        if (self.key_lengths < fewest).any():
            sample = int(np.argmax(self.key_lengths < fewest))
            few = f"{self.key_lengths[sample]} keys for {self.lengths[sample]} queries"
            raise ValueError(f"sample {sample} has {few}: the first would see none")
        self._blocks: dict[int, list[Block]] = {}

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def n_weights(self) -> int:
        """Of one head: one for each query and key of a sample, whether it is seen or not."""
        return int(self.lengths @ self.key_lengths)

    @cached_property
    def table(self) -> Array:
        """Of each sample: first query, queries, first key, keys, first weight."""
        table = np.empty((len(self), 5), np.intp)
        for k, column in enumerate((self.starts, self.lengths, self.key_starts, self.key_lengths, self.offsets)):
            table[:, k] = column
        return table

    @cached_property
    def offsets(self) -> Array:
        """Where the weights of each sample begin among those of all, for one head."""
        each = self.lengths * self.key_lengths
        return np.cumsum(each) - each

    def blocks(self, n_heads: int) -> list[Block]:
        """All samples, some of equal lengths at a time, so that their weights stay in the cache."""
        if n_heads not in self._blocks:
            self._blocks[n_heads] = list(self._cut(n_heads))
        return self._blocks[n_heads]

    def _cut(self, n_heads: int) -> Iterator[Block]:
        order = np.lexsort((self.key_lengths, self.lengths))
        pairs = np.stack((self.lengths[order], self.key_lengths[order]))
        ends = np.flatnonzero((pairs[:, 1:] != pairs[:, :-1]).any(axis=0)) + 1
        for alike in np.split(order, ends):
            n_queries, n_keys = int(self.lengths[alike[0]]), int(self.key_lengths[alike[0]])
            some = max(1, AT_ONCE // (n_heads * n_queries * n_keys))
            for first in range(0, len(alike), some):
                samples = alike[first : first + some]
                queries, keys = _rows(self.starts[samples], n_queries), _rows(self.key_starts[samples], n_keys)
                yield Block(samples, queries, keys, n_queries, n_keys)


def _rows(starts: Array, length: int) -> Any:
    """The rows of samples of one length: a slice where they lie one after the other."""
    if (starts[1:] - starts[:-1] == length).all():
        return slice(int(starts[0]), int(starts[0]) + len(starts) * length)
    return (starts[:, None] + np.arange(length)).ravel()


class Block(NamedTuple):
    """Some samples with as many queries and keys each, and their rows."""

    samples: Array
    queries: Any
    keys: Any
    n_queries: int
    n_keys: int

    @property
    def rows(self) -> tuple[Any, Any, Any]:
        """Those of queries, keys and values."""
        return self.queries, self.keys, self.keys

    def ranges(self, n_heads: int) -> Iterator[tuple[int, int]]:
        """The queries of a sample, so many at a time that their weights stay in the cache."""
        step = max(1, AT_ONCE // (n_heads * self.n_keys))
        for first in range(0, self.n_queries, step):
            yield first, min(self.n_queries, first + step)


@op
def attention(
    q: Array, kv: Array | None = None, *, scope: Scope, n_heads: int, kept: Array | None = None, rate: float = 0.0
) -> tuple[Array, Any]:
    """y_i = sum over j of w_ij v_j with w_i = softmax over j of q_i k_j / sqrt(d), for each head (Vaswani et al. 2017).

    q: (n_queries, width), and kv: (n_keys, 2 width), the keys beside the values; or all in q: (n_rows, 3 width). Heads
    lie beside each other, d = width / n_heads. `kept`: for dropout, booleans for the n_heads n_weights weights of the
    scope, sample by sample (heads, queries, keys); those kept are divided by 1 - rate.
    """
    operands = _operands(q, kv)
    _check(operands, scope, n_heads)
    dropout = Dropout(scope, n_heads, kept, rate)
    work = _multiplications(scope, operands[0].shape[1])
    found = compiled.attention(operands, dropout, work)
    y, weights = _forward(operands, dropout, work) if found is None else found
    return y, (q, kv, y, dropout, weights)


def _forward(operands: tuple[Array, Array, Array], dropout: Dropout, multiplications: int) -> tuple[Array, list]:
    """y, and the weights of each block where they are few."""
    scope, n_heads, _, _ = dropout
    y = np.empty(operands[0].shape, np.result_type(*operands))
    is_few = n_heads * scope.n_weights * y.itemsize <= KEPT

    def work(block: Block) -> list[Array]:
        queries, keys, values = _of_heads(operands, block, n_heads)
        found, weights = np.empty(queries.shape[:-1] + values.shape[-1:], y.dtype), []
        for first, last in block.ranges(n_heads):
            some = _weights(queries, keys, first, last, scope.causal)
            np.matmul(dropout.applied(some, block, first), values[:, :, : some.shape[-1]], out=found[:, :, first:last])
            if is_few:
                weights.append(some)
        y[block.queries] = _side_by_side(found)
        return weights

    return y, share_out(work, scope.blocks(n_heads), multiplications)


@attention.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    q, kv, y, dropout, weights = saved
    operands, work = _operands(q, kv), 3 * _multiplications(dropout.scope, y.shape[1])
    results, parts = _room(q, kv, y.dtype)
    if isinstance(weights, compiled.Weighed):
        compiled.attention_back(g, operands, y, weights, dropout, parts, work)
    else:
        _backward(g, operands, y, weights, dropout, parts, work)
    return results


def _backward(
    g: Array, operands: tuple, y: Array, kept: list, dropout: Dropout, to: tuple, multiplications: int
) -> None:
    """Write the gradients of queries, keys and values; `kept` are the weights of each block, or nothing of it."""
    scope, n_heads, _, _ = dropout
    blocks = scope.blocks(n_heads)

    def work(number: int) -> None:
        block = blocks[number]
        queries, keys, values = _of_heads(operands, block, n_heads)
        slopes = _heads(g, block.queries, len(block.samples), n_heads)
        along = (slopes * _heads(y, block.queries, len(block.samples), n_heads)).sum(axis=-1, keepdims=True)
        to_queries, to_keys, to_values = (np.zeros(x.shape, y.dtype) for x in (queries, keys, values))
        for k, (first, last) in enumerate(block.ranges(n_heads)):
            weights = kept[number][k] if kept[number] else _weights(queries, keys, first, last, scope.causal)
            here, seen = np.s_[:, :, first:last], np.s_[:, :, : weights.shape[-1]]
            to_values[seen] += np.matmul(dropout.applied(weights, block, first).swapaxes(-1, -2), slopes[here])
            back = np.matmul(slopes[here], values[seen].swapaxes(-1, -2))
            back = (dropout.applied(back, block, first) - along[here]) * weights
            back *= 1.0 / sqrt(queries.shape[-1])
            np.matmul(back, keys[seen], out=to_queries[here])
            to_keys[seen] += np.matmul(back.swapaxes(-1, -2), queries[here])
        for part, rows, found in zip(to, block.rows, (to_queries, to_keys, to_values), strict=True):
            part[rows] = _side_by_side(found)

    share_out(work, range(len(blocks)), multiplications)


@attention.reference
def _(
    q: Value, kv: Value | None = None, *, scope: Scope, n_heads: int, kept: Array | None = None, rate: float = 0.0
) -> Value:
    operands = _operands(q, kv)
    dropout = Dropout(scope, n_heads, kept, rate)
    found = []
    for sample, start in enumerate(scope.starts):
        n_queries, n_keys = int(scope.lengths[sample]), int(scope.key_lengths[sample])
        places = (slice(start, start + n_queries), *2 * (slice(scope.key_starts[sample], None),))
        counts = (n_queries, n_keys, n_keys)
        queries, keys, values = (
            F.transpose(F.reshape(x[place][:count], (count, n_heads, -1)), (1, 0, 2))
            for x, place, count in zip(operands, places, counts, strict=True)
        )
        match = F.matmul(queries, F.swapaxes(keys, -1, -2)) / sqrt(F.shape_of(queries)[-1])
        if scope.causal:
            match = F.where(np.tri(n_queries, n_keys, n_keys - n_queries, dtype=bool), match, -np.inf)
        weights = F.softmax(match, axis=-1)
        if kept is not None:
            weights = F.where(dropout.of_sample(sample), weights, 0.0) * dropout.factor
        found.append(F.reshape(F.transpose(F.matmul(weights, values), (1, 0, 2)), (n_queries, -1)))
    return F.concatenate(found)


@attention.takes
def _(y: Array, *inputs: Array, scope: Scope, **options: Any) -> tuple[int, int]:
    return _multiplications(scope, y.shape[1]), y.size


def attention_weights(q: Array, kv: Array | None = None, *, scope: Scope, n_heads: int) -> list[Array]:
    """The weights w of :func:`attention`, (n_heads, queries, keys) for each sample; those not seen are 0."""
    operands = _operands(q, kv)
    _check(operands, scope, n_heads)
    found: list[Array] = [np.empty(0)] * len(scope)
    for block in scope.blocks(n_heads):
        queries, keys, _ = _of_heads(operands, block, n_heads)
        weights = np.zeros((*queries.shape[:-1], block.n_keys), queries.dtype)
        for first, last in block.ranges(n_heads):
            some = _weights(queries, keys, first, last, scope.causal)
            weights[:, :, first:last, : some.shape[-1]] = some
        for sample, each in zip(block.samples, weights, strict=True):
            found[sample] = each
    return found


class Dropout(NamedTuple):
    """Which weights stay, if some are dropped, and how they grow."""

    scope: Scope
    n_heads: int
    kept: Array | None
    rate: float

    @property
    def factor(self) -> float:
        """By which those that are kept grow."""
        return 1.0 / (1.0 - self.rate)

    def of_sample(self, sample: int) -> Array:
        """Those of a sample, (heads, queries, keys)."""
        n_queries, n_keys = self.scope.lengths[sample], self.scope.key_lengths[sample]
        start, size = self.n_heads * self.scope.offsets[sample], self.n_heads * n_queries * n_keys
        return self.kept[start : start + size].reshape(self.n_heads, n_queries, n_keys)  # type: ignore[index]

    def applied(self, weights: Array, block: Block, first: int) -> Array:
        """What is left of weights (samples, heads, queries, keys) of a block, from query `first` and key 0 on."""
        if self.kept is None:
            return weights
        n_queries, n_keys = weights.shape[-2:]
        stays = np.stack([self.of_sample(k)[:, first : first + n_queries, :n_keys] for k in block.samples])
        return np.where(stays, weights * self.factor, 0.0)


def _operands(q: Value, kv: Value | None) -> tuple[Value, Value, Value]:
    """Queries, keys and values, each (rows, width)."""
    if kv is None:
        width = F.shape_of(q)[1] // 3
        return q[:, :width], q[:, width : 2 * width], q[:, 2 * width :]
    width = F.shape_of(kv)[1] // 2
    return q, kv[:, :width], kv[:, width:]


def _check(operands: tuple[Array, Array, Array], scope: Scope, n_heads: int) -> None:
    q, k, v = operands
    if q.shape[1] != k.shape[1] or v.shape[1] != k.shape[1] or k.shape[1] % n_heads:
        widths = f"{q.shape[1]}, {k.shape[1]} and {v.shape[1]}"
        raise ValueError(f"queries, keys and values must be of one width, a multiple of {n_heads} heads; got {widths}")
    n_queries, n_keys = int(scope.lengths.sum()), int((scope.key_starts + scope.key_lengths).max(initial=0))
    if len(q) != n_queries or len(k) < n_keys:
        raise ValueError(f"the scope is of {n_queries} queries and {n_keys} keys, but there are {len(q)} and {len(k)}")


def _room(q: Array, kv: Array | None, dtype: np.dtype) -> tuple[tuple, tuple[Array, Array, Array]]:
    """Where the gradients of q and kv go: the arrays, and the parts of these for queries, keys and values."""
    if kv is None:
        whole = np.empty(q.shape, dtype)
        return (whole,), _operands(whole, None)
    to_q, to_kv = np.empty(q.shape, dtype), np.zeros(kv.shape, dtype)  # some keys may be in no sample
    return (to_q, to_kv), _operands(to_q, to_kv)


def _of_heads(operands: tuple, block: Block, n_heads: int) -> list[Array]:
    """Queries, keys and values of a block, each (samples, heads, steps, d)."""
    return [_heads(x, rows, len(block.samples), n_heads) for x, rows in zip(operands, block.rows, strict=True)]


def _heads(x: Array, rows: Any, n_samples: int, n_heads: int) -> Array:
    some = x[rows]
    return some.reshape(n_samples, -1, n_heads, x.shape[1] // n_heads).transpose(0, 2, 1, 3)


def _side_by_side(x: Array) -> Array:
    """(samples, heads, steps, d) as rows."""
    n_samples, n_heads, n_steps, width = x.shape
    return x.transpose(0, 2, 1, 3).reshape(n_samples * n_steps, n_heads * width)


def _weights(queries: Array, keys: Array, first: int, last: int, causal: bool) -> Array:
    """softmax(q k^T / sqrt(d)) of some queries of each sample, over the keys up to the last that any of them sees."""
    n_queries, n_keys, width = queries.shape[2], keys.shape[2], queries.shape[3]
    ahead = n_keys - n_queries  # keys before the first query's own
    seen = last + ahead if causal else n_keys
    scaled = queries[:, :, first:last] * (1.0 / sqrt(width))
    match = np.matmul(scaled, keys[:, :, :seen].swapaxes(-1, -2))
    if causal and last - first > 1:
        match[..., ~np.tri(last - first, seen, first + ahead, dtype=bool)] = -np.inf
    match -= match.max(axis=-1, keepdims=True)
    np.exp(match, out=match)
    match /= match.sum(axis=-1, keepdims=True)
    return match


def _multiplications(scope: Scope, width: int) -> int:
    return 2 * scope.n_weights * width
