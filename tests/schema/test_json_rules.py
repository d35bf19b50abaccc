"""A class and the JSON Schema that Pydantic writes of it ask for the same, and give the same."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from importlib import util
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, create_model

from onepass.results.types import Extraction, Value
from onepass.schema import Schema
from onepass.schema.json_rules import read_rules
from onepass.schema.rules import BOUNDED, DATED, KINDS, ORDERS, RULE_KEYS
from onepass.typed import Email, Iban, Money, Phone, Quantity, Rules, TypedExtraction, Url
from onepass.typed.plan import typed_plan

TYPES: dict[str, Any] = {
    "integer": int, "number": float, "decimal": Decimal, "date": date, "datetime": datetime,
    "money": Money, "quantity": Quantity,
}  # fmt: skip
TEXTS = {
    "text": "Ann", "integer": "1,200", "number": "2.5", "decimal": "45.00", "date": "03/04/2019",
    "datetime": "03/04/2019 10:30", "money": "EUR 45.00", "quantity": "2.5 kg",
    "phone": "044 668 18 00", "email": "Ann@EXAMPLE.org", "url": "https://a.org/b",
    "iban": "DE89 3704 0044 0532 0130 00",
}  # fmt: skip
PLAIN = [int, float, Decimal, date, datetime, str, Money, Quantity, Phone, Email, Url, Iban]
few, many = st.integers(1, 5), st.integers(5, 9)
small = st.integers(-9, 0) | st.sampled_from([0.5, "0.1"])
large = st.integers(1, 9) | st.just("12345678901234567890.5")
early, late = st.just("2024-01-01"), st.just("2024-05-03T10:30:00")


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    """Rules of any kind, with what may be said of it."""
    kind = draw(st.sampled_from(KINDS))
    least, most = (early, late) if kind in DATED else (small, large)
    bounds = {"ge": least, "gt": least, "le": most, "lt": most}
    options: dict[str, st.SearchStrategy[Any]] = {
        "min_length": few, "max_length": many, "pattern": st.sampled_from(["^A", r"\d+"]),
        "exclusive": st.just(True), "region": st.just("CH"), "order": st.sampled_from(ORDERS),
        "labels": st.just(("person", "company")),
        **(bounds if kind in BOUNDED else {}),
    }  # fmt: skip
    return Rules(kind=kind, **draw(st.fixed_dictionaries({}, optional=options)))


@st.composite
def field_types(draw: st.DrawFn) -> Any:
    """Types of fields with rules on a value, a list or its items, which may be null."""
    own = draw(rules())
    base: Any = TYPES.get(own.kind, str)
    where = draw(st.sampled_from(["value", "null in", "list", "items", "null list"]))
    ends = draw(st.fixed_dictionaries({}, optional={"min_items": few, "max_items": many}))
    if where == "value":
        return Annotated[base, own]
    if where == "null in":
        return Annotated[base | None, own]
    if where == "items":
        return Annotated[list[Annotated[base, own]], Rules(**ends)]
    kind = list[base] if where == "list" else list[base] | None
    return Annotated[kind, own.with_(ends)]


def schemas(model: type[BaseModel], mode: Literal["validation", "serialization"]) -> dict[str, Any]:
    """Return the JSON Schema of a class as another program reads it."""
    data: dict[str, Any] = json.loads(json.dumps(model.model_json_schema(mode=mode)))
    Draft202012Validator.check_schema(data)
    return data


def read(source: object, **texts: str) -> TypedExtraction[Any]:
    """Return what a class or a JSON Schema makes of a record."""
    plan = typed_plan(source)
    assert plan is not None
    record = {name: Value(text, None, None, 0.9) for name, text in texts.items()}
    return plan.read(Extraction("", records={"order": (record,)}))


@settings(max_examples=300, deadline=None)
@given(field_types())
def test_rules_of_every_kind_are_read_back(annotation: Any) -> None:
    order = create_model("Order", x=(annotation, Field(description="what is asked")))
    asked = Schema.from_pydantic(order)
    for mode in ("validation", "serialization"):
        assert Schema.from_json_schema(schemas(order, mode)) == asked


@pytest.mark.parametrize("kind", PLAIN)
def test_types_are_read_back(kind: Any) -> None:
    for annotation in (kind, kind | None, list[kind], Annotated[kind, Rules(exclusive=True)]):
        order = create_model("Order", x=(annotation, ...))
        data = schemas(order, "validation")
        assert Schema.from_json_schema(data) == Schema.from_pydantic(order)


def test_bounds_of_fields_are_read_back() -> None:
    class Order(BaseModel):
        paid: Money = Field(ge=3)
        weight: Annotated[Quantity, Field(lt=Decimal("0.5"))]
        total: Decimal = Field(gt=0)
        items: Annotated[list[Money], Field(max_length=2)]
        anything: Annotated[Any, Field(ge=1)]  # no rule in either: its kind has no order

    data = schemas(Order, "validation")
    assert Schema.from_json_schema(data) == Schema.from_pydantic(Order)


def test_all_rules_have_a_word() -> None:
    words = {"minimum": 1, "exclusiveMinimum": 1, "maximum": 1, "exclusiveMaximum": 1}
    texts = {"minLength": 1, "maxLength": 1, "pattern": "a"}
    own = {"exclusive": True, "region": "CH", "order": "DMY", "labels": ["a"]}
    found = read_rules({"format": "decimal", **words, **texts, **own}, "text")
    assert found.keys() == set(RULE_KEYS) - {"min_items", "max_items"}  # those are of lists


def test_other_readers_see_standard_words() -> None:
    class Order(BaseModel):
        since: Annotated[date, Rules(kind="date", order="DMY", ge="2024-01-01")]
        site: Url
        phones: Annotated[list[str], Rules(kind="phone", max_items=2)]
        count: Annotated[int, Rules(kind="integer", ge=1)]

    properties = schemas(Order, "validation")["properties"]
    assert properties["since"]["format"] == "date"
    assert properties["site"]["format"] == "uri"
    assert properties["phones"]["maxItems"] == 2
    assert properties["phones"]["items"] == {"type": "string", "format": "phone"}
    assert properties["count"]["minimum"] == 1


@pytest.mark.skipif(
    any(util.find_spec(name) is None for name in ("dateparser", "price_parser", "stdnum")),
    reason="needs the extra values",
)
@pytest.mark.parametrize("kind", KINDS)
def test_typed_values_are_equal(kind: Any) -> None:
    own = Rules(kind=kind, region="CH", order="DMY")
    base = TYPES.get(kind, str)
    order = create_model("Order", x=(Annotated[base, own], ...), rest=(list[base], []))
    data = schemas(order, "validation")
    for text in (TEXTS[kind], "DE89", "5 kg"):
        one, other = read(order, x=text), read(data, x=text)
        assert one.errors == other.errors
        assert one.evidence == other.evidence
        assert one.value == (other.value and order.model_validate(other.value))
    assert read(order, x=TEXTS[kind]).value is not None
