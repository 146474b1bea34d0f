"""What is trained by turns, and what follows one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .plan import Plan


@dataclass(frozen=True)
class Phase:
    """One objective and the parts of the networks that it trains.

    Parameters
    ----------
    objective : callable
        Called as ``objective(nets, batch, draws)`` in training and validation alike; returns values of shape (n,), one
        for each sample (or position), which are averaged with the weights of the batch; a scalar, which is a mean
        already; or a dict of such terms, which are added up. A term may be ``(factor, value)``: factor times value is
        minimised, and value recorded.
    parts : sequence of str, default=()
        The parts that it trains, side by side in theta; (): all. Others are applied as in evaluation, but gradients go
        through them.
    every : int, default=1
        It takes part in steps every, 2 every, ... counted over the whole fit, after the phases before it.
    optimizer : optimizer, default=None
        None: the solver of the stage.
    name : str, default="loss"
        Of its curve.
    rate : float, default=1.0
        A factor on the learning rate.
    clip_norm : float or None, default=None
        As in :class:`Plan`, for this phase alone; None: that of the plan.
    averaging : float, default=0.0
        Above 0, the parameters are averaged over the steps, average = d average + (1 - d) theta, with d rising to
        `averaging` as (1 + t) / (10 + t) does in step t. The average is validated, restored and kept; training goes on
        with theta.

    Raises
    ------
    ValueError
        If `every` is less than 1, or `averaging` is not in [0, 1).

    References
    ----------
    Polyak, Juditsky (1992). Acceleration of stochastic approximation by averaging. SIAM J. Control Optim. 30.
    """

    objective: Callable[..., Any]
    parts: Sequence[str] = ()
    every: int = 1
    optimizer: Any = None
    name: str = "loss"
    rate: float = 1.0
    clip_norm: float | None = None
    averaging: float = 0.0

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"every={self.every!r} must be at least 1: in which steps the phase takes part")
        if not 0 <= self.averaging < 1:
            raise ValueError(f"averaging={self.averaging!r} must be at least 0 and less than 1")


@dataclass(frozen=True)
class Stage:
    """Phases that are trained by turns, by one plan.

    Parameters
    ----------
    phases : sequence of Phase
        In the order in which they take part in a step. The loss of the first is that of the loss curve.
    plan : Plan
        How to train.
    solver : optimizer or LBFGS, default=None
        A description: an optimizer walks down the gradient, batch by batch; L-BFGS searches over all samples at once,
        with the same draws in every evaluation. None: every phase has an optimizer of its own.

    Raises
    ------
    ValueError
        If two phases have one name, the first is not trained in every step, or a search has several phases.
    """

    phases: Sequence[Phase]
    plan: Plan
    solver: Any = None

    def __post_init__(self) -> None:
        names = [phase.name for phase in self.phases]
        if len(set(names)) < len(names):
            raise ValueError(f"phases need names of their own, got {names}")
        if self.phases and self.phases[0].every > 1:
            raise ValueError(
                f"the first phase gives the loss curve and takes part in every step, got every={self.phases[0].every}"
            )
        if self.searches and len(names) != 1:
            raise ValueError(f"a search has one phase, got {names}")

    @property
    def searches(self) -> bool:
        """Whether it looks for the minimum of all data at once."""
        return self.solver is not None and not self.solver.is_stochastic
