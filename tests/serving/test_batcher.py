"""Texts of many requests, read together: in which order, how many, and what failing means."""

import gc
from collections.abc import Iterator, Sequence
from threading import Event
from time import monotonic, sleep
from weakref import ref

import pytest

from onepass.errors import BackendError, SchemaError, TextTooLong, TooMuchFound
from onepass.models.cancelling import Unwanted, current_check
from onepass.results.types import Coverage, Extraction
from onepass.serving.batcher import Batcher, Closed, Failed, Full
from onepass.serving.metrics import Metrics
from onepass.serving.question import Question, question_of
from onepass.serving.settings import Settings

PEOPLE = question_of({"entities": ["person"]})
PLACES = question_of({"entities": ["place"]})


class Reader:
    """Reads nothing, but notes what it should have read; waits while its gate is closed."""

    def __init__(self) -> None:
        self.gate = Event()
        self.batches: list[list[str]] = []

    def __call__(self, texts: Sequence[str], question: Question) -> list[Extraction]:
        self.batches.append(list(texts))
        assert self.gate.wait(10)
        for text in texts:
            if text == "long":
                raise TextTooLong("The text is too long.")
            if text == "wrong":
                raise SchemaError("The schema is wrong.")
            if text == "odd":
                raise BackendError("The graph cannot be run.")
            if text == "panic":
                raise BaseException(text)
            if text == "bug":
                raise ZeroDivisionError(text)
        return [
            Extraction(text, coverage=Coverage(len(text), len(text), 1, False)) for text in texts
        ]

    def started(self, batches: int) -> None:
        end = monotonic() + 60
        while len(self.batches) < batches and monotonic() < end:
            sleep(0.002)
        assert len(self.batches) == batches


@pytest.fixture
def reader() -> Iterator[Reader]:
    one = Reader()
    yield one
    one.gate.set()


def batcher(reader: Reader, **limits: float) -> Batcher:
    return Batcher(reader, Settings(**{"batch_delay_ms": 0, **limits}), Metrics())  # type: ignore[arg-type]


def texts_of(outcomes: Sequence[object]) -> list[str]:
    return [one.text for one in outcomes if isinstance(one, Extraction)]


def test_texts_that_wait_are_read_together_and_go_back_to_their_requests(reader: Reader):
    line = batcher(reader)
    first = line.submit(["a"], PEOPLE)
    reader.started(1)
    second, third = line.submit(["b", "c"], PEOPLE), line.submit(["d"], PEOPLE)
    reader.gate.set()
    assert texts_of(first.result(5)) == ["a"]
    assert texts_of(second.result(5)) == ["b", "c"]
    assert texts_of(third.result(5)) == ["d"]
    assert reader.batches == [["a"], ["b", "c", "d"]]
    line.close()


def test_questions_are_read_one_after_the_other_the_oldest_text_first(reader: Reader):
    line = batcher(reader)
    line.submit(["a"], PEOPLE)
    reader.started(1)
    for text, question in [("b", PLACES), ("c", PEOPLE), ("d", PLACES), ("e", PEOPLE)]:
        line.submit([text], question)
    reader.gate.set()
    line.close()
    assert reader.batches == [["a"], ["b", "d"], ["c", "e"]]


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        ({"batch_texts": 2}, [1, 2, 2, 1]),
        ({"batch_chars": 3 * (10 + PEOPLE.chars)}, [1, 3, 2]),
        ({"batch_chars": 1}, [1, 1, 1, 1, 1, 1]),  # a text above the budget is read alone
        ({}, [1, 5]),
    ],
)
def test_a_batch_has_a_budget(reader: Reader, limits: dict[str, int], sizes: list[int]):
    line = batcher(reader, **limits)
    line.submit(["x" * 10], PEOPLE)
    reader.started(1)
    line.submit(["x" * 10] * 5, PEOPLE)
    reader.gate.set()
    line.close()
    assert [len(batch) for batch in reader.batches] == sizes


def test_a_text_waits_for_others_no_longer_than_the_delay(reader: Reader):
    reader.gate.set()
    line = batcher(reader, batch_delay_ms=200)
    began = monotonic()
    first, second = line.submit(["a"], PEOPLE), line.submit(["b"], PEOPLE)
    first.result(5), second.result(5)
    assert reader.batches == [["a", "b"]]
    assert monotonic() - began > 0.15
    line.close()


def test_a_full_batch_does_not_wait(reader: Reader):
    reader.gate.set()
    line = batcher(reader, batch_delay_ms=60_000, batch_texts=2)
    assert texts_of(line.submit(["a", "b"], PEOPLE).result(5)) == ["a", "b"]
    line.close()


def test_what_nobody_waits_for_is_not_read(reader: Reader):
    line = batcher(reader)
    line.submit(["a"], PEOPLE)
    reader.started(1)
    dropped, kept = line.submit(["b", "c"], PEOPLE), line.submit(["d"], PEOPLE)
    assert dropped.cancel()
    reader.gate.set()
    assert texts_of(kept.result(5)) == ["d"]
    line.close()
    assert reader.batches == [["a"], ["d"]]


def test_a_request_that_is_canceled_while_it_is_read_hurts_nobody(reader: Reader):
    line = batcher(reader)
    first = line.submit(["a"], PEOPLE)
    reader.started(1)
    assert first.cancel()
    second = line.submit(["b"], PEOPLE)
    reader.gate.set()
    assert texts_of(second.result(5)) == ["b"]
    line.close()


