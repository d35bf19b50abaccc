import json
import re
from collections.abc import Callable

import pytest
from tests.linear import assert_grows_in_proportion

from onepass.corpus.example import Example, GoldField, GoldRelation, GoldTask, GoldValue, Mention
from onepass.corpus.formats import read_any
from onepass.corpus.gliner2 import example_from_gliner2
from onepass.errors import InputError

TEXT = "Tim Cook met Ann Lee. Ann Lee works for Apple; Apple is in Paris, not New-York."


def read(output, text=TEXT, **options):
    return example_from_gliner2({"input": text, "output": output}, **options)


def surfaces(example):
    return [(example.text[m.start : m.end], m.start, m.label) for m in example.entities]


def test_an_entity_stands_at_every_occurrence_in_any_case():
    example = read({"entities": {"person": ["ann lee", "Tim Cook"], "company": ["Apple"]}})
    assert surfaces(example) == [
        ("Tim Cook", 0, "person"),
        ("Ann Lee", 13, "person"),
        ("Ann Lee", 22, "person"),
        ("Apple", 40, "company"),
        ("Apple", 47, "company"),
    ]
    assert example.asked == ("person", "company")


def test_offsets_mean_one_occurrence():
    example = read({"entities": {"company": [{"text": "Apple", "start": 47, "end": 52}]}})
    assert example.entities == (Mention(47, 52, "company"),)


def test_a_label_without_mentions_is_a_negative():
    assert read({"entities": {"place": [], "date": None, "time": ""}}).asked == (
        "place",
        "date",
        "time",
    )


def test_descriptions_of_asked_labels_are_kept():
    output = {
        "entities": {"person": ["Tim Cook"]},
        "entity_descriptions": {"person": "a human", "place": "never asked"},
        "relations": [{"met": {"head": "Tim Cook", "tail": "Ann Lee"}}],
        "relation_descriptions": {"met": "came together"},
    }
    example = read(output)
    assert example.descriptions == {"person": "a human"}
    assert example.relation_descriptions == {"met": "came together"}


def test_part_of_a_word_is_no_occurrence_and_is_told():
    told: list[str] = []
    output = {"entities": {"city": ["York"], "place": ["Paris", "Rome"]}}
    example = read(output, on_missing=told.append)
    assert example.asked == ("place",)  # "city" holds, but nowhere that could be trained
    assert surfaces(example) == [("Paris", 59, "place")]
    assert told == [
        "the entity 'city' 'York' does not stand in the text as whole words.",
        "the entity 'place' 'Rome' does not stand in the text as whole words.",
    ]
    with pytest.raises(InputError, match="'York' does not stand"):
        read(output)


def test_values_inside_a_text_without_blanks_are_found():
    text = "库克在巴黎经营苹果公司。"
    output = {
        "entities": {"person": ["库克"], "city": ["巴黎"]},
        "json_structures": [{"firm": {"name": "苹果公司", "head": "库克"}}],
        "relations": [{"runs": {"head": "库克", "tail": "苹果公司"}}],
    }
    example = read(output, text=text)
    assert surfaces(example) == [("库克", 0, "person"), ("巴黎", 3, "city")]
    assert example.relations == (GoldRelation("runs", (0, 2), (7, 11)),)
    (firm,) = example.structures
    assert firm.records == ({"name": (GoldValue(7, 11),), "head": (GoldValue(0, 2),)},)


def test_classifications_with_one_or_several_true_labels():
    output = {
        "classifications": [
            {"task": "tone", "labels": ["calm", "angry"], "true_label": "calm"},
            {
                "task": "topics",
                "labels": ["work", "food", "law"],
                "true_label": ["work", "law"],
                "prompt": "What is it about?",
                "examples": [["He sued", "law"]],
                "label_descriptions": {"law": "courts"},
            },
            {"task": "kind", "labels": ["a", "b"], "true_label": [], "multi_label": True},
        ]
    }
    tone, topics, kind = read(output).classifications
    assert tone == GoldTask("tone", ("calm", "angry"), ("calm",))
    assert topics == GoldTask(
        "topics",
        ("work", "food", "law"),
        ("work", "law"),
        multi_label=True,
        descriptions={"law": "courts"},
        prompt="What is it about?",
        examples=(("He sued", "law"),),
    )
    assert (kind.true, kind.multi_label) == ((), True)


def test_structures_with_the_same_name_are_records_of_one():
    output = {
        "json_structures": [
            {"meeting": {"guest": "Ann Lee", "host": "Tim Cook", "mood": ""}},
            {
                "meeting": {
                    "guest": ["Ann Lee"],
                    "place": ["Apple", "Paris"],
                    "size": {"value": "small", "choices": ["small", "large"]},
                }
            },
        ],
        "json_descriptions": {"meeting": {"guest": "who came"}},
    }
    (meeting,) = read(output).structures
    assert meeting.fields == (
        GoldField("guest", "who came"),
        GoldField("host", dtype="str"),
        GoldField("mood", dtype="str"),
        GoldField("place"),
        GoldField("size", choices=("small", "large"), dtype="str"),
    )
    first, second = meeting.records
    assert first == {"guest": (GoldValue(13, 20),), "host": (GoldValue(0, 8),)}
    assert second == {
        "guest": (GoldValue(22, 29),),  # closest to Paris, the one certain place
        "place": (GoldValue(47, 52), GoldValue(59, 64)),
        "size": (GoldValue(choice="small"),),
    }


def test_values_that_are_not_in_the_text_have_no_place():
    (car,) = read({"json_structures": [{"car": {"name": "Ford", "doors": 4}}]}).structures
    assert car.records == ({"name": (GoldValue(text="Ford"),), "doors": (GoldValue(text="4"),)},)


