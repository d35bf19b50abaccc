"""SIGTERM, and SIGHUP of a terminal that is closed, as ways to stop in order, as Ctrl-C is."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from onepass.cli import INTERRUPTED

if sys.platform == "win32":
    _HEEDED = (signal.SIGTERM,)
else:
    _HEEDED = (signal.SIGTERM, signal.SIGHUP)


class Stopped:
    """What stops a command.

    Attributes:
        code: the exit code once it is stopped: 128 and the number of the signal, as shells count.
    """

    def __init__(self) -> None:
        self.code = INTERRUPTED

    @contextmanager
    def in_order(self) -> Iterator[None]:
        """Raise KeyboardInterrupt where a signal comes that else ends the process on the spot.

        Half-written files, worker processes and what they share would be left to others to clean
        up. A signal that is ignored (as nohup does) stays so. Outside of the main thread nothing
        changes, as signals are handled there alone.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in _HEEDED}
        heeded = [number for number, how in before.items() if how not in (signal.SIG_IGN, None)]
        for number in heeded:
            signal.signal(number, self._stop)
        try:
            yield
        finally:
            for number in heeded:
                signal.signal(number, before[number])

    def _stop(self, number: int, _: object) -> NoReturn:
        self.code = 128 + number
        raise KeyboardInterrupt
