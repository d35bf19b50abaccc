"""Items of a source that may pause, such as a pipe: who waits for them learns of the pauses.

It does not know what the items are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

PAUSE = 0.2  # seconds in which nothing comes


@dataclass(frozen=True, slots=True)
class _End:
    """The end of all items, and what brought it about if it was an error."""

    error: BaseException | None


def as_they_come(items: Iterable[T]) -> Iterator[T | None]:
    """Yield items, and None whenever none came for a while.

    Another thread reads them, since a queue is what can be waited for with a limit on all systems:
    Windows has none for pipes. Nothing can stop a thread that waits for a pipe. When nobody wants
    more items, it ends with the next one, or with the process.

    Args:
        items: what is read; an error in it is raised where its items are taken.

    >>> list(as_they_come("ab"))
    ['a', 'b']
    """
    queue: Queue[T | _End] = Queue(1)  # items may be large: few are held
    left = Event()

    def end(_kind: object, error: BaseException | None, _trace: object) -> bool:
        if not left.is_set():
            queue.put(_End(error))
        return True  # an error is for who takes the items

    def read() -> None:
        with ExitStack() as stack:
            stack.push(end)
            for item in items:
                queue.put(item)
                if left.is_set():
                    break

    Thread(target=read, name="onepass-reader", daemon=True).start()
    try:
        while True:
            try:
                item = queue.get(timeout=PAUSE)
            except Empty:
                yield None
                continue
            if not isinstance(item, _End):
                yield item
            elif item.error is None:
                return
            else:
                raise item.error
    finally:
        left.set()
        with suppress(Empty):  # the reader may wait for a place
            queue.get_nowait()
