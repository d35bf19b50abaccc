"""Words are those of gliner2, also where a checkpoint names its splitter of characters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

gliner2 = pytest.importorskip("gliner2")

from gliner2.processing.word_splitter import resolve_word_splitter  # noqa: E402

from onepass import Extractor, Schema  # noqa: E402
from onepass.text.words import split_words  # noqa: E402
from tests.parity.reference import make_reference  # noqa: E402
from tests.parity.test_gliner2 import TOLERANCE, our_facts, their_facts, theirs  # noqa: E402

TEXTS = [
    "Tim\u5e93\u514bCook\u5728cupertino\u548cparis\u3002 .",
    "Apple costs 12.50 dollars, by caf\u00e9-e@x.org .",
    "\u9a6c\u4e91 works for Apple!",
]
LABELS = ["person", "company", "city"]


JOINERS = "\u200c\u200d"
KEYS = st.sampled_from("aZ0@._-+:/ \n")
ANY = st.one_of(st.characters(exclude_categories=["Cs"]), KEYS)
UNMARKED = st.one_of(
    st.characters(exclude_categories=["Cs", "Mn", "Mc", "Me"], exclude_characters=JOINERS), KEYS,
    st.sampled_from(["https://", "www.", "a@b.co"]),
)  # fmt: skip


def places(text: str, splitter: str | None) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the places of words: ours, and gliner2's."""
    words = split_words(text, splitter=splitter)
    ours = list(zip(words.starts.tolist(), words.ends.tolist(), strict=True))
    theirs = resolve_word_splitter(splitter)(text, False)
    return ours, [(start, end) for _, start, end in theirs]


@given(st.text(ANY))
def test_words_by_characters_are_those_of_gliner2(text: str) -> None:
    ours, theirs = places(text, "char")
    assert ours == theirs


@given(st.lists(UNMARKED).map("".join))
def test_words_are_those_of_gliner2(text: str) -> None:
    ours, theirs = places(text, None)
    assert ours == theirs


@pytest.mark.parametrize(
    ("text", "ours", "theirs"),
    [
        ("\u2764\ufe0f now", [(0, 2), (3, 6)], [(0, 1), (1, 2), (3, 6)]),
        ("1\ufe0f\u20e3go", [(0, 3), (3, 5)], [(0, 5)]),
        ("@Jose\u0301", [(0, 6)], [(0, 5), (5, 6)]),
        ("\u25cc\u0301a", [(0, 2), (2, 3)], [(0, 1), (1, 3)]),
    ],
)
def test_a_mark_belongs_to_the_sign_that_it_stands_on(
    text: str, ours: list[tuple[int, int]], theirs: list[tuple[int, int]]
) -> None:
    """gliner2 takes it for a word, or for the beginning of the next one."""
    assert places(text, None) == (ours, theirs)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Extractor]:
    directory = tmp_path_factory.mktemp("gliner2")
    reference = make_reference(directory, seed=1)
    reference.set_word_splitter("char")
    (directory / "onepass.json").write_text(json.dumps({"word_splitter": "char"}))
    return reference, Extractor.from_pretrained(directory, backend="torch")


@pytest.mark.parametrize("text", TEXTS)
def test_same_answers(both: tuple[Any, Extractor], text: str) -> None:
    reference, model = both
    schema = Schema().entities(LABELS).classification("topic", ["news", "sports"])
    schema.structure("product", ["name", "price::str"])
    low = {"entities": 0.25, "records": 0.25}
    doc = model.extract(text, schema, threshold=low, overlap="label")
    options = {"threshold": 0.25, "include_confidence": True, "include_spans": True}
    out = reference.extract(text, theirs(reference, schema), **options)
    expected, got = their_facts(out, schema), our_facts(doc, schema)
    assert got.keys() == expected.keys()
    assert got == pytest.approx(expected, abs=TOLERANCE)
    assert len(expected) > 5


def test_the_full_stop_that_is_added_is_a_word(both: tuple[Any, Extractor]) -> None:
    """gliner2 puts it behind the text before it splits, so that it is part of a last word."""
    reference, model = both
    text = "\u9a6c\u4e91 runs apple"
    options = {"threshold": 0.0, "include_confidence": True, "include_spans": True}
    out = reference.extract_entities(text, ["person"], **options)["entities"]["person"]
    doc = model.extract(text, Schema().entities(["person"]), threshold=0.0, overlap="all")
    expected = {(one["start"], one["end"]): one["confidence"] for one in out}
    got = {(one.start, one.end): one.score for one in doc.entities}
    assert (8, len(text) + 1) in expected  # "apple" and what is not in the text
    assert got[8, len(text)] == pytest.approx(expected[8, len(text) + 1], abs=TOLERANCE)
    assert max(end for _, end in got) == len(text)
