"""Stretches of long sequences: those that a language model learns from, and those that it predicts a token from."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autodiff.tape import Array
from ...nn import Sequences
from ...nn.draws import Draws
from ...template.samples import Batch, Samples


class Windows:
    """Windows of so many tokens anywhere in the sequences, which stand one after the other.

    Where a sequence ends within a window, the next one begins there, with nothing before it: a window is as many
    sequences as it has stretches of different ones.

    Parameters
    ----------
    samples : Samples
        Numbers of tokens, each sequence with that of the end in front.
    length : int
        Of a window.
    """

    def __init__(self, samples: Samples, length: int) -> None:
        x = samples.of(samples.x)
        weight = samples.of(samples.weight)
        self.tokens = x.values.astype(np.intp)
        self.following = following(x, self.tokens)
        self.weight = None if weight is None else x.at_positions(weight)
        self.begins = np.zeros(len(self.tokens), bool)
        self.begins[x.starts] = True
        self.length = min(length, len(self.tokens))

    def __len__(self) -> int:
        """How many windows take as many tokens as there are."""
        return -(-len(self.tokens) // self.length)

    def drawn(self, n: int, draws: Draws) -> Batch:
        """Windows that begin anywhere, as sequences, and the tokens that follow each of theirs."""
        first = draws.integers(len(self.tokens) - self.length + 1, (n,))
        positions = (first[:, None] + np.arange(self.length)).reshape(-1)
        begins = self.begins[positions]
        begins[:: self.length] = True
        starts = np.flatnonzero(begins)
        x = Sequences(self.tokens[positions], np.diff(starts, append=len(positions)))
        weight = None if self.weight is None else self.weight[positions]
        return Batch(x, self.following[positions], weight)


def following(x: Sequences, tokens: Array) -> Array:
    """The token that follows each: after the last one the end, which stands in front of the first."""
    after = np.roll(tokens, -1)
    after[x.starts + x.lengths - 1] = tokens[x.starts]
    return after


def first_seen(position: Any, context: int) -> Any:
    """The first of the tokens that what follows a position is predicted from.

    All of them, as long as they are no more than `context`; then windows of so many, each half a window after the one
    before, the last that has half a window in front: the network sees a series from its beginning, and what it has
    computed of it is used for half a window.

    Examples
    --------
    >>> import numpy as np
    >>> first_seen(np.arange(8), 4)
    array([0, 0, 0, 0, 2, 2, 4, 4])
    """
    hop = hop_of(context)
    return np.where(position < context, 0, ((position - context) // hop + 1) * hop)


def hop_of(context: int) -> int:
    """How far such windows are apart."""
    return max(context // 2, 1)


def overlapping(x: Sequences, context: int) -> tuple[Sequences, Array]:
    """The positions of all windows that :func:`first_seen` tells of, and at which of them what follows is predicted.

    Returns
    -------
    positions : Sequences of int
        Of the steps of x that the windows hold, in the order of the samples and the windows of each.
    kept : ndarray of bool
        One for each of them; those kept are all positions of x, in their order.
    """
    hop = hop_of(context)
    n_windows = first_seen(x.lengths - 1, context) // hop + 1
    sample = np.repeat(np.arange(len(x)), n_windows)
    begin = hop * (np.arange(len(sample)) - np.repeat(np.cumsum(n_windows) - n_windows, n_windows))
    windows = x.of_lengths(np.minimum(x.lengths[sample] - begin, context))
    begins = windows.at_positions(begin)
    position = begins + np.arange(len(begins)) - windows.at_positions(windows.starts)
    return windows.like(position + windows.at_positions(x.starts[sample])), first_seen(position, context) == begins
