"""Sessions read a window again only where it has changed, and keep their text where one fails."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from onepass import Extractor
from onepass.errors import InputError, TextTooLong
from onepass.models.cutting import Cut, window_keys
from onepass.models.gliner2.text import read_text
from onepass.models.reader import Reader
from onepass.text.windows import plan_windows
from onepass.typed.result import TypedExtraction

SCHEMA = {"entities": ["person", "city"], "relations": ["lives in"]}
SENTENCE = "Ann Lee lives in Bonn, and Bo Hansen was born in Oslo. "


@pytest.fixture(scope="module")
def model() -> Extractor:
    return Extractor()


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many windows under prompts each reading had."""
    counted: list[int] = []
    findings = Reader._findings

    def counting(self: Reader, jobs: Sequence[Any], *rest: Any) -> Any:
        counted.append(len(jobs))
        return findings(self, jobs, *rest)

    monkeypatch.setattr(Reader, "_findings", counting)
    return counted


def test_windows_that_are_as_they_were_are_not_read_again(model: Extractor, jobs: list[int]):
    session = model.session({"entities": ["person", "city"]})
    for _ in range(24):
        session.add(SENTENCE * 10)
    assert max(jobs) <= 2
    model.extract(session.text, {"entities": ["person", "city"]})
    assert jobs[-1] > 6
    jobs.clear()
    session.add("")
    assert jobs == [0]


def test_shorter_windows_of_relations_are_known_too(model: Extractor, jobs: list[int]):
    session = model.session(SCHEMA)
    session.add(SENTENCE * 30)
    session.add(SENTENCE)
    assert jobs[1] < jobs[0] / 3


@settings(max_examples=25)
@given(st.lists(st.integers(0, 150), max_size=6))
def test_it_does_not_matter_where_a_text_is_cut(model: Extractor, cuts: list[int]):
    text = (
        "Ann Lee (ann.lee@example.com) moved from Bonn to Oslo on 2024-11-05T08:30:00Z; "
        "'see https://example.com/a?b=c' she wrote, it's 1,250.50 here."
    )
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    session = model.session(SCHEMA)
    for start, end in pairwise(places):
        doc = session.add(text[start:end])
    assert doc == model.extract(text, SCHEMA)


def test_keys_of_windows_tell_all_that_is_read(model: Extractor):
    def keys(text: str) -> list[Any]:
        read = read_text(text, model._reader.model.tokenizer, max_word_pieces=100)
        windows = plan_windows(read.lengths, 6, overlap=2)
        return window_keys(Cut([read], [windows], [windows[:1]]), 0)

    first = keys("Ann Lee lives in Bonn now, she said")
    assert len(set(first)) == len(first)  # the one that is asked once more is another
    assert keys("Ann Lee lives in Bonn now, she said so")[0] == first[0]
    assert keys("Ann Lee lives in Bonn now, she saidso")[-2] != first[-2]
    assert keys("Ann Lee lives in  Bonn now, she said")[0] != first[0]
    assert keys("Ann Lee lives in Bonn now, she said ")[-2] != first[-2]
    assert keys("")[0][1] == ""


def test_a_piece_that_is_refused_leaves_the_text_as_it_was(model: Extractor):
    session = model.session({"entities": ["person"]}, on_long="error")
    session.add("Ann Lee ")
    with pytest.raises(InputError, match=r"A piece of a text must be a string, but 5 \(int\)"):
        session.add(5)  # type: ignore[arg-type]
    with pytest.raises(TextTooLong):
        session.add(SENTENCE * 100)
    assert session.text == "Ann Lee "
    assert [entity.text for entity in session.add("called.").entities] == ["Ann Lee"]


def test_a_class_gives_typed_results(model: Extractor):
    class Person(BaseModel):
        name: str

    session = model.session(Person)
    session.add("My name is ")
    doc = session.add("Ann Lee.")
    assert isinstance(doc, TypedExtraction)
    assert doc.to_dict() == model.extract(session.text, Person).to_dict()
