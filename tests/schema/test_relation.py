"""Relation types with rules: written, read back, refused."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from onepass.errors import SchemaError
from onepass.schema import RelationType, Rules, Schema
from onepass.schema.json_schema import SCHEMA_JSON_SCHEMA
from onepass.schema.types import Field

RULED = {
    "works for": {
        "description": "is employed by",
        "threshold": 0.4,
        "head": ["person"],
        "tail": ["company"],
        "inverse": "employs",
        "max_heads": 3,
        "max_tails": 1,
    },
    "married to": {"head": ["person"], "tail": ["person"], "symmetric": True},
    "said": {},
}


def test_every_form_comes_back_equal() -> None:
    schema = (
        Schema()
        .entities(["person", "company"])
        .relations(RULED)
        .structure(
            "bill",
            [
                Field("total", "str", rules=Rules(kind="money", ge=0)),
                {"name": "codes", "pattern": "^[A-Z]", "max_items": 3, "exclusive": True},
            ],
        )
    )
    assert schema.to_dict()["relations"] == RULED
    jsonschema.validate(schema.to_dict(), SCHEMA_JSON_SCHEMA)
    assert Schema.from_json(schema.to_json()) == schema
    assert eval(repr(schema), {"Schema": Schema}) == schema
    assert schema.relation_types[0] == RelationType(
        "works for", "is employed by", 0.4, ("person",), ("company",), False, "employs", 3, 1
    )
    assert [kind.is_ruled for kind in schema.relation_types] == [True, True, False]


def test_a_single_label_may_stand_alone() -> None:
    (kind,) = Schema().relations({"owns": {"head": "person"}}).relation_types
    assert kind.head == ("person",)


@pytest.mark.parametrize(
    ("types", "sentence"),
    [
        ({"r": {"head": 3}}, "The head labels of relation type 'r' must be a list, but 3"),
        ({"r": {"head": ["a", "a"]}}, "must be distinct, but 'a' was given twice"),
        ({"r": {"max_tails": 0}}, "max_tails of relation type 'r' must be a whole number from 1"),
        ({"r": {"max_heads": True}}, "max_heads of relation type 'r' must be a whole number"),
        ({"r": {"symmetric": "yes"}}, "symmetric of relation type 'r' must be true or false"),
        ({"r": {"symmetric": True, "head": ["a"]}}, "give its head and tail the same labels"),
        ({"r": {"symmetric": True, "inverse": "s"}}, "its own inverse; leave the inverse out"),
        ({"r": {"inverse": "r"}}, "is its own inverse; write symmetric instead"),
        ({"r": {"inverse": " "}}, "The inverse of relation type 'r' must not be empty"),
        ({"r": {"heads": ["a"]}}, "has no key 'heads'; did you mean 'head'?"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused_at_once(types: Any, sentence: str) -> None:
    with pytest.raises(SchemaError) as refused:
        Schema().relations(types)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("types", "sentence"),
    [
        ({"r": {"head": ["city"]}}, "joins 'city', which is no entity label of the schema"),
        ({"r": {"inverse": "s"}, "s": {"inverse": "t"}}, "has another inverse"),
        ({"r": {"inverse": "s"}, "s": {"symmetric": True}}, "it is symmetric or has another"),
        ({"r": {"inverse": "t"}, "s": {"inverse": "t"}}, "have one inverse, 't'"),
        ({"r": {"inverse": "s", "head": ["person"]}, "s": {"tail": ["company"]}},
         "no label is allowed at one end of both"),
    ],
)  # fmt: skip
def test_rules_that_contradict_are_refused_when_asked(types: Any, sentence: str) -> None:
    schema = Schema().entities(["person", "company"]).relations(types)
    with pytest.raises(SchemaError) as refused:
        schema.checked()
    assert sentence in str(refused.value)


def test_inverse_types_may_name_each_other() -> None:
    types = {"r": {"inverse": "s"}, "s": {"inverse": "r"}}
    asked = Schema().relations(types).checked()
    assert [one.inverse for one in asked.relation_types] == ["s", "r"]
