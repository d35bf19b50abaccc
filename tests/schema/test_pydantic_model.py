"""Pydantic model classes as schemas."""

from __future__ import annotations

from dataclasses import dataclass, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypeVar

import annotated_types
import pydantic
import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    EmailStr,
    HttpUrl,
    PastDate,
    PositiveInt,
    RootModel,
    StringConstraints,
    create_model,
)
from pydantic import Field as ModelField
from typing_extensions import TypeAliasType, TypedDict

from onepass.errors import SchemaError
from onepass.schema import Field, Rules, Schema, read_schema
from onepass.schema.pydantic_model import read_type, shape_of_model
from onepass.schema.rules import NO_RULES
from onepass.typed import Email, Iban, Money, Phone, Quantity, Url

INF = float("inf")
One, Other = TypeVar("One"), TypeVar("Other")


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Mood(Enum):
    UNKNOWN = None
    HAPPY = "happy"
    SAD = "sad"


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


T = TypeVar("T")


class Box(BaseModel, Generic[T]):
    content: T


class Shelf(BaseModel):
    label: str
    book: "Book"  # noqa: UP037  defined below: pydantic has to look for it again


class Book(BaseModel):
    title: str


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
        Field("price", "str", rules=Rules(kind="decimal")),
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
        Field("code", "str", description="order code", rules=Rules(min_length=2)),
    )


