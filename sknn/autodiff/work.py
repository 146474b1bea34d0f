"""What a computation takes: operations count it while somebody asks.

What a layer declares does not say how often it is applied (a generator in each step of its critic, a network in every
derivative of an equation); what operations do says it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Work:
    """What the operations of a computation take together.

    Attributes
    ----------
    multiplications : int
        Of all of them, with an addition to each; those of products of matrices and the like, in which the time goes.
    values : int
        The most that a single one of them makes.
    """

    multiplications: int = 0
    values: int = 0

    def add(self, multiplications: int, values: int) -> None:
        """Count one more operation."""
        self.multiplications += multiplications
        self.values = max(self.values, values)


running: ContextVar[Work | None] = ContextVar("work", default=None)
special: list[None] = []  # one for each context open in any thread in which operations do more, or less, than usual:
# as a rule none, which is asked faster than a context variable


@contextmanager
def counting() -> Iterator[Work]:
    """Within this context, in this thread, operations count what they take; not so fused ones in their backward pass.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.autodiff import counting
    >>> from sknn.autodiff import primitives as F
    >>> with counting() as work:
    ...     y = F.tanh(F.matmul(np.ones((2, 3)), np.ones((3, 4))))
    >>> work
    Work(multiplications=24, values=8)
    """
    work = Work()
    token = running.set(work)
    special.append(None)
    try:
        yield work
    finally:
        special.pop()
        running.reset(token)
