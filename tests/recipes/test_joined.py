"""What the recipe derives from annotated texts keeps every annotation at its place."""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "builtin"))

from derived import one_record_of_mentions
from joined import joined_mentions, joined_records, joined_relations

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldValue,
    Mention,
)


def place(text: str, words: str) -> tuple[int, int]:
    start = text.index(words)
    return start, start + len(words)


def records(kind: str, fields: tuple[str, ...], *rows: tuple[str, ...]) -> Example:
    text = ". ".join(" ".join(row) for row in rows)
    found = tuple(
        {name: (GoldValue(*place(text, words)),) for name, words in zip(fields, row, strict=True)}
        for row in rows
    )
    return Example(text, structures=(GoldStructure(kind, tuple(map(GoldField, fields)), found),))


def shown(example: Example) -> dict[str, list[list[str]]]:
    """Return the words of all values: by record type and record."""
    return {
        one.name: [
            [example.text[v.start : v.end] for values in record.values() for v in values]
            for record in one.records
        ]
        for one in example.structures
    }


HOUSE = ("name", "price", "size")
HOUSES = records("house", HOUSE, ("Alba", "10 euros", "big"), ("Bora", "20 euros", "small"))
MORE = records(
    "house",
    (*HOUSE, "age"),
    ("Cala", "30 euros", "tall", "old"),
    ("Dee", "4 euros", "wide", "new"),
)
BOATS = records("boat", ("ship", "speed"), ("Elsa", "5 knots"), ("Finn", "6 knots"))


def test_texts_of_one_record_type_have_the_records_of_both_with_the_fields_of_both() -> None:
    found = list(joined_records([HOUSES, MORE], 2, random.Random(1)))
    assert [shown(example) for example in found] == [
        {
            "house": [
                ["Alba", "10 euros", "big"],
                ["Bora", "20 euros", "small"],
                ["Cala", "30 euros", "tall"],
                ["Dee", "4 euros", "wide"],
            ]
        }
    ]


def test_a_field_that_is_a_list_in_one_of_two_texts_is_one_in_both() -> None:
    text = "Ann and Bo, 2 euros. Al, 3 euros."
    values = {"who": "Ann", "price": "2 euros"}, {"who": "Al", "price": "3 euros"}
    found = [{k: (GoldValue(*place(text, v)),) for k, v in one.items()} for one in values]
    single = tuple(GoldField(name, dtype="str") for name in ("who", "price", "day"))
    several = (GoldField("who", dtype="list"), *single[1:])
    one = Example(text, structures=(GoldStructure("sale", single, tuple(found)),))
    found[0] = {**found[0], "who": (GoldValue(0, 3), GoldValue(8, 10))}
    other = Example(text + " ", structures=(GoldStructure("sale", several, tuple(found)),))
    for pair in ([one, other], [other, one]):
        joined = next(joined_records(pair, 2, random.Random(1)))
        assert [f.dtype for f in joined.structures[0].fields] == ["list", "str", "str"]
        assert len(joined.structures[0].records) == 4


def test_texts_of_other_record_types_are_asked_for_one_or_for_all() -> None:
    alone = {**shown(HOUSES)}, {**shown(BOATS)}
    both = alone[0] | alone[1]
    found = [shown(e) for e in joined_records([HOUSES, BOATS], 40, random.Random(1))]
    assert len(found) == 40
    assert all(asked in (*alone, both) for asked in found)
    assert all(asked in found for asked in (*alone, both))


def test_nothing_is_joined_where_fields_of_two_record_types_have_one_name() -> None:
    other = records("boat", ("name", "speed"), ("Elsa", "5 knots"), ("Finn", "6 knots"))
    assert not list(joined_records([HOUSES, other], 4, random.Random(1)))
    assert not list(joined_records([HOUSES], 4, random.Random(1)))


def test_mentions_of_texts_that_were_asked_the_same_keep_their_places() -> None:
    texts = [
        Example("Ann met Bo.", (Mention(0, 3, "person"), Mention(8, 10, "person")), ("place",)),
        Example("Rome is old.", (Mention(0, 4, "place"),), ("person",)),
        Example("Cy ran.", (Mention(0, 2, "person"),)),  # was not asked for places
    ]
    (joined,) = joined_mentions(texts, random.Random(1))
    assert set(joined.asked) == {"place", "person"}
    assert sorted((joined.text[m.start : m.end], m.label) for m in joined.entities) == [
        ("Ann", "person"),
        ("Bo", "person"),
        ("Rome", "place"),
    ]


def test_a_text_that_no_longer_fits_begins_the_next_long_one() -> None:
    texts = [Example("word " * 50 + str(n), (Mention(0, 4, "word"),)) for n in range(40)]
    joined = list(joined_mentions(texts, random.Random(1)))
    assert sum(len(example.entities) for example in joined) >= 30  # a single one is left out


def test_relations_are_asked_of_joined_texts_where_the_answer_is_known_for_all() -> None:
    def related(head: str, kind: str, tail: str, *asked: str) -> Example:
        text = f"{head} {kind} {tail}"
        pair = GoldRelation(kind, place(text, head), place(text, tail))
        return Example(text, relations=(pair,), asked_relations=asked)

    common = [related(f"A{n}", "knows", f"B{n}") for n in range(20)]
    rare = related("Cy", "insures", "Di")
    texts = [*common, rare]
    found = list(joined_relations(texts, 200, random.Random(1)))
    for example in found:
        shown = {
            (example.text[slice(*one.head)], one.type, example.text[slice(*one.tail)])
            for one in example.relations
        }
        assert (("Cy", "insures", "Di") in shown) == ("Cy insures" in example.text)
        # "knows" is asked of many texts, and was not asked of the one of Cy
        assert ("knows" in example.asked_relations) == ("Cy insures" not in example.text)
    assert any("Cy" in example.text for example in found)


def test_mentions_become_one_record_with_a_field_a_label() -> None:
    text = "Ann flew to Rome with Bo. Ann stayed in Rome."
    mentions = (
        Mention(0, 3, "person"),
        Mention(12, 16, "place"),
        Mention(22, 24, "person"),
        Mention(26, 29, "person"),
        Mention(40, 44, "place"),
    )
    example = Example(text, mentions, ("date",))
    fields = set()
    for seed in range(40):
        (made,) = one_record_of_mentions([example], ("trip",), random.Random(seed))
        (one,) = made.structures
        assert one.name == "trip"
        assert {
            name: [text[v.start : v.end] for v in values] for name, values in one.records[0].items()
        } == {"person": ["Ann", "Bo"], "place": ["Rome"]}
        fields |= {field.name for field in one.fields}
    assert fields == {"person", "place", "date"}
    assert not list(one_record_of_mentions([Example("Nobody.")], ("trip",), random.Random(1)))