@pytest.mark.parametrize(
    ("annotation", "sentence"),
    [
        (
            Point,
            "The field Order.x holds Point, which has fields but is no Pydantic model; make it "
            "one.",
        ),
        (
            Pair,
            "The field Order.x holds Pair, which has fields but is no Pydantic model; make it one.",
        ),
        (Address, "The field Order.x is a mapping; give a model with named fields."),
        (
            dict[str, str],
            "The field Order.x is a mapping; give a model with named fields.",
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


class Part(BaseModel):
    code: str


class Line(BaseModel):
    parts: list[Part] = ModelField(default=[], max_length=3)
    spare: Part | None = None


class Purchase(BaseModel):
    lines: list[Line]
    maker: Maker


class Node(BaseModel):
    name: str
    child: Node | None = None


class Deep(BaseModel):
    purchase: Purchase


def test_models_in_models_become_structures() -> None:
    structures = Schema.from_pydantic(Purchase).structures
    assert [structure.name for structure in structures] == ["parts", "spare part", "maker"]
    shape = shape_of_model(Purchase)
    assert [(child.name, child.many, child.required) for child in shape.children] == [
        ("lines", True, True), ("maker", False, True),
    ]  # fmt: skip
    (parts, spare) = shape.children[0].shape.children
    assert (parts.most, spare.many, spare.nullable) == (3, False, True)


def test_more_than_three_levels_and_circles_are_refused() -> None:
    with pytest.raises(SchemaError, match=r"Deep.purchase.lines.parts is on level 4"):
        Schema.from_pydantic(Deep)
    with pytest.raises(SchemaError, match="The model Node holds itself"):
        Schema.from_pydantic(Node)


@pytest.mark.parametrize(
    ("annotation", "dtype", "rules"),
    [
        (int, "str", {"kind": "integer"}),
        (float | None, "str", {"kind": "number"}),
        (list[Decimal], "list", {"kind": "decimal"}),
        (date, "str", {"kind": "date"}),
        (datetime, "str", {"kind": "datetime"}),
        (Money | None, "str", {"kind": "money"}),
        (Quantity, "str", {"kind": "quantity"}),
        (Phone, "str", {"kind": "phone"}),
        (list[Email], "list", {"kind": "email"}),
        (EmailStr, "str", {"kind": "email"}),
        (HttpUrl, "str", {"kind": "url"}),
        (Url, "str", {"kind": "url"}),
        (Iban, "str", {"kind": "iban"}),
        (int | str, "str", {}),
        (PositiveInt, "str", {"kind": "integer", "gt": 0}),
        (PastDate, "str", {"kind": "date"}),
        (AwareDatetime, "str", {"kind": "datetime"}),
        (NewType("Price", Decimal), "str", {"kind": "decimal"}),
        (TypeAliasType("Price", Annotated[Decimal, ModelField(gt=0)]), "str",
         {"kind": "decimal", "gt": 0}),
        (TypeAliasType("Some", list[One] | None, type_params=(One,))[int], "list",
         {"kind": "integer"}),
        (TypeAliasType("Same", One, type_params=(One,))[int], "str", {"kind": "integer"}),
        (TypeAliasType("Second", list[Other], type_params=(One, Other))[str, int],
         "list", {"kind": "integer"}),
        (Annotated[str, ModelField(pattern=r"\p{L}+")], "str", {}),  # Python's engine lacks it
        (Annotated[int, annotated_types.Interval(ge=1, lt=9)], "str",
         {"kind": "integer", "ge": 1, "lt": 9}),
        (Annotated[Decimal, ModelField(le=Decimal("0.1"))], "str",
         {"kind": "decimal", "le": "0.1"}),
        (Annotated[float, ModelField(ge=-INF, lt=INF)], "str", {"kind": "number"}),
        (Annotated[Decimal, ModelField(le=Decimal("inf"))], "str", {"kind": "decimal"}),
        (tuple[str, str], "list", {"min_items": 2, "max_items": 2}),
        (tuple[Annotated[str, ModelField(min_length=2)], int], "list",
         {"min_items": 2, "max_items": 2}),
        (tuple[int, ...], "list", {"kind": "integer"}),
        (Annotated[date, ModelField(ge=date(2024, 1, 1))], "str",
         {"kind": "date", "ge": "2024-01-01"}),
        (Annotated[str, StringConstraints(pattern="^A", max_length=4)], "str",
         {"pattern": "^A", "max_length": 4}),
        (Annotated[str, ModelField(pattern="^A")] | None, "str", {"pattern": "^A"}),
        (Annotated[list[Annotated[str, ModelField(min_length=2)]], ModelField(max_length=3)],
         "list", {"min_length": 2, "max_items": 3}),
        (Annotated[str, Rules(kind="phone", region="CH", exclusive=True)], "str",
         {"kind": "phone", "region": "CH", "exclusive": True}),
    ],
)  # fmt: skip
def test_types_and_constraints_become_rules(
    annotation: Any, dtype: str, rules: dict[str, Any]
) -> None:
    model = type(
        "Order", (BaseModel,), {"__annotations__": {"x": annotation}, "__module__": __name__}
    )
    ((field,),) = (structure.fields for structure in Schema.from_pydantic(model).structures)
    assert (field.dtype, field.rules.given()) == (dtype, rules)


@pytest.mark.parametrize(
    ("annotation", "choices", "nullable"),
    [
        (Literal["happy", None], ("happy",), True),
        (Literal["open"] | Literal["shipped", "open"], ("open", "shipped"), False),
        (Literal["open"] | Literal["shipped", None], ("open", "shipped"), True),
        (Mood | Literal["tired"], ("happy", "sad", "tired"), True),
        (list[Mood], ("happy", "sad"), False),
        (Size | Literal["huge"] | None, ("small", "large", "huge"), True),
        (list[Literal["a"] | Literal["b"]], ("a", "b"), False),
        (TypeAliasType("State", Literal["a"]) | TypeAliasType("More", Literal["b"]),
         ("a", "b"), False),
    ],
)  # fmt: skip
def test_choices_of_a_union_are_choices_of_one_field(
    annotation: Any, choices: tuple[str, ...], nullable: bool
) -> None:
    reading = read_type(annotation, "Order.x")
    assert (reading.choices, reading.nullable) == (choices, nullable)
    assert len(reading.meanings) == len(choices)


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (Annotated[int, ModelField(ge=5, lt=5)], "ge 5 and lt 5; raise lt or lower ge."),
        (Annotated[list[str], ModelField(min_length=5, max_length=3)], "min_items 5 and max_items"),
        (
            list[Annotated[str, ModelField(min_length=5, max_length=3)]],
            "min_length 5 and max_length",
        ),
    ],
)
def test_constraints_that_nothing_keeps_are_refused(annotation: Any, said: str) -> None:
    order = pydantic.create_model("Order", x=(annotation, ...))
    with pytest.raises(SchemaError, match=rf"In the field Order\.x: Nothing fits both {said}"):
        shape_of_model(order)


def test_a_union_of_choices_under_other_constraints_is_refused() -> None:
    bound = Annotated[Literal["b"], Rules(exclusive=True)]
    with pytest.raises(SchemaError, match="mixes types"):
        read_type(Literal["a"] | bound, "Order.x")


METADATA = {
    "AfterValidator": (str.strip,), "BeforeValidator": (str.strip,), "PlainValidator": (str.strip,),
    "WrapValidator": (lambda value, handler: handler(value),), "SkipValidation": (),
    "InstanceOf": (), "WithJsonSchema": ({"type": "string"},), "PlainSerializer": (str.strip,),
    "WrapSerializer": (lambda value, handler: handler(value),), "SerializeAsAny": (),
    "UrlConstraints": (), "Strict": (), "StringConstraints": (), "AllowInfNan": (),
    "EncodedBytes": (pydantic.Base64Encoder,), "EncodedStr": (pydantic.Base64Encoder,),
    "GetPydanticSchema": (lambda source, handler: handler(source),), "Tag": ("a",),
    "Discriminator": ("a",), "FailFast": (), "ValidateAs": (str, str),
}  # fmt: skip
NO_METADATA = {"AliasChoices", "AliasGenerator", "AliasPath"}


def test_all_metadata_of_pydantic_is_understood_or_left_to_the_class() -> None:
    exported = {name: getattr(pydantic, name) for name in pydantic.__all__}
    known = {name for name, kind in exported.items() if is_dataclass(kind)}
    assert known <= {*METADATA, *NO_METADATA}  # a new one needs a line above
    for name in exported.keys() & METADATA.keys():
        metadata = exported[name](*METADATA[name])
        for where, annotation in (
            ("str", Annotated[str, metadata]),
            ("list", list[Annotated[str, metadata]]),
        ):
            reading = read_type(annotation, "Order.x")
            assert (reading.dtype, reading.constraints.rules(where == "list", "Order.x")) == (
                where, NO_RULES,
            ), name  # fmt: skip


@pytest.mark.parametrize(
    "annotation",
    [Annotated[str, AfterValidator(str.strip)], pydantic.UUID4, pydantic.Base64Str,
     pydantic.InstanceOf[str], pydantic.FilePath, pydantic.StrictStr],
)  # fmt: skip
def test_validators_change_nothing_of_what_is_asked_for(annotation: Any) -> None:
    model = create_model("Order", x=(annotation, ...), many=(list[annotation], ...))
    ((one, many),) = (structure.fields for structure in Schema.from_pydantic(model).structures)
    assert (one.dtype, many.dtype, one.rules, many.rules) == ("str", "list", NO_RULES, NO_RULES)


def test_keys_of_validation_are_aliases() -> None:
    class Aliased(BaseModel):
        one: str = ModelField(alias="first")
        two: str = ModelField(validation_alias=AliasChoices("second", "zwei"))
        three: str

    keys = [(leaf.name, leaf.key) for leaf in shape_of_model(Aliased).leaves]
    assert keys == [("one", "first"), ("two", "second"), ("three", "three")]


def test_a_class_that_is_defined_later_is_found() -> None:
    assert [one.name for one in Schema.from_pydantic(Shelf).structures] == ["shelf", "book"]


def test_a_generic_class_is_named_by_its_words() -> None:
    (box,) = Schema.from_pydantic(Box[int]).structures
    assert (box.name, box.fields[0].rules.kind) == ("box int", "integer")


@pytest.mark.parametrize(
    ("annotation", "sentence"),
    [
        (T, "is left open by ~T; give the class its types"),
        (Literal[None], "The type of Order.x allows no value"),
        (Literal[b"\xff"], "The type of Order.x allows b'\\xff'; give texts, numbers"),
        (Enum("Pair", {"A": (1, 2)}), "The type of Order.x allows <Pair.A: (1, 2)>; give texts"),
        (BaseModel, "BaseModel itself has no fields"),
        (Annotated[str, ModelField(validation_alias=AliasPath("a", 0))], "is a path into other"),
        ("Missing", "names a class that is not defined yet"),
    ],
)
def test_types_that_say_nothing_definite_are_refused(annotation: Any, sentence: str) -> None:
    model = type(
        "Order", (BaseModel,), {"__annotations__": {"x": annotation}, "__module__": __name__}
    )
    with pytest.raises(SchemaError) as refused:
        Schema.from_pydantic(model)
    assert sentence in str(refused.value)


def test_a_class_that_is_validated_by_name_alone_has_no_aliases() -> None:
    class Item(BaseModel):
        model_config = ConfigDict(validate_by_alias=False, validate_by_name=True)
        number: str = ModelField(validation_alias="no")

    class Either(BaseModel):
        model_config = ConfigDict(populate_by_name=True)
        number: str = ModelField(validation_alias=AliasPath("a", "b"))

    for model_class in (Item, Either):
        (leaf,) = shape_of_model(model_class).leaves
        assert leaf.key == "number"
        assert model_class.model_validate({leaf.key: "x"}).number == "x"


def test_truth_values_are_written_as_in_json() -> None:
    class Answer(Enum):
        YES = True
        NO = False

    for annotation in (Literal[True, False], Answer):
        assert read_type(annotation, "Model.field").choices == ("true", "false")
    assert read_type(Literal[True], "Model.field").choices == ("true",)


def test_choices_are_those_of_the_json_schema() -> None:
    class Code(Enum):
        A = b"a"
        B = Decimal("1.50")
        C = date(2024, 5, 3)
        D = None

    for annotation in (Code, Literal[b"x", 1, None]):
        model = create_model("Order", x=(annotation, ...))
        asked = Schema.from_pydantic(model)
        assert asked == Schema.from_json_schema(model.model_json_schema())
