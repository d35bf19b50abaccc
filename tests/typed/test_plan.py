"""From records to instances: values read, what does not validate said, nothing raised."""

from __future__ import annotations

import json
import pickle
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model, field_validator, model_validator

from onepass.errors import InputError, SchemaError
from onepass.results.types import Coverage, Extraction, Record, Value
from onepass.schema import read_schema
from onepass.typed import FieldError, Quantity, TypedExtraction, read_typed
from onepass.typed.plan import typed_plan


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Option(BaseModel):
    color: str


class Item(BaseModel):
    product: str
    count: int = Field(1, ge=1)
    options: list[Option] = []


class Order(BaseModel):
    number: int = Field(alias="orderNumber")
    day: date | None = None
    total: Decimal | None
    tags: list[str] = []
    size: Size = Size.SMALL
    level: Literal[1, 2] | None = None
    paid: bool = False
    items: list[Item] = []

    @field_validator("tags")
    @classmethod
    def no_shouting(cls, tags: list[str]) -> list[str]:
        if any(tag.isupper() for tag in tags):
            raise ValueError("tags are in lower case")
        return tags


def found(**fields: str | list[str] | None) -> Record:
    """Return a record whose values have places in the order of TEXT."""
    return {
        name: tuple(value(one) for one in held) if isinstance(held, list) else
        None if held is None else value(held)
        for name, held in fields.items()
    }  # fmt: skip


TEXT = "12 x2 lamp 3 red blue desk many 2024-05-03 99.50 a b LOUD Ann sofa"


def value(text: str) -> Value:
    if text not in TEXT:
        return Value(text, None, None, 0.8)
    start = TEXT.index(text)
    return Value(text, start, start + len(text), 0.8)


def read(model: Any, **records: list[Record]) -> TypedExtraction[Any]:
    plan = typed_plan(model)
    assert plan is not None
    return plan.read(Extraction(TEXT, records={k: tuple(v) for k, v in records.items()}))


def test_an_instance_with_every_kind_of_value() -> None:
    doc = read(
        Order,
        order=[
            found(number="12", day="2024-05-03", total="99.50", tags=["a", "b"], size="large",
                  level="2", paid="true"),
        ],
        item=[found(product="lamp", count="3"), found(product="desk", count=None)],
        option=[found(color="red"), found(color="blue")],
    )  # fmt: skip
    assert doc.errors == ()
    assert doc.values == (doc.value,)
    assert doc.value == Order(
        orderNumber=12,
        day=date(2024, 5, 3),
        total=Decimal("99.50"),
        tags=["a", "b"],
        size=Size.LARGE,
        level=2,
        paid=True,
        items=[
            Item(product="lamp", count=3, options=[Option(color="red"), Option(color="blue")]),
            Item(product="desk"),
        ],
    )
    assert doc.evidence["items[0].options[1].color"].text == "blue"
    assert doc.evidence["number"].start == 0
    assert doc.evidence["size"].start is None
    assert "items[1].count" not in doc.evidence
    for one in doc.evidence.values():
        assert one.start is None or TEXT[one.start : one.end] == one.text


def test_the_json_shape_stays_and_pickles_come_back() -> None:
    doc = read(Order, order=[found(number="12")])
    plain = Extraction.from_dict(doc.to_dict())
    assert type(plain) is Extraction
    assert set(doc.to_dict()) == {
        "text", "entities", "classifications", "records", "relations", "coverage",
    }  # fmt: skip
    again = pickle.loads(pickle.dumps(doc))
    assert again == doc
    assert again.value.number == 12


def test_what_is_not_found_takes_its_default_and_none_where_none_is_allowed() -> None:
    doc = read(Order, order=[found(number="12", day=None)])
    assert doc.errors == ()
    assert (doc.value.total, doc.value.day, doc.value.tags) == (None, None, [])


def test_an_unreadable_value_is_said_and_left_out() -> None:
    doc = read(Order, order=[found(number="12", day="many")])
    assert doc.value.day is None
    (error,) = doc.errors
    assert (error.path, error.text) == ("day", "many")
    assert "'many'" in error.message
    assert "day" not in doc.evidence


def test_an_unreadable_value_that_is_required_is_said_once() -> None:
    doc = read(Order, order=[found(number="many")])
    assert doc.value is None
    assert doc.values == (None,)
    assert doc.errors == (FieldError("number", "many", "'many' is not a number."),)
    assert doc.evidence == {}


def test_a_missing_value_is_said() -> None:
    doc = read(Order, order=[found(day="2024-05-03")])
    assert doc.errors == (
        FieldError("number", None, "Nothing was found for this field, which is required."),
    )
    assert doc.evidence["day"].text == "2024-05-03"


