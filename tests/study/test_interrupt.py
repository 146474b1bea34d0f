"""Ctrl-C during a fit ends the study, even if the model takes it for the end of its training."""

import signal
import threading

import pytest

from sknn.study.interrupt import interrupts_noticed


def interrupted_and_swallowed():
    with interrupts_noticed():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            return "a model that seems to be trained"


def test_a_swallowed_interrupt_is_raised_in_the_end():
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        interrupted_and_swallowed()
    assert signal.getsignal(signal.SIGINT) is handler


def test_without_an_interrupt_nothing_happens():
    handler = signal.getsignal(signal.SIGINT)
    with interrupts_noticed():
        pass
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_process_that_does_not_listen_is_left_alone(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        with interrupts_noticed():
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_cannot_listen():
    entered = []

    def work():
        with interrupts_noticed():
            entered.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [True]
