"""What every solver is: a description of how weights are found, and of what becomes of the L2 penalty."""

from dataclasses import dataclass
from typing import ClassVar, Self

from ..description import Description


@dataclass(frozen=True)
class Solver(Description):
    """The base of all solvers.

    Attributes
    ----------
    is_stochastic : bool
        Whether it walks down the gradients of mini-batches, and not down the function of all data.
    """

    is_stochastic: ClassVar[bool]

    @property
    def has_own_decay(self) -> bool:
        """Whether it says how much weights decay, so that there is no room for another penalty."""
        return False

    def penalised(self, alpha: float) -> tuple[Self, float]:
        """How to have weights decay with strength alpha.

        Parameters
        ----------
        alpha : float
            The strength of the L2 penalty that is wished for.

        Returns
        -------
        solver : Solver
            The solver that sees to its part.
        l2 : float
            The strength that is left for a penalty on the objective.
        """
        return self, alpha