def test_a_line_that_is_full_refuses_and_room_comes_back_when_clients_leave(reader: Reader):
    line = batcher(reader, queue_texts=3)
    line.submit(["a"], PEOPLE)
    reader.started(1)
    long = line.submit(["b"] * 5, PEOPLE)  # an empty line takes any request
    with pytest.raises(Full):
        line.submit(["c"], PEOPLE)
    assert line.waiting == 5
    long.cancel()
    line.submit(["d"] * 3, PEOPLE)
    reader.gate.set()
    line.close()
    assert reader.batches == [["a"], ["d"] * 3]


def test_work_that_would_wait_too_long_is_refused_with_how_long(reader: Reader):
    line = batcher(reader, queue_seconds=0.5, batch_texts=1)
    line.submit(["a"], PEOPLE)  # the first batch does not count: it is slower than all others
    reader.started(1)
    sleep(0.5)
    reader.gate.set()
    reader.gate.clear()
    line.submit(["b"], PEOPLE)
    reader.started(2)
    sleep(0.2)
    reader.gate.set()
    reader.gate.clear()
    for text in "cde":  # one that is being read, two that wait: each about 0.2 seconds
        line.submit([text], PEOPLE)
        reader.started(3)
    with pytest.raises(Full) as refused:
        line.submit(["f"], PEOPLE)
    assert 0.5 < refused.value.wait < 5
    reader.gate.set()
    line.close()


def test_what_is_given_up_says_nothing_of_the_speed():
    def read(texts: Sequence[str], question: Question) -> list[Extraction]:
        for _ in range(len(texts[0])):
            if not current_check()():
                raise Unwanted
            sleep(0.01)
        return [Extraction(text) for text in texts]

    line = Batcher(read, Settings(batch_delay_ms=0, batch_texts=1, queue_seconds=2.0), Metrics())
    for _ in range(2):  # the first does not count
        line.submit(["a" * 20], PEOPLE).result(5)
    for _ in range(5):
        left = line.submit(["a" * 5000], PEOPLE)
        sleep(0.02)
        left.cancel()
    long = line.submit(["a" * 5000], PEOPLE)
    while line.waiting:
        sleep(0.002)
    line.submit(["b"], PEOPLE)
    with pytest.raises(Full) as refused:
        line.submit(["c"], PEOPLE)
    assert refused.value.wait > 2
    long.cancel()
    line.close()


def test_a_text_that_is_refused_says_nothing_of_the_speed(reader: Reader):
    line = batcher(reader, queue_seconds=0.3, batch_texts=1)
    for number in (1, 2):  # the first does not count
        first = line.submit(["a"], PEOPLE)
        reader.started(number)
        sleep(0.2)
        reader.gate.set()
        first.result(5)
        reader.gate.clear()
    reader.gate.set()
    for _ in range(20):  # at once
        line.submit(["long"], PEOPLE).result(5)
    reader.gate.clear()
    line.submit(["b"], PEOPLE)
    reader.started(23)
    line.submit(["c"], PEOPLE)
    with pytest.raises(Full):
        line.submit(["d"], PEOPLE)
    reader.gate.set()
    line.close()


def test_closing_reads_what_was_taken_and_takes_nothing_more(reader: Reader):
    line = batcher(reader, batch_texts=1, batch_delay_ms=60_000)
    taken = [line.submit([text], PEOPLE) for text in "abc"]
    reader.gate.set()
    line.close()
    assert [texts_of(one.result(0)) for one in taken] == [["a"], ["b"], ["c"]]
    assert not line.alive
    with pytest.raises(Closed):
        line.submit(["d"], PEOPLE)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("long", TextTooLong), ("odd", BackendError), ("bug", Failed), ("panic", Failed)],
)
def test_a_text_that_fails_fails_alone(reader: Reader, text: str, kind: type[Exception]):
    line = batcher(reader)
    line.submit(["a"], PEOPLE)
    reader.started(1)
    others = line.submit(["b", text], PEOPLE), line.submit(["c"], PEOPLE)
    reader.gate.set()
    good, bad = others[0].result(5)
    assert isinstance(good, Extraction)
    assert isinstance(bad, kind)
    assert texts_of(others[1].result(5)) == ["c"]
    line.close()


def test_what_was_found_in_a_refused_text_is_freed_at_once():
    class Many:
        """Stands for millions of candidates."""

    held: list[ref[Many]] = []

    def read(texts: Sequence[str], question: Question) -> list[Extraction]:
        found = Many()
        held.append(ref(found))
        raise TooMuchFound("Too much was found.")

    line = Batcher(read, Settings(batch_delay_ms=0), Metrics())
    gc.disable()  # it would free them some time, of many requests
    try:
        (outcome,) = line.submit(["a"], PEOPLE).result(5)
        line.close()
        assert isinstance(outcome, TooMuchFound)
        assert [one() for one in held] == [None]
    finally:
        gc.enable()


def test_a_question_that_cannot_be_asked_is_not_asked_again_for_each_text(reader: Reader):
    reader.gate.set()
    line = batcher(reader)
    outcomes = line.submit(["wrong", "b"], PEOPLE).result(5)
    assert [type(one) for one in outcomes] == [SchemaError, SchemaError]
    assert len(reader.batches) == 1
    line.close()


def test_an_error_is_logged_without_its_message(reader: Reader, caplog: pytest.LogCaptureFixture):
    reader.gate.set()
    line = batcher(reader)
    line.submit(["bug"], PEOPLE).result(5)
    line.close()
    assert "ZeroDivisionError at test_batcher.py" in caplog.text
    assert "bug" not in caplog.text