def test_an_empty_record_says_that_there_is_none():
    (car,) = read({"json_structures": [{"car": {"name": "", "tags": []}}]}).structures
    assert [f.name for f in car.fields] == ["name", "tags"]
    assert car.records == ()


def test_equal_records_stand_at_the_next_occurrence_and_else_count_once():
    (car,) = read({"json_structures": [{"car": {"name": "Apple"}}] * 3}).structures
    assert car.records == ({"name": (GoldValue(40, 45),)}, {"name": (GoldValue(47, 52),)})
    rows = [{"car": {"name": "Apple", "place": "Paris"}}] * 2
    (car,) = read({"json_structures": rows}).structures
    assert {record["place"] for record in car.records} == {(GoldValue(59, 64),)}
    assert len(car.records) == 2


def test_fields_that_are_only_described_are_asked():
    # GLiNER2 itself asks the fields of records alone.
    output = {
        "json_structures": [{"car": {"name": "Apple"}}],
        "json_descriptions": {"car": {"price": "in euros"}, "bike": {"name": "never asked"}},
    }
    (car,) = read(output).structures
    assert car.fields == (GoldField("name", dtype="str"), GoldField("price", "in euros"))


def test_a_relation_joins_the_closest_occurrences():
    output = {"relations": [{"works_for": {"head": "Ann Lee", "tail": "Apple"}}] * 2}
    assert read(output).relations == (GoldRelation("works_for", (22, 29), (40, 45)),)


def test_a_relation_that_is_not_there_is_a_negative():
    example = read({"relations": [{"owns": {"head": "", "tail": ""}}]})
    assert (example.relations, example.asked_relations) == ((), ("owns",))


def test_a_relation_of_which_nothing_was_found_is_not_asked():
    rows = [
        {"owns": {"head": "Tim Cook", "tail": "Rome"}},
        {"met": {"head": "Tim Cook", "tail": "Ann Lee"}},
        {"met": {"head": "Tim Cook", "tail": "Rome"}},
    ]
    told: list[str] = []
    example = read({"relations": rows}, on_missing=told.append)
    assert example.asked_relations == ("met",)
    assert len(example.relations) == 1
    assert len(told) == 2


def test_text_and_schema_mean_the_same_as_input_and_output():
    output = {"entities": {"place": ["Paris"]}}
    other = example_from_gliner2({"text": TEXT, "schema": output, "id": 7})
    assert other == read(output)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ({"entites": {}}, "output has the unknown key 'entites'; the keys are classifications, "),
        ({"entities": ["Paris"]}, "entities must be an object"),
        ({"entities": {"place": [True]}}, "'place' must be a string, but True (bool)"),
        ({"entities": {" ": []}}, "an entity label must not be empty"),
        (
            {"entities": {"place": [{"text": "Paris", "start": 0, "end": 5}]}},
            "the entity 'place' is 'Paris', but [0, 5) reads 'Tim C'",
        ),
        ({"entities": {"place": [{"text": "Paris", "start": 0}]}}, "needs the key 'end'"),
        ({"classifications": [{"task": "t", "labels": ["a"]}]}, "needs the key 'true_label'"),
        (
            {"classifications": [{"task": "t", "labels": ["a"], "true_label": "b"}]},
            "the true label 'b' of task 't' is not one of its labels",
        ),
        (
            {"json_structures": [{"car": {"size": {"value": "xl", "choices": ["s", "m"]}}}]},
            "the value 'xl' of field 'size' is not one of its choices: s, m",
        ),
        ({"json_structures": {"car": {}}}, "json_structures must be a list"),
        ({"json_structures": [{"car": {}}]}, "structure 'car' needs at least one field"),
        (
            {"relations": [{"met": {"head": "Tim Cook", "tail": "Ann Lee", "when": "x"}}]},
            "relation 'met' must have exactly the fields head and tail, but has head, tail, when",
        ),
    ],
)
def test_wrong_rows_are_refused_with_their_line(tmp_path, output, message):
    path = tmp_path / "data.jsonl"
    rows = [{"input": "fine", "output": {}}, {"input": TEXT, "output": output}]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(f"{path}, line 2: ")) as caught:
        list(read_any(path, on_missing=lambda sentence: None))
    assert message in str(caught.value)


def test_what_is_missing_is_told_with_its_line(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"input": "Bo", "output": {"entities": {"cat": ["Al"]}}}))
    told: list[str] = []
    assert [example.asked for example in read_any(path, on_missing=told.append)] == [()]
    assert told == [
        f"{path}, line 1: the entity 'cat' 'Al' does not stand in the text as whole words."
    ]


def test_rows_may_be_one_json_list(tmp_path):
    path = tmp_path / "data.json"
    rows = [{"input": "Bo", "output": {"entities": {"dog": [name]}}} for name in ("Bo", "Al")]
    path.write_text(json.dumps(rows))
    missing = []
    first, _ = read_any(path, on_missing=missing.append)
    assert first.entities == (Mention(0, 2, "dog"),)
    assert missing[0].startswith(f"{path}, entry 2: ")
    with pytest.raises(InputError, match="entry 2"):
        list(read_any(path))


def test_a_text_with_many_places_of_a_value_is_read_at_once():
    record = {"item": {"color": "red", "count": "5"}}
    relation = {"knows": {"head": "Ann", "tail": "Bob"}}
    said = {"json_structures": [record] * 5, "relations": [relation] * 5}

    def prepare(places: int) -> Callable[[], Example]:
        row = {"input": "red 5, Ann and Bob. " * places, "output": said}
        return lambda: example_from_gliner2(row)

    example = prepare(100)()
    assert len(example.structures[0].records) == 5
    assert example.relations == (GoldRelation("knows", (7, 10), (15, 18)),)
    assert_grows_in_proportion(prepare, 300)
