"""Noise for rows, which follows from what stands in them: the same for a row in any batch and any unit."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from ...autodiff.tape import Array
from ...nn.draws import Draws

TURNS = 10.0  # of the points for a change of a row by one standard deviation: rows that differ have points of their own
TINY = 1e-12  # of probability, at either end


def noise_of_rows(x: Array, n: int, k: int) -> Array:
    """Standard normal numbers (n_rows, n, k): n points in k dimensions for each row of x, in its precision.

    All rows have the same points, even ones in each dimension (a Latin hypercube), which the row turns round the unit
    cube, by x W modulo 1 with a fixed W (Cranley & Patterson 1976), and which are folded there, so that nothing jumps.
    So errors of means over the points differ from row to row, while a row that changes in its last digits keeps its
    points to as many.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> noise = noise_of_rows(x, 1000, 3)
    >>> noise.shape, bool(abs(noise.mean(axis=1)).max() < 0.01), bool(abs(noise.std(axis=1) - 1).max() < 0.01)
    ((2, 1000, 3), True, True)
    >>> bool((noise_of_rows(x[1:], 5, 3) == noise_of_rows(x, 5, 3)[1:]).all())
    True
    """
    draws = Draws(0, "float64")
    points = np.stack([draws.permutation(n) for _ in range(k)], axis=1) / n
    rows = x.reshape(len(x), -1).astype(np.float64)
    directions = draws.normal((rows.shape[1], k)) * (TURNS / np.sqrt(rows.shape[1]))
    turned = (points + (rows @ directions)[:, None]) % 1.0
    folded = 1.0 - np.abs(2.0 * turned - 1.0)
    noise: Array = ndtri(folded.clip(TINY, 1.0 - TINY)).astype(x.dtype)
    return noise
