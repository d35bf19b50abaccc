"""Pydantic model classes as schemas."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from pydantic import BaseModel, RootModel
from pydantic import Field as ModelField
from typing_extensions import TypedDict

from onepass.errors import SchemaError
from onepass.schema import Field, Schema, read_schema
from onepass.schema.pydantic_model import structure_name


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Tone(StrEnum):
    CALM = "calm"
    ANGRY = "angry"


class Level(IntEnum):
    ONE = 1
    TWO = 2


class Maker(BaseModel):
    name: str


@dataclass
class Point:
    x: int


class Pair(NamedTuple):
    left: str


class Address(TypedDict):
    street: str


class ProductOrder(BaseModel):
    """An order."""

    name: str = ModelField(description="full product name")
    price: Decimal | None = None
    ordered: date | str
    colors: list[str] = []
    tags: set[str] | None = None
    parts: tuple[str, ...] = ()
    anything: Any = None
    notes: list = []  # type: ignore[type-arg]
    size: Size
    tone: Tone | None = None
    level: Level = Level.ONE
    kind: Literal["new", "used"] = ModelField("new", description="condition")
    ports: list[Literal["usb", "hdmi"]] = []
    tones: list[Tone] = []
    paid: bool = False
    code: Annotated[str, ModelField(description="order code", min_length=2)]


def test_fields_take_their_types_choices_and_descriptions() -> None:
    schema = Schema.from_pydantic(ProductOrder)
    assert read_schema(ProductOrder) == schema
    (structure,) = schema.structures
    assert structure.name == "product order"
    assert structure.fields == (
        Field("name", "str", description="full product name"),
        Field("price", "str"),
        Field("ordered", "str"),
        Field("colors", "list"),
        Field("tags", "list"),
        Field("parts", "list"),
        Field("anything", "str"),
        Field("notes", "list"),
        Field("size", "str", ("small", "large")),
        Field("tone", "str", ("calm", "angry")),
        Field("level", "str", ("1", "2")),
        Field("kind", "str", ("new", "used"), "condition"),
        Field("ports", "list", ("usb", "hdmi")),
        Field("tones", "list", ("calm", "angry")),
        Field("paid", "str", ("true", "false")),
        Field("code", "str", description="order code"),
    )


@pytest.mark.parametrize(
    ("annotation", "sentence"),
    [
        (
            Maker,
            "The field Order.x holds Maker; nested models are not supported yet, "
            "give a flat model for each.",
        ),
        (
            list[Maker],
            "The field Order.x holds Maker; nested models are not supported yet, "
            "give a flat model for each.",
        ),
        (
            Maker | None,
            "The field Order.x holds Maker; nested models are not supported yet, "
            "give a flat model for each.",
        ),
        (
            Point,
            "The field Order.x holds Point; nested models are not supported yet, "
            "give a flat model for each.",
        ),
        (
            Pair,
            "The field Order.x holds Pair; nested models are not supported yet, "
            "give a flat model for each.",
        ),
        (Address, "The field Order.x is a mapping; give a flat model with named fields."),
        (
            dict[str, str],
            "The field Order.x is a mapping; give a flat model with named fields.",
        ),
        (list[list[str]], "The field Order.x is a list of lists; give a flat list."),
        (
            list[str] | str,
            "The field Order.x mixes types that are extracted differently: list[str] | str; "
            "give it one type.",
        ),
    ],
)
def test_types_that_text_cannot_fill_are_refused(annotation: Any, sentence: str) -> None:
    model = type(
        "Order", (BaseModel,), {"__annotations__": {"x": annotation}, "__module__": __name__}
    )
    with pytest.raises(SchemaError) as refused:
        Schema.from_pydantic(model)
    assert str(refused.value) == sentence


def test_a_model_without_fields_is_refused() -> None:
    class Nothing(BaseModel):
        pass

    with pytest.raises(SchemaError, match="structure 'nothing' needs at least one field"):
        Schema.from_pydantic(Nothing)


def test_a_root_model_is_refused() -> None:
    with pytest.raises(SchemaError, match="is a RootModel; give a model with named fields"):
        Schema.from_pydantic(RootModel[list[str]])


def test_an_instance_is_refused() -> None:
    with pytest.raises(
        SchemaError, match=r"JSON text or a Pydantic model class, but Maker\(name='x'\)"
    ):
        read_schema(Maker(name="x"))


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("Product", "product"),
        ("ProductReview", "product review"),
        ("product_review", "product review"),
        ("HTTPServer", "http server"),
        ("Phase2Trial", "phase2 trial"),
    ],
)
def test_structure_names(class_name: str, name: str) -> None:
    assert structure_name(class_name) == name
