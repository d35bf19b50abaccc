"""The leaf values refuse bad states at birth, each with one clear sentence."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from onepass.errors import SchemaError
from onepass.schema import ClassificationTask, Field, Label, RelationType, Structure

TWO = (Label("a"), Label("b"))


@pytest.mark.parametrize(
    ("kind", "arguments", "sentence"),
    [
        (Label, (3,), "A label must be a string, but 3 (int) was given."),
        (Label, (None,), "A label must be a string, but None (NoneType) was given."),
        (Label, ("",), "A label must not be empty, but '' was given."),
        (Label, (" \n",), r"A label must not be empty, but ' \n' was given."),
        (
            Label,
            ("a\ud800",),
            r"A label must be valid Unicode, but 'a\ud800' has a lone surrogate.",
        ),
        (
            Label,
            ("a", 0.5),
            "The description of label 'a' must be a string, but 0.5 (float) was given.",
        ),
        (
            Label,
            ("a", None, 1.5),
            "The threshold of label 'a' must be a number from 0 to 1, but 1.5 was given.",
        ),
        (
            Label,
            ("a", None, "0.5"),
            "The threshold of label 'a' must be a number from 0 to 1, but '0.5' was given.",
        ),
        (RelationType, ("",), "A relation type must not be empty, but '' was given."),
        (
            RelationType,
            ("owns", None, True),
            "The threshold of relation type 'owns' must be a number from 0 to 1, "
            "but True was given.",
        ),
        (Field, ("",), "The name of a field must not be empty, but '' was given."),
        (
            Field,
            ("price", "int"),
            "The type of field 'price' must be 'str' or 'list', but 'int' was given.",
        ),
        (
            Field,
            ("size", "str", "small"),
            "The choices of field 'size' must be a list, but 'small' was given.",
        ),
        (
            Field,
            ("size", "str", ("s", "s")),
            "The choices of field 'size' must be distinct, but 's' was given twice.",
        ),
        (
            Field,
            ("size", "str", ("s", 2)),
            "A choice of field 'size' must be a string, but 2 (int) was given.",
        ),
        (
            Structure,
            ("product", ()),
            "The structure 'product' needs at least one field, but none was given.",
        ),
        (
            Structure,
            ("product", ("name",)),
            "The fields of structure 'product' must be Field values, but 'name' (str) was given.",
        ),
        (
            Structure,
            ("product", (Field("a"), Field("a", "str"))),
            "The fields of structure 'product' must be distinct, but 'a' was given twice.",
        ),
        (
            ClassificationTask,
            ("tone", ()),
            "The classification task 'tone' needs at least one label, but none was given.",
        ),
        (
            ClassificationTask,
            ("tone", "calm"),
            "The labels of task 'tone' must be a list, but 'calm' was given.",
        ),
        (
            ClassificationTask,
            ("tone", (*TWO, Label("a", "again"))),
            "The labels of task 'tone' must be distinct, but 'a' was given twice.",
        ),
        (
            ClassificationTask,
            ("tone", TWO, 1),
            "multi_label of task 'tone' must be true or false, but 1 was given.",
        ),
        (
            ClassificationTask,
            ("tone", TWO, False, None, 7),
            "The prompt of task 'tone' must be a string, but 7 (int) was given.",
        ),
        (
            ClassificationTask,
            ("tone", TWO, False, None, None, (("text", "c"),)),
            "An example of task 'tone' has the label 'c', which is not one of its labels: a, b.",
        ),
        (
            ClassificationTask,
            ("tone", TWO, False, None, None, ("ab",)),
            "An example of task 'tone' must be a pair of a text and a label, but 'ab' was given; "
            'write ("text", "label"), or {"text": ..., "labels": ...}.',
        ),
        (
            ClassificationTask,
            ("tone", TWO, False, None, None, (("text", ("a", "b")),)),
            "An example of task 'tone' must have exactly one label, but ('a', 'b') was given.",
        ),
        (
            ClassificationTask,
            ("tone", TWO, True, None, None, (("text", ()),)),
            "An example of task 'tone' must have at least one label, but () was given.",
        ),
        (
            ClassificationTask,
            ("tone", TWO, True, None, None, (("text", ("a", "a")),)),
            "The labels of an example of task 'tone' must be distinct, but 'a' was given twice.",
        ),
    ],
)
def test_bad_values_are_refused(kind: type[Any], arguments: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(SchemaError) as refused:
        kind(*arguments)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 10**400])
def test_thresholds_outside_the_unit_interval_are_refused(value: float) -> None:
    with pytest.raises(SchemaError, match="must be a number from 0 to 1"):
        Label("a", threshold=value)


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.float64(1), Fraction(1, 2)])
def test_any_real_number_is_a_threshold(value: Any) -> None:
    threshold = Label("a", threshold=value).threshold
    assert type(threshold) is float
    assert threshold == value


def test_white_space_is_no_description() -> None:
    assert Label("a", " \t").description is None
    assert ClassificationTask("tone", TWO, prompt="").prompt is None


def test_members_of_a_string_enum_become_plain_strings() -> None:
    class Color(StrEnum):
        RED = "red"

    label = Label(Color.RED)
    assert type(label.name) is str
    assert label.name == "red"


def test_lists_are_frozen_so_that_values_hash() -> None:
    labels: Any = [Label("a")]
    examples: Any = [["good", "a"]]
    task = ClassificationTask("tone", labels, examples=examples)
    same = ClassificationTask("tone", (Label("a"),), examples=(("good", ("a",)),))
    assert task == same
    assert hash(task) == hash(same)


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(SchemaError) as refused:
        Label("a", threshold=["x" * 10_000])  # type: ignore[arg-type]
    assert len(str(refused.value)) < 200
