"""Which names belong to what was found, from names that are written by hand.

The situations are those of the decoder tests of gliner's repository.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.models.gliner.by_hand import BARE, HIGH, NAMES, ByHand, Text, read
from tests.tiny import tiny_tokenizer

from onepass import Schema
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner.config import GlinerConfig
from onepass.results.types import Extraction

SCHEMA = Schema().entities(["person", "place"])
A, B = (0, 0), (1, 2)
SPANS = {(0, *A): 3.0, (1, *B): 2.0}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PieceTokenizer:
    path: Path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tiny_tokenizer().save(str(path))
    return PieceTokenizer(path)


def named(
    texts: list[Text], config: GlinerConfig, tokenizer: PieceTokenizer, *, count: int = 1
) -> tuple[list[Extraction], ByHand]:
    return read(texts, config, SCHEMA.copy().name_entities(count=count), tokenizer=tokenizer)


def names(doc: Extraction) -> list[tuple[str, str, list[str]]]:
    return [(e.label, e.text, [name.label for name in e.names]) for e in doc.entities]


def test_names_stand_beside_the_labels_of_spans(tokenizer: PieceTokenizer) -> None:
    text = Text("a b c", SPANS, names={A: {"great": 0.5}, B: {"red place": 0.25}})
    (doc,), _ = named([text], NAMES, tokenizer)
    assert names(doc) == [("person", "a", ["great"]), ("place", "b c", ["red place"])]
    assert doc.entities[1].names[0].score == pytest.approx(0.25)


def test_names_stand_for_labels_that_were_not_read(tokenizer: PieceTokenizer) -> None:
    text = Text("a b c", SPANS, names={0: {"great": 0.5}, 1: {"red place": 0.25}})
    (doc,), _ = named([text], BARE, tokenizer)
    assert names(doc) == [("great", "a", ["great"]), ("red place", "b c", ["red place"])]


def test_every_text_has_names_of_its_own(tokenizer: PieceTokenizer) -> None:
    texts = [
        Text("a b c", SPANS, names={0: {"great": 0.5}, 1: {"red": 0.5}}),
        Text("d", {(0, 0, 0): 1.0}, names={0: {"bad": 0.5}}),
        Text("e f g", SPANS, names={0: {"calm": 0.5}, 1: {"blue": 0.5}}),
    ]
    docs, _ = named(texts, BARE, tokenizer)
    assert [[e.label for e in doc.entities] for doc in docs] == [
        ["great", "red"], ["bad"], ["calm", "blue"],
    ]  # fmt: skip


def test_names_of_spans_are_not_mixed_up(tokenizer: PieceTokenizer) -> None:
    texts = [
        Text("a b c", {(1, *B): 2.0, (0, *A): 3.0}, names={A: {"great": 0.5}, B: {"red": 0.5}}),
        Text("d"),
        Text("e f g", {(0, *B): 2.0}, names={B: {"blue": 0.5}}),
    ]
    docs, _ = named(texts, NAMES, tokenizer)
    assert [names(doc) for doc in docs] == [
        [("person", "a", ["great"]), ("place", "b c", ["red"])], [],
        [("person", "f g", ["blue"])],
    ]  # fmt: skip


def test_several_names_are_in_the_order_of_their_probability(tokenizer: PieceTokenizer) -> None:
    text = Text("a b c", SPANS, names={A: {"red": 0.1, "great": 0.5, "bad": 0.3}, B: {"red": 0.9}})
    (doc,), _ = named([text], NAMES, tokenizer, count=2)
    assert names(doc) == [("person", "a", ["great", "bad"]), ("place", "b c", ["red"])]


def test_two_markers_of_one_name_are_one_label(tokenizer: PieceTokenizer) -> None:
    spans = {(0, *A): 3.0, (1, *A): 2.0, (1, *B): 2.0}
    text = Text("a b c", spans, names={0: {"great": 0.5}, 1: {"great": 0.4}})
    schema = SCHEMA.copy().name_entities()
    (doc,), _ = read([text], BARE, schema, overlap="all", tokenizer=tokenizer)
    assert [(e.label, e.text) for e in doc.entities] == [("great", "a"), ("great", "b c")]


def test_without_names_there_are_plain_spans(tokenizer: PieceTokenizer) -> None:
    text = Text("a b c", SPANS)
    (doc,), backend = read([text], NAMES, SCHEMA, tokenizer=tokenizer)
    assert names(doc) == [("person", "a", []), ("place", "b c", [])]
    assert "generate" not in backend.ran


@pytest.mark.parametrize("config", [NAMES, BARE], ids=["span", "prompt"])
def test_nothing_is_named_where_nothing_is_found(
    config: GlinerConfig, tokenizer: PieceTokenizer
) -> None:
    """Here gliner stops with an error."""
    docs, backend = named([Text("a b c"), Text("")], config, tokenizer)
    assert [names(doc) for doc in docs] == [[], []]
    assert "generate" not in backend.ran


def test_a_span_of_two_labels_is_named_once(tokenizer: PieceTokenizer) -> None:
    spans = {(0, *A): 3.0, (1, *A): 2.0}
    text = Text("a b c", spans, names={A: {"great": 0.5}})
    schema = SCHEMA.copy().name_entities()
    (doc,), _ = read([text], NAMES, schema, overlap="all", tokenizer=tokenizer)
    assert names(doc) == [("person", "a", ["great"]), ("place", "a", ["great"])]


def test_what_will_not_be_kept_is_not_named(tokenizer: PieceTokenizer) -> None:
    """Only what would be kept, and what would be kept in its place, is worth the time."""
    spans = {(0, 0, 2): HIGH, (0, 0, 1): 3.0, (0, 1, 2): 2.0, (0, 2, 2): 1.0, (0, 0, 0): 0.5}
    text = Text(
        "a b c", spans, names={(0, 2): {"great": 0.5}, (0, 1): {"red": 0.5}, (2, 2): {"bad": 0.5}}
    )
    (doc,), _ = named([text], NAMES, tokenizer)  # a span without a name written would fail
    assert names(doc) == [("person", "a b c", ["great"])]
