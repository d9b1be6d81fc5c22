"""How SIGTERM stops a run, and when it may."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from pipeline.errors import StoppedError


def stop(signum: int, frame: FrameType | None) -> NoReturn:
    """Handle SIGTERM: raise StoppedError where the program stands, and ignore it from then on.

    ``timeout`` signals its command and then the whole group: a second error would break off the
    leaving, in which jobs under way are still waited for.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise StoppedError("stopped by SIGTERM; nothing was lost, the next run resumes")


@contextmanager
def stop_deferred() -> Iterator[None]:
    """Let SIGTERM wait until the block is done, so that readers never wait for the next command.

    Has no effect outside the main thread, where no signal handler runs.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda signum, frame: received.append(signum))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if received:
            signal.raise_signal(signal.SIGTERM)
