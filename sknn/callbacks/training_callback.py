"""What the callbacks of sknn share."""

from __future__ import annotations

from typing import Any

from ..description import is_integer
from ..train import Outcome
from .observer import Key, Training, key_of


class TrainingCallback:
    """What the callbacks of sknn share: a state for each fit, which ends with it."""

    def __init__(self) -> None:
        self._fits: dict[Key, Any] = {}

    def setup(self, estimator: Any, context: Any) -> None:
        """Refuse estimators that are no networks; called by scikit-learn."""
        if not hasattr(estimator, "_new_observer"):
            name = type(self).__name__
            raise TypeError(
                f"{name} is a callback of sknn's networks, got {type(estimator).__name__}: set it on the network "
                f"inside, as in make_pipeline(StandardScaler(), MLPClassifier().set_callbacks({name}(...)))"
            )

    def teardown(self, estimator: Any, context: Any) -> None:
        """Forget the fit; called by scikit-learn."""
        self._fits.pop(key_of(context), None)

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Called by scikit-learn before the fit and before each epoch."""

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        """Called by scikit-learn after each epoch and after the fit."""
        return False

    def training_begins(self, key: Key, training: Training) -> None:
        """All is ready for the first epoch."""

    def resume(self, key: Key) -> Outcome | None:
        """Set the training to an earlier one; how it ended, if it did."""

    def epoch_comes(self, key: Key) -> None:
        """Another epoch will begin; all callbacks have seen the last one, and none has seen this one."""

    def training_ends(self, key: Key, outcome: Outcome) -> None:
        """All epochs are done; weights may still be changed."""

    def memory(self, key: Key) -> dict[str, Any]:
        """What a resume needs of the state of a fit: numbers, strings, lists and arrays, by name."""
        return {}

    def recall(self, key: Key, memory: dict[str, Any]) -> None:
        """Set the state of a fit to what `memory` gave."""

    def _of_epoch(self, context: Any) -> Any:
        """The state of the fit that an epoch belongs to; None if the task is no epoch."""
        return None if context.parent is None else self._fits.get(key_of(context.parent))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_fits": {}}


def positive(name: str, value: Any) -> int:
    if not is_integer(value) or value <= 0:
        raise ValueError(f"{name} must be a positive integer; got {value!r}")
    return int(value)
