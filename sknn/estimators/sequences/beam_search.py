"""Finding the most probable sequences, of whatever gives the probabilities of the next token."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from ...autodiff.tape import Array


class Steps(Protocol):
    """What goes on with sequences token by token, several side by side."""

    def __call__(self, tokens: Array) -> Array:
        """Log-probabilities (n, n_tokens) of what follows, once these tokens (n,) have been added to the sequences."""

    def take(self, rows: Array) -> Steps:
        """With some of the sequences alone, in this order; one may be named more than once."""


class Found(NamedTuple):
    """A finished sequence.

    Attributes
    ----------
    tokens : list of int
        Without its end.
    log_probability : float
        Of all its tokens and the end.
    score : float
        What it was ranked by.
    """

    tokens: list[int]
    log_probability: float
    score: float


def beam_search(
    steps: Steps, n_samples: int, end: int, max_length: int, beam_size: int = 1, length_penalty: float = 0.0
) -> list[list[Found]]:
    """The best finished sequences for each sample, the best one first.

    The `beam_size` most probable beginnings are kept from step to step; those that end leave the beam. One that has
    `max_length` tokens has to end. A beam of one is greedy search; one of n_tokens ** max_length finds the most
    probable sequence of all. Sequences are ranked by log p / n ** `length_penalty`, of n tokens with the end.

    Parameters
    ----------
    steps : Steps
        Of `n_samples` sequences, to which nothing has been added yet.
    n_samples : int
        How many.
    end : int
        The token that ends a sequence, and that stands in front of its first one.
    max_length : int
        Tokens of a sequence at most, its end not counted.
    beam_size : int, default=1
        Beginnings that are kept of each sample.
    length_penalty : float, default=0.0
        0: the most probable sequences; above, longer ones are preferred.

    Returns
    -------
    found : list of list of Found
        At most `beam_size` for each sample; at least one.

    References
    ----------
    Graves (2012). Sequence transduction with recurrent neural networks. arXiv:1211.3711.
    Wu et al. (2016). Google's neural machine translation system. arXiv:1609.08144. (There the length penalty.)
    """
    search = _Search(n_samples, end, beam_size, length_penalty)
    for length in range(max_length + 1):
        log_p = steps(search.last)
        rows = search.advance(log_p, must_end=length == max_length, most=max_length + 1)
        if not len(rows):
            break
        steps = steps.take(rows)
    return search.best()


class _Search:
    """The beginnings of all samples: those of one lie side by side, and of finished samples there are none."""

    def __init__(self, n_samples: int, end: int, beam_size: int, length_penalty: float) -> None:
        self.end, self.beam_size, self.length_penalty = end, beam_size, length_penalty
        self.sample = np.arange(n_samples)  # of each beginning
        self.log_p = np.zeros(n_samples)
        self.tokens = np.empty((n_samples, 0), np.intp)
        self.found: list[list[Found]] = [[] for _ in range(n_samples)]

    @property
    def last(self) -> Array:
        """The last token of each beginning."""
        return self.tokens[:, -1] if self.tokens.shape[1] else np.full(len(self.sample), self.end)

    def advance(self, log_p: Array, must_end: bool, most: int) -> Array:
        """Go on with the best; the beginnings that they come from."""
        total = self.log_p[:, None] + log_p.astype(np.float64)
        if must_end:
            others = np.arange(total.shape[1]) != self.end
            total[:, others] = -np.inf
        rows, tokens = self._chosen(total)
        values = total[rows, tokens]
        for row, value in zip(rows[tokens == self.end], values[tokens == self.end], strict=True):
            self._finish(row, float(value))
        goes_on = tokens != self.end
        goes_on &= ~self._hopeless(self.sample[rows], values, most)
        rows, tokens = rows[goes_on], tokens[goes_on]
        self.sample, self.log_p = self.sample[rows], values[goes_on]
        self.tokens = np.concatenate([self.tokens[rows], tokens[:, None]], axis=1)
        return rows

    def _chosen(self, total: Array) -> tuple[Array, Array]:
        """Beginnings and next tokens of the best continuations of each sample; of equally good ones the first."""
        rows, tokens = np.nonzero(total > -np.inf)
        order = np.lexsort((-total[rows, tokens], self.sample[rows]))  # stable
        rows, tokens = rows[order], tokens[order]
        samples = self.sample[rows]
        rank = np.arange(len(rows)) - np.searchsorted(samples, samples)
        return rows[rank < self.beam_size], tokens[rank < self.beam_size]

    def _finish(self, row: int, log_p: float) -> None:
        tokens = self.tokens[row].tolist()
        score = log_p / (len(tokens) + 1) ** self.length_penalty
        self.found[self.sample[row]].append(Found(tokens, log_p, score))

    def _hopeless(self, samples: Array, log_p: Array, most: int) -> Array:
        """Which beginnings cannot get better than what was found: log p only falls, and no sequence is longer."""
        worst = np.full(len(self.found), -np.inf)
        for sample in np.unique(samples):
            if len(self.found[sample]) >= self.beam_size:
                worst[sample] = sorted(each.score for each in self.found[sample])[-self.beam_size]
        return log_p / most**self.length_penalty <= worst[samples]

    def best(self) -> list[list[Found]]:
        return [sorted(each, key=lambda one: -one.score)[: self.beam_size] for each in self.found]
