"""Passes ask every label once, and as few as fit; what fits in none is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.gliner2.random_schemas import schemas

from onepass import Schema
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.models.gliner2.passes import split_groups
from onepass.models.gliner2.prompt import Group, Kind, all_groups, encode_prompt


def asked(groups: Iterator[Group]) -> Counter[tuple[Kind, int, int]]:
    return Counter((group.kind, group.task, item) for group in groups for item in group.items)


@given(schemas(), st.integers(130, 230))
@settings(max_examples=60)
def test_passes_ask_everything_exactly_once(
    tokenizer: PieceTokenizer, schema: Schema, budget: int
) -> None:
    whole_schema = asked(iter(all_groups(schema)))
    assert set(whole_schema.values()) == {1}
    assert len(whole_schema) == (
        len(schema.entity_labels)
        + sum(len(task.labels) for task in schema.classification_tasks)
        + sum(len(structure.fields) for structure in schema.structures)
        + 2 * len(schema.relation_types)
    )
    passes = split_groups(schema, tokenizer, budget)
    assert asked(group for groups in passes for group in groups) == whole_schema
    for groups in passes:
        assert 0 < encode_prompt(schema, groups, tokenizer).pieces <= budget
        assert len({(group.kind, group.task) for group in groups}) == len(groups)


def test_fields_of_a_structure_in_one_prompt_are_of_one_record(tokenizer: PieceTokenizer) -> None:
    lengths = {"role": 36, "name": 18, "company": 18, "city": 36}
    fields = [f"{name}::{'of it ' * (pieces // 2)}" for name, pieces in lengths.items()]
    schema = Schema().structure("job", fields)
    passes = split_groups(schema, tokenizer, 60)
    assert [[group.items for group in groups] for groups in passes] == [[(0,)], [(1, 2)], [(3,)]]


def test_a_schema_that_fits_is_one_pass(tokenizer: PieceTokenizer) -> None:
    schema = Schema().entities([f"person {i}" for i in range(40)]).relations(["in"])
    pieces = encode_prompt(schema, all_groups(schema), tokenizer).pieces
    assert split_groups(schema, tokenizer, pieces) == [all_groups(schema)]
    assert len(split_groups(schema, tokenizer, pieces - 1)) == 2


def test_one_budget_takes_several_small_groups(tokenizer: PieceTokenizer) -> None:
    schema = Schema().relations([f"in {i}" for i in range(100)])
    passes = split_groups(schema, tokenizer, 256)
    assert len(passes) < 12


@pytest.mark.parametrize(
    ("schema", "title"),
    [
        (Schema().entities({"person": "a " * 300}), "The entity label 'person'"),
        (Schema().relations({"in": "a " * 300}), "The relation type 'in'"),
        (
            Schema().structure("s", [{"name": "f", "description": "a " * 300}]),
            "The field 'f' of 's'",
        ),
        (Schema().classification("t", {"calm": "a " * 300}), "The label 'calm' of task 't'"),
        (Schema().ask({"q": "a " * 300}), "The question 'q'"),
        (Schema().structure("a " * 300, ["f"]), "The name of the structure '(a )+.*"),
        (
            Schema().structure("s", [{"name": "f", "choices": [f"a {i}" for i in range(300)]}]),
            "The list of choices of the field 'f' of 's'",
        ),
        (
            Schema().classification("t", ["calm", "angry"], prompt="a " * 300),
            "The prompt of task 't'",
        ),
        (Schema().classification("a " * 300, ["calm"]), "The name of task '(a )+.*"),
        (
            Schema().classification("t", ["calm", "angry"], examples=[("a " * 300, "angry")]),
            "The list of examples of task 't'",
        ),
    ],
)
def test_what_is_too_long_for_any_pass_is_named(
    tokenizer: PieceTokenizer, schema: Schema, title: str
) -> None:
    with pytest.raises(SchemaError, match=rf"^{title} takes \d+ pieces .* may have 100; shorten"):
        split_groups(schema, tokenizer, 100)
