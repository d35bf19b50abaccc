"""The field shorthand: what it reads, what it refuses, what it writes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from tests.linear import assert_grows_in_proportion

from onepass.errors import SchemaError
from onepass.schema import Field, Rules
from onepass.schema.shorthand import format_field, parse_field


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("name", Field("name", "list")),
        ("name::str", Field("name", "str")),
        (" name :: str ", Field("name", "str")),
        ("colors::list", Field("colors", "list")),
        ("name::str::full product name", Field("name", "str", description="full product name")),
        ("name::list::all the names", Field("name", "list", description="all the names")),
        ("name::the full name", Field("name", "list", description="the full name")),
        ("size::[s|m|l]", Field("size", "str", ("s", "m", "l"))),
        ("size::[s|m]::str", Field("size", "str", ("s", "m"))),
        ("size::[s | m]::list", Field("size", "list", ("s", "m"))),
        ("size::list::[s|m]", Field("size", "list", ("s", "m"))),
        ("size::[s|m]::str::how big", Field("size", "str", ("s", "m"), "how big")),
        ("size::[s|m]::how big", Field("size", "str", ("s", "m"), "how big")),
        ("state::[draft]", Field("state", "str", ("draft",))),
        ("state::str::[draft]", Field("state", "str", ("draft",))),
        ("a::[x[1]|y]", Field("a", "str", ("x[1]", "y"))),
        # The description runs to the end.
        ("link::str::see http://x::y", Field("link", "str", description="see http://x::y")),
        ("link::str::a :: b::[c]", Field("link", "str", description="a :: b::[c]")),
        ("a::str::b::list", Field("a", "str", description="b::list")),
        ("a::str::list", Field("a", "str", description="list")),
        ("a::[x|y]::str::[z|w]", Field("a", "str", ("x", "y"), "[z|w]")),
        ("day::str::date", Field("day", "str", description="date")),
        ("note::[a] or [b]", Field("note", "list", description="[a] or [b]")),
        ("name::strong", Field("name", "list", description="strong")),
        # A backslash makes the next special character literal, and is otherwise itself.
        (r"state::str::\[draft\]", Field("state", "str", description="[draft]")),
        (r"std\:\:vector::str", Field("std::vector", "str")),
        (r"a::[x\|y|z\]]", Field("a", "str", ("x|y", "z]"))),
        (r"a::[x\,y]", Field("a", "str", ("x,y",))),
        ("a::[x,y|z]", Field("a", "str", ("x,y", "z"))),
        (r"a::str::C:\temp", Field("a", "str", description=r"C:\temp")),
        (r"a::str::one\\two", Field("a", "str", description=r"one\two")),
        ("a::str::\\ padded\\ ", Field("a", "str", description=" padded ")),
        ("list", Field("list", "list")),
        ("名前::str::製品の名前", Field("名前", "str", description="製品の名前")),
    ],
)
def test_reading(text: str, field: Field) -> None:
    assert parse_field(text) == field
    assert parse_field(format_field(field)) == field


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "",
            "The field '' has no name; write the name first, as in 'name::str::description'.",
        ),
        (
            "::str",
            "The field '::str' has no name; write the name first, as in 'name::str::description'.",
        ),
        (
            "[a|b]::str",
            "The field '[a|b]::str' has no name; "
            "write the name first, as in 'name::str::description'.",
        ),
        (
            "price::int",
            "The type of a field must be str or list, but 'int' was given in 'price::int'; "
            "for a description write '::str::int'.",
        ),
        (
            "price::Float::amount",
            "The type of a field must be str or list, but 'Float' was given in "
            "'price::Float::amount'; for a description write '::str::Float'.",
        ),
        (
            "price::STR",
            "The type of a field must be str or list, but 'STR' was given in 'price::STR'; "
            "for a description write '::str::STR'.",
        ),
        (
            "name::",
            "The field 'name::' has nothing after '::'; remove it, "
            "or write a type, choices or a description there.",
        ),
        (
            "size::[]",
            "The field 'size::[]' has an empty choice; write each one, as in '[a|b|c]'.",
        ),
        (
            "size::[s||m]",
            "The field 'size::[s||m]' has an empty choice; write each one, as in '[a|b|c]'.",
        ),
        (
            "size::[s,m]",
            "The field 'size::[s,m]' has one choice, 's,m'; write several as '[a|b]', or a comma "
            r"that belongs to a choice as '\,'.",
        ),
        (
            "size::[s|s]",
            "The choices of field 'size' must be distinct, but 's' was given twice.",
        ),
        (
            "size::[s|m",
            "The field 'size::[s|m' opens a bracket that it does not close; "
            "write choices as '[a|b]', or a literal bracket as '\\['.",
        ),
        (
            "name::the full name::str",
            "The field 'name::the full name::str' gives 'str' after its description; "
            "write the type and the choices before the description.",
        ),
        (
            "size::str::how big::[s|m]",
            "The field 'size::str::how big::[s|m]' gives '[s|m]' after its description; "
            "write the type and the choices before the description.",
        ),
        (
            "name:str",
            "The field 'name:str' has one colon before its type; write two, as in 'name::str', "
            "or a backslash before a colon of the name.",
        ),
        (
            "size : [s|m]::str::how big",
            "The field 'size : [s|m]::str::how big' has one colon before its type; write two, as "
            "in 'size::[s|m]', or a backslash before a colon of the name.",
        ),
    ],
)
def test_refusals(text: str, sentence: str) -> None:
    with pytest.raises(SchemaError) as refused:
        parse_field(text)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("name", ["a: b", "10:30", "note:listed", "x:y:strong", ":list of"])
def test_a_colon_may_stand_in_a_name(name: str) -> None:
    assert parse_field(f"{name}::str") == Field(name, "str")


def test_a_name_that_ends_like_a_type_is_escaped() -> None:
    assert parse_field(r"name\:str::list") == Field("name:str")
    assert parse_field(format_field(Field("name:str", "str"))) == Field("name:str", "str")


@pytest.mark.parametrize("word", ["int", "float", "bool", "date", "number", "string"])
def test_type_words_are_not_descriptions(word: str) -> None:
    with pytest.raises(SchemaError, match="must be str or list"):
        parse_field(f"price::{word}")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (Field("name"), "name"),
        (Field("name", "str"), "name::str"),
        (Field("name", description="full"), "name::list::full"),
        (Field("size", "str", ("s", "m")), "size::[s|m]"),
        (Field("size", "list", ("s", "m")), "size::[s|m]::list"),
        (Field("size", "str", ("s,m",)), r"size::[s\,m]"),
        (Field("a", "str", ("s",), "http://x::y"), "a::[s]::str::http://x::y"),
        (Field("a:b", "str", description=":x [y]"), r"a\:b::str::\:x \[y]"),
    ],
)
def test_writing(field: Field, text: str) -> None:
    assert format_field(field) == text
    assert parse_field(text) == field


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (Field("price", threshold=0.4), "threshold"),
        (Field("price", rules=Rules(kind="number", ge=0)), "kind"),
        (Field("price", rules=Rules(labels=("sum",))), "labels"),
    ],
)
def test_thresholds_and_rules_have_no_shorthand(field: Field, name: str) -> None:
    with pytest.raises(SchemaError) as refused:
        format_field(field)
    assert str(refused.value) == (
        f"The shorthand cannot hold the {name} of field 'price'; "
        f'use the object form, {{"name": ..., "{name}": ...}}.'
    )


@pytest.mark.parametrize(
    "made",
    [lambda size: "x::" + "[" * size, lambda size: f"x::[{'|'.join(map(str, range(size)))}]"],
)
def test_a_very_long_one_is_read_quickly(made: Callable[[int], str]) -> None:
    def parse(text: str) -> None:
        with suppress(SchemaError):
            parse_field(text)

    assert_grows_in_proportion(lambda size: partial(parse, made(size)), 50_000)
