"""What several predictions say together, and how far they are apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import entr

from ...autodiff.tape import Array

KINDS = ("epistemic", "noise", "total")


def mean(draws: Array, weights: Sequence[float] | None = None) -> Array:
    """The mean over the first axis; where all are the same it is theirs, to the bit."""
    first = draws[0]
    return (first + np.average(draws - first, axis=0, weights=weights)).astype(draws.dtype, copy=False)


def spread(draws: Array, weights: Sequence[float] | None = None) -> Array:
    """The standard deviation over the first axis, that of a mixture of points; where all are the same it is 0."""
    return np.sqrt(mean(np.square(draws - mean(draws, weights)), weights))


def in_nats(probability: Array, kind: str, weights: Sequence[float] | None = None) -> Array:
    """How unsure several distributions of a class are together.

    Parameters
    ----------
    probability : ndarray of shape (n_draws, n, n_classes)
        Each draw's.
    kind : {"epistemic", "noise", "total"}
        The entropy of the mean ("total"), the mean of the entropies ("noise"), or the difference of both
        ("epistemic"): the mutual information of class and draw, 0 where all draws are the same.
    weights : sequence of float of length n_draws, default=None
        How much each draw counts.

    Returns
    -------
    nats : ndarray of shape (n,)

    Raises
    ------
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> draws = np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]])
    >>> [in_nats(draws, kind).round(2).tolist() for kind in ("epistemic", "noise", "total")]
    [[0.69, 0.0], [0.0, 0.69], [0.69, 0.69]]
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} is unknown; choose one of {', '.join(map(repr, KINDS))}")
    draws = probability.astype(np.float64)  # what is subtracted is small
    total = entr(mean(draws, weights)).sum(axis=-1)
    noise = mean(entr(draws).sum(axis=-1), weights)
    nats = {"epistemic": np.maximum(total - noise, 0.0), "noise": noise, "total": total}[kind]
    return nats.astype(probability.dtype, copy=False)


def in_columns(draws: Array) -> Array:
    """What draws say of each sample in a row, (n, n_draws * numbers of each), draw by draw."""
    return np.moveaxis(draws, 0, 1).reshape(draws.shape[1], -1)
