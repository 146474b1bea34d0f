"""A network token by token: what it makes of the next one, with what it has kept of those before."""

from __future__ import annotations

from collections.abc import Mapping
from sys import maxsize
from typing import Any

import numpy as np

from ...autodiff.tape import Array
from ...nn import Sequences
from ...nn.cache import Cache
from ...template.samples import NOTHING, taken
from .windows import hop_of


class Stepping:
    """Sequences side by side, all of one length, to which tokens (or numbers) are added; and the outputs at the last.

    Parameters
    ----------
    network : Applied
        Whose layers keep what they need in a cache.
    context : int, default=maxsize
        How many of the last tokens it sees at most; see :func:`first_seen`.
    given : mapping, default={}
        What else layers are given, by name: of each sequence one.
    """

    def __init__(self, network: Any, context: int = maxsize, given: Mapping[str, Any] = NOTHING) -> None:
        self.network, self.context, self.given = network, context, given
        self.cache = Cache()
        self.seen: Array | None = None

    def __call__(self, steps: Array) -> Array:
        """Add steps (n, m, ...); the outputs (n, n_outputs) at the last of them."""
        return self.outputs(steps if self.context == maxsize else self._within_context(steps))[:, -1]

    def outputs(self, steps: Array) -> Array:
        """Add steps (n, m, ...); the outputs (n, m, n_outputs) at all of them."""
        n, m = steps.shape[:2]
        self.cache.begin()
        x = Sequences(steps.reshape(n * m, *steps.shape[2:]), np.full(n, m))
        return self.network(x, cache=self.cache, **self.given).values.reshape(n, m, -1)

    def _within_context(self, steps: Array) -> Array:
        """The steps; where a new window begins, all that it shows."""
        seen = steps if self.seen is None else np.concatenate([self.seen, steps], axis=1)
        too_many = seen.shape[1] - self.context
        if too_many > 0:
            hop = hop_of(self.context)
            seen = steps = seen[:, -(-too_many // hop) * hop :]
            self.cache = Cache()
        self.seen = seen
        return steps

    def take(self, rows: Array) -> Stepping:
        """With some of the sequences alone, in this order; one may be named more than once."""
        given = {name: taken(each, rows) for name, each in self.given.items()}
        some = Stepping(self.network, self.context, given)
        some.cache = self.cache.take(rows)
        some.seen = None if self.seen is None else self.seen[rows]
        return some
