"""Ctrl-C while a model is fitted: it has to end the study, not the training alone."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_noticed() -> Iterator[None]:
    """Raise KeyboardInterrupt at the end of the block if one was raised in it and swallowed.

    scikit-learn's networks, and sknn's, stop training at Ctrl-C and then seem to be fitted like any other; such a half
    trained model must not be scored. Only the main thread of a process hears of Ctrl-C, in others this does nothing.

    Raises
    ------
    KeyboardInterrupt
        At the latest at the end of the block.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    interrupts = []

    def note(number: int, frame: FrameType | None) -> None:
        interrupts.append(number)
        handler(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if interrupts:
        raise KeyboardInterrupt
