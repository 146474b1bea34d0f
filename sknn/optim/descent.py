"""A descent: an optimizer under way on one vector, in place, on threads where the vector is long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..ops._kernels import native
from .groups import BLOCK, Block, Group, Vector, checked_groups, cut

if TYPE_CHECKING:
    from .optimizer import Optimizer

FUSED_BLOCK = 1 << 15  # elements from which on a compiled step is shared by threads

# Attributes of a descent that no copy takes along.
_REBUILT_LAZILY = ("_shares", "_pool", "_fused_groups", "_frozen")


class Share(NamedTuple):
    """What one thread does in a step: its blocks, and the scratch that no other thread touches."""

    blocks: list[Block]
    scratch: Vector


class FusedGroup(NamedTuple):
    """A group that is moved in one compiled pass, on so many threads."""

    rate: float
    where: slice
    decaying: int
    threads: int
    slots: dict[str, Vector]


class Descent:
    """An optimizer under way: its state vectors, how many steps it has taken, and the next one.

    ``optimizer.start(theta)`` makes it; the parameters are those of :meth:`Optimizer.start`.

    Attributes
    ----------
    optimizer : Optimizer
        The description that it follows.
    slots : dict of str to ndarray
        State vectors as long as ``theta``, by name. Write into them (and set ``steps``) to resume from a checkpoint.
    steps : int
        Steps taken.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        theta: Vector,
        groups: Sequence[tuple[int, int, int, float]] | None = None,
        workers: int = 1,
    ) -> None:
        if theta.ndim != 1 or theta.dtype.kind != "f":
            raise ValueError(
                f"theta must be a floating array of shape (n_parameters,); got shape {theta.shape}, dtype {theta.dtype}"
            )
        if workers < 1:
            raise ValueError(f"workers must be at least 1; got {workers!r}")
        if groups is None:
            groups = [(0, theta.size, theta.size, 1.0)]
        self.optimizer = optimizer
        self.slots: dict[str, Vector] = {name: np.zeros_like(theta) for name in optimizer.slot_names}
        self.steps = 0
        self._layout = theta.shape, theta.dtype
        self._groups = checked_groups(groups, theta.size)
        self._workers = workers

    def step(
        self,
        theta: Vector,
        grad: Vector,
        learning_rate: float,
        l2: float = 0.0,
        average: Vector | None = None,
        share: float = 0.0,
    ) -> None:
        """Move theta one step, in place, and an average of it behind.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            The vector to be optimized, of the length and dtype of that at the start.
        grad : ndarray of shape (n_parameters,)
            The gradient at theta. It serves as scratch: its values are lost.
        learning_rate : float
            Step size of this step.
        l2 : float, default=0.0
            Coefficient of the L2 penalty: ``l2 * theta`` is added to the gradient where theta decays.
        average : ndarray of shape (n_parameters,), default=None
            An average over the steps, of the dtype of theta: ``average += share * (theta - average)`` after this one.
        share : float, default=0.0
            How far the average goes towards theta.

        Raises
        ------
        ValueError
            If theta, grad or average is not like the vector at the start.
        """
        if (theta.shape, theta.dtype) != self._layout or (grad.shape, grad.dtype) != self._layout:
            raise ValueError(self._mismatch(theta, grad))
        if average is not None and (average.shape, average.dtype) != self._layout:
            shape, dtype = self._layout
            raise ValueError(
                f"average must have the shape {shape} and dtype {dtype} of theta; got shape {average.shape}, dtype "
                f"{average.dtype}"
            )
        # Python floats: a NumPy float64 scalar would make float32 arithmetic run, and round, in float64.
        learning_rate, l2, share = float(learning_rate), float(l2), float(share)
        self.steps += 1
        behind = [slice(None)]
        lie_close = theta.flags.c_contiguous and grad.flags.c_contiguous
        if self._fused_groups and lie_close and (average is None or average.flags.c_contiguous):
            for rate, where, decaying, threads, slots in self._fused_groups:
                mean = None if average is None else average[where]
                rate *= learning_rate
                self.optimizer.fused(
                    rate, self.steps, theta[where], grad[where], decaying, l2, mean, share, threads, **slots
                )
            behind = self._frozen
        elif len(self._shares) == 1:
            self._work(self._shares[0], theta, grad, learning_rate, l2)
        else:
            self._work_together(theta, grad, learning_rate, l2)
        if average is not None:
            for where in behind:
                average[where] += share * (theta[where] - average[where])

    def live_in(self, slots: dict[str, Vector]) -> None:
        """Keep the state in these arrays, of the names and sizes of the slots, from now on; it is moved into them."""
        for name, slot in slots.items():
            slot[...] = self.slots[name]
        self.slots = slots
        for name in _REBUILT_LAZILY:
            vars(self).pop(name, None)

    @cached_property
    def _fused_groups(self) -> list[FusedGroup]:
        """The groups as they are, without blocks, if compiled kernels work on them; else none."""
        if native is None or "fused" not in vars(type(self.optimizer)):
            return []
        if self._layout[1] not in (np.float32, np.float64):
            return []
        return [
            FusedGroup(
                group.rate,
                slice(group.start, group.stop),
                group.decay_stop - group.start,
                self._workers if group.stop - group.start >= FUSED_BLOCK else 1,
                self._slots_of(group),
            )
            for group in self._groups
        ]

    @cached_property
    def _frozen(self) -> list[slice]:
        """What lies before, between and behind the groups."""
        edges = [0, *(edge for group in self._groups for edge in (group.start, group.stop)), self._layout[0][0]]
        return [slice(start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True) if start < stop]

    def _slots_of(self, group: Group) -> dict[str, Vector]:
        return {name: slot[group.start : group.stop] for name, slot in self.slots.items()}

    def _work(self, share: Share, theta: Vector, grad: Vector, learning_rate: float, l2: float) -> None:
        """Decay and update the blocks of one share, one after the other."""
        for (start, decay_stop, stop, rate), slots in share.blocks:
            rate *= learning_rate
            if start < decay_stop:
                scratch = share.scratch[: decay_stop - start]
                self.optimizer.decay_weights(rate, theta[start:decay_stop], grad[start:decay_stop], scratch, l2)
            scratch = share.scratch[: stop - start]
            self.optimizer.update(rate, self.steps, theta[start:stop], grad[start:stop], scratch, **slots)

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
        """The groups cut into blocks, dealt out to as many threads as have a full block to do."""
        blocks = [Block(piece, self._slots_of(piece)) for group in self._groups for piece in cut(group)]
        sizes = [piece.stop - piece.start for piece, _ in blocks]
        n_shares = max(1, min(self._workers, math.ceil(sum(sizes) / BLOCK)))
        return [Share(blocks[k::n_shares], np.empty(max(sizes, default=0), self._layout[1])) for k in range(n_shares)]

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(len(self._shares) - 1, thread_name_prefix="sknn-optim")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _REBUILT_LAZILY}

    def _mismatch(self, theta: Vector, grad: Vector) -> str:
        shape, dtype = self._layout
        return (
            f"theta and grad must have the shape {shape} and dtype {dtype} given to start; got theta of shape "
            f"{theta.shape}, dtype {theta.dtype} and grad of shape {grad.shape}, dtype {grad.dtype}"
        )
