"""What several predictions of numbers say: how far they are apart, and as columns for another estimator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...autodiff.tape import Array
from ...posteriors import mean_of_draws


def spread(draws: Array, weights: Sequence[float] | None = None) -> Array:
    """The standard deviation over the first axis, that of a mixture of points; where all are the same it is 0."""
    return np.sqrt(mean_of_draws(np.square(draws - mean_of_draws(draws, weights)), weights))


def in_columns(draws: Array) -> Array:
    """What draws say of each sample in a row, (n, n_draws * numbers of each), draw by draw."""
    return np.moveaxis(draws, 0, 1).reshape(draws.shape[1], -1)
