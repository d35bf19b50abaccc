"""What the fields of the page ask for."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass import InputError, OnepassError, Schema, SchemaError
from onepass.demo.form import (
    MAX_CHARS,
    Asked,
    entity_part,
    one_structure,
    one_task,
    read_threshold,
    relation_part,
    structure_parts,
    task_parts,
)


def test_lines_become_one_schema():
    asked = Asked(
        "Ann",
        (
            entity_part("person\n\n company = legal name of a firm \n"),
            *task_parts("tone = calm, angry\ntopics* = sport, law\nodd[abstain=0.3] = a, b"),
            *structure_parts("product: name::str, size::[s|m]\n"),
            relation_part("works for\nowns = a person owns a company"),
        ),
    )
    assert asked.schema == (
        Schema()
        .entities({"person": "", "company": "legal name of a firm"})
        .classification("tone", ["calm", "angry"])
        .classification("topics", ["sport", "law"], multi_label=True)
        .classification("odd", ["a", "b"], abstain=0.3)
        .structure("product", ["name::str", "size::[s|m]"])
        .relations({"works for": "", "owns": "a person owns a company"})
    )


@pytest.mark.parametrize(("several", "none"), [(True, True), (True, False)])
def test_none_is_always_possible_where_several_are(several: bool, none: bool):
    task = one_task("topics", "a\nb = the second", several=several, none=none)
    assert task == Schema().classification("topics", {"a": "", "b": "the second"}, multi_label=True)


def test_fields_stand_on_lines():
    schema = one_structure("product", "name::str::full name, with a comma\n\ncolor::list")
    assert schema == Schema().structure(
        "product", ["name::str::full name, with a comma", "color::list"]
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", None),
        (" \n", None),
        ("0.4", 0.4),
        ("person=0.4, relations = 0.25,", {"person": 0.4, "relations": 0.25}),
        ("person = 0.4\ncompany = 1", {"person": 0.4, "company": 1.0}),
    ],
)
def test_thresholds(written: str, read: object):
    assert read_threshold(written) == read


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda: Asked(" ", (entity_part("a"),)), "There is no text; write"),
        (lambda: Asked("x" * (MAX_CHARS + 1), (entity_part("a"),)), "more than the 100,000"),
        (lambda: Asked("x", (Schema(),)), "Nothing is asked for; write a label"),
        (lambda: entity_part("person\na, b = two"), "Labels, line 2, 'a, b = two': a desc"),
        (lambda: entity_part("person\nperson"), "'person'"),
        (lambda: relation_part("owns ="), "Relations, line 1, 'owns =': there is no desc"),
        (lambda: task_parts("\ntone"), "Classes, line 2, 'tone': a classification is written"),
        (lambda: structure_parts("product"), "Structures, line 1, 'product': a structure"),
        (lambda: one_structure("product", "name::int"), "must be str or list"),
        (lambda: one_structure("product", ""), "at least one field"),
        (lambda: one_task("", "a\nb", several=False, none=False), "name of a classification"),
        (lambda: read_threshold("high"), "such as 0.4 or person = 0.4, but 'high' was given"),
        (lambda: read_threshold("person = 0.4, person = 0.5"), "two thresholds for 'person'"),
    ],
)
def test_what_is_wrong_is_said(ask, sentence: str):
    with pytest.raises((InputError, SchemaError)) as refusal:
        ask()
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "In -" not in str(refusal.value)  # the page has no options


def test_two_parts_that_ask_for_the_same_are_refused():
    asked = Asked("x", task_parts("tone = a, b\ntone = c, d"))
    with pytest.raises(SchemaError, match="'tone'"):
        _ = asked.schema


@settings(max_examples=50)
@given(st.lists(st.text(max_size=20), min_size=6, max_size=6))
def test_any_input_is_read_or_refused(fields: list[str]):
    labels, tasks, structures, relations, name, threshold = fields
    for ask in (
        lambda: entity_part(labels),
        lambda: task_parts(tasks),
        lambda: structure_parts(structures),
        lambda: relation_part(relations),
        lambda: one_task(name, labels, several=False, none=True),
        lambda: one_structure(name, structures),
        lambda: read_threshold(threshold),
    ):
        with suppress(OnepassError):
            ask()
