"""The JSON form and its published JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from onepass.errors import SchemaError
from onepass.schema import Field, Label, Schema, read_schema
from onepass.schema.json_schema import SCHEMA_JSON_SCHEMA, render_json_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "schema.json"
VALIDATOR = Draft202012Validator(SCHEMA_JSON_SCHEMA)

VALID: list[tuple[dict[str, Any], Schema]] = [
    ({}, Schema()),
    ({"$schema": "onepass/schema.json", "entities": ["a"]}, Schema().entities(["a"])),
    (
        {"entities": [], "classifications": [], "structures": {}, "relations": {}},
        Schema(),
    ),
    (
        {"entities": None, "classifications": None, "structures": [], "relations": None},
        Schema(),
    ),
    (
        {"entities": {"a": None, "b": "text", "c": {"description": "x", "threshold": None}}},
        Schema().entities({"a": None, "b": "text", "c": "x"}),
    ),
    (
        {
            "classifications": {
                "tone": ["a", "b"],
                "topics": {"labels": {"c": "x"}, "multi_label": True},
            }
        },
        Schema()
        .classification("tone", ["a", "b"])
        .classification("topics", {"c": "x"}, multi_label=True),
    ),
    (
        {
            "classifications": [
                {
                    "task": "tone",
                    "labels": ["a"],
                    "multi_label": None,
                    "threshold": 0.5,
                    "prompt": "Which?",
                    "examples": [["text", "a"]],
                }
            ]
        },
        Schema().classification(
            "tone", ["a"], threshold=0.5, prompt="Which?", examples=[("text", "a")]
        ),
    ),
    (
        {
            "classifications": {
                "topic": {
                    "labels": {
                        "sport": ["tennis"],
                        "law": {"description": "courts", "labels": {"taxes": "dues", "fees": None}},
                        "art": {},
                        "science": {"physics": {"optics": []}, "biology": None},
                    },
                    "abstain": True,
                    "window_scores": "mean",
                    "examples": [["Ace!", ["sport", "tennis"]]],
                }
            }
        },
        Schema().classification(
            "topic",
            {
                "sport": ["tennis"],
                "law": {"description": "courts", "labels": {"taxes": "dues", "fees": None}},
                "art": [],
                "science": {"physics": ["optics"], "biology": []},
            },
            abstain=True,
            window_scores="mean",
            examples=[("Ace!", ["sport", "tennis"])],
        ),
    ),
    (  # as gliclass writes examples
        {
            "classifications": [
                {
                    "task": "tone",
                    "labels": ["a", "b"],
                    "examples": [{"text": "x", "labels": ["a"]}, {"text": "y", "labels": "b"}],
                }
            ]
        },
        Schema().classification("tone", ["a", "b"], examples=[("x", "a"), ("y", "b")]),
    ),
    (
        {"classifications": [{"task": "tone", "labels": ["a"], "abstain": 0}]},
        Schema().classification("tone", ["a"], abstain=0.0),
    ),
    (
        {"classifications": [{"task": "tone", "labels": ["a"], "abstain": False}]},
        Schema().classification("tone", ["a"]),
    ),
    (
        {"structures": {"p": ["name::str", {"name": "x", "choices": ["u", "v"]}]}},
        Schema().structure("p", ["name::str", "x::[u|v]"]),
    ),
    (
        {"structures": {"p": {"fields": {"name": "full", "x": {"dtype": "str"}, "y": None}}}},
        Schema().structure("p", ["name::full", "x::str", "y"]),
    ),
    (
        {"relations": {"owns": {"threshold": 1}}},
        Schema().relations(["owns"], threshold=1),
    ),
    (
        {"entities": ["place"], "naming": {}},
        Schema().entities(["place"]).name_entities(),
    ),
    (
        {"entities": ["place"], "naming": {"choices": ["city", "river"], "count": 2}},
        Schema().entities(["place"]).name_entities(["city", "river"], count=2),
    ),
    (
        {"entities": ["place"], "naming": {"choices": None, "count": None}},
        Schema().entities(["place"]).name_entities(),
    ),
]

# Each of these is refused by `from_dict` with the sentence, and by the JSON Schema.
INVALID: list[tuple[Any, str]] = [
    ([], "The schema must be an object, but [] (list) was given."),
    (
        {"entity": ["a"]},
        "The schema has no key 'entity'; did you mean 'entities'?",
    ),
    (
        {"person": ["a"]},
        "The schema has no key 'person'; "
        "its keys are: entities, classifications, structures, relations, questions, naming.",
    ),
    (
        {"person": "a human", "city": None},
        "The schema has no key 'person'; for entities write "
        """{"entities": {'person': 'a human', 'city': None}}.""",
    ),
    (
        {"entities": [{"name": "person", "description": "x"}]},
        "entities in a list must be names, but {'name': 'person', 'description': 'x'} was given; "
        "write a mapping in place of the list, as in {'person': 'x'}.",
    ),
    (
        {"relations": [{"name": "owns", "symmetric": True}]},
        "relations in a list must be names, but {'name': 'owns', 'symmetric': True} was given; "
        "write a mapping in place of the list, as in {'owns': {'symmetric': True}}.",
    ),
    (
        {"entities": [{"label": "person"}]},
        "entities in a list must be names, but {'label': 'person'} was given; "
        "write a mapping in place of the list, as in {'person': 'a human'}.",
    ),
    (
        {"entities": "a"},
        "entities must be a list, but the string 'a' was given; did you mean ['a']?",
    ),
    ({"entities": ["a", 1]}, "A label must be a string, but 1 (int) was given."),
    ({"entities": [" "]}, "A label must not be empty, but ' ' was given."),
    ({"entities": {"": "x"}}, "A label must not be empty, but '' was given."),
    ({"entities": ["a", "a"]}, "Entity labels must be distinct, but 'a' was given twice."),
    (
        {"entities": {"a": {"threshold": 1.1}}},
        "The threshold of label 'a' must be a number from 0 to 1, but 1.1 was given.",
    ),
    (
        {"entities": {"a": {"threshold": True}}},
        "The threshold of label 'a' must be a number from 0 to 1, but True was given.",
    ),
    (
        {"entities": {"a": {"dtype": "str"}}},
        "The label 'a' has no key 'dtype'; its keys are: description, threshold.",
    ),
    (
        {"classifications": ["tone"]},
        "A classification must be an object, but 'tone' (str) was given.",
    ),
    (
        {"classifications": [{"labels": ["a"]}]},
        "The classification {'labels': ['a']} has no name; give it as 'task'.",
    ),
    (
        {"classifications": [{"task": "tone"}]},
        "The classification 'tone' has no labels; give them as 'labels'.",
    ),
    (
        {"classifications": {"tone": None}},
        "The classification 'tone' has no labels; give them as 'labels'.",
    ),
    (
        {"classifications": {"tone": {"a": "x"}}},
        "The classification 'tone' has no key 'a'; "
        "its keys are: labels, multi_label, threshold, prompt, examples, "
        "abstain, window_scores.",
    ),
    (
        {"classifications": {"tone": []}},
        "The classification task 'tone' needs at least one label, but none was given.",
    ),
    (
        {"classifications": [{"task": "tone", "labels": ["a"], "multilabel": True}]},
        "A classification has no key 'multilabel'; did you mean 'multi_label'?",
    ),
    (
        {"classifications": [{"task": "tone", "labels": ["a"], "multi_label": "yes"}]},
        "multi_label of task 'tone' must be true or false, but 'yes' was given.",
    ),
    (
        {"classifications": [{"task": "tone", "labels": ["a"], "examples": [["x"]]}]},
        "An example of task 'tone' must be a pair of a text and a label, but ['x'] was given; "
        'write ("text", "label"), or {"text": ..., "labels": ...}.',
    ),
    (
        {
            "classifications": [
                {
                    "task": "tone",
                    "labels": ["a"],
                    "multi_label": True,
                    "examples": [{"text": "x"}],
                }
            ]
        },
        "An example of task 'tone' must be a pair of a text and its labels, but {'text': 'x'} was "
        'given; write ("text", ["label"]), or {"text": ..., "labels": ...}.',
    ),
    (
        {"classifications": [{"task": "tone", "labels": ["a"], "abstain": 1.5}]},
        "abstain of task 'tone' must be a number from 0 to 1, but 1.5 was given.",
    ),
    (
        {"classifications": [{"task": "tone", "labels": ["a"], "window_scores": "best"}]},
        "window_scores of task 'tone' must be one of max, mean, length, but 'best' was given.",
    ),
    (
        {"classifications": [{"task": "tone", "labels": {"a": ["b", "b"]}}]},
        "The labels below 'a' of task 'tone' must be distinct, but 'b' was given twice.",
    ),
    (
        {"structures": ["p"]},
        "structures must be an object of names and fields, but ['p'] (list) was given.",
    ),
    (
        {"structures": {"p": {"name": "str"}}},
        "The structure 'p' has no key 'name'; its keys are: fields.",
    ),
    ({"structures": {"p": {}}}, "The structure 'p' has no fields; give them as 'fields'."),
    (
        {"structures": {"p": []}},
        "The structure 'p' needs at least one field, but none was given.",
    ),
    (
        {"structures": {"p": [{"name": "a", "dtype": "int"}]}},
        "The type of field 'a' must be 'str' or 'list', but 'int' was given.",
    ),
    (
        {"structures": {"p": [{"dtype": "str"}]}},
        "The field {'dtype': 'str'} has no name; give it as 'name'.",
    ),
    (
        {"structures": {"p": [{"name": "a", "choices": []}]}},
        "The choices of field 'a' must not be empty; leave them out for a span of text.",
    ),
    ({"relations": [None]}, "A relation type must be a string, but None (NoneType) was given."),
    ({"naming": True}, "naming must be an object, but True (bool) was given."),
    ({"naming": {"n": 1}}, "naming has no key 'n'; its keys are: choices, count."),
    (
        {"naming": {"choices": []}},
        "choices must not be empty; leave them out to allow any name.",
    ),
    (
        {"naming": {"choices": ["a", " "]}},
        "A choice of names must not be empty, but ' ' was given.",
    ),
    (
        {"naming": {"choices": ["a", "a"]}},
        "The choices of names must be distinct, but 'a' was given twice.",
    ),
    (
        {"naming": {"count": 0}},
        "The count of names must be a whole number from 1 up, but 0 was given.",
    ),
    (
        {"naming": {"count": "2"}},
        "The count of names must be a whole number from 1 up, but '2' was given.",
    ),
]


@pytest.mark.parametrize(("data", "schema"), VALID)
def test_valid_forms(data: dict[str, Any], schema: Schema) -> None:
    assert Schema.from_dict(data) == schema
    assert Schema.from_json(json.dumps(data)) == schema
    assert list(VALIDATOR.iter_errors(data)) == []
    assert list(VALIDATOR.iter_errors(schema.to_dict())) == []


@pytest.mark.parametrize(("data", "sentence"), INVALID)
def test_invalid_forms(data: Any, sentence: str) -> None:
    with pytest.raises(SchemaError) as refused:
        Schema.from_dict(data)
    assert str(refused.value) == sentence
    assert not VALIDATOR.is_valid(data)


def test_the_canonical_form() -> None:
    schema = (
        Schema()
        .entities({"person": None, "company": "a firm"})
        .classification("tone", ["calm", "angry"], threshold=0.5)
        .structure("product", ["name::str", "size::[s|m]::str::how big"])
        .relations(["owns"])
    )
    assert schema.to_dict() == {
        "entities": {"person": {}, "company": {"description": "a firm"}},
        "classifications": [
            {"task": "tone", "labels": ["calm", "angry"], "multi_label": False, "threshold": 0.5}
        ],
        "structures": {
            "product": {
                "fields": [
                    {"name": "name", "dtype": "str"},
                    {
                        "name": "size",
                        "dtype": "str",
                        "choices": ["s", "m"],
                        "description": "how big",
                    },
                ]
            }
        },
        "relations": ["owns"],
    }


def test_a_schema_from_a_dict_shares_nothing_with_it() -> None:
    labels = ["a"]
    schema = Schema.from_dict({"entities": labels})
    labels.append("b")
    assert schema.entity_labels == (Label("a"),)


def test_choices_without_a_type_are_one_string() -> None:
    schema = Schema.from_dict({"structures": {"p": [{"name": "a", "choices": ["x"]}]}})
    assert schema.structures[0].fields == (Field("a", "str", ("x",)),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '{"entities": ["a"',
            'A schema given as a string must be JSON, but \'{"entities": ["a"\' is not: '
            "Expecting ',' delimiter at line 1, column 18.",
        ),
        (
            '{"entities": {"a": "x", "a": "y"}}',
            "The keys of a JSON object must be distinct, but 'a' was given twice.",
        ),
        (
            '{"entities": {"a": {"threshold": NaN}}}',
            "A schema must be JSON, which has no NaN; give a number or null.",
        ),
        ("[" * 100_000, "The JSON of the schema is nested too deeply; flatten it."),
        (
            '{"entities": ["a"], "$schema": ' + "[" * 300 + "]" * 300 + "}",
            "The JSON of the schema is nested too deeply; flatten it.",
        ),
        (
            '{"entities": ["\\ud800"]}',
            "A label must be valid Unicode, but '\\ud800' has a lone surrogate.",
        ),
    ],
)
def test_bad_json_text(text: str, sentence: str) -> None:
    with pytest.raises(SchemaError) as refused:
        Schema.from_json(text)
    assert str(refused.value) == sentence


def test_from_json_wants_a_string() -> None:
    with pytest.raises(
        SchemaError, match=r"^from_json expects a string, but 5 \(int\) was given\.$"
    ):
        Schema.from_json(5)  # type: ignore[arg-type]


def test_json_text_keeps_every_letter() -> None:
    assert Schema().entities(["会社"]).to_json() == '{"entities": ["会社"]}'


def test_the_json_schema_is_sound() -> None:
    Draft202012Validator.check_schema(SCHEMA_JSON_SCHEMA)


def test_the_published_file_is_current() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == render_json_schema(), (
        "docs/schema.json is out of date: write what render_json_schema returns into it"
    )


@pytest.mark.parametrize(
    "data",
    [
        {"questions": {"a": {}}},
        {"questions": {"a": {"kind": "open"}}},
        {"questions": {"a": {"text": ""}}},
        {"questions": {"a": {"kind": "summary", "text": "x"}}},
        {"classifications": {"t": {"labels": ["a"], "multi_label": True, "abstain": True}}},
        {"classifications": [{"task": "t", "labels": ["a"], "multi_label": True, "abstain": 0}]},
        {
            "classifications": {
                "t": {"labels": ["a"], "multi_label": True, "examples": [["x", ["a", "a"]]]}
            }
        },
        {"relations": {"r": {"symmetric": True, "inverse": "s"}}},
        {"structures": {"s": {"fields": {"f": {"ge": 1}}}}},
        {"structures": {"s": [{"name": "f", "kind": "text", "lt": 1}]}},
        {"structures": {"s": [{"name": "f", "kind": "date", "lt": 1}]}},
        {
            "entities": ["a"],
            "structures": {"s": {"fields": {"f": {"choices": ["x"], "labels": ["a"]}}}},
        },
    ],
)
def test_options_that_contradict_each_other(data: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        Schema.from_dict(data)
    assert not VALIDATOR.is_valid(data)


@pytest.mark.parametrize(
    "data",
    [
        {"questions": {"a": {"kind": "summary", "text": " "}, "b": {"text": "x", "kind": None}}},
        {"classifications": {"t": {"labels": ["a"], "multi_label": True, "abstain": False}}},
        {"relations": {"r": {"symmetric": True, "inverse": None}}},
        {
            "structures": {
                "s": {
                    "fields": {"f": {"ge": None, "kind": None}, "g": {"kind": "date", "ge": None}}
                }
            }
        },
        {"structures": {"s": {"fields": {"f": {"kind": "money", "ge": "1.50", "lt": 2}}}}},
        {"structures": {"s": {"fields": {"f": {"choices": ["x"], "labels": []}}}}},
        {
            "structures": {"s": {"fields": {"f": {"choices": None, "labels": ["a"]}}}},
            "entities": ["a"],
        },
        {"naming": {"count": 2.0}},
        {"relations": {"r": {"max_heads": 1.0, "max_tails": 2.0}}},
        {"structures": {"s": {"fields": {"f": {"min_length": 0.0, "max_items": 3.0}}}}},
    ],
)
def test_options_that_go_together(data: dict[str, Any]) -> None:
    VALIDATOR.validate(data)
    assert Schema.from_dict(Schema.from_dict(data).to_dict()) == Schema.from_dict(data)


def test_a_whole_number_is_kept_as_one() -> None:
    schema = Schema.from_dict({"structures": {"s": {"fields": {"f": {"max_items": 3.0}}}}})
    assert repr(schema.structures[0].fields[0].rules.max_items) == "3"


@pytest.mark.parametrize("given", [Path("a/schema.json"), "a/schema.json"])
def test_a_path_is_not_read(given: object) -> None:
    with pytest.raises(SchemaError) as refused:
        read_schema(given)
    assert str(refused.value) == (
        "A schema is not read from a path, but 'a/schema.json' was given; write "
        "Schema.from_json(Path('a/schema.json').read_text())."
    )
