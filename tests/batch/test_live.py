"""Items of a source that pauses, and a reader that waits for a source nobody wants any more."""

import threading
import time
from collections.abc import Iterator
from queue import Queue

import pytest

from onepass.batch.live import as_they_come


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "onepass-reader"]


def test_a_pause_is_told_and_what_comes_after_it_is_read():
    source: Queue[int] = Queue()
    coming = as_they_come(iter(source.get, 0))
    source.put(1)
    assert [next(coming), next(coming), next(coming)] == [1, None, None]
    source.put(2)
    source.put(0)
    assert [item for item in coming if item is not None] == [2]


def test_few_items_are_held_while_nobody_takes_any():
    given: list[int] = []

    def count() -> Iterator[int]:
        for number in range(100):
            given.append(number)
            yield number

    coming = as_they_come(count())
    assert next(coming) == 0
    time.sleep(0.1)
    assert len(given) <= 3  # one was taken, one waits, one is in the hand of the reader
    assert list(coming) == list(range(1, 100))


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_is_raised_after_what_came_before_it(error: type[BaseException]):
    def broken() -> Iterator[int]:
        yield 1
        raise error("cut off")

    coming = as_they_come(broken())
    assert next(coming) == 1
    with pytest.raises(error, match="cut off"):
        next(coming)


def test_the_reader_ends_with_the_next_item_once_nobody_wants_more():
    source: Queue[int] = Queue()
    coming = as_they_come(iter(source.get, 0))
    source.put(1)
    assert next(coming) == 1
    (reader,) = readers()
    coming.close()
    source.put(2)
    reader.join(5)
    assert not readers()
