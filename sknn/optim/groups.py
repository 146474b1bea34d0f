"""The division of a vector: groups that are trained at their own rate, cut into blocks that fit the cache."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.floating[Any]]

# Elements per block: the slices that one update reads and writes stay in the cache, so a long vector crosses the memory
# bus once a step and not once an operation; and each NumPy call is long enough for two threads not to get in each
# other's way (smaller blocks gain nothing from a second thread).
BLOCK = 131_072


class Group(NamedTuple):
    """The trainable stretch ``theta[start:stop]``; its first part ``theta[start:decay_stop]`` decays."""

    start: int
    decay_stop: int
    stop: int
    rate: float


class Block(NamedTuple):
    """A piece of the vector with its slots, views into those of the whole."""

    group: Group
    slots: dict[str, Vector]


def checked_groups(groups: Sequence[tuple[int, int, int, float]], size: int) -> list[Group]:
    """The groups in order of position, or an error if they overlap or leave the vector."""
    ordered = sorted(Group(*group) for group in groups)
    covered = 0
    for group in ordered:
        if not covered <= group.start <= group.decay_stop <= group.stop <= size:
            raise ValueError(
                f"groups must be (start, decay_stop, stop, rate) with start <= decay_stop <= stop, "
                f"without overlap and within a vector of {size}; got {group} after {covered} covered elements"
            )
        if not 0 <= group.rate < math.inf:
            raise ValueError(f"the rate of a group must be finite and not negative; got {group}")
        covered = group.stop
    return ordered


def cut(group: Group) -> Iterator[Group]:
    """Cut a group into pieces of at most BLOCK elements."""
    for start in range(group.start, group.stop, BLOCK):
        stop = min(start + BLOCK, group.stop)
        yield Group(start, min(group.decay_stop, stop), stop, float(group.rate))
