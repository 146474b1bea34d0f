"""The fit loop: stages one after the other, phases by turns, epochs, batches, and the history of all that.

What is minimised is an objective, a function of the watched networks, a batch and draws (:class:`Phase`). What is
trained by turns are the phases of one :class:`Stage`; what follows one another are several stages. A stage walks down
a gradient batch by batch or searches for the minimum of all data at once. Whatever a later call needs to go on where
this one stopped lies in one :class:`TrainingState`.
"""

from .descent import GradientDescent, train
from .loop import FitLoop, Observer, Validate
from .plan import Plan
from .side_by_side import Training, go_side_by_side, train_side_by_side
from .stages import Phase, Stage
from .state import Outcome, TrainingState, Verdict

__all__ = [
    "FitLoop",
    "GradientDescent",
    "Observer",
    "Outcome",
    "Phase",
    "Plan",
    "Stage",
    "Training",
    "TrainingState",
    "Validate",
    "Verdict",
    "go_side_by_side",
    "train",
    "train_side_by_side",
]
