"""Ctrl-C, or a request to end, while a model is fitted: it has to end the study, not the training alone."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_noticed() -> Iterator[None]:
    """Raise KeyboardInterrupt at the end of the block if one was raised in it and swallowed.

    scikit-learn's networks stop training at Ctrl-C and then seem to be fitted like any other; such a half trained model
    must not be scored. Only the main thread of a process hears of Ctrl-C, in others this does nothing.

    Raises
    ------
    KeyboardInterrupt
        At the latest at the end of the block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    interrupts = []

    def note(number: int, frame: FrameType | None) -> None:
        interrupts.append(number)
        handlers[signal.Signals(number)](number, frame)  # type: ignore[operator, misc]

    for number, handler in handlers.items():
        if callable(handler):
            signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if interrupts:
        raise KeyboardInterrupt
