"""Public annotated records: every format, told apart by its first rows, and what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.corpus.formats import read_any, read_each
from onepass.corpus.jsonl import write_examples
from onepass.errors import InputError

TEXT = "Ann runs Acme. Ann hired Bo."
ANN, ACME, ANN2, BO = (0, 3), (9, 13), (15, 18), (25, 27)


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def one(tmp_path: Path, row: dict[str, object]) -> Example:
    return next(read_any(write(tmp_path / "data.jsonl", row)))


def mention(span: tuple[int, int], label: str) -> dict[str, object]:
    return {"start": span[0], "end": span[1], "label": label}


def test_extraction_record(tmp_path):
    row = {
        "text": TEXT,
        "entities": [mention(ANN, "person"), mention(ACME, "firm"), mention(BO, "entity")],
        "relations": [
            {"head": 0, "tail": 1, "label": "runs"},
            {"head": 0, "tail": 2, "label": "hired"},
        ],
        "label_set": ["firm", "person", "place"],
        "relation_set": ["left", "runs"],
        "source": "tiny",
        "raw_id": 7,
    }
    example = one(tmp_path, row)
    # "entity" is not in the label set: it marks the argument of a relation and is no mention.
    assert example.entities == (Mention(*ANN, "person"), Mention(*ACME, "firm"))
    assert example.asked == ("firm", "person", "place")
    assert example.relations == (GoldRelation("runs", ANN, ACME), GoldRelation("hired", ANN, BO))
    assert example.asked_relations == ("left", "runs", "hired")
    assert example.source == "tiny"


def test_an_empty_label_set_asks_for_no_entities(tmp_path):
    row = {"text": TEXT, "entities": [mention(ANN, "entity")], "label_set": []}
    example = one(tmp_path, row)
    assert (example.entities, example.asked) == ((), ())


def test_records_are_asked_with_the_fields_of_the_whole_file(tmp_path):
    first = {
        "text": TEXT,
        "entities": [],
        "label_set": [],
        "records": [
            {"type": "job", "fields": {"who": [{"start": 0, "end": 3}]}},
            {
                "type": "hire",
                "fields": {"who": [{"start": 25, "end": 27}], "kind": [{"value": "full"}]},
            },
        ],
    }
    second = {
        **first,
        "records": [
            {"type": "job", "fields": {"where": [{"start": 9, "end": 13}, {"start": 0, "end": 3}]}}
        ],
    }
    plain = {"text": TEXT, "entities": [], "label_set": []}
    path = write(tmp_path / "data.jsonl", first, plain, second)
    described = {
        "record_fields": {"job :: since": "first year", "job :: who": "", "fire :: why": "x"}
    }
    (tmp_path / "data.labels.json").write_text(json.dumps(described))
    examples = list(read_any(path))
    fields = (
        GoldField("since", "first year"),
        GoldField("who", dtype="str"),  # never more than one value in a record
        GoldField("where"),
    )
    assert examples[0].structures == (
        GoldStructure("job", fields, ({"who": (GoldValue(*ANN),)},)),
        GoldStructure(
            "hire",
            (GoldField("who", dtype="str"), GoldField("kind", dtype="str")),
            ({"who": (GoldValue(*BO),), "kind": (GoldValue(text="full"),)},),
        ),
    )
    assert examples[1].structures == ()
    assert examples[2].structures[0].fields == fields


def test_labels_beside_the_file_describe_what_is_asked(tmp_path):
    row = {
        "text": TEXT,
        "entities": [mention(ANN, "person"), mention(BO, "person")],
        "relations": [{"head": 0, "tail": 1, "label": "hired"}],
        "label_set": ["person", "place"],
    }
    path = tmp_path / "data.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(row).encode()))
    described = {
        "entity_labels": {"person": "a human", "place": "", "other": "not asked"},
        "relation_labels": {"hired": "gave a job", "left": "went"},
    }
    (tmp_path / "data.labels.json").write_text(json.dumps(described))
    example = next(read_any(path))
    assert example.descriptions == {"person": "a human"}
    assert example.relation_descriptions == {"hired": "gave a job"}


def test_classification_record(tmp_path):
    row = {
        "text": "Play jazz",
        "task": "user_intent",
        "labels": ["stop", "play", "stop"],
        "gold": ["play"],
        "multi_label": False,
        "descriptions": {"play": "start music", "stop": ""},
        "instruction": "What is wanted?",
        "source": "tiny",
        "raw_label": "PlayMusic",
    }
    task = GoldTask(
        "user intent",
        ("stop", "play"),
        ("play",),
        False,
        {"play": "start music"},
        "What is wanted?",
    )
    assert one(tmp_path, row) == Example("Play jazz", classifications=(task,), source="tiny")


def test_classification_without_a_true_label(tmp_path):
    row = {"text": "x", "task": "t", "labels": ["a", "b"], "gold": [], "multi_label": True}
    assert one(tmp_path, row).classifications == (GoldTask("t", ("a", "b"), (), True),)


def test_multitask_record(tmp_path):
    row = {
        "text": TEXT,
        "entities": [mention(ANN, "person"), mention(ANN2, "person")],
        "label_set": ["person", "place"],
        "label_descriptions": {"place": "somewhere"},
        "classifications": [
            {"task": "tone", "labels": ["a", "b"], "gold": ["b"], "multi_label": True}
        ],
        "structures": [
            {
                "type": "job",
                "fields": {
                    "who": {"description": "the person"},
                    "firm": {"description": ""},
                    "kind": {"choices": ["full", "part"]},
                    "tags": {},
                    "since": {},
                },
                "records": [
                    {
                        "who": {
                            "list": False,
                            "values": [{"value": "Ann", "spans": [[0, 3], [15, 18]]}],
                        },
                        "firm": {"list": False, "values": [{"value": "Acme", "spans": [[9, 13]]}]},
                        "kind": {"list": False, "values": [{"choice": "part"}]},
                        "tags": {"list": True, "values": [{"value": "runs", "spans": [[4, 8]]}]},
                    },
                    {"who": {"list": False, "values": []}},
                ],
            }
        ],
        "relations": [
            {
                "type": "hired",
                "head": {"value": "Ann", "spans": [[0, 3], [15, 18]]},
                "tail": {"value": "Bo", "spans": [[25, 27]]},
            }
        ],
        "source": "hand",
    }
    example = one(tmp_path, row)
    assert example.descriptions == {"place": "somewhere"}
    assert example.classifications == (GoldTask("tone", ("a", "b"), ("b",), True),)
    assert example.structures == (
        GoldStructure(
            "job",
            (
                GoldField("who", "the person", dtype="str"),
                GoldField("firm", dtype="str"),
                GoldField("kind", choices=("full", "part"), dtype="str"),
                GoldField("tags", dtype="list"),
                GoldField("since", dtype="list"),  # no value says whether it is a list
            ),
            (
                {
                    "who": (GoldValue(text="Ann"),),  # two occurrences: its place is not known
                    "firm": (GoldValue(*ACME),),
                    "kind": (GoldValue(choice="part"),),
                    "tags": (GoldValue(4, 8),),
                },
                {"who": ()},
            ),
        ),
    )
    assert example.relations == (GoldRelation("hired", ANN2, BO),)  # the nearest pair
    assert example.asked_relations == ("hired",)


@pytest.mark.parametrize(
    "part",
    [
        {"classifications": [{"task": "t", "labels": ["a", "b"], "gold": ["b"]}]},
        {"structures": [{"type": "job", "fields": {"who": {}}, "records": []}]},
        {"relations": [{"type": "r", "head": {"spans": [[0, 3]]}, "tail": {"spans": [[9, 13]]}}]},
    ],
)
def test_multitask_record_is_known_by_any_of_its_parts(tmp_path, part):
    later = {"text": TEXT, "entities": [mention(ANN, "person")], "label_set": ["person"]}
    path = write(tmp_path / "data.jsonl", {"text": "nothing yet"}, {"text": TEXT, **part}, later)
    first, second, third = read_any(path)
    assert first == Example("nothing yet")
    assert second.classifications or second.structures or second.relations
    assert third.asked == ("person",)


def test_own_format(tmp_path):
    examples = [
        Example(TEXT, (Mention(*ANN, "person"),)),
        Example(
            TEXT,
            asked=("person",),
            classifications=(GoldTask("tone", ("a", "b"), ("a",)),),
            structures=(GoldStructure("job", (GoldField("who"),), ({"who": (GoldValue(*ANN),)},)),),
            relations=(GoldRelation("runs", ANN, ACME),),
        ),
    ]
    for rows in (examples, examples[::-1], examples[1:]):
        path = tmp_path / "own.jsonl"
        write_examples(path, rows)
        assert list(read_any(path)) == rows


def test_gliner2_format(tmp_path):
    row = {"input": "Bo barks.", "output": {"entities": {"dog": ["Bo"]}}}
    assert one(tmp_path, row).entities == (Mention(0, 2, "dog"),)


def test_blank_lines_and_no_lines(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("\n\n")
    assert list(read_any(path)) == []


OK = {"text": TEXT, "entities": [], "label_set": ["person"]}
TASK = {"text": "x", "task": "t", "labels": ["a", "b"], "gold": ["a"]}


def structure(**record: object) -> dict[str, object]:
    fields = {"who": {}, "kind": {"choices": ["a"]}}
    return {"text": TEXT, "structures": [{"type": "job", "fields": fields, "records": [record]}]}


def relation(**ends: object) -> dict[str, object]:
    return {**OK, "relations": [{"type": "r", "tail": {"spans": [[0, 3]]}, **ends}]}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"txt": "x"}, "no 'text'"),
        ({"t": "Bo left.", "e": {"dog": ["Bo"]}}, "compact form .* run  python recipes/builtin/wr"),
        ({**OK, "text": 5}, "text must be a string"),
        ({**OK, "entities": [mention((0, 99), "person")]}, r"lies outside the text of 28"),
        ({**OK, "entities": [mention((3, 3), "person")]}, "0 <= start < end"),
        ({**OK, "entities": [{"start": 0, "label": "person"}]}, "needs the key 'end'"),
        ({**OK, "entities": ["Ann"]}, "must be an object"),
        ({**OK, "label_set": "person"}, "label_set must be a list"),
        ({**OK, "label_set": [1]}, "must be a string"),
        ({**OK, "label_descriptions": ["x"]}, "label_descriptions must be an object"),
        ({**OK, "relations": [{"head": 0, "tail": 4, "label": "r"}]}, "index of one of the 0 ent"),
        ({**OK, "relations": [{"head": 0, "label": "r"}]}, "needs the key 'tail'"),
        (relation(head={"value": "Q", "spans": []}), "'Q' of a relation needs at least one span"),
        (relation(head={"value": "Q"}), "needs the key 'spans'"),
        (relation(head={"spans": [[0]]}), r"must be \[start, end\]"),
        ({**OK, "records": [{"type": "job", "fields": {"who": [{}]}}]}, "needs the key 'value'"),
        ({**OK, "records": [{"type": "job"}]}, "needs the key 'fields'"),
        ({**OK, "records": [{"type": "job", "fields": ["who"]}]}, "fields must be an object"),
        ({**TASK, "gold": ["c"]}, "'c' of task 't' is not one of its labels"),
        ({**TASK, "labels": [], "gold": []}, "needs at least one label"),
        ({**TASK, "gold": ["a", "b"]}, "2 true labels but is not multi_label"),
        (structure(name={"values": []}), "the field 'name', which structure 'job' does not have"),
        (structure(who=["Ann"]), "must be an object"),
        (structure(who={"list": False}), "needs the key 'values'"),
    ],
)  # fmt: skip
def test_refusals_name_file_and_line(tmp_path, row, message):
    path = write(tmp_path / "data.jsonl", row)
    with pytest.raises(InputError, match=rf"data\.jsonl, line 1: .*{message}"):
        list(read_any(path))


def test_rows_before_a_bad_one_are_read(tmp_path):
    rows = read_any(write(tmp_path / "data.jsonl", TASK, {**TASK, "gold": ["z"]}))
    assert next(rows).text == "x"
    with pytest.raises(InputError, match="line 2"):
        next(rows)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        next(read_any(tmp_path / "missing.jsonl"))
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(json.dumps(OK).encode())[:-12])
    with pytest.raises(InputError, match="gzip"):
        list(read_any(cut))
    path = write(tmp_path / "data.jsonl", OK)
    (tmp_path / "data.labels.json").write_text("[]")
    with pytest.raises(InputError, match=r"data\.labels\.json must hold a JSON object"):
        list(read_any(path))


RECORD = {
    "text": TEXT,
    "label_set": [],
    "records": [{"type": "job", "fields": {"who": [{"start": 0, "end": 3}]}}],
}


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        json.dumps({**RECORD, "records": [{"type": [], "fields": {}}]}),
        json.dumps({**RECORD, "records": [{"type": "job"}]}),
        json.dumps({**RECORD, "records": 5}),
        json.dumps({**RECORD, "records": [{"type": "job", "fields": {"": []}}]}),
    ],
)
def test_a_damaged_line_spoils_no_other_record(tmp_path, bad):
    path = tmp_path / "data.jsonl"
    path.write_text(f"{json.dumps(RECORD)}\n{bad}\n{json.dumps(RECORD)}\n")
    before, error, behind = (found for _, found in read_each(path))
    assert isinstance(error, InputError)
    assert str(error).startswith(f"{path}, line 2: ")
    assert before == behind


def test_records_may_be_one_json_list(tmp_path):
    path = tmp_path / "data.json"
    path.write_text(json.dumps([RECORD, RECORD]))
    (tmp_path / "data.labels.json").write_text('{"record_fields": {"job :: who": "a person"}}')
    first, second = read_any(path)
    assert first == second
    assert first.structures[0].fields == (GoldField("who", "a person", dtype="str"),)


def test_labels_beside_a_file_that_name_no_field(tmp_path):
    path = write(tmp_path / "data.jsonl", RECORD)
    (tmp_path / "data.labels.json").write_text('{"record_fields": {"s": "desc"}}')
    with pytest.raises(InputError, match=r"labels\.json: record_fields of 's' names no field"):
        list(read_any(path))


@pytest.mark.parametrize("name", ["data.jsonl", "data.json"])
def test_a_number_of_thousands_of_digits_is_an_error_of_its_row(tmp_path, name):
    path = tmp_path / name
    rows = [json.dumps(OK), '{"text": "x", "source": 1' + "0" * 5000 + "}"]
    path.write_text(f"[{','.join(rows)}]" if name == "data.json" else "\n".join(rows))
    with pytest.raises(InputError, match="holds a number of too many digits; shorten it"):
        list(read_any(path))


def test_a_mention_that_was_not_asked_for_must_serve_a_relation(tmp_path):
    row = {"text": TEXT, "entities": [mention(ANN, "entity")], "label_set": ["firm"]}
    with pytest.raises(InputError, match="the label 'entity', which is not in the label_set"):
        one(tmp_path, row)


def test_two_values_with_the_same_words_are_related_apart(tmp_path):
    end = {"value": "Bo", "spans": [[0, 2], [9, 11]]}
    path = tmp_path / "pairs.jsonl"
    row = {"text": "Bo knows Bo", "relations": [{"type": "knows", "head": end, "tail": end}]}
    path.write_text(json.dumps(row), encoding="utf-8")
    (example,) = read_any(path)
    assert example.relations == (GoldRelation("knows", (0, 2), (9, 11)),)
