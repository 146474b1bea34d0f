"""What is known of a sample and what is not: masks in the training of diffusion models, and gaps that they fill.

A model that imputes is trained to do so: of a sample it is shown some values as they are, and learns to take the noise
from the others. So it has the score of what is missing given what is known. To put known values back into the steps of
a model that has not learnt this is no substitute: it draws from another distribution, however many steps are taken.
"""

from __future__ import annotations

from copy import copy
from typing import Any, NamedTuple

import numpy as np

from ...autodiff.tape import Array
from ...nn.draws import Draws
from ...template.scaling import Scaling
from .pictures import read_pictures

KNOWN, NOISY, ABSENT = 1.0, 0.0, -1.0  # the roles that values play
ALL_NOISY = 0.25  # the share of samples of which nothing is shown in training, so that whole ones are learnt as well


class Gapped(NamedTuple):
    """Samples of which some values are known.

    Attributes
    ----------
    values : ndarray of shape (n, ...)
        With 0 where there is none.
    roles : ndarray of shape (n, ...)
        `KNOWN`, `NOISY` or `ABSENT`.
    """

    values: Array
    roles: Array

    def shown(self, x: Array) -> Array:
        """Noisy values x, but known ones as they are, and 0 where there is none."""
        return np.where(self.roles == NOISY, x, self.values)


def masked(x: Array, missing: float, draws: Draws) -> Gapped:
    """Samples with some of their values hidden, to be learnt: of each at least one.

    A quarter of the samples is hidden as a whole. Of each of the others a share s is, drawn anew with mean `missing`:
    s = u^((1 - m) / m), u uniform. Values that are NaN are neither known nor learnt.
    """
    values, one_each = tuple(range(1, x.ndim)), (len(x), *[1] * (x.ndim - 1))
    share = draws.uniform(one_each) ** ((1.0 - missing) / missing)
    share[draws.uniform(one_each) < ALL_NOISY] = 1.0
    order, absent = draws.uniform(x.shape), np.isnan(x)
    order[absent] = 2.0
    roles = np.where(order <= np.maximum(share, order.min(axis=values, keepdims=True)), NOISY, KNOWN).astype(x.dtype)
    roles[absent] = ABSENT
    return Gapped(np.where(absent, x.dtype.type(0.0), x), roles)


def to_fill(x: Array) -> Gapped:
    """Samples of which NaN is to be found."""
    gaps = np.isnan(x)
    roles = np.where(gaps, NOISY, KNOWN).astype(x.dtype)
    return Gapped(np.where(gaps, x.dtype.type(0.0), x), roles)


def hidden(x: Array) -> Gapped:
    """Samples of which nothing is known; values that are NaN do not count."""
    absent = np.isnan(x)
    roles = np.where(absent, ABSENT, NOISY).astype(x.dtype)
    return Gapped(np.where(absent, x.dtype.type(0.0), x), roles)


def read_with_gaps(estimator: Any, X: Any, fresh: bool) -> Array:
    """X as :func:`read_pictures` reads it, with NaN where something is missing."""
    if estimator.filters is None:
        return read_pictures(estimator, X, fresh)
    X = np.asarray(X)
    gaps = np.isnan(X) if X.dtype.kind == "f" else np.zeros(X.shape, bool)
    x = read_pictures(estimator, np.where(gaps, 0, X), fresh)
    return np.where(gaps.reshape(x.shape), x.dtype.type(np.nan), x)


def scaling_of_known(x: Array, weight: Array | None) -> Scaling:
    """What standardises each column of rows, from the values that are known."""
    columns: list[Scaling] = []
    for values in x.T:
        known = ~np.isnan(values)
        if not known.any():
            raise ValueError(f"column {len(columns)} of X (counted from 0) holds nothing but NaN")
        columns.append(Scaling([(values[known][:, None], None if weight is None else weight[known])]))
    whole = copy(columns[0])
    whole.mean, whole.scale = (np.concatenate([getattr(each, name) for each in columns]) for name in ("mean", "scale"))
    whole.fits_single = all(each.fits_single for each in columns)
    return whole
