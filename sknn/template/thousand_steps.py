"""How long the families train whose networks learn by a number of steps: by 1,000 of them, whatever the data."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from sys import maxsize
from typing import Any

from ..train import Plan
from .parameters import parameter

BATCH_SIZE = parameter(
    default="auto",
    interval="[1, inf)",
    text='Samples in a mini-batch; "auto" is a tenth of them, but at least 16 and at most 64.',
)
MAX_ITER = parameter(
    default="auto",
    interval="[1, inf)",
    text='Most epochs; "auto" is as many as make 1,000 steps, but at least 20 and at most 150. For L-BFGS most '
    "iterations, for schedules where they end.",
)
STEPS, FEWEST, MOST, SMALLEST, LARGEST = 1000, 20, 150, 16, 64


def planned(
    estimator: Any,
    plan: Plan,
    n_samples: int,
    *,
    steps: int = STEPS,
    fewest: int = FEWEST,
    most: int = MOST,
    smallest: int = SMALLEST,
    largest: int = LARGEST,
) -> Plan:
    """A plan with the size of batches and the number of epochs that "auto" stands for.

    These are as many as make so many `steps`, but not fewer epochs than `fewest` and no more than `most`, of batches
    that are no smaller than `smallest`, if there are as many samples, and no larger than `largest`.
    """
    if estimator.batch_size == "auto":
        plan = replace(plan, batch_size=min(n_samples, max(smallest, min(largest, n_samples // 10))))
    if estimator.max_iter == "auto":
        n_batches = ceil(n_samples / plan.batch_size)
        plan = replace(plan, max_epochs=max(fewest, min(most, ceil(steps / n_batches))))
    if n_samples == maxsize and estimator.max_iter == "auto":  # as long as it is not known, all that there may be
        plan = replace(plan, max_epochs=most)
    return plan
