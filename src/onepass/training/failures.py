"""Batches that fail: counted over all processes, told with their rows, and a few of them left out.

It knows nothing about what is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from onepass.errors import InputError, OnepassError
from onepass.training.processes import ALONE, Processes

Found = TypeVar("Found")

_SHOWN = 20  # rows of a batch that failed


class Failures:
    """Failed batches of a run.

    Args:
        most: that may fail before the run stops.
        report: receives a line for each that is left out.
        processes: of the run; where one of them fails, all leave the step out.

    Attributes:
        count: how many failed so far.

    >>> lines: list[str] = []
    >>> Failures(1, lines.append).attempt(lambda: 1 // 0, lambda: "data.jsonl:7 failed")
    >>> lines
    ['skipped the batch of data.jsonl:7 failed: ZeroDivisionError: integer division or modulo ...']
    """

    def __init__(
        self, most: int, report: Callable[[str], None], processes: Processes = ALONE
    ) -> None:
        self.count = 0
        self._most, self._report, self._processes = most, report, processes

    def attempt(self, compute: Callable[[], Found], where: Callable[[], str]) -> Found | None:
        """Return what is computed; None where that failed in any of the processes.

        Args:
            compute: what may fail.
            where: says which rows failed, and when.

        Raises:
            InputError: if more batches failed than may.
        """
        found, failure = None, None
        try:
            found = compute()
        except Exception as error:  # noqa: BLE001  raised below, once all processes know of it
            failure = error
        if not self._processes.total([float(failure is not None)])[0]:
            return found
        own = None if failure is None else f"{where()}: {said(failure)}"
        for message in self._processes.gather(own):
            if message is not None:
                self.count += 1
                if self.count > self._most:
                    raise InputError(f"The batch of {message}") from failure
                self._report(f"skipped the batch of {message}")
        return None


def said(failure: Exception) -> str:
    """Return what failed; of an error that is no sentence of ours, its kind as well.

    >>> said(KeyError("person")), said(InputError("There is no file a.jsonl."))
    ("KeyError: 'person'", 'There is no file a.jsonl.')
    """
    if isinstance(failure, OnepassError):
        return str(failure)
    return f"{type(failure).__name__}: {failure}"


def where_failed(places: Sequence[str], step: int) -> str:
    """Return which rows failed, and when."""
    return f"{rows(places)} failed at step {step}"


def rows(places: Sequence[str]) -> str:
    """Return where the rows of a batch stand, the first few of many.

    >>> rows([f"data.jsonl:{line}" for line in range(1, 24)]).endswith("data.jsonl:20 and 3 more")
    True
    """
    shown = ", ".join(places[:_SHOWN])
    more = len(places) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
