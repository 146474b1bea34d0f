"""What a training leaves from one epoch, one call, one process to the next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from math import inf
from typing import Any, NamedTuple

from ..autodiff.tape import Array


class Verdict(NamedTuple):
    """What validation says of the network after an epoch: a score, larger is better, and the loss."""

    score: float
    loss: float


class Outcome(Enum):
    """Why training ended."""

    CONVERGED = "converged"
    EPOCHS_DONE = "all epochs done"
    DIVERGED = "diverged"
    STOPPED = "stopped by the observer"
    INTERRUPTED = "interrupted"


@dataclass
class TrainingState:
    """All that training needs, besides the networks and the order of samples' generator, to go on where it stopped.

    Parameters
    ----------
    seed : int, default=0
        Of all draws, which depend on it, on the phase and on `steps` alone.
    steps : int, default=0
        Batches seen, over all stages and calls.
    stage : int, default=0
        The number of the present stage; when it began, `stage_epochs` epochs and `stage_samples` samples were done.
    runs : dict
        What the optimizer of each phase of this stage keeps, by the phase's name.
    averages : dict
        The averaged parameters of each phase that averages.
    work : dict
        The multiplications that the objective of each phase takes for a sample, counted in its first step: threads
        follow from it, so that a fit that goes on decides alike.
    """

    seed: int = 0
    steps: int = 0
    stage: int = 0
    stage_epochs: int = 0
    stage_samples: int = 0
    runs: dict[str, Any] = field(default_factory=dict)
    averages: dict[str, Array] = field(default_factory=dict)
    work: dict[str, float] = field(default_factory=dict)
    epochs: int = 0
    samples: int = 0
    stalls: int = 0
    epochs_without_improvement: int = 0
    best_loss: float = inf
    best_score: float = -inf
    best_theta: Array | None = None
    best_state: Array | None = None
    raw_theta: Array | None = None  # with which training goes on in a later call, where the average of it was kept
    order: Array | None = None  # of the samples, shuffled again by each epoch
    loss_curve: list[float] = field(default_factory=list)
    loss_curves: dict[str, list[float]] = field(default_factory=dict)  # of phases and terms, where there are several
    validation_scores: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)

    def of_what_goes_on(self) -> TrainingState:
        """Without what a later call begins anew: the best so far, the order of samples, the curves."""
        best: dict[str, Any] = {"best_theta": None, "best_state": None}
        curves: dict[str, Any] = {"loss_curve": [], "loss_curves": {}, "validation_scores": [], "validation_losses": []}
        return replace(self, order=None, **best, **curves)

    def begin_stage(self, number: int) -> None:
        """Forget what belongs to the stage before: what optimizers keep, averages, and what was best there."""
        self.stage, self.stage_epochs, self.stage_samples = number, self.epochs, self.samples
        self.runs, self.averages, self.work = {}, {}, {}
        self.stalls = self.epochs_without_improvement = 0
        self.best_loss, self.best_score = inf, -inf
        self.best_theta = self.best_state = self.raw_theta = None
