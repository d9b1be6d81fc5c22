from __future__ import annotations

import os
import signal
import threading

import pytest

from pipeline.errors import StoppedError
from pipeline.stopping import stop, stop_deferred


def break_off(*_: object) -> None:
    raise StoppedError("stopped")


def test_sigterm_waits_for_the_end_of_the_block() -> None:
    before = signal.signal(signal.SIGTERM, break_off)
    done = []
    try:
        with pytest.raises(StoppedError), stop_deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("the rest")
        assert signal.getsignal(signal.SIGTERM) is break_off
    finally:
        signal.signal(signal.SIGTERM, before)
    assert done == ["the rest"]


def test_who_is_told_twice_leaves_once() -> None:
    before = signal.signal(signal.SIGTERM, stop)
    left = []
    try:
        with pytest.raises(StoppedError):
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)
                left.append("in order")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert left == ["in order"]


def test_other_threads_may_use_it() -> None:
    done = []

    def work() -> None:
        with stop_deferred():
            done.append(threading.current_thread().name)

    thread = threading.Thread(target=work, name="other")
    thread.start()
    thread.join()
    assert done == ["other"]
