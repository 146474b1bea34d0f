"""Noise for rows, which follows from what stands in them: the same for a row in any batch and any unit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtri

from ...autodiff.tape import Array
from ...nn.draws import Draws
from ...template.ties import places

TURNS = 10.0  # of the points for a change of a row by one standard deviation: rows that differ have points of their own
N_SEEN = 8  # combinations of its values that say how: with one, rows along a line would share their errors
FARTHEST = 1e15  # standard deviations: sums of what lies beyond might overflow
TINY = 1e-12  # of probability, at either end


def noise_of_rows(x: Array, n: int, k: int) -> Iterator[Array]:
    """Standard normal numbers for rows of x, n times (n_rows, k) in double precision.

    All rows have the same n points, even ones in each of k dimensions (a Latin hypercube), which the row turns round
    the unit cube, by x V W modulo 1 with fixed V and W (Cranley & Patterson 1976), and which are folded there, so that
    nothing jumps. So errors of means over the points differ from row to row, while a row that changes in its last
    digits keeps its points to as many.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> noise = np.stack(list(noise_of_rows(x, 1000, 3)))
    >>> noise.shape, bool(abs(noise.mean(axis=0)).max() < 0.01), bool(abs(noise.std(axis=0) - 1).max() < 0.01)
    ((1000, 2, 3), True, True)
    >>> one, both = (next(noise_of_rows(rows, 1000, 3)) for rows in (x[1:], x))
    >>> bool((one == both[1:]).all())
    True
    """
    draws, rows = Draws(0, "float64"), x.reshape(len(x), -1).astype(np.float64).clip(-FARTHEST, FARTHEST)
    seen = draws.normal((rows.shape[1], N_SEEN)) / np.sqrt(rows.shape[1])
    turning = draws.normal((N_SEEN, k)) * (TURNS / np.sqrt(N_SEEN))
    turns = np.einsum("nf,fk->nk", np.einsum("nd,df->nf", rows, seen), turning)  # a BLAS may round by the batch
    for point in places(n, (k,)):
        folded = 1.0 - np.abs(2.0 * ((point + turns) % 1.0) - 1.0)
        yield ndtri(folded.clip(TINY, 1.0 - TINY))
