"""SIGTERM as a way to stop a job in order, as Ctrl-C is."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

TERMINATED = 143  # 128 + SIGTERM, as shells count


class Terminated(KeyboardInterrupt):
    """SIGTERM came; whoever cleans up after Ctrl-C cleans up after this, too."""


@contextmanager
def heeding_sigterm() -> Iterator[None]:
    """Raise `Terminated` where SIGTERM comes, which else ends the process on the spot.

    Worker processes and what they share would be left to others to clean up. Outside of the main
    thread nothing changes, as signals are handled there alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(*_: object) -> NoReturn:
    raise Terminated
