"""Callbacks in scikit-learn's own protocol (``sklearn.callback``), and what tells callbacks of a fit.

Every estimator of sknn takes callbacks by ``set_callbacks``: scikit-learn's ``ProgressBar`` and ``ScoringMonitor``,
those of this module, and any other that follows the protocol. Each epoch (of L-BFGS each iteration) is a subtask of the
fit; a callback whose ``on_fit_task_end`` returns True there ends the training. ``partial_fit``, where the loop is the
caller's own, calls none.

Those of this module look into the training, so they are set on the network itself, not on a search or a pipeline around
it. What they remember belongs to one fit; one object may serve in many, one after the other or at the same time.
"""

from __future__ import annotations

from .checkpoint import Checkpoint
from .early_stopping import EarlyStopping
from .fingerprints import fingerprint
from .learning_rate import LearningRateLog, LearningRateLogger
from .observer import FitObserver, Training
from .training_callback import TrainingCallback

__all__ = [
    "Checkpoint",
    "EarlyStopping",
    "FitObserver",
    "LearningRateLog",
    "LearningRateLogger",
    "Training",
    "TrainingCallback",
    "fingerprint",
]
