"""Every string can be read, odd or long, and every offset is exact."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from onepass import Extractor, Schema
from onepass.errors import TextTooLong
from onepass.results.types import Extraction, Value
from tests.contract.checkpoints import (
    CHECKPOINTS,
    Opened,
    assert_same,
    everything,
    facts,
    finds_records,
    in_turn,
    relates,
    writes_names,
)

ODD = {
    "empty": "",
    "spaces": "   \t  ",
    "a full stop": ".",
    "an emoji": "\U0001f469\u200d\U0001f4bb",
    "zero width": "Tim\u200b\u200c\u200d\ufeff Cook\u2060 \u200b runs\u00ad.",
    "only zero width": "\u200b\ufeff\u2060",
    "lone surrogate": "Tim \ud83d Cook\udc00s runs \udfff",
    "CJK": "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8\u3092\u8aad\u3080\u3002",
    "CRLF": "Tim Cook\r\nruns Apple\r\n\r\nin Paris.\r",
    "combining marks": "Ti\u0301m\u0323\u0301 Co\u0308ok ru\u0301ns A\u030apple e\u0301",
    "lower case is longer": "\u0130\u0130\u0130 Tim \u0130stanbul runs \u1e9e",
    "right to left": "\u05d8\u05d9\u05dd \u05e7\u05d5\u05e7 \u0627\u0644\u0645\u062f\u064a\u0631 "
    "\u202eTim\u202c",
    "Hindi": "\u091f\u093f\u092e \u0915\u0941\u0915 \u090f\u092a\u094d\u092a\u0932",
    "NUL": "Tim\x00Cook runs\x00 \x00 Apple\x07\x1b[0m",
    "full width": "\uff34\uff49\uff4d \uff23\uff4f\uff4f\uff4b \ufb01nds",
    "special tokens": "Tim [SEP_TEXT] Cook [E] [CLS] [P] ( [E] person ) </s> [PAD] [UNK]",
    "one long word": "x" * 5_000,
    "one word of many pieces": "-".join(["x1"] * 1_700),
    "a long word among others": "Tim Cook runs " + "ab1" * 2_000 + " in Paris and Rome.",
    "an address": "see https://example.org/" + "a/" * 500 + " or tim@example.org, @tim",
    "ten thousand lines": "\n" * 10_000,
    "words among ten thousand lines": "Tim" + "\n" * 10_000 + "Cook",
    "many marks": "a" + "\u0301" * 3_000 + " Tim",
}


def check(doc: Extraction, text: str, model: Extractor) -> None:
    """Check what must hold for every extraction with the schema of `everything`."""
    assert doc.text == text
    assert doc.coverage.chars == len(text)
    assert list(doc.classifications) == ["tone", "color"]
    assert len(doc.classifications["tone"].labels) == 1
    assert list(doc.records) == (["product"] if finds_records(model) else [])
    places = [(e.start, e.end, e.text) for e in doc.entities]
    for record in doc.records.get("product", ()):
        for held in record.values():
            for value in held if isinstance(held, tuple) else (held,):
                if isinstance(value, Value) and value.start is not None and value.end is not None:
                    places.append((value.start, value.end, value.text))
    for relation in doc.relations:
        for value in (relation.head, relation.tail):
            assert value.start is not None
            assert value.end is not None
            places.append((value.start, value.end, value.text))
    for start, end, found in places:
        assert 0 <= start < end <= len(text)
        assert text[start:end] == found
        assert found == found.strip()
    for entity in doc.entities:
        assert len(entity.names) <= (2 if writes_names(model) else 0)
        assert all(name.label == name.label.strip() != "" for name in entity.names)
    json.loads(doc.to_json())


@pytest.mark.parametrize(("model", "name"), in_turn(ODD), indirect=["model"])
def test_odd_text(model: Extractor, name: str) -> None:
    doc = model.extract(ODD[name], everything(model), threshold=0.1)
    check(doc, ODD[name], model)
    # A word of more pieces than the model reads at once is cut, and counts as not read.
    unread = 0 if not doc.coverage.truncated else max(map(len, ODD[name].split()))
    assert doc.coverage.chars_read == len(ODD[name]) - unread
    assert not doc.coverage.truncated or unread > 500


def test_odd_texts_together(reader: Extractor) -> None:
    texts = list(ODD.values())
    for text, doc in zip(
        texts, reader.extract(texts, everything(reader), threshold=0.1), strict=True
    ):
        check(doc, text, reader)


@pytest.mark.parametrize("name", ["empty", "spaces"])
def test_nothing_is_found_in_nothing(model: Extractor, name: str) -> None:
    doc = model.extract(ODD[name], everything(model), threshold=0.0, overlap="all")
    assert doc.entities == ()
    assert doc.relations == ()
    for record in doc.records.get("product", ()):  # choices need no words
        assert not record["name"]
        assert not record["price"]


def test_line_breaks_only_move_offsets(model: Extractor) -> None:
    text = "Tim Cook runs Apple in Paris ."
    broken = text.replace(" ", "\r\n\n ")
    one, other = model.extract([text, broken], everything(model), threshold=0.2)
    assert len(facts(one)) == len(facts(other))
    for a, b in zip(one.entities, other.entities, strict=True):
        assert a.label == b.label
        assert a.text.split() == b.text.split()
        assert a.score == pytest.approx(b.score, abs=1e-5)


SENTENCES = (
    "Tim Cook runs Apple in Paris. The price of great red and blue things is 9! Is it not bad? "
)


def long_text(model: Extractor, times: int = 1) -> str:
    """Return a text with more words than the model reads pieces at once, that many times."""
    words = len(SENTENCES.split())
    return SENTENCES * (times * model.max_pieces // words + 1)


def test_a_long_text_is_read_to_its_end(reader: Extractor) -> None:
    text = long_text(reader, 2 if reader.max_pieces < 1000 else 1)
    doc = reader.extract(text, everything(reader), threshold=0.2)
    check(doc, text, reader)
    assert doc.coverage.windows > 2
    assert doc.coverage.chars_read == len(text)
    assert not doc.coverage.truncated
    assert doc.entities[0].start < 200
    assert doc.entities[-1].end > len(text) - 200
    middles = {entity.start * 20 // len(text) for entity in doc.entities}
    assert middles == set(range(20))  # found everywhere, at the seams as well


@pytest.mark.parametrize("overlap", ["all", "label", "nested", "flat"])
def test_what_two_windows_see_appears_once(reader: Extractor, overlap: str) -> None:
    text = long_text(reader)
    doc = reader.extract(text, {"entities": ["person", "place"]}, threshold=0.2, overlap=overlap)
    places = [(e.label, e.start, e.end) for e in doc.entities]
    assert len(places) == len(set(places))
    if overlap == "flat":
        for (_, _, end), (_, start, _) in pairwise(places):
            assert end <= start


def test_relations_of_two_windows_appear_once(reader: Extractor) -> None:
    if not relates(reader):
        pytest.skip("it has no part for relations")
    doc = reader.extract(
        long_text(reader),
        {"entities": ["person", "company"], "relations": ["works for", "in"]},
        threshold=0.1,
    )
    pairs = [(r.type, r.head.start, r.head.end, r.tail.start, r.tail.end) for r in doc.relations]
    assert len(pairs) == len(set(pairs))


def test_windows_do_not_depend_on_other_texts(reader: Extractor) -> None:
    texts = [long_text(reader), "Tim", long_text(reader) + "x"]
    schema = Schema().entities(["person"]).classification("tone", ["calm", "angry"])
    for text, doc in zip(texts, reader.extract(texts, schema), strict=True):
        assert_same(reader.extract(text, schema), doc)


def test_long_texts_can_be_refused(model: Extractor) -> None:
    short, long = "Tim Cook", long_text(model)
    schema = {"entities": ["person"]}
    assert model.extract(short, schema, on_long="error").text == short
    with pytest.raises(TextTooLong, match=r"^Text 2 has \d+ pieces.*, but \d+.* fit .*on_long="):
        model.extract([short, long], schema, on_long="error")


def test_long_texts_can_be_cut(reader: Extractor) -> None:
    text = long_text(reader)
    doc = reader.extract(text, {"entities": ["person"]}, on_long="truncate", threshold=0.1)
    coverage = doc.coverage
    assert coverage.truncated
    assert coverage.windows == 1
    assert 200 < coverage.chars_read < coverage.chars == len(text)
    assert text[: coverage.chars_read].split()[-1] == text[: coverage.chars_read].split(" ")[-1]
    assert all(entity.end <= coverage.chars_read for entity in doc.entities)
    whole = reader.extract(text[: coverage.chars_read], {"entities": ["person"]}, threshold=0.1)
    assert not whole.coverage.truncated  # what was read fits, and no word more
    assert whole.coverage.windows == 1


def test_a_word_longer_than_a_window_is_read(opened: Opened, checkpoint: str) -> None:
    model = opened[checkpoint][CHECKPOINTS[checkpoint].backends[-1]]
    long_word = "-".join(["x1"] * 600)  # 1,799 pieces: no window has that many, a reading may
    text = f"{SENTENCES * 8} {long_word} {SENTENCES * 8}"
    doc = model.extract(text, everything(model), threshold=0.2)
    check(doc, text, model)
    cut = model.max_pieces < 1799
    assert doc.coverage.truncated == cut
    assert doc.coverage.chars_read == len(text) - cut * len(long_word)
    assert doc.entities[-1].end > len(text) - 200
    assert np.isfinite([entity.score for entity in doc.entities]).all()
