"""JSON Schemas of objects, read as structures."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from onepass.errors import SchemaError
from onepass.schema import Field, Rules, Schema, read_schema
from onepass.schema.json_model import shape_of_json


def field_of(value: dict[str, Any]) -> Field:
    ((field,),) = (
        structure.fields
        for structure in Schema.from_json_schema({"properties": {"x": value}}).structures
    )
    return field


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"type": "string", "description": "a name"}, Field("x", "str", description="a name")),
        ({}, Field("x", "str")),
        ({"type": "integer", "minimum": 1, "exclusiveMaximum": 9},
         Field("x", "str", rules=Rules(kind="integer", ge=1, lt=9))),
        ({"type": ["number", "null"]}, Field("x", "str", rules=Rules(kind="number"))),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
         Field("x", "str", rules=Rules(kind="date"))),
        ({"type": "string", "format": "money"}, Field("x", "str", rules=Rules(kind="money"))),
        ({"type": "object", "format": "money"}, Field("x", "str", rules=Rules(kind="money"))),
        ({"type": "string", "format": "phone", "region": "CH"},
         Field("x", "str", rules=Rules(kind="phone", region="CH"))),
        ({"type": "string", "format": "hostname"}, Field("x", "str")),
        ({"type": "string", "pattern": "^A", "minLength": 2, "exclusive": True},
         Field("x", "str", rules=Rules(pattern="^A", min_length=2, exclusive=True))),
        ({"enum": ["s", "m", None]}, Field("x", "str", ("s", "m"))),
        ({"const": 3}, Field("x", "str", ("3",))),
        ({"type": "boolean"}, Field("x", "str", ("true", "false"))),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 2},
         Field("x", "list", rules=Rules(kind="integer", max_items=2))),
        ({"type": "array", "items": {"enum": ["s", "m"]}}, Field("x", "list", ("s", "m"))),
        ({"type": "array"}, Field("x", "list")),
        ({"type": "array", "description": "all", "items": {"type": "string"}},
         Field("x", "list", description="all")),
        ({"type": "array", "items": {"type": "string", "description": "each"}},
         Field("x", "list", description="each")),
        ({"type": "array", "prefixItems": [{"type": "integer"}] * 2, "minItems": 2},
         Field("x", "list", rules=Rules(kind="integer", min_items=2))),
        ({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]},
         Field("x", "list")),
        ({"anyOf": [{"const": "s"}, {"enum": ["m", "s"]}]}, Field("x", "str", ("s", "m"))),
        ({"allOf": [{"type": "integer"}]}, Field("x", "str", rules=Rules(kind="integer"))),
        ({"anyOf": [{"type": "number"}, {"type": "string"}]},
         Field("x", "str", rules=Rules(kind="decimal"))),
    ],
)  # fmt: skip
def test_properties(value: dict[str, Any], field: Field) -> None:
    assert field_of(value) == field


def test_references_are_followed() -> None:
    order = {
        "$ref": "#/$defs/CustomerOrder",
        "$defs": {
            "CustomerOrder": {
                "properties": {
                    "items": {"type": "array", "items": {"$ref": "#/$defs/a~1b"}, "maxItems": 2}
                }
            },
            "a/b": {"title": "LineItem", "properties": {"product": {"type": "string"}}},
        },
    }
    assert [structure.name for structure in read_schema(order).structures] == ["line item"]
    shape = shape_of_json(order)
    assert shape.name == "customer order"
    assert shape.children[0].most == 2


@pytest.mark.parametrize("name", ["Box<Item>", "a b/c~d", "100 %", "größe"])
def test_references_are_percent_encoded(name: str) -> None:
    pointer = quote(name.replace("~", "~0").replace("/", "~1"))
    data = {
        "properties": {"x": {"$ref": f"#/definitions/{pointer}"}},
        "definitions": {name: {"type": "integer"}},
    }
    (leaf,) = shape_of_json(data).leaves
    assert leaf.field.rules.kind == "integer"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"type": "array", "items": {"type": "array"}}, "is a list of lists"),
        ({"type": "array", "items": [{}]}, "record.x[] must be an object"),
        ({"type": "array", "prefixItems": {}}, "The prefixItems of record.x must be a list"),
        ({"type": "array", "prefixItems": [{"type": "string"}, {"enum": ["a"]}]},
         "record.x mixes types that are extracted differently"),
        ({"type": ["string", "integer"]}, "must have one type, besides null"),
        ({"anyOf": [{"type": "string"}, {"type": "object"}]}, "allows several types"),
        ({"type": "tuple"}, "The type of record.x is not known: 'tuple'"),
        ({"type": "object"}, "has no properties"),
        ({"$ref": "#/$defs/Nothing"}, "refers to '#/$defs/Nothing', which is not there"),
        ({"$ref": "http://x/y"}, "only '#/...' is followed"),
        ({"$ref": "#/properties/x"}, "refers to itself"),
        ({"type": "string", "pattern": "("}, "In the property record.x: The pattern"),
        ({"type": "string", "minimum": 2}, "In the property record.x: ge bounds numbers"),
        ({"enum": "small"}, "The enum of record.x must be a list"),
        ({"enum": ["a", "a"]}, "The choices of field 'x' must be distinct"),
        ("string", "The property record.x must be an object"),
    ],
)  # fmt: skip
def test_what_text_cannot_fill_is_refused(value: Any, sentence: str) -> None:
    with pytest.raises(SchemaError) as refused:
        Schema.from_json_schema({"properties": {"x": value}})
    assert sentence in str(refused.value)


def test_an_object_in_itself_is_refused() -> None:
    node = {"title": "Node", "properties": {"name": {}, "child": {"$ref": "#"}}}
    with pytest.raises(SchemaError):
        Schema.from_json_schema(node)
    data = {
        "properties": {"top": {"$ref": "#/$defs/N"}},
        "$defs": {"N": {"properties": {"child": {"$ref": "#/$defs/N"}}}},
    }
    with pytest.raises(SchemaError, match="holds itself"):
        Schema.from_json_schema(data)


def test_nothing_to_ask_is_refused() -> None:
    with pytest.raises(SchemaError, match="needs at least one field"):
        Schema.from_json_schema({"properties": {}})


@pytest.mark.parametrize("absent", ["nmae", 5, {}])
def test_what_is_required_must_be_a_property(absent: object) -> None:
    with pytest.raises(SchemaError, match="which is none of its properties"):
        Schema.from_json_schema({"properties": {"name": {}}, "required": ["name", absent]})


def test_a_property_describes_itself_before_its_type_does() -> None:
    for inner in ({"type": "string", "description": "inner"}, {"$ref": "#/$defs/A"}):
        union = {"anyOf": [inner, {"type": "null"}]}
        data = {"$defs": {"A": {"enum": ["a"], "description": "inner"}}}
        for outer, told in (({"description": "outer"}, "outer"), ({}, "inner")):
            (leaf,) = shape_of_json({**data, "properties": {"x": {**union, **outer}}}).leaves
            assert leaf.field.description == told


def test_a_pattern_that_only_another_engine_knows_is_left_out() -> None:
    (leaf,) = shape_of_json({"properties": {"x": {"type": "string", "pattern": r"\p{L}+"}}}).leaves
    assert leaf.field.rules == Rules()


def test_choices_of_a_union_may_be_references_and_null() -> None:
    choice = {"anyOf": [{"$ref": "#/$defs/A"}, {"enum": ["b", None]}]}
    (leaf,) = shape_of_json({"properties": {"x": choice}, "$defs": {"A": {"const": "a"}}}).leaves
    assert (leaf.field.choices, leaf.nullable) == (("a", "b"), True)


def test_a_list_may_be_null_and_so_may_its_items_by_themselves() -> None:
    items = {"type": ["string", "null"]}
    (leaf,) = shape_of_json({"properties": {"x": {"type": "array", "items": items}}}).leaves
    assert not leaf.nullable
    listed = {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]}
    (leaf,) = shape_of_json({"properties": {"x": listed}}).leaves
    assert leaf.nullable


def test_other_documents_than_those_of_objects_are_named() -> None:
    with pytest.raises(SchemaError, match="has no key 'entities'; ask for one of the two"):
        read_schema({"entities": ["person"], "properties": {"x": {"type": "string"}}})
    with pytest.raises(SchemaError, match="is that of an array; give that of its items"):
        read_schema({"$defs": {"M": {}}, "type": "array", "items": {"$ref": "#/$defs/M"}})


def test_references_that_become_thousands_of_fields_are_refused() -> None:
    def fan(width: int) -> dict[str, Any]:
        def level(below: object) -> dict[str, Any]:
            return {"type": "object", "properties": {f"{n} of": below for n in range(width)}}

        first, last = level({"$ref": "#/$defs/B"}), level({"type": "string"})
        return {**level({"$ref": "#/$defs/A"}), "$defs": {"A": first, "B": last}}

    assert len(Schema.from_json_schema(fan(5)).structures) == 25
    choices = {"enum": [f"size {n}" for n in range(200)]}
    many = {
        "properties": {f"x{n}": {"$ref": "#/$defs/S"} for n in range(30)},
        "$defs": {"S": choices},
    }
    long = {"properties": {"code": {"enum": [f"code {n}" for n in range(6_000)]}}}
    assert Schema.from_json_schema({**long, "title": "visit"}).labels_total > 6_000  # as written
    again = {
        "properties": {f"x{n}": {"$ref": "#/$defs/V"} for n in range(3)},
        "$defs": {"V": {"type": "object", **long}},
    }
    for data in (fan(60), many, again):
        with pytest.raises(SchemaError, match="more than 5000 fields, those of each reference"):
            Schema.from_json_schema(data)
