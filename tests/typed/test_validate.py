"""Classes get lists where they take lists, and what they expect where they are strict."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from onepass.results.types import Value
from onepass.schema.pydantic_model import shape_of_model
from onepass.typed import FieldError, Money, Quantity
from onepass.typed.branches import TOO_FEW, Problem, grow
from onepass.typed.link import Node
from onepass.typed.validate import model_validator, settle


class Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)
    name: str
    tags: set[str] = Field(set(), exclude=True)

    def __hash__(self) -> int:
        return hash(self.name)


class Order(BaseModel):
    model_config = ConfigDict(strict=True)
    colors: set[str] = set()
    counts: frozenset[int] = frozenset()
    lines: tuple[str, ...] = ()
    pair: tuple[int, int] | None = None
    parts: list[Part] = []
    kinds: set[Part] = set()
    spares: tuple[Part, ...] = ()


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"colors": ["red", "red", "blue"]}, "colors", {"red", "blue"}),
        ({"counts": [1, 2]}, "counts", frozenset({1, 2})),
        ({"lines": ["a", "b"]}, "lines", ("a", "b")),
        ({"pair": [1, 2]}, "pair", (1, 2)),
        ({"parts": [{"name": "a", "tags": ["x"]}]}, "parts", [Part(name="a", tags={"x"})]),
        ({"kinds": [{"name": "a"}, {"name": "a"}, {"name": "b"}]}, "kinds",
         {Part(name="a"), Part(name="b")}),
        ({"spares": [{"name": "a", "tags": ["x"]}]}, "spares", (Part(name="a", tags={"x"}),)),
        ({"colors": []}, "colors", set()),
    ],
)  # fmt: skip
def test_lists_become_what_a_strict_class_takes(given: Any, field: str, expected: Any) -> None:
    value, problems = model_validator(Order)(given)
    assert not problems
    assert getattr(value, field) == expected
    assert type(getattr(value, field)) is type(expected)


class Mood(Enum):
    UNKNOWN = None
    HAPPY = "happy"


class Plain(BaseModel):
    mood: Mood
    moods: list[Mood] | None
    other: Mood | None


class Strict(Plain):
    model_config = ConfigDict(strict=True)


@pytest.mark.parametrize("model_class", [Plain, Strict])
def test_a_member_without_a_value_stands_for_nothing_found(model_class: type[Plain]) -> None:
    value, errors = made(model_class)
    assert errors == []
    assert (value.mood, value.moods, value.other) == (Mood.UNKNOWN, None, None)


def test_what_is_wrong_besides_is_still_said() -> None:
    value, problems = model_validator(Order)({"colors": ["red"], "counts": ["many"]})
    assert value is None
    assert [problem.location[0] for problem in problems] == ["counts"]
    _, problems = model_validator(Order)({"pair": [1, 2, 3], "colors": "red"})
    assert {problem.location[0] for problem in problems} == {"pair", "colors"}
    assert all(isinstance(problem, Problem) for problem in problems)


def test_a_validator_that_asks_for_a_set_itself() -> None:
    class Own(BaseModel):
        colors: Any

        @field_validator("colors", mode="before")
        @classmethod
        def _only(cls, given: object) -> object:
            if not isinstance(given, list):
                raise ValueError("a list, please")
            return given

    assert model_validator(Own)({"colors": ["red"]})[0].colors == ["red"]


def made(model_class: type[BaseModel], **texts: str | list[str]) -> tuple[Any, list[FieldError]]:
    """Return the instance of a record with these values, and what did not validate."""

    def value(text: str) -> Value:
        return Value(text, None, None, 0.9)

    shape = shape_of_model(model_class)
    record = {
        name: value(held) if isinstance(held, str) else tuple(map(value, held))
        for name, held in texts.items()
    }
    errors: list[FieldError] = []
    branch = grow(Node(shape, record, []), "", "", errors)
    return settle(branch, model_validator(model_class), errors), errors


class Box(BaseModel):
    name: str = "?"
    tags: list[str] = Field(default=["d"], min_length=2)
    pair: tuple[str, str] | None = None
    wanted: tuple[str, int] = ("w", 1)


@pytest.mark.parametrize(
    ("field", "given", "text"),
    [
        ("tags", ["a"], "a"),
        ("pair", ["a"], "a"),
        ("pair", ["a", "b", "c"], "a; b; c"),
        ("wanted", ["a", "b"], "b"),
    ],
)
def test_a_list_of_a_wrong_length_takes_the_default(
    field: str, given: list[str], text: str
) -> None:
    value, errors = made(Box, name="x", **{field: given})  # type: ignore[arg-type]
    assert value == Box(name="x")
    assert [error.path.split("[")[0] for error in errors] == [field]
    assert errors[0].text == text


def test_a_required_list_of_a_wrong_length_costs_the_record() -> None:
    class Pair(BaseModel):
        pair: tuple[str, str]

    assert made(Pair, pair=["a"]) == (None, [FieldError("pair", "a", TOO_FEW)])


def test_an_alias_that_is_the_name_of_another_field() -> None:
    class Crossed(BaseModel):
        first: int | None = Field(None, alias="last")
        last: int | None = Field(None, alias="first", le=3)

    value, errors = made(Crossed, first="1", last="7")
    assert (value.first, value.last) == (1, None)
    assert [(error.path, error.text) for error in errors] == [("last", "7")]


@pytest.mark.parametrize(("kind", "unit"), [(Money, "EUR"), (Quantity, "kg")])
def test_amounts_have_the_bounds_of_numbers(kind: Any, unit: str) -> None:
    class Bill(BaseModel):
        least: kind = Field(kind(Decimal(0)), ge=10.1)
        above: kind | None = Field(None, gt=10)
        most: kind | None = Field(None, le=Decimal("10.1"))
        below: kind = Field(None, lt=10)

    def kept(text: str) -> list[str]:
        value, errors = made(Bill, **dict.fromkeys(Bill.model_fields, text))
        given = {name for name in Bill.model_fields if getattr(value, name) == held(text)}
        assert {error.path for error in errors} == set(Bill.model_fields) - given
        return sorted(given)

    def held(text: str) -> Any:
        return kind(Decimal(text.split()[0]), unit)

    assert kept(f"10.1 {unit}") == ["above", "least", "most"]
    assert kept(f"10 {unit}") == ["most"]
    assert kept(f"9 {unit}") == ["below", "most"]
    with pytest.raises(TypeError):
        _ = held("9") < held("10")  # of two currencies or units nothing is known
