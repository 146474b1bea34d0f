"""Whether a generator has collapsed: what it draws, held against real rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning

from ...autodiff.tape import Array

NEIGHBOURS = 5  # of a real row: what lies nearer than the last of them is near
LEAST_SPREAD, LEAST_COVERAGE, LEAST_LOSS = 0.5, 0.5, 0.02


def spread(fake: Array, real: Array) -> float:
    """The standard deviation of generated rows around their mean, in that of the real ones.

    Examples
    --------
    >>> spread(np.array([[1.0], [2.0]]), np.array([[-4.0], [4.0]]))
    0.125
    """
    deviations = [float(np.sqrt(rows.var(axis=0, dtype=np.float64).sum())) for rows in (fake, real)]
    return deviations[0] / deviations[1] if deviations[1] else 1.0


def coverage(fake: Array, real: Array) -> float:
    """The share of real rows with a generated one no farther than their fifth nearest real neighbour.

    It counts what a generator leaves out (Naeem, Oh, Uh, Choi, Yoo 2020). Real rows have .97 of others.

    Examples
    --------
    >>> real = np.repeat([[0.0], [9.0]], 6, axis=0)
    >>> coverage(np.zeros((12, 1)), real)
    0.5
    """
    n_neighbours = min(NEIGHBOURS, len(real) - 1)
    near = np.partition(cdist(real, real), n_neighbours, axis=1)[:, n_neighbours]  # the nearest is the row itself
    return float((cdist(real, fake).min(axis=1) <= near).mean())


def warn_of_collapse(fake: Array, real: Array, critic_loss: float) -> None:
    """Tell in a ConvergenceWarning what of collapse is seen, and its cause.

    Parameters
    ----------
    fake, real : ndarray of shape (n, n_features)
        As many generated rows as real ones.
    critic_loss : float
        Of the last epoch, without the penalty; NaN where it has no lower bound.
    """
    seen = list(_signs(fake, real, critic_loss))
    if seen:
        warnings.warn(
            f"The generator has collapsed, or has not learnt yet: {'; '.join(seen)}. More steps (max_iter), a larger "
            "penalty, packing=2 or more, or another learning_rate_init may help.",
            ConvergenceWarning,
            stacklevel=2,
        )


def _signs(fake: Array, real: Array, critic_loss: float) -> Iterator[str]:
    share, covered = spread(fake, real), coverage(fake, real)
    if share < LEAST_SPREAD:
        yield f"generated rows spread {share:.2f} times as far as real ones"
    if covered < LEAST_COVERAGE:
        yield f"{1 - covered:.0%} of the real rows have no generated row as near as their fifth real neighbour"
    if critic_loss < LEAST_LOSS:
        yield (
            f"the critic tells all generated rows from real ones (its loss is {critic_loss:.2g}), so that it does not "
            "say what would pass"
        )
