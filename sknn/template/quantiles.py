"""Numbers of a table by their ranks: what is far out is no further than its share of the samples says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtri

from ..autodiff.tape import Array
from .inputs import BLOCK
from .samples import Samples

POINTS = 1000  # of each curve at most


class NormalQuantiles:
    """Each number as the normal quantile of its share of smaller ones: z = Phi^-1(F(x)).

    F is the distribution function of the samples that it was made from, with half of the weight of equal ones, and
    linear in z between them; beyond the smallest and the largest it ends. NaN stays.

    Parameters
    ----------
    samples : Samples
        Rows of numbers, with their weights.
    columns : sequence of int
        Those that are transformed; the others stay.

    Attributes
    ----------
    curves : list of (ndarray, ndarray)
        For each of the columns, values and their quantiles.
    """

    kind: ClassVar[str | None] = "quantiles"

    def __init__(self, samples: Samples, columns: Sequence[int]) -> None:
        self.columns = [int(column) for column in columns]
        batches = [samples.take(rows) for rows in samples.blocks(BLOCK)]
        weight = np.concatenate([_weight(batch) for batch in batches])
        self.curves = [
            _curve(np.concatenate([batch.x[:, column] for batch in batches]), weight) for column in self.columns
        ]

    def __call__(self, x: Array) -> Array:
        """Transformed x, in its precision."""
        found = x.copy()
        for column, (values, quantiles) in zip(self.columns, self.curves, strict=True):
            found[:, column] = np.interp(x[:, column], values, quantiles)  # NaN for NaN
        return found


def _weight(batch: Any) -> Array:
    return np.ones(len(batch.x)) if batch.weight is None else batch.weight


def _curve(values: Array, weight: Array) -> tuple[Array, Array]:
    """Values, each once, and their normal quantiles."""
    known = ~np.isnan(values)
    if not known.any():
        return np.zeros(1), np.zeros(1)
    each, index = np.unique(values[known].astype(np.float64), return_inverse=True)
    share = np.bincount(index, weight[known])
    level = (np.cumsum(share) - 0.5 * share) / share.sum()
    if len(each) > POINTS:
        wanted = np.linspace(0, len(each) - 1, POINTS).round().astype(np.intp)
        each, level = each[wanted], level[wanted]
    return each, ndtri(level)
