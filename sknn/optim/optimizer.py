"""What every optimizer is: steps along a gradient, in place, on threads where the vector is long."""

import math
import operator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field, fields
from functools import cached_property
from numbers import Real
from typing import Any, NamedTuple, Self

import numpy as np

from ..ops._kernels import native
from .groups import BLOCK, Block, Group, Vector, checked_groups, cut

FUSED_BLOCK = 1 << 15  # elements from which on a compiled step is shared by threads

# Attributes of an optimizer that no copy takes along.
_REBUILT_LAZILY = ("_shares", "_pool", "_fused_groups")


class Share(NamedTuple):
    """What one thread does in a step: its blocks, and the scratch that no other thread touches."""

    blocks: list[Block]
    scratch: Vector


def number(interval: str, *, default: float) -> float:
    """A hyper-parameter in an interval written as mathematicians do, like ``"[0, 1)"``."""
    return field(default=default, metadata={"interval": interval})


@dataclass(eq=False)
class Optimizer:
    """What all optimizers share: groups, blocks, threads, state vectors and the L2 penalty.

    Attributes
    ----------
    slots : dict of str to ndarray
        State vectors as long as ``theta``, by name. Write into them (and set ``steps``) to resume from a checkpoint.
    steps : int
        Steps taken since ``start``.

    Examples
    --------
    A whole optimizer, one that only looks at the sign of the gradient:

    >>> class SignDescent(Optimizer):
    ...     def update(self, learning_rate, theta, grad, scratch):
    ...         np.sign(grad, out=grad)
    ...         grad *= learning_rate
    ...         theta -= grad
    >>> theta = np.array([1.0, -2.0])
    >>> SignDescent().start(theta).step(theta, np.array([0.3, -7.0]), learning_rate=0.25)
    >>> theta
    array([ 0.75, -1.75])
    """

    def __post_init__(self) -> None:
        for hyper_parameter in fields(self):
            if interval := hyper_parameter.metadata.get("interval"):
                name = hyper_parameter.name
                setattr(self, name, _checked_number(name, getattr(self, name), interval))
        self.slots: dict[str, Vector] = {}
        self.steps = 0
        self._layout: tuple[tuple[int, ...], np.dtype[Any]] | None = None

    @property
    def slot_names(self) -> tuple[str, ...]:
        """Names of the state vectors, which are also the names of the last arguments of ``update``."""
        return ()

    def start(
        self, theta: Vector, groups: Sequence[tuple[int, int, int, float]] | None = None, workers: int = 1
    ) -> Self:
        """Allocate the state for a vector and forget all earlier steps.

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
        self : Optimizer

        Raises
        ------
        ValueError
            If theta is no floating vector, groups overlap or leave the vector, or workers is not positive.
        """
        if theta.ndim != 1 or theta.dtype.kind != "f":
            raise ValueError(
                f"theta must be a floating array of shape (n_parameters,); got shape {theta.shape}, dtype {theta.dtype}"
            )
        if workers < 1:
            raise ValueError(f"workers must be at least 1; got {workers!r}")
        if groups is None:
            groups = [(0, theta.size, theta.size, 1.0)]
        self.slots = {name: np.zeros_like(theta) for name in self.slot_names}
        self.steps = 0
        self._layout = theta.shape, theta.dtype
        self._groups = checked_groups(groups, theta.size)
        self._blocks = [block for group in self._groups for block in cut(group)]
        self._workers = workers
        self._forget_threads()
        return self

    def step(self, theta: Vector, grad: Vector, learning_rate: float, l2: float = 0.0) -> None:
        """Move theta one step, in place.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            The vector to be optimized, of the length and dtype given to ``start``.
        grad : ndarray of shape (n_parameters,)
            The gradient at theta. It serves as scratch: its values are lost.
        learning_rate : float
            Step size of this step.
        l2 : float, default=0.0
            Coefficient of the L2 penalty: ``l2 * theta`` is added to the gradient where theta decays.

        Raises
        ------
        ValueError
            If theta or grad is not like the vector given to ``start``.
        """
        if (theta.shape, theta.dtype) != self._layout or (grad.shape, grad.dtype) != self._layout:
            raise ValueError(self._mismatch(theta, grad))
        # Python floats: a NumPy float64 scalar would make float32 arithmetic run, and round, in float64.
        learning_rate, l2 = float(learning_rate), float(l2)
        self.steps += 1
        if self._fused_groups and theta.flags.c_contiguous and grad.flags.c_contiguous:
            self._work_fused(theta, grad, learning_rate, l2)
        elif len(self._shares) == 1:
            self._work(self._shares[0], theta, grad, learning_rate, l2)
        else:
            self._work_together(theta, grad, learning_rate, l2)

    def decay_weights(self, learning_rate: float, theta: Vector, grad: Vector, scratch: Vector, l2: float) -> None:
        """Let the decaying part of one block decay, before its ``update``: ``grad += l2 * theta``."""
        if l2:
            np.multiply(theta, l2, out=scratch)
            grad += scratch

    def update(self, learning_rate: float, theta: Vector, grad: Vector, scratch: Vector, *_: Any, **slots: Any) -> None:
        """Move one block of theta in place, and its slots; grad and scratch are free to be overwritten.

        Subclasses write ``slots`` out as arguments, by name. Several threads call this at the same time for different
        blocks: it must not change attributes.
        """
        raise TypeError(f"{type(self).__name__} defines no update")

    def fused(
        self, learning_rate: float, theta: Vector, grad: Vector, decaying: int, l2: float, *_: Any, **slots: Any
    ) -> None:
        """Move one group in a single compiled pass; of its parameters, the first ones decay, `decaying` in number.

        Optional, and not inherited: an ``update`` that is overridden is another step.
        """
        raise TypeError(f"{type(self).__name__} defines no fused")

    def _work_fused(self, theta: Vector, grad: Vector, learning_rate: float, l2: float) -> None:
        for (start, decay_stop, stop, rate), slots in self._fused_groups:
            self.fused(rate * learning_rate, theta[start:stop], grad[start:stop], decay_stop - start, l2, **slots)

    @cached_property
    def _fused_groups(self) -> list[Block]:
        """The groups as they are, without blocks, if compiled kernels work on them; else none."""
        assert self._layout is not None
        if native is None or "fused" not in vars(type(self)) or self._layout[1] not in (np.float32, np.float64):
            return []
        return [self._with_slots(group) for group in self._groups]

    def _with_slots(self, group: Group) -> Block:
        return Block(group, {name: slot[group.start : group.stop] for name, slot in self.slots.items()})

    def _threads(self, size: int) -> int:
        return self._workers if size >= FUSED_BLOCK else 1

    def _work(self, share: Share, theta: Vector, grad: Vector, learning_rate: float, l2: float) -> None:
        """Decay and update the blocks of one share, one after the other."""
        for (start, decay_stop, stop, rate), slots in share.blocks:
            rate *= learning_rate
            if start < decay_stop:
                scratch = share.scratch[: decay_stop - start]
                self.decay_weights(rate, theta[start:decay_stop], grad[start:decay_stop], scratch, l2)
            self.update(rate, theta[start:stop], grad[start:stop], share.scratch[: stop - start], **slots)

    def _work_together(self, *arguments: Any) -> None:
        """Work through all shares at once: the calling thread takes the first one, the pool the others."""
        mine, *others = self._shares
        # Each in a copy of the caller's context, so that np.errstate holds in every thread.
        tasks = [self._pool.submit(copy_context().run, self._work, share, *arguments) for share in others]
        try:
            self._work(mine, *arguments)
        finally:
            wait(tasks)
        for task in tasks:
            task.result()

    @cached_property
    def _shares(self) -> list[Share]:
        """The blocks dealt out to as many threads as have a full block to do."""
        n_trained = sum(block.stop - block.start for block in self._blocks)
        n_shares = max(1, min(self._workers, math.ceil(n_trained / BLOCK)))
        n_scratch = max((block.stop - block.start for block in self._blocks), default=0)
        assert self._layout is not None
        dtype = self._layout[1]
        blocks = [self._with_slots(block) for block in self._blocks]
        return [Share(blocks[k::n_shares], np.empty(n_scratch, dtype)) for k in range(n_shares)]

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(len(self._shares) - 1, thread_name_prefix="sknn-optim")

    def _forget_threads(self) -> None:
        """Drop the pool and the scratch; the next step builds them anew."""
        for name in _REBUILT_LAZILY:
            vars(self).pop(name, None)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _REBUILT_LAZILY}

    def _mismatch(self, theta: Vector, grad: Vector) -> str:
        if self._layout is None:
            return f"call start(theta) before the first step of {self!r}"
        shape, dtype = self._layout
        return (
            f"theta and grad must have the shape {shape} and dtype {dtype} given to start; got theta of shape "
            f"{theta.shape}, dtype {theta.dtype} and grad of shape {grad.shape}, dtype {grad.dtype}"
        )


def _checked_number(name: str, value: Any, interval: str) -> float:
    """The value as a Python float, or an error if it is not in the interval."""
    low, high = (float(bound) for bound in interval[1:-1].split(","))
    above = operator.ge if interval.startswith("[") else operator.gt
    below = operator.le if interval.endswith("]") else operator.lt
    if not (isinstance(value, Real) and above(value, low) and below(value, high)):
        raise ValueError(f"{name} must be a number in {interval}; got {value!r}")
    return float(value)
