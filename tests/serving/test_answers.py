"""How much is found in a text, and who writes large answers."""

import asyncio
import json
from threading import current_thread, main_thread

import pytest

from onepass.decoding.result_limit import at_most
from onepass.errors import TooMuchFound
from onepass.results.types import Entity, Extraction
from onepass.serving import answers
from onepass.serving.answers import Writer, checked
from onepass.serving.problems import Refusal

PROBLEM = Refusal(422, "text_too_long", "It is too long.")


def doc(count: int) -> Extraction:
    """Return an extraction of so many values."""
    places = range(0, 2 * count, 2)
    return Extraction("a " * count, tuple(Entity("x", "a", at, at + 1, 0.5) for at in places))


def test_the_limit_itself_is_no_error():
    kept = doc(3)
    assert checked(kept) is kept
    with at_most(3, "the limit"):
        assert checked(kept) is kept
    with at_most(2, "the limit"):
        refused = checked(kept)
    assert isinstance(refused, TooMuchFound)
    assert str(refused).startswith("In the text 3 values were found, but the limit is 2; raise")


@pytest.mark.parametrize("count", [2, 1_000])
def test_large_answers_are_written_in_a_thread(monkeypatch: pytest.MonkeyPatch, count: int):
    at_once = []
    write = answers._written

    def noted(*given: object) -> bytes:
        at_once.append(current_thread() is main_thread())
        return write(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(answers, "_written", noted)
    writer = Writer()
    found: list[answers.Result] = [doc(count), PROBLEM, doc(1)]
    written = asyncio.run(writer.written(found, '{"results": [', "]}"))
    writer.close()
    expected = [doc(count).to_dict(), PROBLEM.body(), doc(1).to_dict()]
    assert json.loads(written) == {"results": expected}
    assert at_once == [count == 2]
