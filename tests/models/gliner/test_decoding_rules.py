"""What counts as an entity, situation by situation, from logits that are written by hand.

The situations are those of the decoder tests of gliner's repository. Where the rules differ the
test says so: thresholds are inclusive here, and one span may have several labels under every policy
but "flat".
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.models.gliner.by_hand import HIGH, SCORED, SPAN, TOKEN, Text, read, sigmoid

from onepass import Schema
from onepass.models.gliner.config import GlinerConfig
from onepass.results.types import Extraction
from onepass.schema.options import Threshold

SCHEMA = Schema().entities(["person", "place"])
ABOVE, BELOW, EVEN = 3.0, -3.0, 0.0
PERSON, PLACE = 0, 1


def entities(doc: Extraction) -> list[tuple[str, str]]:
    return [(entity.label, entity.text) for entity in doc.entities]


def one(
    text: Text, config: GlinerConfig = SPAN, *, threshold: Threshold = None, overlap: str = "flat"
) -> list[tuple[str, str]]:
    """Return the entities of one text."""
    (doc,), _ = read([text], config, SCHEMA, threshold=threshold, overlap=overlap)
    return entities(doc)


# -- spans ------------------------------------------------------------------------------------


def test_every_text_of_a_batch_has_its_own_entities() -> None:
    texts = [
        Text("a b c d e", {(PERSON, 0, 0): ABOVE, (PLACE, 1, 2): ABOVE}),
        Text("f g h", {(PLACE, 0, 1): ABOVE}),
        Text("i"),
    ]
    docs, _ = read(texts, SPAN, SCHEMA)
    assert [entities(doc) for doc in docs] == [
        [("person", "a"), ("place", "b c")], [("place", "f g")], [],
    ]  # fmt: skip


def test_an_entity_is_its_words_its_label_and_its_score() -> None:
    (doc,), _ = read([Text("a b c", {(PLACE, 1, 2): 2.0})], SPAN, SCHEMA)
    (entity,) = doc.entities
    assert (entity.label, entity.text, entity.start, entity.end) == ("place", "b c", 2, 5)
    assert entity.score == pytest.approx(sigmoid(2.0))


def test_a_higher_threshold_finds_less() -> None:
    logits = {(PERSON, word, word): value for word, value in enumerate((-2.0, -1.0, 0.5, 2.0))}
    counts = [len(one(Text("a b c d", logits), threshold=t)) for t in (0.1, 0.3, 0.5, 0.7, 0.99)]
    assert counts == [4, 2, 2, 1, 0]


def test_a_score_that_is_the_threshold_is_enough() -> None:
    """In gliner it is not."""
    text = Text("a b", {(PERSON, 0, 0): EVEN})
    assert one(text, threshold=0.5) == [("person", "a")]
    assert one(text, threshold=float(np.nextafter(np.float32(0.5), np.float32(1)))) == []


def test_a_label_may_have_a_threshold_of_its_own() -> None:
    text = Text("a b", {(PERSON, 0, 0): 1.0, (PLACE, 1, 1): 1.0})
    assert one(text, threshold={"person": 0.9}) == [("place", "b")]


def test_a_span_ends_with_the_text_or_before() -> None:
    """Behind the end of the shorter text all scores are high."""
    texts = [
        Text("a b c", {(PERSON, 2, 2): ABOVE, (PLACE, 1, 2): ABOVE, (PERSON, 2, 3): HIGH}),
        Text("d e f g h i"),
    ]
    docs, _ = read(texts, SPAN, SCHEMA, overlap="all")
    assert entities(docs[0]) == [("place", "b c"), ("person", "c")]
    assert entities(docs[1]) == []


def test_flat_keeps_the_better_of_two_that_overlap() -> None:
    text = Text("a b c", {(PERSON, 0, 0): 5.0, (PLACE, 0, 1): 4.0})
    assert one(text) == [("person", "a")]


def test_nested_keeps_one_inside_the_other() -> None:
    text = Text("a b c", {(PERSON, 0, 0): 5.0, (PLACE, 0, 2): 4.0})
    assert one(text, overlap="nested") == [("person", "a"), ("place", "a b c")]


def test_nested_drops_the_worse_of_two_that_cross() -> None:
    text = Text("a b c d", {(PERSON, 0, 1): 4.0, (PLACE, 1, 2): 5.0, (PLACE, 3, 3): 1.0})
    assert one(text, overlap="nested") == [("place", "b c"), ("place", "d")]
    assert len(one(text, overlap="all")) == 3


@pytest.mark.parametrize("overlap", ["nested", "label", "all"])
def test_one_span_may_have_several_labels(overlap: str) -> None:
    """In gliner only with ``multi_label=True``."""
    text = Text("a b c", {(PERSON, 0, 1): 2.0, (PLACE, 0, 1): 1.0})
    assert one(text, overlap=overlap) == [("person", "a b"), ("place", "a b")]
    assert one(text, overlap="flat") == [("person", "a b")]


def test_every_text_has_the_labels_that_it_was_asked() -> None:
    schema = Schema().entities(["person", "place", "date"])
    texts = [Text("a b", {(0, 0, 0): ABOVE, (1, 1, 1): ABOVE}, labels=labels)
             for labels in ((0, 1), (2, 0), (1,))]  # fmt: skip
    docs, _ = read(texts[:2], SPAN, schema)
    assert [entities(doc) for doc in docs] == [
        [("person", "a"), ("place", "b")], [("date", "a"), ("person", "b")],
    ]  # fmt: skip
    alone = Text("a b", {(0, 0, 0): ABOVE}, labels=(1,))
    docs, _ = read([texts[0], alone], SPAN, schema)
    assert entities(docs[1]) == [("place", "a")]  # and none for the label that pads its row


def test_nothing_reaches_the_threshold() -> None:
    assert one(Text("a b c", {(PERSON, 0, 0): BELOW})) == []


def test_a_text_without_words() -> None:
    docs, _ = read([Text(""), Text("a", {(PERSON, 0, 0): ABOVE})], SPAN, SCHEMA)
    assert [entities(doc) for doc in docs] == [[], [("person", "a")]]


# -- which of several that overlap --------------------------------------------------------------


def test_what_overlaps_a_dropped_span_only_stays() -> None:
    text = Text("a b c d e", {(PERSON, 0, 1): 3.0, (PLACE, 1, 2): 2.0, (PERSON, 2, 4): 1.0})
    assert one(text) == [("person", "a b"), ("person", "c d e")]


def test_one_in_the_middle_drops_both_its_neighbors() -> None:
    text = Text("a b c d e", {(PERSON, 0, 1): 1.0, (PLACE, 1, 2): 3.0, (PERSON, 2, 4): 2.0})
    assert one(text) == [("place", "b c")]


def test_what_is_found_is_in_the_order_of_the_text() -> None:
    logits = {(PERSON, 5, 5): 3.0, (PLACE, 0, 1): 1.0, (PERSON, 3, 3): 2.0}
    assert [text for _, text in one(Text("a b c d e f", logits))] == ["a b", "d", "f"]


@pytest.mark.parametrize(
    ("logits", "kept"),
    [
        ({(PERSON, 0, 1): 1.0, (PERSON, 1, 2): 1.0}, ("person", "a b")),  # the earlier one
        ({(PERSON, 0, 0): 1.0, (PERSON, 0, 2): 1.0}, ("person", "a")),  # the shorter one
        ({(PLACE, 0, 0): 1.0, (PERSON, 0, 0): 1.0}, ("person", "a")),  # the first label
        ({(PERSON, 0, 2): 1.0, (PLACE, 0, 1): 1.0}, ("place", "a b")),  # length before label
    ],
)
def test_of_equal_scores_the_first_in_reading_order_wins(
    logits: dict[tuple[int, int, int], float], kept: tuple[str, str]
) -> None:
    assert one(Text("a b c", logits)) == [kept]


# -- tokens ---------------------------------------------------------------------------------------

BEGIN, MIDDLE, LAST = (ABOVE, BELOW, ABOVE), (BELOW, BELOW, ABOVE), (BELOW, ABOVE, ABOVE)
ALONE = (ABOVE, ABOVE, ABOVE)


def test_a_start_and_an_end_with_all_between_inside_are_a_span() -> None:
    texts = [
        Text("a b c d e", tokens={(PERSON, 1): BEGIN, (PERSON, 2): MIDDLE, (PERSON, 3): LAST}),
        Text("f g", tokens={(PLACE, 0): BEGIN, (PLACE, 1): LAST}),
        Text("h", tokens={(PLACE, 0): ALONE}),
    ]
    docs, _ = read(texts, TOKEN, SCHEMA)
    assert [entities(doc) for doc in docs] == [
        [("person", "b c d")], [("place", "f g")], [("place", "h")],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "tokens",
    [
        {(0, 0): BEGIN, (0, 1): (BELOW, BELOW, BELOW), (0, 2): LAST},  # not inside
        {(0, 0): (ABOVE, BELOW, BELOW), (0, 1): LAST},  # the first word is not inside
        {(0, 0): BEGIN, (0, 1): (BELOW, ABOVE, BELOW)},  # nor is the last
        {(0, 0): LAST, (0, 1): BEGIN},  # it ends before it starts
        {(0, 0): BEGIN, (0, 1): MIDDLE, (0, 2): MIDDLE},  # no end
        {(0, 0): MIDDLE, (0, 1): MIDDLE, (0, 2): LAST},  # no start
        {(0, 0): BEGIN, (1, 0): MIDDLE, (1, 1): LAST, (0, 1): MIDDLE},  # of two labels
    ],
)
def test_what_is_no_span(tokens: dict[tuple[int, int], tuple[float, float, float]]) -> None:
    assert one(Text("a b c", tokens=tokens), TOKEN, overlap="all") == []


@pytest.mark.parametrize(
    ("first", "second", "third", "lowest"),
    [
        ((3.0, BELOW, HIGH), (BELOW, BELOW, 1.5), (BELOW, 4.0, 2.0), 1.5),
        ((3.0, BELOW, HIGH), (BELOW, BELOW, HIGH), (BELOW, 4.0, 2.0), 2.0),
        ((1.0, BELOW, HIGH), (BELOW, BELOW, HIGH), (BELOW, 4.0, 2.0), 1.0),
        ((3.0, BELOW, HIGH), (BELOW, BELOW, HIGH), (BELOW, 0.5, 2.0), 0.5),
    ],
)
def test_the_score_of_a_span_is_its_lowest(
    first: tuple[float, float, float],
    second: tuple[float, float, float],
    third: tuple[float, float, float],
    lowest: float,
) -> None:
    tokens = {(PERSON, 0): first, (PERSON, 1): second, (PERSON, 2): third}
    (doc,), _ = read([Text("a b c", tokens=tokens)], TOKEN, SCHEMA)
    assert [entity.score for entity in doc.entities] == [pytest.approx(sigmoid(lowest))]


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_tokens_that_are_the_threshold_are_enough(channel: int) -> None:
    """In gliner this holds inside a span, but not for its start and its end."""
    values = [ABOVE, ABOVE, ABOVE]
    values[channel] = EVEN
    text = Text("a b", tokens={(PERSON, 0): (values[0], values[1], values[2])})
    assert one(text, TOKEN, threshold=0.5) == [("person", "a")]
    assert one(text, TOKEN, threshold=0.51) == []


def test_starts_and_ends_of_one_label_meet_in_all_ways() -> None:
    tokens = {(0, 0): BEGIN, (0, 1): ALONE, (0, 2): LAST}
    found = {text for _, text in one(Text("a b c", tokens=tokens), TOKEN, overlap="all")}
    assert found == {"a b", "a b c", "b", "b c"}
    tokens[0, 1] = (2.0, 2.0, 2.0)
    assert one(Text("a b c d", tokens=tokens), TOKEN) == [("person", "a b")]  # the first of equals


def test_a_span_of_tokens_may_be_long() -> None:
    words = [f"w{i}" for i in range(50)]
    tokens = {(0, i): MIDDLE for i in range(50)} | {(0, 0): BEGIN, (0, 49): LAST}
    assert one(Text(" ".join(words), tokens=tokens), TOKEN) == [("person", " ".join(words))]


def test_a_span_of_tokens_ends_with_the_text_or_before() -> None:
    """Behind the end of the shorter text everything starts, ends and is inside."""
    texts = [Text("a b", tokens={(0, 1): BEGIN}), Text("c d", tokens={(0, 1): ALONE}),
             Text("e f g h")]  # fmt: skip
    docs, _ = read(texts, TOKEN, SCHEMA, overlap="all")
    assert [entities(doc) for doc in docs] == [[], [("person", "d")], []]


def test_no_tokens_no_span() -> None:
    assert one(Text("a b c"), TOKEN) == []


def test_spans_of_tokens_that_are_scored_again_have_the_labels_of_the_second_score() -> None:
    tokens = {(PERSON, 0): BEGIN, (PERSON, 1): LAST, (PLACE, 3): ALONE}
    spans = {(PLACE, 0, 1): 2.0, (PERSON, 2, 2): HIGH, (PLACE, 3, 3): BELOW}
    (doc,), _ = read([Text("a b c d", spans, tokens)], SCORED, SCHEMA)
    assert entities(doc) == [("place", "a b")]  # one was not proposed, one does not hold
    assert doc.entities[0].score == pytest.approx(sigmoid(2.0))
    even = Text("a b", {(PERSON, 0, 0): EVEN}, {(PERSON, 0): ALONE})
    assert one(even, SCORED, threshold=0.5) == [("person", "a")]
    assert one(even, SCORED, threshold=0.51) == []
    _, backend = read([Text("a b")], SCORED, SCHEMA)
    assert "span_states" not in backend.ran
