"""A log of learning rates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from .observer import Key, Training
from .training_callback import TrainingCallback


@dataclass
class LearningRateLog:
    """The learning rates of one fit.

    Attributes
    ----------
    run_id : UUID
        Of the outermost fit, for example that of a search.
    task_id_path : tuple of int
        The way from there to this fit in the tree of its tasks.
    estimator_name : str
        The class of the network.
    rates : list of float
        The rate with which each epoch began.
    """

    run_id: UUID
    task_id_path: tuple[int, ...]
    estimator_name: str
    rates: list[float] = field(default_factory=list)


@dataclass
class _Logged:
    training: Training
    log: LearningRateLog


class LearningRateLogger(TrainingCallback):
    """Keeps the learning rate of every epoch.

    ``lbfgs`` and the perceptron rule have no learning rate that changes; for them there is nothing to log. Fits in
    worker processes (``n_jobs``) log into the workers' copies of this object.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.callbacks import LearningRateLogger
    >>> logger = LearningRateLogger()
    >>> model = MLPClassifier(learning_rate="cosine", learning_rate_init=0.01, max_iter=4, random_state=0)
    >>> _ = model.set_callbacks(logger).fit(*load_iris(return_X_y=True))
    >>> [round(rate, 4) for rate in logger.get_logs().rates]
    [0.01, 0.0085, 0.005, 0.0015]
    """

    def __init__(self) -> None:
        super().__init__()
        self._logs: list[LearningRateLog] = []

    def training_begins(self, key: Key, training: Training) -> None:
        if training.loop is not None and not all(stage.searches for stage in training.loop.stages):
            log = LearningRateLog(*key, type(training.estimator).__name__)
            self._fits[key] = _Logged(training, log)
            self._logs.append(log)

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        logged = self._of_epoch(context)
        if logged is not None and not logged.training.loop.stage.searches:
            logged.log.rates.append(logged.training.loop.rate_at(logged.training.loop.state.samples))

    def get_logs(self, select: str = "most_recent") -> Any:
        """The rates of the most recent fit, or of all.

        Parameters
        ----------
        select : {"most_recent", "all"}, default="most_recent"
            Which fits.

        Returns
        -------
        logs : LearningRateLog, or list of LearningRateLog

        Raises
        ------
        ValueError
            If nothing was logged yet, or `select` is something else.
        """
        if select not in ("most_recent", "all"):
            raise ValueError(f"select must be 'most_recent' or 'all'; got {select!r}")
        if not self._logs:
            raise ValueError(
                "there are no logs yet: set this callback on a network with a stochastic solver and fit it"
            )
        return list(self._logs) if select == "all" else self._logs[-1]

    def memory(self, key: Key) -> dict[str, Any]:
        return {"rates": list(self._fits[key].log.rates)}

    def recall(self, key: Key, memory: dict[str, Any]) -> None:
        self._fits[key].log.rates[:] = memory["rates"]
