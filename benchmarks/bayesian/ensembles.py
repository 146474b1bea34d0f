"""An ensemble as users fit it, beside its members one after the other, and PyTorch's."""

from __future__ import annotations

from dataclasses import dataclass

from sknn import EnsembleRegressor

from ..core.members import IN_TURN, Members, bits_apart, losses_of, quietly
from ..core.rows import Task, beside_pytorch, milliseconds
from ..measure import Goal, Measurement


@dataclass(frozen=True)
class Ensemble(Members):
    """The fit of an `EnsembleRegressor`, whose members are left as fits in turn leave them, to the bit."""

    activation: str = "tanh"

    def sknn(self) -> Task:
        return quietly(lambda: losses_of(EnsembleRegressor(self.estimators()).fit(*self.data()).estimators_))


MEASUREMENTS = [
    Measurement(
        "bayesian",
        "ensemble of five 8-50-1",
        "ms",
        Ensemble(),
        milliseconds,
        (Goal((IN_TURN,), 0.4, kernels="compiled"), beside_pytorch(0.25)),
        check=bits_apart,
    )
]
