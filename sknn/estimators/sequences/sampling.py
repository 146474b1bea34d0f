"""Drawing sequences token by token: from all tokens, or the most probable ones, at a temperature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...autodiff.tape import Array


def next_probabilities(raw: Array, temperature: float = 1.0, top_k: int | None = None) -> Array:
    """What tokens are drawn with: p_k proportional to exp(raw_k / temperature), of the `top_k` largest alone.

    Parameters
    ----------
    raw : ndarray of shape (n, n_tokens)
        Raw outputs; -inf excludes a token.
    temperature : float, default=1.0
        0: the most probable token, of several the first.
    top_k : int, default=None
        How many tokens may be drawn; of equally probable ones the first. None: all.

    Returns
    -------
    probability : ndarray of shape (n, n_tokens)
        In double precision.

    Examples
    --------
    >>> import numpy as np
    >>> next_probabilities(np.log([[1.0, 2.0, 1.0]]), top_k=2).round(3)
    array([[0.333, 0.667, 0.   ]])
    >>> next_probabilities(np.log([[1.0, 2.0, 1.0]]), temperature=0.5).round(3)
    array([[0.167, 0.667, 0.167]])
    """
    raw = raw.astype(np.float64)
    if temperature == 0:
        top_k, temperature = 1, 1.0
    if top_k is not None and top_k < raw.shape[1]:
        others = np.argsort(-raw, axis=1, kind="stable")[:, top_k:]
        np.put_along_axis(raw, others, -np.inf, axis=1)
    raw -= raw.max(axis=1, keepdims=True)  # so that no quotient overflows
    probability = np.exp(raw / temperature)  # SciPy's softmax takes longer than a small network takes for the step
    return probability / probability.sum(axis=1, keepdims=True)


def drawn(probability: Array, uniform: Array) -> Array:
    """A token for each row: that whose stretch of the unit interval a number lies in.

    Parameters
    ----------
    probability : ndarray of shape (n, n_tokens)
        Those of no probability are never drawn.
    uniform : ndarray of shape (n,)
        At least 0 and less than 1.
    """
    ends = np.cumsum(probability, axis=1)
    tokens = (ends <= (uniform * ends[:, -1])[:, None]).sum(axis=1)
    last = probability.shape[1] - 1 - (probability[:, ::-1] > 0).argmax(axis=1)
    return np.minimum(tokens, last)  # the last end may be rounded


def draw_sequences(
    steps: Any,
    probability: Callable[[Array], Array],
    n_samples: int,
    begin: list[int],
    end: int,
    max_length: int,
    rng: np.random.RandomState,
) -> list[list[int]]:
    """Sequences that go on with a beginning until they end, or have so many tokens.

    Parameters
    ----------
    steps : Stepping
        To which nothing has been added yet; of one sequence.
    probability : callable
        Of the next tokens, from raw outputs.
    n_samples : int
        How many.
    begin : list of int
        What all begin with.
    end : int
        The token that ends them, and stands in front of the first.
    max_length : int
        How many tokens they have at most, the end not counted.
    rng : RandomState
        One number for each sequence and step, whether it has ended or not.
    """
    found = [list(begin) for _ in range(n_samples)]
    alive = np.arange(n_samples)
    raw = steps(np.array([[end, *begin]])).repeat(n_samples, axis=0)
    steps = steps.take(np.zeros(n_samples, np.intp))
    for n_tokens in range(len(begin) + 1, max_length + 1):
        tokens = drawn(probability(raw), rng.random_sample(n_samples)[alive])
        goes_on = np.flatnonzero(tokens != end)
        if len(goes_on) < len(alive):
            alive, tokens, steps = alive[goes_on], tokens[goes_on], steps.take(goes_on)
        for sequence, token in zip(alive, tokens, strict=True):
            found[sequence].append(int(token))
        if not len(alive) or n_tokens == max_length:
            break
        raw = steps(tokens[:, None])
    return found
