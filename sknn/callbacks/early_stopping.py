"""Early stopping by the training loss, by validation, or by a function of the estimator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from numbers import Real
from typing import Any

from ..autodiff.tape import Array
from ..description import checked_flag
from ..train import Outcome, Verdict
from .observer import Key, Training
from .training_callback import TrainingCallback, positive


@dataclass
class _Watch:
    training: Training
    best: float = -inf
    waited: int = 0
    theta: Array | None = None
    state: Array | None = None


class EarlyStopping(TrainingCallback):
    """Ends training when what it watches no longer improves, and restores the best weights.

    With values :math:`v_t` (of a loss its negative) an epoch improves if :math:`v_t > \\max_{s<t} v_s + tol`; training
    ends after more than `n_iter_no_change` epochs in a row that do not. It works beside the estimators' own
    ``early_stopping``, and with L-BFGS, iteration by iteration.

    Parameters
    ----------
    monitor : {"loss", "validation_loss", "validation_score"} or callable, default="loss"
        The training loss; loss or score on validation samples, which the fit must have (`X_val`, or a split by
        ``early_stopping=True``); or a function of the estimator as fitted so far, larger is better, such as
        ``lambda model: f1_score(y_val, model.predict(X_val))``.
    n_iter_no_change : int, default=10
        Training ends after more epochs than this without improvement.
    tol : float, default=0.0
        By no more than this is no improvement.
    restore_best : bool, default=True
        Whether the fit keeps the weights of the best epoch instead of the last.

    Raises
    ------
    ValueError
        If a parameter is out of range; in fit, if there are no validation samples to watch, or for
        ``solver="perceptron"``, whose units are trained one by one.

    References
    ----------
    Prechelt (1998). Early stopping, but when? Neural networks: tricks of the trade. Springer.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> from sknn import MLPClassifier
    >>> from sknn.callbacks import EarlyStopping
    >>> X, X_val, y, y_val = train_test_split(*load_iris(return_X_y=True), random_state=0)
    >>> stopping = EarlyStopping(lambda model: model.score(X_val, y_val), n_iter_no_change=20)
    >>> model = MLPClassifier(learning_rate_init=0.01, random_state=0).set_callbacks(stopping).fit(X, y)
    >>> model.n_iter_ < 200, model.score(X_val, y_val) > 0.9
    (True, True)
    """

    def __init__(
        self,
        monitor: str | Callable[[Any], float] = "loss",
        *,
        n_iter_no_change: int = 10,
        tol: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        super().__init__()
        if not (callable(monitor) or monitor in MONITORS):
            raise ValueError(f"monitor must be a function or one of {sorted(MONITORS)}; got {monitor!r}")
        if isinstance(tol, bool) or not (isinstance(tol, Real) and tol >= 0):
            raise ValueError(f"tol must be a number that is not negative; got {tol!r}")
        self.monitor: str | Callable[[Any], float] = monitor
        self.n_iter_no_change: int = positive("n_iter_no_change", n_iter_no_change)
        self.tol: float = float(tol)
        self.restore_best: bool = checked_flag("restore_best", restore_best)

    def training_begins(self, key: Key, training: Training) -> None:
        if not training.by_gradient:
            raise ValueError("EarlyStopping needs a loss that is minimised; solver='perceptron' has none")
        if self.monitor in ("validation_loss", "validation_score") and training.verdict is None:
            raise ValueError(
                f"EarlyStopping(monitor={self.monitor!r}) needs validation samples: give X_val and y_val to fit, or "
                "use a stochastic solver with early_stopping=True, or give a function as monitor"
            )
        self._fits[key] = _Watch(training)

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        watch = self._of_epoch(context)
        if watch is None:
            return False
        value = self._value(watch.training)
        improved = value > watch.best + self.tol
        watch.waited = 0 if improved else watch.waited + 1
        if improved:
            watch.best = value
            if self.restore_best:
                training = watch.training
                watch.theta, watch.state = training.loop.theta_in_use().copy(), training.network.state.copy()
        return watch.waited > self.n_iter_no_change

    def training_ends(self, key: Key, outcome: Outcome) -> None:
        watch = self._fits[key]
        if watch.theta is not None:
            watch.training.network.theta[:], watch.training.network.state[:] = watch.theta, watch.state

    def memory(self, key: Key) -> dict[str, Any]:
        watch = self._fits[key]
        return {name: getattr(watch, name) for name in ("best", "waited", "theta", "state")}

    def recall(self, key: Key, memory: dict[str, Any]) -> None:
        vars(self._fits[key]).update(memory)

    def _value(self, training: Training) -> float:
        if callable(self.monitor):
            value = self.monitor(training.fitted_estimator())
            try:
                return float(value)
            except (TypeError, ValueError):
                raise ValueError(f"monitor={self.monitor!r} must give a number, got {value!r}") from None
        return MONITORS[self.monitor](training)


def _verdict(training: Training) -> Verdict:
    assert training.verdict is not None
    return training.verdict()


MONITORS: dict[str, Callable[[Training], float]] = {
    "loss": lambda training: -training.last_loss,
    "validation_loss": lambda training: -_verdict(training).loss,
    "validation_score": lambda training: _verdict(training).score,
}