def test_a_missing_value_of_a_text_in_windows_says_why() -> None:
    plan = typed_plan(Order)
    assert plan is not None
    read_in = Coverage(len(TEXT), len(TEXT), 3, False)
    doc = plan.read(Extraction(TEXT, records={"order": (found(size="small"),)}, coverage=read_in))
    (error,) = doc.errors
    assert error.message.startswith(
        "Nothing was found for this field, which is required; the text was read in 3 windows, and"
    )


def test_a_bad_item_of_a_list_goes_alone_and_evidence_is_counted_anew() -> None:
    doc = read(
        Order,
        order=[found(number="12")],
        item=[found(product=None, count="3"), found(product="desk")],
    )
    assert [item.product for item in doc.value.items] == ["desk"]
    assert [error.path for error in doc.errors] == ["items[0].product"]
    assert doc.evidence["items[0].product"].text == "desk"


def test_a_validator_of_the_class_has_the_last_word() -> None:
    doc = read(Order, order=[found(number="12", tags=["a", "LOUD"])])
    assert doc.value is None or doc.value.tags == []
    assert [(error.path, error.text) for error in doc.errors][:1] == [("tags", "a; LOUD")]


def test_several_records_have_several_values() -> None:
    doc = read(Order, order=[found(number="many"), found(number="3", day="2024-05-03")])
    assert doc.values[0] is None
    assert doc.value is doc.values[1]
    assert doc.evidence["day"].text == "2024-05-03"  # paths of `value` have no number
    assert doc.evidence["number"].text == "3"
    assert [error.path for error in doc.errors] == ["[0].number"]


def test_records_behind_the_first_have_their_number() -> None:
    doc = read(Order, order=[found(number="2"), found(number="3", day="2024-05-03")])
    assert (doc.evidence["number"].text, doc.evidence["[1].number"].text) == ("2", "3")


def test_a_model_validator_that_refuses_leaves_none() -> None:
    class Strict(BaseModel):
        name: str

        @model_validator(mode="after")
        def never(self) -> Strict:
            raise ValueError("never")

    doc = read(Strict, strict=[found(name="Ann")])
    assert doc.value is None
    assert doc.errors == (FieldError("", None, "Value error, never."),)


def test_nothing_found_has_no_value_and_no_error() -> None:
    doc = read(Order)
    assert (doc.value, doc.values, dict(doc.evidence), doc.errors) == (None, (), {}, ())


def test_a_second_single_child_is_said() -> None:
    class Address(BaseModel):
        city: str

    class Person(BaseModel):
        name: str
        address: Address | None = None

    doc = read(Person, person=[found(name="Ann")], address=[found(city="sofa"), found(city="lamp")])
    assert doc.value.address.city == "sofa"
    (error,) = doc.errors
    assert (error.path, error.text) == ("address", "lamp")


JSON = {
    "title": "Order",
    "type": "object",
    "properties": {
        "number": {"type": "integer"},
        "day": {"type": ["string", "null"], "format": "date"},
        "total": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "size": {"enum": ["small", "large"]},
        "paid": {"type": "boolean"},
        "items": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Item"}},
    },
    "required": ["number", "day", "items"],
    "$defs": {
        "Item": {
            "type": "object",
            "properties": {"product": {"type": "string"}, "count": {"type": "integer"}},
            "required": ["product"],
        }
    },
}


def test_a_json_schema_gives_plain_values() -> None:
    doc = read(
        JSON,
        order=[found(number="12", total="99.50", size="large", paid="false")],
        item=[found(product="lamp", count="3"), found(product=None, count="50")],
    )
    assert doc.value == {
        "number": 12, "day": None, "total": 99.5, "size": "large", "paid": False,
        "items": [{"product": "lamp", "count": 3}],
    }  # fmt: skip
    assert [error.path for error in doc.errors] == ["items[1].product"]


def test_a_json_schema_says_what_lacks() -> None:
    doc = read(JSON, order=[found(number="12", day="2024-05-03")])
    assert doc.value is None
    assert [(error.path, error.message) for error in doc.errors] == [
        ("items", "0 were found, but at least 1 are required.")
    ]


def test_the_json_schema_of_a_class_asks_the_same() -> None:
    by_class, by_json = typed_plan(Order), typed_plan(Order.model_json_schema(by_alias=False))
    assert by_class is not None
    assert by_json is not None
    assert by_class.schema.structures[1:] == by_json.schema.structures[1:]
    names = [[f.name for f in plan.schema.structures[0].fields] for plan in (by_class, by_json)]
    assert names[0] == names[1]


class Lamp(BaseModel):
    name: str
    colors: list[str] | None = Field(description="colors it comes in")
    mood: Literal["warm", None]
    sizes: tuple[int, int] | None
    state: Literal["new"] | Literal["used"] | None


