"""PyTorch in a process of its own, whose allocator keeps the pages that tensors leave.

glibc gives large blocks back to the system when they are freed, and gets pages anew, filled with zeros, for the next
step; on long series PyTorch's LSTM spends up to half its time on that. Who trains with it can tell glibc to keep them.
"""

from __future__ import annotations

import os
import platform
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from unittest.mock import patch

from sknn.ops.threads import available_threads

from ..common import PYTORCH, installed
from ..core.rows import ONE_THREAD, Task, Work, milliseconds, turn_of, with_threads
from ..measure import Sample, Turn

KEPT = "pages kept"
# The largest threshold that glibc accepts: smaller blocks come from a heap, of which it gives nothing back.
ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}

_turns: dict[int, Turn] = {}  # in the process: by the number of threads


def beside_kept_pages(work: Work) -> dict[str, Turn]:
    """The turns of all contestants, and of PyTorch with its pages kept where the system's allocator is glibc's."""
    turns = milliseconds(work)
    if not installed("torch") or platform.libc_ver()[0] != "glibc":
        return turns
    process = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with patch.dict(os.environ, ENVIRONMENT):
        process.submit(_prepare, work, available_threads()).result()

    def turn_with(n_threads: int) -> Turn:
        return lambda: process.submit(_turn, n_threads).result()

    return turns | {
        f"{PYTORCH}, {KEPT}": turn_with(available_threads()),
        f"{ONE_THREAD}, {KEPT}": turn_with(1),
    }


def _prepare(work: Work, most_threads: int) -> None:
    import torch

    task: Task = work.pytorch(torch)  # type: ignore[assignment]  # recurrent layers have one
    _turns.update({count: turn_of(with_threads(torch, count, task)) for count in (1, most_threads)})


def _turn(n_threads: int) -> Sample:
    return _turns[n_threads]()
