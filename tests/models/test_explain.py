"""Two readings of a text are compared: what the wider one has beyond the other, and why."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from onepass import Extractor, Schema
from onepass.errors import InputError
from onepass.models.explain import explain
from onepass.models.reader import Planned
from onepass.results.missed import Explanation
from onepass.results.types import Entity, Extraction, Record, Relation, Value
from onepass.schema.options import CallOptions, Threshold

TEXT = "Ann Lee met Bo in New York"
SCHEMA = (
    Schema()
    .entities(["person", "city", "place"])
    .ask({"who": "Who was met?"})
    .structure("meeting", ["guest::str", "where", "kind::[short|long]"])
    .relations(["met"])
)


def entity(label: str, text: str, score: float) -> Entity:
    return Entity(label, text, TEXT.index(text), TEXT.index(text) + len(text), score)


def value(text: str, score: float) -> Value:
    return Value(text, TEXT.index(text), TEXT.index(text) + len(text), score)


def met(head: str, tail: str, score: float) -> Relation:
    return Relation("met", value(head, score), value(tail, score), score)


class Readings:
    """Stands in for a reader that finds one thing first, then another."""

    def __init__(self, *docs: Extraction) -> None:
        self.docs = list(docs)
        self.asked: list[Planned] = []

    def read(self, texts: Sequence[str], asked: Planned) -> list[Extraction]:
        assert list(texts) == [TEXT]
        self.asked.append(asked)
        return [self.docs[len(self.asked) - 1]]


@pytest.fixture(scope="module")
def model() -> Extractor:
    return Extractor()


def doc(
    *entities: Entity, records: Sequence[Record] = (), relations: Sequence[Relation] = ()
) -> Extraction:
    return Extraction(TEXT, entities, {}, {"meeting": tuple(records)}, tuple(relations))


def told(
    model: Extractor, kept: Extraction, wide: Extraction, threshold: Threshold = 0.5
) -> Explanation:
    readings = Readings(kept, wide)
    asked = model._reader.ask(SCHEMA, CallOptions(threshold, solver="greedy"))
    return explain(readings, TEXT, asked, 0.125)  # type: ignore[arg-type]


def test_the_second_reading_goes_down_to_the_floor_and_keeps_overlaps(model: Extractor):
    readings = Readings(doc(), doc())
    options = CallOptions({"person": 0.05, "city": 0.75, "meeting": 0.5, "relations": 0.5})
    explain(readings, TEXT, model._reader.ask(SCHEMA, options), 0.125)  # type: ignore[arg-type]
    first, second = readings.asked
    assert (first.asking.overlap, first.choice.overlap) == ("flat", "flat")
    assert (second.asking.overlap, second.choice.overlap) == ("all", "all")
    lower = second.asking.thresholds
    assert lower.entities[:2].tolist() == pytest.approx([0.05, 0.125])  # a lower one stays
    assert lower.fields[0].tolist() == [0.125] * 3
    assert lower.relations.tolist() == [0.125]
    assert first.asking.thresholds.relations.tolist() == [0.5]


def test_too_low_a_score(model: Extractor):
    kept = entity("person", "Ann Lee", 0.75)
    (missed,) = told(model, doc(kept), doc(kept, entity("person", "Bo", 0.25))).missed
    assert (missed.kind, missed.name, missed.found.score) == ("entity", "person", 0.25)
    assert (missed.reason, missed.threshold, missed.by) == ("score", 0.5, None)


def test_a_surer_entity_has_the_words(model: Extractor):
    kept = entity("city", "New York", 0.75)
    rivals = entity("place", "New York", 0.625), entity("city", "York", 0.5625)
    missed = told(model, doc(kept), doc(kept, *rivals)).missed
    assert [(one.name, one.found, one.reason, one.by) for one in missed] == [
        ("place", rivals[0], "overlap", kept),
        ("city", rivals[1], "overlap", kept),
    ]


def test_parts_of_what_was_found_are_left_out(model: Extractor):
    city, guest = entity("city", "New York", 0.75), {"guest": value("Ann Lee", 0.75)}
    wide = doc(city, entity("city", "York", 0.25), records=[guest, {"guest": value("Lee", 0.25)}])
    assert not told(model, doc(city, records=[guest]), wide).missed


def test_an_answer_takes_no_words_of_an_entity(model: Extractor):
    answer = entity("who", "Bo", 0.75)
    (missed,) = told(model, doc(answer), doc(answer, entity("person", "Bo", 0.25))).missed
    assert missed.by is None


def test_what_nothing_stands_in_the_way_of_was_not_chosen(model: Extractor):
    (missed,) = told(model, doc(), doc(entity("person", "Bo", 0.75))).missed
    assert missed.reason == "choice"


def test_values_of_records(model: Extractor):
    kept = doc(records=[{"guest": value("Ann Lee", 0.75), "kind": None}])
    long = Value("long", None, None, 0.25)
    wide = doc(
        records=[
            {"guest": value("Ann Lee", 0.75), "kind": long},
            {"guest": value("Bo", 0.625), "where": (value("New York", 0.25),), "kind": long},
        ]
    )
    missed = told(model, kept, wide, {"records": 0.5, "choices": 0.375}).missed
    assert [(one.record, one.name, one.found.text) for one in missed] == [  # type: ignore[union-attr]
        ("meeting", "guest", "Bo"), ("meeting", "kind", "long"), ("meeting", "where", "New York"),
    ]  # fmt: skip
    assert [(one.kind, one.reason) for one in missed] == [
        ("value", "choice"), ("value", "score"), ("value", "score"),
    ]  # fmt: skip
    assert [one.threshold for one in missed] == [0.5, 0.375, 0.5]


def test_relations(model: Extractor):
    kept = met("Ann Lee", "Bo", 0.75)
    other = met("Bo", "Ann Lee", 0.25)
    (missed,) = told(model, doc(relations=[kept]), doc(relations=[kept, other])).missed
    assert (missed.kind, missed.name, missed.found) == ("relation", "met", other)


def test_a_kept_finding_may_have_another_score_in_the_second_reading(model: Extractor):
    first, second = entity("person", "Bo", 0.75), entity("person", "Bo", 0.7421875)
    assert not told(model, doc(first), doc(second)).missed


def test_the_table_and_the_json_say_all_of_it(model: Extractor):
    city = entity("city", "New York", 0.75)
    wide = doc(
        city, entity("place", "New York", 0.625), entity("person", "Bo", 0.25),
        records=[{"where": (value("New York", 0.5625),)}], relations=[met("Bo", "Ann Lee", 0.1875)],
    )  # fmt: skip
    explanation = told(model, doc(city), wide)
    assert explanation.to_table().split("Not kept\n")[1].splitlines() == [
        "  place           New York       18:26  0.625  taken by city New York",
        "  meeting: where  New York       18:26  0.562  another one was chosen",
        "  person          Bo             12:14  0.250  below 0.500",
        "  met             Bo -> Ann Lee         0.188  below 0.500",
    ]
    rows = explanation.to_dict()["missed"]
    assert [(row["kind"], row["reason"]) for row in rows] == [
        ("entity", "overlap"), ("value", "choice"), ("entity", "score"), ("relation", "score"),
    ]  # fmt: skip
    assert rows[0]["by"]["label"] == "city"
    assert (rows[1]["record"], rows[1]["field"]) == ("meeting", "where")
    assert rows[3]["head"]["text"] == "Bo"
    assert '"floor": 0.125' in explanation.to_json()


def test_what_cannot_be_explained_is_refused(model: Extractor):
    with pytest.raises(InputError, match="The floor must be a number from 0 to 1, but 2 was given"):
        model.explain(TEXT, SCHEMA, floor=2)
    with pytest.raises(InputError, match="reads one text, but a list was given"):
        model.explain([TEXT], SCHEMA)  # type: ignore[arg-type]