def test_lists_pairs_and_choices_ask_the_same_by_class_and_by_json() -> None:
    by_class, by_json = typed_plan(Lamp), typed_plan(Lamp.model_json_schema())
    assert by_class is not None
    assert by_json is not None
    assert by_class.schema == by_json.schema
    absent = {"name": "lamp", "colors": None, "mood": None, "sizes": None, "state": None}
    for model in (Lamp, Lamp.model_json_schema()):
        doc = read(model, lamp=[found(name="lamp")])
        assert dict(doc.value) == absent
        assert doc.errors == ()


def test_a_json_schema_may_be_text() -> None:
    plan = typed_plan(json.dumps(JSON))
    assert plan is not None
    assert plan.schema == read_schema(json.dumps(JSON)) == read_schema(JSON)
    assert typed_plan('{"entities": ["person"]}') is None


def test_other_schemas_have_no_plan() -> None:
    assert typed_plan({"entities": ["person"]}) is None
    assert typed_plan(None) is None
    with pytest.raises(SchemaError):
        typed_plan(int)


fields = st.sampled_from(["12", "many", "2024-05-03", "99.50", "LOUD", "lamp"])
one_record = st.fixed_dictionaries(
    {}, optional={"number": fields, "day": fields, "total": fields, "tags": st.lists(fields)}
)
one_item = st.fixed_dictionaries({}, optional={"product": fields, "count": fields})


@given(st.lists(one_record, max_size=3), st.lists(one_item, max_size=4))
@settings(max_examples=50, deadline=None)
def test_whatever_is_found_nothing_is_raised(
    orders: list[dict[str, Any]], items: list[dict[str, Any]]
) -> None:
    doc = read(
        Order,
        order=[found(**record) for record in orders],
        item=[found(**record) for record in items],
    )
    assert len(doc.values) == max(len(orders), bool(items))
    assert all(one is None or isinstance(one, Order) for one in doc.values)
    assert doc.errors or None not in doc.values
    for error in doc.errors:
        assert error.message.endswith(".")


@pytest.mark.parametrize(
    ("text", "span", "number"),
    [
        ("balance -$75.00", "$75.00", -75), ("balance -$75.00", "75.00", -75),
        ("balance minus €75", "€75", -75), ("-75", "75", -75), ("debt 75.00- EUR", "75.00", -75),
        ("balance - €75", "€75", 75), ("A-75", "75", 75), ("3-75", "75", 75),
        ("a (€75)", "€75", 75), ('"a","-75"', "75", -75), ("|-75|", "75", -75),
        ("75-year plan", "75", 75), ("balance above-USD 75", "75", 75),
        ("at € 1.299,- net", "1.299", 1299), ("at 1.299,-- EUR", "1.299", 1299),
        ("at 1.299, - net", "1.299", 1.299), ("1.299,–", "1.299", 1299),
    ],
)  # fmt: skip
def test_a_minus_outside_its_span_counts(text: str, span: str, number: int) -> None:
    plan = typed_plan(create_model("Account", balance=(float, ...)))
    assert plan is not None
    start = text.index(span)
    held = Value(span, start, start + len(span), 0.9)
    doc = plan.read(Extraction(text, records={"account": ({"balance": held},)}))
    assert doc.value.balance == number
    assert doc.evidence["balance"] == held


@pytest.mark.parametrize("kind", [float, Quantity])
@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("It had 12 degrees below zero.", "12"), ("It had 12 degrees below zero.", "12 degrees"),
        ("at 12 °C below zero", "12"), ("at 12 below freezing", "12"),
    ],
)  # fmt: skip
def test_below_zero_outside_its_span_is_not_lost(kind: Any, text: str, span: str) -> None:
    plan = typed_plan(create_model("Weather", low=(kind | None, None)))
    assert plan is not None
    start = text.index(span)
    held = Value(span, start, start + len(span), 0.9)
    doc = plan.read(Extraction(text, records={"weather": ({"low": held},)}))
    assert doc.value is None or doc.value.low is None
    assert [error.path for error in doc.errors] == ["low"]


def test_what_was_stored_becomes_instances_without_a_model() -> None:
    doc = read(Item, item=[found(product="lamp", count="3")])
    stored = Extraction.from_dict(json.loads(doc.to_json()))
    again = read_typed(Item, stored)
    assert again.value == Item(product="lamp", count=3)
    assert (again, again.evidence) == (doc, doc.evidence)
    schema = {"title": "Item", "type": "object", "properties": {"count": {"type": "integer"}}}
    assert read_typed(schema, stored).value == {"count": 3}
    with pytest.raises(SchemaError, match=r"a Pydantic model class or .* but \{'entities'"):
        read_typed({"entities": ["a"]}, stored)
    with pytest.raises(InputError, match=r"no records of 'order' \(there are: 'item'\)"):
        read_typed(Order, stored)
    with pytest.raises(InputError, match=r"with Extraction\.from_dict"):
        read_typed(Item, doc.to_dict())  # type: ignore[call-overload]
