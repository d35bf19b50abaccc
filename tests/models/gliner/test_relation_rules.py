"""What counts as a relation, situation by situation, from logits that are written by hand.

The situations are those of the decoder tests of gliner's repository. Where the rules differ the
test says so: thresholds are inclusive here, no entity is related to itself, and what is near does
not depend on thresholds.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.models.gliner.by_hand import HIGH, NEAR, RELEX, Span, Text, read, sigmoid

from onepass import Schema
from onepass.models.gliner.config import GlinerConfig
from onepass.schema.options import Threshold

PLAIN = Schema().entities(["person", "place"])
RELATED = Schema().entities(["person", "place"]).relations(["works for", "in"])
BELOW, EVEN = -3.0, 0.0
PERSON, PLACE = 0, 1
A, B, C = (0, 0), (2, 2), (4, 4)
PEOPLE = {(PERSON, *A): 3.0, (PERSON, *B): 3.0, (PLACE, *C): 3.0}


def relations(
    text: Text, config: GlinerConfig = RELEX, schema: Schema = RELATED, **options: Threshold
) -> list[tuple[str, str, str]]:
    (doc,), _ = read([text], config, schema, **options)
    return sorted((r.head.text, r.type, r.tail.text) for r in doc.relations)


def test_a_pair_that_holds_is_a_relation() -> None:
    pairs = {(0, A, B): 2.0, (1, B, C): 1.0, (1, A, C): BELOW}
    (doc,), _ = read([Text("a b c d e", PEOPLE, pairs=pairs)], RELEX, RELATED)
    assert [(r.head.text, r.type, r.tail.text) for r in doc.relations] == [
        ("a", "works for", "c"), ("c", "in", "e"),
    ]  # fmt: skip
    assert [r.score for r in doc.relations] == [
        pytest.approx(sigmoid(2.0)), pytest.approx(sigmoid(1.0)),
    ]  # fmt: skip
    assert doc.relations[0].head.score == pytest.approx(sigmoid(3.0))


def test_a_relation_has_a_direction() -> None:
    both = {(0, A, B): 2.0, (0, B, A): 2.0}
    assert relations(Text("a b c d e", PEOPLE, pairs=both)) == [
        ("a", "works for", "c"), ("c", "works for", "a"),
    ]  # fmt: skip


def test_a_relation_that_is_the_threshold_is_enough() -> None:
    """In gliner it is not."""
    text = Text("a b c d e", PEOPLE, pairs={(0, A, B): EVEN, (1, A, B): EVEN})
    assert len(relations(text, threshold={"relations": 0.5})) == 2
    assert relations(text, threshold={"relations": 0.51}) == []
    assert relations(text, threshold={"in": 0.51}) == [("a", "works for", "c")]


def test_all_pairs_below_the_threshold() -> None:
    assert relations(Text("a b c d e", PEOPLE, pairs={(0, A, B): -1.0, (1, C, A): -0.1})) == []


def test_no_relations_where_none_are_asked() -> None:
    text = Text("a b c d e", PEOPLE, pairs={(0, A, B): HIGH})
    (doc,), backend = read([text], RELEX, PLAIN)
    assert len(doc.entities) == 3
    assert not doc.relations
    assert "pairs" not in backend.ran


def test_an_entity_that_is_dropped_is_not_related() -> None:
    spans = PEOPLE | {(PLACE, 1, 2): 2.0}  # overlaps a better one
    pairs = {(0, A, (1, 2)): HIGH, (0, (1, 2), C): HIGH, (1, A, C): 2.0}
    assert relations(Text("a b c d e", spans, pairs=pairs)) == [("a", "in", "e")]
    (doc,), _ = read([Text("a b c d e", spans, pairs=pairs)], RELEX, RELATED, overlap="all")
    assert len(doc.relations) == 3


def test_what_is_no_entity_is_not_related() -> None:
    pairs = {(0, A, (3, 3)): HIGH, (0, (1, 2), (2, 3)): HIGH}
    assert relations(Text("a b c d e", PEOPLE, pairs=pairs)) == []


def test_no_entity_is_related_to_itself_and_no_relation_is_said_twice() -> None:
    """In token models of gliner a span of two labels is two entities."""
    spans = PEOPLE | {(PLACE, *A): 2.0}
    pairs = {(0, A, A): HIGH, (0, A, B): 2.0}
    (doc,), _ = read([Text("a b c d e", spans, pairs=pairs)], RELEX, RELATED, overlap="all")
    assert len(doc.entities) == 4
    assert [(r.head.text, r.tail.text) for r in doc.relations] == [("a", "c")]


@pytest.mark.parametrize("threshold", [None, {"relations": 0.05}, {"in": 0.05}, 0.95])
def test_pairs_that_are_not_near_are_not_looked_at(threshold: Threshold) -> None:
    """Whatever the thresholds are; in gliner that of entities decides what is near."""
    pairs = {(0, A, B): HIGH, (0, B, A): HIGH, (1, A, C): HIGH}
    text = Text("a b c d e", PEOPLE, pairs=pairs, near=frozenset([(A, B), (C, A)]))
    assert relations(text, NEAR, threshold=threshold) == [("a", "works for", "c")]


def test_the_threshold_of_one_type_does_not_change_another() -> None:
    pairs = {(0, A, B): 1.0, (0, B, C): 1.0, (1, A, B): -1.0, (1, C, A): -1.0}
    text = Text("a b c d e", PEOPLE, pairs=pairs, near=frozenset([(A, B)]))
    assert relations(text, NEAR) == [("a", "works for", "c")]
    assert relations(text, NEAR, threshold={"in": 0.05}) == [
        ("a", "in", "c"), ("a", "works for", "c"),
    ]  # fmt: skip


@pytest.mark.parametrize("config", [RELEX, NEAR])
def test_relations_found_at_a_low_threshold_hold_at_a_higher_one_by_their_scores(
    config: GlinerConfig,
) -> None:
    generator = np.random.default_rng(1)
    own = [(i, i) for i in range(8)]
    ways = [(head, tail) for head in own for tail in own]
    pairs = {(kind, *way): float(generator.normal(0, 2)) for kind in (0, 1) for way in ways}
    near = frozenset(way for way in ways if generator.random() < 0.5)
    text = Text("a b c d e f g h", {(PERSON, *span): 3.0 for span in own}, pairs=pairs, near=near)
    low, high = (
        read([text], config, RELATED, threshold={"relations": limit})[0][0].relations
        for limit in (0.05, 0.6)
    )
    assert high == tuple(r for r in low if r.score >= 0.6)
    assert len(low) > len(high) > 10


def test_every_text_has_the_types_that_it_was_asked() -> None:
    pairs = {(0, A, B): 2.0, (1, A, B): 2.0}
    texts = [Text("a b c d e", PEOPLE, pairs=pairs, types=types) for types in ((0, 1), (1,), ())]
    docs, _ = read(texts, RELEX, RELATED)
    assert [[r.type for r in doc.relations] for doc in docs] == [["works for", "in"], ["in"], []]
    docs, _ = read(texts, RELEX, RELATED, threshold={"in": 0.95})
    assert [[r.type for r in doc.relations] for doc in docs] == [["works for"], [], []]


def test_texts_with_no_two_entities_have_no_relations() -> None:
    pairs = {(0, A, B): HIGH, (0, A, A): HIGH}
    texts = [
        Text("a b c d e", pairs=pairs),
        Text("a b c d e", {(PERSON, *A): 3.0}, pairs=pairs),
        Text("a b c d e", PEOPLE, pairs=pairs),
        Text("", pairs=pairs),
    ]
    docs, _ = read(texts, RELEX, RELATED)
    assert [len(doc.relations) for doc in docs] == [0, 0, 1, 0]
    _, backend = read(texts[:2], RELEX, RELATED)
    assert "pairs" not in backend.ran


def test_many_pairs_are_those_of_a_loop() -> None:
    generator = np.random.default_rng(0)
    texts, expected = [], []
    for _ in range(8):
        words = int(generator.integers(2, 12))
        own: list[Span] = [(i, i) for i in range(words) if generator.random() < 0.8]
        pairs = {
            (kind, head, tail): float(generator.normal())
            for kind in (0, 1)
            for head in own
            for tail in own
        }
        spans = {(PERSON, *span): 3.0 for span in own}
        texts.append(Text(" ".join("abcdefghijkl"[:words]), spans, pairs=pairs))
        expected.append(
            {
                (
                    "abcdefghijkl"[head[0]],
                    RELATED.relation_types[kind].name,
                    "abcdefghijkl"[tail[0]],
                )
                for (kind, head, tail), value in pairs.items()
                if head != tail and value >= 0
            }
        )
    docs, _ = read(texts, RELEX, RELATED)
    found = [[(r.head.text, r.type, r.tail.text) for r in doc.relations] for doc in docs]
    assert [set(rows) for rows in found] == expected
    assert sum(map(len, expected)) > 100
    assert [len(rows) for rows in found] == [len(rows) for rows in expected]
