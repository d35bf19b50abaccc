"""Whatever is given as a schema: it is read, or refused by an error of our own, in one sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.errors import OnepassError, SchemaError
from onepass.schema import Rules, Schema, read_schema
from onepass.schema.json_model import is_json_schema, shape_of_json
from onepass.schema.leaves import FIELD_KEYS, NAMING_KEYS, QUESTION_KEYS, RELATION_KEYS
from onepass.schema.parse import SCHEMA_KEYS, TASK_KEYS

WORDS = (
    "type", "properties", "items", "enum", "const", "format", "required", "title", "description",
    "anyOf", "oneOf", "allOf", "$ref", "$defs", "minimum", "exclusiveMaximum", "minLength",
    "pattern", "minItems", "maxItems", "additionalProperties", "order", "region", "exclusive",
    "labels", "ge",
)  # fmt: skip
VALUES = (
    "string", "integer", "number", "boolean", "object", "array", "null", "date", "money", "phone",
    "#/$defs/A", "#/properties/a", "#/", "#", "(", "a|b", "name::str", "str", "list", "CH", "DMY",
)  # fmt: skip

plain = (
    st.none() | st.booleans() | st.integers(-2, 20) | st.floats() | st.text(max_size=6)
    | st.sampled_from(VALUES)
)  # fmt: skip


def nested(keys: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Values of JSON whose objects have keys that mean something, mostly."""
    key = st.sampled_from([*keys, "a", "b", "A", ""])
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(key, inner, max_size=4),
        max_leaves=12,
    )


OWN_KEYS = (*SCHEMA_KEYS, *TASK_KEYS, *RELATION_KEYS, *QUESTION_KEYS, *FIELD_KEYS, *NAMING_KEYS)
own = st.dictionaries(st.sampled_from(SCHEMA_KEYS), nested(OWN_KEYS), max_size=4)
properties = st.dictionaries(
    st.sampled_from(["a", "b", "A"]),
    st.dictionaries(st.sampled_from(WORDS), nested(WORDS), max_size=4),
    min_size=1,
    max_size=3,
)
objects = st.fixed_dictionaries(
    {"properties": properties}, optional={"$defs": properties, "required": nested(WORDS)}
)


def check_refusal(error: OnepassError) -> None:
    sentence = str(error)
    assert sentence.endswith((".", "?"))  # "did you mean ...?"
    assert "\n" not in sentence


@settings(max_examples=100, deadline=None)
@given(own | nested(OWN_KEYS))
def test_any_object_is_a_schema_or_refused(data: Any) -> None:
    try:
        schema = Schema.from_dict(data)
    except OnepassError as error:
        check_refusal(error)
    else:
        assert Schema.from_dict(schema.to_dict()) == schema


@settings(max_examples=150, deadline=None)
@given(objects | nested(WORDS))
def test_any_json_schema_is_a_shape_or_refused(data: Any) -> None:
    try:
        schema = Schema.from_json_schema(data)
    except OnepassError as error:
        check_refusal(error)
    else:
        assert schema.structures == shape_of_json(data).structures()


@settings(max_examples=50, deadline=None)
@given(
    st.text(max_size=30) | (own | objects).map(lambda data: json.dumps(data, default=str)[:4000])
)
def test_any_text_is_a_schema_or_refused(text: str) -> None:
    try:
        read_schema(text)
    except OnepassError as error:
        check_refusal(error)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (5, "The JSON Schema of an object was expected, but 5 is none."),
        ({"properties": {"x": {"type": "string"}}, "required": True}, "must be a list of propert"),
        ({"properties": {5: {"type": "string"}}}, "The name of a property must be a string"),
        ({"properties": {"x": {"type": {}}}}, "The type of record.x is not known: {}"),
        ({"properties": {"x": {"anyOf": 5}}}, "must list its types as objects, not 5"),
        ({"properties": {"x": {"enum": [None]}}}, "has no value besides null"),
        ({"properties": {"x": {"enum": [{}]}}}, "give texts, numbers, true or false"),
        ({"properties": {"x": {"allOf": [{"type": "string"}, {}]}}}, "joins several schemas"),
        ({"properties": {"x": {"type": "integer", "minimum": 10**5000}}}, "too large to show"),
        ({"properties": {"x": {"type": "string", "pattern": f"a{{{10**20}}}"}}}, "not a regular"),
        ({"properties": {"x": {"type": "array", "minItems": "2"}}}, "min_items must be a whole"),
        ({"type": "object"}, "The object 'record' of the JSON Schema has no properties."),
    ],
)
def test_what_is_wrong_is_said(data: Any, sentence: str) -> None:
    with pytest.raises(SchemaError) as refused:
        Schema.from_json_schema(data)
    assert sentence in str(refused.value)
    check_refusal(refused.value)


def test_lists_that_hold_themselves_are_refused() -> None:
    lists = {"type": "array", "items": {"$ref": "#/$defs/A"}}
    with pytest.raises(SchemaError, match=r"record\.x\[\] is a list of lists"):
        Schema.from_json_schema({"properties": {"x": {"$ref": "#/$defs/A"}}, "$defs": {"A": lists}})


def test_deep_objects_are_refused() -> None:
    data: dict[str, Any] = {"type": "string"}
    for _ in range(2000):
        data = {"properties": {"x": data}}
    with pytest.raises(SchemaError, match="is on level 4"):
        Schema.from_json_schema(data)


def test_numbers_that_python_does_not_read_are_refused() -> None:
    with pytest.raises(SchemaError, match="The JSON of the schema cannot be read"):
        read_schema(f'{{"entities": [{"1" * 5000}]}}')
    with pytest.raises(SchemaError, match="too large to show"):
        Schema.from_dict({"entities": [10**5000]})


def test_an_object_without_properties_is_no_schema_of_ours() -> None:
    assert is_json_schema({"type": "object"})
    assert not is_json_schema({"entities": ["object"]})


@pytest.mark.parametrize("region", ["Switzerland", "C", "", "41"])
def test_a_region_has_two_letters(region: str) -> None:
    with pytest.raises(SchemaError, match="two letters of a country"):
        Rules(kind="phone", region=region)
