"""What every optimizer is: a description of steps along a gradient."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from .descent import Descent
from .groups import Vector
from .solver import Solver


@dataclass(frozen=True)
class Optimizer(Solver):
    """The base of all optimizers: hyper-parameters, and what one step does to a stretch of the vector.

    It holds no state: ``start`` makes what does, and as many times as one likes.

    Examples
    --------
    A whole optimizer, one that only looks at the sign of the gradient:

    >>> class SignDescent(Optimizer):
    ...     def update(self, learning_rate, steps, theta, grad, scratch):
    ...         np.sign(grad, out=grad)
    ...         grad *= learning_rate
    ...         theta -= grad
    >>> theta = np.array([1.0, -2.0])
    >>> SignDescent().start(theta).step(theta, np.array([0.3, -7.0]), learning_rate=0.25)
    >>> theta
    array([ 0.75, -1.75])
    """

    is_stochastic: ClassVar[Literal[True]] = True

    @property
    def slot_names(self) -> tuple[str, ...]:
        """Names of the state vectors, which are also the names of the last arguments of ``update``."""
        return ()

    def start(
        self, theta: Vector, groups: Sequence[tuple[int, int, int, float]] | None = None, workers: int = 1
    ) -> Descent:
        """Begin a descent, with a state of zeros.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,), floating
            The vector to be optimized; only its length and dtype are remembered.
        groups : sequence of (start, decay_stop, stop, rate), default=None
            Trainable stretches ``theta[start:stop]``: ``theta[start:decay_stop]`` is subject to weight decay, and
            ``rate`` multiplies the learning rate. What no group covers is frozen. None: everything is trained and
            decays, at rate 1.
        workers : int, default=1
            Threads that share one step when the vector is long. Results do not depend on it by a single bit.

        Returns
        -------
        descent : Descent
            Takes the steps, and holds all that changes with them.

        Raises
        ------
        ValueError
            If theta is no floating vector, groups overlap or leave the vector, or workers is not positive.
        """
        return Descent(self, theta, groups, workers)

    def decay_weights(self, learning_rate: float, theta: Vector, grad: Vector, scratch: Vector, l2: float) -> None:
        """Let the decaying part of one block decay, before its ``update``: ``grad += l2 * theta``."""
        if l2:
            np.multiply(theta, l2, out=scratch)
            grad += scratch

    def update(
        self, learning_rate: float, steps: int, theta: Vector, grad: Vector, scratch: Vector, *_: Any, **slots: Any
    ) -> None:
        """Move one block of theta in place, and its slots; grad and scratch are free to be overwritten.

        `steps` counts this one too. Subclasses write ``slots`` out as arguments, by name. Several threads call this at
        the same time for different blocks.
        """
        raise TypeError(f"{type(self).__name__} defines no update")

    def fused(
        self,
        learning_rate: float,
        steps: int,
        theta: Vector,
        grad: Vector,
        decaying: int,
        l2: float,
        average: Vector | None,
        share: float,
        threads: int,
        *_: Any,
        **slots: Any,
    ) -> None:
        """Move one group in a single compiled pass; of its parameters, the first ones decay, `decaying` in number.

        The average, if there is one, goes a share of the way towards what the parameters are then.

        Optional, and not inherited: an ``update`` that is overridden is another step.
        """
        raise TypeError(f"{type(self).__name__} defines no fused")
