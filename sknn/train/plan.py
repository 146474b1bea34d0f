"""How to train: the settings of one stage, none of which changes while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from ..schedules import Constant, Schedule

CONSTANT = Constant()


@dataclass(frozen=True)
class Plan:
    """The settings of one stage.

    Parameters
    ----------
    batch_size : int
        Samples in a batch; the last of an epoch may be smaller.
    max_epochs : int
        How often to go through the data at most; of a search, its iterations.
    learning_rate_init : float, default=0.001
        The learning rate that the schedule starts from.
    schedule : Schedule, default=Constant()
        What becomes of it.
    alpha : float, default=0.0
        The strength of the L2 penalty, alpha / 2 times the sum of squared weights over the weight of a batch.
    clip_norm : float, default=None
        The largest norm of the gradient of the mean loss (without the penalty); longer ones are scaled down.
    shuffle : bool, default=True
        Take the samples in a new order in each epoch.
    tol : float, default=1e-4
        By less than this is no improvement; of a search, the largest component of the gradient at a minimum.
    n_iter_no_change : float, default=10
        Stop (or slow down) after more epochs than this without improvement.
    once : bool, default=False
        Go through the data once in this call, as one of many; `max_epochs` is then only what schedules count with.
    early_stopping : bool, default=True
        Let the validation score, where there is one, decide when to stop, and restore the best weights; otherwise the
        training loss decides, and what validation says is only recorded.
    """

    batch_size: int
    max_epochs: int
    learning_rate_init: float = 1e-3
    schedule: Schedule = CONSTANT
    alpha: float = 0.0
    clip_norm: float | None = None
    shuffle: bool = True
    tol: float = 1e-4
    n_iter_no_change: float = 10
    once: bool = False
    early_stopping: bool = True

    def __post_init__(self) -> None:
        for name in ("learning_rate_init", "alpha", "clip_norm", "tol"):
            value = getattr(self, name)
            if value is not None:  # as Python's, for which no precision is lost or gained
                object.__setattr__(self, name, float(value))
