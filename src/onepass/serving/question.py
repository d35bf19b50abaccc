"""What is asked of a text, as a value: texts with equal questions are read together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onepass.batch.answering import Request
from onepass.decoding.consistency_solve import check_solver
from onepass.errors import SchemaError
from onepass.schema import Schema
from onepass.schema.json_model import is_json_schema
from onepass.schema.nesting import is_too_deep
from onepass.schema.options import DEFAULTS, CallOptions
from onepass.schema.trees import DEEPEST, NODE_KEYS


@dataclass(frozen=True, slots=True)
class Question:
    """A schema and the options of `onepass.Extractor.extract`.

    Attributes:
        key: by which questions compare.
        request: what to find, and how; nobody else holds the schema.
        chars: of the schema, which is read together with each text.
    """

    key: str
    request: Request = field(compare=False)
    chars: int = field(compare=False)


def question_of(given: Mapping[str, Any], options: CallOptions = DEFAULTS) -> Question:
    """Return the question that a schema and options make.

    Args:
        given: the JSON form of a schema.
        options: of the call.

    Raises:
        MissingExtra: if the exact solver is asked for and not installed.
        SchemaError: for a schema that cannot be asked or is nested too deeply, and for one whose
            fields have patterns: some regular expressions take forever on a few words, and all
            clients wait for one thread.

    >>> first = question_of({"entities": ["person"]})
    >>> first == question_of({"entities": ["person"]})
    True
    >>> first == question_of({"entities": ["person"]}, CallOptions(0.4))
    False
    """
    if options.solver == "exact":
        check_solver()
    written = written_form(given)
    if is_json_schema(given):
        raise SchemaError(
            "The schema is a JSON Schema, and this service takes the JSON form of a schema, as "
            "/v1/schema describes it; onepass.client.Client and onepass.Extractor take a JSON "
            "Schema, and Schema.from_json_schema(...).to_dict() gives the JSON form."
        )
    schema = Schema.from_dict(given).checked()
    for structure in schema.structures:
        for one in structure.fields:
            if one.rules.pattern is not None:
                raise SchemaError(
                    f"The field {one.name!r} has a pattern, and this service runs none: some "
                    "take forever. Leave it out, and check the values that come back."
                )
    # As it was written: nothing that a schema may come to hold can be missing in it.
    key = written + json.dumps(options.to_dict())
    return Question(key, Request(schema, options), len(written))


def written_form(given: Mapping[str, Any]) -> str:
    """Return a schema as JSON, whose characters are those that a client wrote.

    Raises:
        SchemaError: if it is nested too deeply to be written.

    >>> written_form({"entities": ["città"]})
    '{"entities": ["città"]}'
    """
    if is_too_deep(given):
        raise SchemaError("The schema is nested too deeply; flatten it.")
    return json.dumps(given, ensure_ascii=False)


def names_at_least(given: Mapping[str, Any]) -> int:
    """Return how many names a schema asks about, as far as that is seen without building it.

    Building one of very many names takes seconds. Choices in the shorthand of a field are not
    counted, and what is no schema counts as it comes.

    Args:
        given: the JSON form of a schema.

    >>> names_at_least({"entities": ["a", "b"], "structures": {"c": ["d::[e|f]", "g"]}})
    4
    >>> names_at_least({"classifications": {"topic": {"labels": {"law": ["taxes"], "sport": []}}}})
    3
    """
    count = sum(len(_held(given.get(key))) for key in ("entities", "relations", "questions"))
    for task in _values(given.get("classifications")):
        count += _labels_of(task.get("labels") if isinstance(task, dict) else task)
    for structure in _values(given.get("structures")):
        fields = structure.get("fields") if isinstance(structure, dict) else structure
        for one in _values(fields):
            count += 1 + (len(_held(one.get("choices"))) if isinstance(one, dict) else 0)
    return count


def _labels_of(values: object, level: int = 1) -> int:
    """Return how many labels a list, or a tree of `onepass.schema.trees`, has."""
    count = len(_held(values))
    if isinstance(values, dict) and level < DEEPEST:
        for below in values.values():
            if isinstance(below, dict) and set(below) <= set(NODE_KEYS):
                below = below.get("labels")
            count += _labels_of(below, level + 1)
    return count


def _held(values: object) -> list[Any] | dict[str, Any]:
    return values if isinstance(values, list | dict) else []


def _values(values: object) -> list[Any]:
    held = _held(values)
    return list(held.values()) if isinstance(held, dict) else held
