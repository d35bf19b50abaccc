"""The builder: chaining, immediate checks, comparison, copies, representation."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from onepass.errors import SchemaError
from onepass.schema import (
    ClassificationTask,
    Field,
    Label,
    Naming,
    RelationType,
    Schema,
    Structure,
    read_schema,
)


def full_schema() -> Schema:
    return (
        Schema()
        .entities(["person"])
        .entities({"company": "legal name of a firm", "city": {"threshold": 0.4}})
        .classification("sentiment", ["positive", "negative"], examples=[("great", "positive")])
        .classification(
            "topics",
            {"law": "courts", "art": None},
            multi_label=True,
            threshold=0.3,
            prompt="What is it about?",
        )
        .structure(
            "product",
            ["name::str", {"name": "price", "threshold": 0.2}, Field("size", "str", ("s", "m"))],
        )
        .structure("order", {"number": "order number", "state": {"choices": ["open", "closed"]}})
        .relations({"works for": "employment"})
        .relations(["owns"], threshold=0.6)
        .name_entities(["city", "firm"], count=2)
    )


def test_every_part_is_kept_in_order() -> None:
    schema = full_schema()
    assert schema.entity_labels == (
        Label("person"),
        Label("company", "legal name of a firm"),
        Label("city", threshold=0.4),
    )
    assert schema.classification_tasks == (
        ClassificationTask(
            "sentiment",
            (Label("positive"), Label("negative")),
            examples=(("great", ("positive",)),),
        ),
        ClassificationTask(
            "topics", (Label("law", "courts"), Label("art")), True, 0.3, "What is it about?"
        ),
    )
    assert schema.structures == (
        Structure(
            "product",
            (
                Field("name", "str"),
                Field("price", "list", threshold=0.2),
                Field("size", "str", ("s", "m")),
            ),
        ),
        Structure(
            "order",
            (
                Field("number", description="order number"),
                Field("state", "str", ("open", "closed")),
            ),
        ),
    )
    assert schema.relation_types == (
        RelationType("works for", "employment"),
        RelationType("owns", threshold=0.6),
    )
    assert schema.labels_total == 3 + 2 + 2 + 5 + 4 + 2


def test_a_call_threshold_fills_in_where_a_label_has_none() -> None:
    schema = Schema().entities({"a": {"threshold": 0.9}, "b": "text"}, threshold=0.2)
    assert [label.threshold for label in schema.entity_labels] == [0.9, 0.2]


def test_labels_may_be_ready_values_or_any_ordered_iterable() -> None:
    by_values = Schema().entities([Label("a", "first"), "b"])
    assert by_values.entity_labels == (Label("a", "first"), Label("b"))
    assert Schema().entities(name for name in ("a", "b")) == Schema().entities(("a", "b"))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda s: s.entities("person"),
            "labels must be a list, but the string 'person' was given; did you mean ['person']?",
        ),
        (
            lambda s: s.entities("person, city"),
            "labels must be a list, but the string 'person, city' was given; "
            "did you mean ['person', 'city']?",
        ),
        (lambda s: s.entities([]), "labels must not be empty; give at least one."),
        (lambda s: s.entities({}), "labels must not be empty; give at least one."),
        (
            lambda s: s.entities({"a", "b"}),
            "labels must be a list, but a set was given, which has no order; "
            "give sorted(...) of it.",
        ),
        (
            lambda s: s.entities(5),
            "labels must be a list or a mapping, but 5 (int) was given.",
        ),
        (
            lambda s: s.entities(["ok", 7]),
            "A label must be a string, but 7 (int) was given.",
        ),
        (lambda s: s.entities(["ok", ""]), "A label must not be empty, but '' was given."),
        (
            lambda s: s.entities(["ok", "old"]),
            "Entity labels must be distinct, but 'old' was given twice.",
        ),
        (
            lambda s: s.entities({"a": 0.5}),
            "The label 'a' must be given a description or an object with description and "
            "threshold, but 0.5 was given.",
        ),
        (
            lambda s: s.entities({"a": {"desc": "x"}}),
            "The label 'a' has no key 'desc'; its keys are: description, threshold.",
        ),
        (
            lambda s: s.entities(["a"], threshold=2),
            "The threshold of labels must be a number from 0 to 1, but 2 was given.",
        ),
        (
            lambda s: s.classification("tone", ["a"]),
            "Classification tasks must be distinct, but 'tone' was given twice.",
        ),
        (
            lambda s: s.classification("", ["a"]),
            "The name of a classification task must not be empty, but '' was given.",
        ),
        (
            lambda s: s.classification("new", "a,b"),
            "labels must be a list, but the string 'a,b' was given; did you mean ['a', 'b']?",
        ),
        (
            lambda s: s.classification("new", []),
            "The classification task 'new' needs at least one label, but none was given.",
        ),
        (
            lambda s: s.classification("new", ["a"], examples="a"),
            "examples must be a list, but the string 'a' was given; did you mean ['a']?",
        ),
        (
            lambda s: s.structure("product", ["a"]),
            "Structures must be distinct, but 'product' was given twice.",
        ),
        (
            lambda s: s.structure("new", "name::str, price"),
            "fields must be a list, but the string 'name::str, price' was given; "
            "did you mean ['name::str, price']?",
        ),
        (
            lambda s: s.structure("new", []),
            "The structure 'new' needs at least one field, but none was given.",
        ),
        (
            lambda s: s.structure("new", ["a", "a::str"]),
            "The fields of structure 'new' must be distinct, but 'a' was given twice.",
        ),
        (
            lambda s: s.structure("new", [4]),
            "A field must be a shorthand string, an object or a Field, but 4 (int) was given.",
        ),
        (
            lambda s: s.structure("new", [{"dtype": "str"}]),
            "The field {'dtype': 'str'} has no name; give it as 'name'.",
        ),
        (
            lambda s: s.structure("new", [{"name": "a", "type": "str"}]),
            "The field {'name': 'a', 'type': 'str'} has no key 'type'; did you mean 'dtype'?",
        ),
        (
            lambda s: s.structure("new", [{"name": "a", "dtype": "int"}]),
            "The type of field 'a' must be 'str' or 'list', but 'int' was given.",
        ),
        (
            lambda s: s.structure("new", [{"name": "a", "choices": "x|y"}]),
            "The choices of field 'a' must be a list, but the string 'x|y' was given; "
            "did you mean ['x|y']?",
        ),
        (
            lambda s: s.structure("new", [{"name": "a", "choices": []}]),
            "The choices of field 'a' must not be empty; leave them out for a span of text.",
        ),
        (
            lambda s: s.structure("new", {"a": "str"}),
            "The field 'a' must be given a description, but the type 'str' was given; "
            'write {"dtype": "str"} or {"dtype": "list"} instead.',
        ),
        (
            lambda s: s.structure("new", {"a": ["x", "y"]}),
            "The field 'a' must be given a description or an object with dtype, choices, "
            "description and threshold, but ['x', 'y'] was given.",
        ),
        (
            lambda s: s.relations(["owns", "owns"]),
            "Relation types must be distinct, but 'owns' was given twice.",
        ),
        (
            lambda s: s.relations({"owns": 1}),
            "The relation type 'owns' must be given a description or an object with description "
            "and threshold, but 1 was given.",
        ),
    ],
)
def test_a_refused_call_changes_nothing(call: Callable[[Any], Any], sentence: str) -> None:
    schema = Schema().entities(["old"]).classification("tone", ["x"]).structure("product", ["x"])
    before = schema.copy()
    with pytest.raises(SchemaError) as refused:
        call(schema)
    assert str(refused.value) == sentence
    assert schema == before


def test_names_may_repeat_across_kinds() -> None:
    schema = Schema().entities(["a"]).classification("a", ["a"]).structure("a", ["a"])
    assert schema.relations(["a"]).labels_total == 4


def test_equality_and_hash_follow_the_content() -> None:
    assert full_schema() == full_schema()
    assert hash(full_schema()) == hash(full_schema())
    assert full_schema() != full_schema().entities(["more"])
    assert Schema().entities(["a", "b"]) != Schema().entities(["b", "a"])
    assert Schema() != {}


def test_copies_are_independent() -> None:
    first = full_schema()
    for second in (first.copy(), copy.copy(first), copy.deepcopy(first)):
        assert second == first
        second.entities(["more"])
        assert second != first
    assert pickle.loads(pickle.dumps(first)) == first


def test_the_representation_is_the_code_that_builds_it() -> None:
    names = {"Schema": Schema, "Field": Field}
    assert eval(repr(full_schema()), names) == full_schema()
    assert repr(Schema()) == "Schema()"


def test_merged_schemas_ask_for_all_of_both() -> None:
    first = full_schema()
    tree = {"sport": ["tennis"], "law": []}
    second = Schema().entities(["more"]).classification("field", tree, abstain=0.3)
    both = first.merged(second)
    assert both == full_schema().entities(["more"]).classification("field", tree, abstain=0.3)
    assert first == full_schema()
    with pytest.raises(SchemaError, match="Entity labels must be distinct"):
        both.merged(second)
    other: Any = {"entities": ["more"]}
    with pytest.raises(SchemaError) as refused:
        first.merged(other)
    assert str(refused.value) == (
        "A Schema can be merged with another Schema, but {'entities': ['more']} (dict) was given; "
        "make one of it with Schema.from_dict."
    )


@pytest.mark.parametrize("indent", ["x", True, 1.0])
def test_an_indent_is_a_whole_number(indent: Any) -> None:
    assert full_schema().to_json(indent=2).startswith("{\n  ")
    with pytest.raises(SchemaError, match="The indent must be a whole number, but "):
        full_schema().to_json(indent=indent)


def test_an_empty_schema_is_refused_only_when_checked() -> None:
    assert Schema().is_empty
    with pytest.raises(SchemaError) as refused:
        Schema().checked()
    assert str(refused.value) == (
        "The schema asks for nothing; add entities, a classification, a structure, relations or a "
        "question."
    )
    schema = Schema().relations(["owns"])
    assert not schema.is_empty
    assert schema.checked() is schema


def test_names_need_entities_and_are_asked_for_once() -> None:
    schema = Schema().name_entities()
    with pytest.raises(SchemaError, match="names entities but asks for none; add entity labels"):
        schema.checked()
    assert schema.entities(["place"]).checked() is schema
    assert schema.naming == Naming((), 1)
    with pytest.raises(SchemaError, match="was said twice; say it once"):
        schema.name_entities(["city"])
    with pytest.raises(SchemaError, match="did you mean \\['city', 'river'\\]"):
        Schema().name_entities("city, river")
    assert schema.naming == Naming((), 1)
    assert schema.copy() == schema != Schema().entities(["place"])


def test_a_schema_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        Schema().entity_label = ()  # type: ignore[attr-defined]


def test_read_schema_takes_every_form() -> None:
    schema = full_schema()
    assert read_schema(schema) is schema
    assert read_schema(schema.to_dict()) == schema
    assert read_schema(schema.to_json()) == schema


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            None,
            "A schema must be a Schema, a dict, JSON text or a Pydantic model class, "
            "but None (NoneType) was given.",
        ),
        (
            ["person"],
            "A schema must be a Schema, a dict, JSON text or a Pydantic model class, "
            "but ['person'] (list) was given; for entities write Schema().entities([...]).",
        ),
        (
            int,
            "A Pydantic model class was expected, but <class 'int'> was given; of a dataclass or "
            "a TypedDict give TypeAdapter(...).json_schema().",
        ),
        (
            "person",
            "A schema given as a string must be JSON, but 'person' is not: "
            "Expecting value at line 1, column 1.",
        ),
        ("[]", "The schema must be an object, but [] (list) was given."),
    ],
)
def test_read_schema_refuses_anything_else(source: object, sentence: str) -> None:
    with pytest.raises(SchemaError) as refused:
        read_schema(source)
    assert str(refused.value) == sentence


def test_pydantic_is_imported_only_for_a_class() -> None:
    code = (
        "import sys; from onepass.schema import Schema, read_schema;"
        "read_schema(Schema().entities(['a']).to_json());"
        "sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
