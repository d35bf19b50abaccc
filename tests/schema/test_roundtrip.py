"""Every schema and field comes back equal from every form it can be written in."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from onepass.errors import SchemaError
from onepass.schema import ClassificationTask, Field, Label, Naming, RelationType, Schema, Structure
from onepass.schema.json_schema import SCHEMA_JSON_SCHEMA
from onepass.schema.parse import Parts
from onepass.schema.shorthand import format_field, parse_field
from onepass.schema.task import ROOT, WINDOW_SCORES
from onepass.schema.trees import NODE_KEYS, Branches
from onepass.schema.write import write_labels

VALIDATOR = Draft202012Validator(SCHEMA_JSON_SCHEMA)

# Half of the texts are made of what the shorthand treats specially.
TEXT = st.text(max_size=12) | st.text(st.sampled_from(":[]|\\, \tastrli"), max_size=12)
# Labels that are called as the options of a label are.
NAME = TEXT.filter(str.strip) | st.sampled_from(NODE_KEYS)
OPTIONAL = st.none() | NAME
THRESHOLD = st.none() | st.floats(0, 1)
CHOICES = st.lists(NAME, max_size=3, unique=True).map(tuple)
FIELD_ARGUMENTS = {
    "name": NAME,
    "dtype": st.sampled_from(["str", "list"]),
    "choices": CHOICES,
    "description": OPTIONAL,
}
FIELD = st.builds(Field, **FIELD_ARGUMENTS)
LABEL = st.builds(Label, NAME, OPTIONAL, THRESHOLD)


def distinct(
    items: st.SearchStrategy[Any], *, min_size: int = 0, max_size: int
) -> st.SearchStrategy[tuple[Any, ...]]:
    lists = st.lists(items, unique_by=lambda item: item.name, min_size=min_size, max_size=max_size)
    return lists.map(tuple)


def trees(levels: int) -> st.SearchStrategy[Branches]:
    """Labels, below which labels may stand on so many more levels."""
    lists = distinct(LABEL, min_size=1, max_size=3)
    if not levels:
        return lists.map(lambda labels: Branches(labels, (ROOT,) * len(labels)))
    below = st.none() | trees(levels - 1)
    return st.tuples(lists, st.lists(below, min_size=3, max_size=3)).map(grown)


def grown(drawn: tuple[tuple[Label, ...], list[Branches | None]]) -> Branches:
    labels: list[Label] = []
    parents: list[int] = []
    for label, below in zip(*drawn, strict=False):
        own = len(labels)
        labels.append(label)
        parents.append(ROOT)
        if below is not None:
            parents += [own + 1 + parent for parent in below.parents]
            labels += below.labels
    return Branches(tuple(labels), tuple(parents))


@st.composite
def tasks(draw: st.DrawFn) -> ClassificationTask:
    labels, parents = draw(trees(0) | trees(2))
    multi_label = draw(st.booleans())
    known = st.sampled_from(list(dict.fromkeys(label.name for label in labels)))
    several = multi_label or set(parents) != {ROOT}
    shown = st.lists(known, min_size=1, max_size=2 if several else 1, unique=True).map(tuple)
    return ClassificationTask(
        draw(NAME),
        labels,
        multi_label,
        draw(THRESHOLD),
        draw(OPTIONAL),
        tuple(draw(st.lists(st.tuples(NAME, shown), max_size=2))),
        abstain=None if multi_label else draw(st.booleans() | THRESHOLD),
        window_scores=draw(st.none() | st.sampled_from(WINDOW_SCORES)),
        parents=parents,
    )


FIELDS = distinct(st.builds(Field, **FIELD_ARGUMENTS, threshold=THRESHOLD), min_size=1, max_size=3)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    parts = Parts(
        draw(distinct(LABEL, max_size=3)),
        draw(distinct(tasks(), max_size=2)),
        draw(distinct(st.builds(Structure, NAME, FIELDS), max_size=2)),
        draw(distinct(st.builds(RelationType, NAME, OPTIONAL, THRESHOLD), max_size=2)),
        naming=draw(st.none() | st.builds(Naming, CHOICES, st.integers(1, 9))),
    )
    schema = Schema()
    if parts.naming is not None:
        schema.name_entities(parts.naming.choices or None, count=parts.naming.count)
    if parts.entity_labels:
        schema.entities(parts.entity_labels)
    for task in parts.classification_tasks:
        schema.classification(
            task.name,
            write_labels(task),
            multi_label=task.multi_label,
            threshold=task.threshold,
            prompt=task.prompt,
            examples=task.examples,
            abstain=task.abstain,
            window_scores=task.window_scores,
        )
    for structure in parts.structures:
        schema.structure(structure.name, structure.fields)
    if parts.relation_types:
        schema.relations(parts.relation_types)
    assert parts == Parts(
        schema.entity_labels,
        schema.classification_tasks,
        schema.structures,
        schema.relation_types,
        naming=schema.naming,
    )
    return schema


@given(FIELD)
@example(Field("str", "list", (), "str::[a|b]"))
@example(Field("a:", "str", ("]|[", "\\"), "::b::list"))
@example(Field("[x]", "list", (), "\\"))
def test_field_to_shorthand_and_back(field: Field) -> None:
    assert parse_field(format_field(field)) == field


@given(TEXT)
def test_any_string_is_a_field_or_is_refused(text: str) -> None:
    with contextlib.suppress(SchemaError):
        field = parse_field(text)
        assert parse_field(format_field(field)) == field


@given(schemas())
def test_schema_to_json_and_back(schema: Schema) -> None:
    assert Schema.from_dict(schema.to_dict()) == schema
    assert Schema.from_json(schema.to_json()) == schema
    assert Schema.from_dict(schema.to_dict()).to_dict() == schema.to_dict()
    assert VALIDATOR.is_valid(schema.to_dict())


@given(schemas())
def test_schema_to_code_and_back(schema: Schema) -> None:
    assert eval(repr(schema), {"Schema": Schema, "Field": Field}) == schema
