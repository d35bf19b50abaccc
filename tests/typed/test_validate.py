"""Classes get lists where they take lists, and what they expect where they are strict."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from onepass.typed.branches import Problem
from onepass.typed.validate import model_validator


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
