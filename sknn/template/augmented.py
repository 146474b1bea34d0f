"""Augmentation as a parameter: batches of training are changed at random, those of validation are what they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..augment import AUGMENTATIONS, augmented
from ..nn.draws import Draws
from .parameters import parameter
from .samples import Batch

AUGMENT = parameter(
    default=None,
    named=AUGMENTATIONS,
    text="How samples are changed at random in training, anew each time that they are seen, after scaling: a name, a "
    "description of :mod:`sknn.augment` such as ``Shift(0.2)``, or several in a list; None: not at all. Searches find "
    '``augment__by`` or, in a list, ``augment__0__by``. Not for "lbfgs".',
)


def augmented_batch(estimator: Any, batch: Batch, draws: Draws, maps: bool = False) -> Batch:
    """A batch (n, *grid, channels) as training sees it, for the `_batch` of a family that has ``augment``.

    Parameters
    ----------
    estimator : Estimator
        Its ``augment`` says how.
    batch : Batch
        Inputs as the network gets them.
    draws : Draws
        Those of the batch.
    maps : bool, default=False
        Whether the targets lie at the positions of x and move along. Positions that come in from outside then count for
        nothing; a batch of which nothing else would count stays as it is.
    """
    if estimator.augment is None:
        return batch
    if not maps:
        return batch._replace(x=augmented(batch.x, estimator.augment, draws).x)
    known = () if batch.weight is None else (batch.weight,)
    x, (y, *weights), inside = augmented(batch.x, estimator.augment, draws, batch.y, *known)
    if inside is None:
        return batch._replace(x=x)
    weight = inside.astype(np.float64) if batch.weight is None else weights[0] * inside
    return batch._replace(x=x, y=y, weight=weight) if weight.any() else batch
