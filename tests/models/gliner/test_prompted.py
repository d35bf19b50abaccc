"""Tasks by instruction: questions, summaries, classes and relations, on texts and their windows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.models.gliner.conftest import Case

from onepass import Extractor, Schema
from onepass.errors import SchemaError

TEXT = "Tim Cook runs Apple in Paris; the price of 9 red things is not bad."
KINDS = ("span", "token", "token-spans", "bi-token")


@pytest.fixture(params=KINDS)
def model(request: pytest.FixtureRequest, case_of: Callable[[str], Case]) -> Extractor:
    return Extractor.from_pretrained(case_of(request.param).directory, backend="torch")


def test_answers_are_parts_of_the_text(model: Extractor) -> None:
    schema = Schema().ask({"who": "Who runs Apple?", "where": "Where is it?"}).summary()
    schema.ask({"things": {"text": "Find all things", "kind": "open"}})
    doc = model.extract(TEXT, schema, threshold=0.0, overlap="all")
    assert {entity.label for entity in doc.entities} == {"who", "where", "summary", "things"}
    for entity in doc.entities:
        assert TEXT[entity.start : entity.end] == entity.text


def test_an_answer_does_not_take_the_place_of_an_entity(model: Extractor) -> None:
    alone = model.extract(TEXT, Schema().entities(["person", "place"]), threshold=0.02)
    schema = Schema().entities(["person", "place"]).ask(["Who runs Apple?"])
    beside = model.extract(TEXT, schema, threshold=0.02)
    kept = [entity for entity in beside.entities if entity.label in ("person", "place")]
    places = [(e.label, e.start, e.end) for e in alone.entities]
    assert [(e.label, e.start, e.end) for e in kept] == places
    assert len(beside.entities) > len(kept)


def test_classes_stand_in_the_instruction(model: Extractor) -> None:
    schema = (
        Schema()
        .classification("tone", ["calm", "very angry", "red"])
        .classification("color", ["red", "green"], multi_label=True, prompt="Which colors")
    )
    doc = model.extract(TEXT, schema)
    assert sum(doc.classifications["tone"].scores.values()) == pytest.approx(1, abs=1e-5)
    assert len(doc.classifications["tone"].labels) == 1
    assert np.std(list(doc.classifications["tone"].scores.values())) > 0
    assert set(doc.classifications["color"].scores) == {"red", "green"}
    assert not doc.entities


def test_many_classes_are_split_and_none_is_lost(model: Extractor) -> None:
    labels = [f"calm {number}" for number in range(800)]
    answer = model.extract(TEXT, Schema().classification("tone", labels)).classifications["tone"]
    assert list(answer.scores) == labels


def test_relations_are_asked_entity_by_entity(model: Extractor) -> None:
    schema = Schema().entities(["person", "company", "place"]).relations(["works for", "in"])
    doc = model.extract(TEXT, schema, threshold=0.2)
    places = {(entity.start, entity.end) for entity in doc.entities}
    for relation in doc.relations:
        for end in (relation.head, relation.tail):
            assert (end.start, end.end) in places
            assert TEXT[end.start : end.end] == end.text
        assert (relation.head.start, relation.head.end) != (relation.tail.start, relation.tail.end)
    keys = [(r.type, r.head.start, r.tail.start, r.head.end, r.tail.end) for r in doc.relations]
    assert len(keys) == len(set(keys))


def test_more_classes_than_labels_of_spans(model: Extractor) -> None:
    schema = Schema().entities(["person"]).classification("tone", ["calm", "red", "bad", "angry"])
    doc = model.extract(TEXT, schema, threshold=0.02)
    assert set(doc.classifications["tone"].scores) == {"calm", "red", "bad", "angry"}
    assert doc.entities


def test_an_answer_is_no_end_of_a_relation(model: Extractor) -> None:
    schema = Schema().entities(["person", "company"]).relations(["in"])
    before = model.extract(TEXT, schema, threshold=0.2)
    after = model.extract(TEXT, schema.ask(["Who is it?"]).summary(), threshold=0.2)
    ends = [
        [(r.head.start, r.head.end, r.tail.start, r.tail.end) for r in doc.relations]
        for doc in (before, after)
    ]
    assert ends[0] == ends[1]


def test_a_class_of_more_words_than_a_span_has(case_of: Callable[[str], Case]) -> None:
    model = Extractor.from_pretrained(case_of("span").directory, backend="torch")
    with pytest.raises(SchemaError, match="has 5 words, but this checkpoint chooses spans of at"):
        model.extract(TEXT, Schema().classification("tone", ["a b c d e", "calm"]))


def test_every_text_is_asked_on_its_own(model: Extractor) -> None:
    schema = (
        Schema()
        .entities(["person", "company"])
        .relations(["works for"])
        .classification("tone", ["calm", "angry"])
        .summary()
    )
    texts = [TEXT, "Rome.", "", TEXT * 40]
    for text, doc in zip(texts, model.extract(texts, schema, threshold=0.4), strict=True):
        alone = model.extract(text, schema, threshold=0.4)
        assert len(alone.entities) == len(doc.entities)
        assert len(alone.relations) == len(doc.relations)
        for one, other in zip(alone.entities, doc.entities, strict=True):
            assert (one.label, one.start, one.end) == (other.label, other.start, other.end)
            assert one.score == pytest.approx(other.score, abs=1e-5)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (Schema().structure("product", ["name"]), "finds no records (structure 'product')"),
        (Schema().relations(["in"]), "asks for relations only; add the entity labels"),
        (Schema().ask(["who " * 3000]), "pieces with its prompt, but a prompt of this model may"),
    ],
)
def test_what_cannot_be_asked(model: Extractor, schema: Schema, said: str) -> None:
    with pytest.raises(SchemaError) as refused:
        model.extract(TEXT, schema)
    assert said in str(refused.value)
