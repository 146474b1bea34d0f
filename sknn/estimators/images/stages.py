"""What families have in common whose networks are stages of blocks, each of more channels on a coarser grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...description import in_order, is_integer
from ...template.parameters import parameter

Size = int | Sequence[int]

NORM = parameter(
    default="batch",
    text='What follows each convolution: "batch" normalises each channel over the batch; "group" groups of channels '
    "over the positions of each sample, eight of them where that many divide the channels, for batches of few samples; "
    '"layer" the channels of each position.',
)
STRIDE = parameter(
    default="auto",
    interval="[1, inf)",
    text="How far the positions of a stage are apart, counted in those of the stage before, from the second stage on; "
    '"auto" is 2 for images and volumes, 1 for signals, which keep all their steps.',
)
STOCHASTIC_DEPTH = parameter(
    default=0.0,
    interval="[0, 1)",
    text="The share of samples that skip the last block in training; that of the others grows from the first one on "
    'in equal steps. Not for "lbfgs".',
)


class Block(NamedTuple):
    """One of the blocks of a network.

    Attributes
    ----------
    filters : int
        Channels of its output.
    stride : int or sequence of int
        How far its outputs are apart.
    stochastic_depth : float
        The share of samples that skip it in training.
    """

    filters: int
    stride: Size
    stochastic_depth: float


def blocks_of(filters: Sequence[int], n_blocks: Sequence[int], stride: Size, stochastic_depth: float) -> list[Block]:
    """The blocks of all stages in order: the first of each stage but the first has the stride.

    Examples
    --------
    >>> for block in blocks_of([16, 32], [1, 2], 2, 0.3):
    ...     print(block)
    Block(filters=16, stride=1, stochastic_depth=0.1)
    Block(filters=32, stride=2, stochastic_depth=0.2)
    Block(filters=32, stride=1, stochastic_depth=0.3)
    """
    steps = [
        (width, stride if stage and not number else 1)
        for stage, (width, count) in enumerate(zip(filters, n_blocks, strict=True))
        for number in range(count)
    ]
    rates = [round(stochastic_depth * number / len(steps), 12) for number in range(1, len(steps) + 1)]
    return [Block(width, step, rate) for (width, step), rate in zip(steps, rates, strict=True)]


def whole_numbers(name: str, value: Any, n_stages: int | None = None) -> list[int]:
    """One for each stage; where it is said how many there are, a single number holds for all.

    Raises
    ------
    ValueError
        If they are not positive integers, or not as many as stages.
    """
    given = list(value) if in_order(value) else [value] * (n_stages or 1)
    if not given or not all(is_integer(each) and each > 0 for each in given):
        raise ValueError(f"{name}={value!r} must be a positive integer, or one for each stage")
    if n_stages is not None and len(given) != n_stages:
        raise ValueError(f"{name}={value!r} names {len(given)} stages, but filters names {n_stages}")
    return [int(each) for each in given]


def strides(stride: Any, n_axes: int) -> Size:
    """Those of a stage, as `stride` says of samples with so many axes without the channels."""
    if isinstance(stride, str):
        return 1 if n_axes == 1 else 2
    return stride
