"""The JSON Schema (draft 2020-12) of the JSON form, published as docs/schema.json.

It describes shapes. What a JSON Schema cannot say is left to `Schema.from_dict`: the shorthand of
fields, a name repeated in another spelling, an example with a label that its task does not have, a
description beside a branch of a tree.
"""

from __future__ import annotations

import json
from typing import Any

from onepass.schema.rules import BOUNDED, BOUNDS, DATED, KINDS, ORDERS
from onepass.schema.task import WINDOW_SCORES

_NAME = {"$ref": "#/$defs/name"}
_TEXT = {"type": ["string", "null"]}
_THRESHOLD = {"$ref": "#/$defs/threshold"}
_OPTIONS = {"description": _TEXT, "threshold": _THRESHOLD}
_EXAMPLE_LABELS = {"type": "array", "items": _NAME, "minItems": 1, "uniqueItems": True}
_ANSWER = {"anyOf": [_NAME, _EXAMPLE_LABELS]}
_TASK_OPTIONS = {
    "labels": {"$ref": "#/$defs/labels"},
    "multi_label": {"type": ["boolean", "null"]},
    "threshold": _THRESHOLD,
    "prompt": _TEXT,
    "examples": {
        "type": ["array", "null"],
        "items": {
            "anyOf": [
                {
                    "type": "array",
                    "prefixItems": [_NAME, _ANSWER],
                    "minItems": 2,
                    "maxItems": 2,
                },
                {
                    "type": "object",
                    "properties": {"text": _NAME, "labels": _ANSWER},
                    "required": ["text", "labels"],
                    "additionalProperties": False,
                },
            ],
            "description": "A text and its label, or its labels.",
        },
    },
    "abstain": {
        "anyOf": [{"type": "boolean"}, {"type": ["number", "null"], "minimum": 0, "maximum": 1}],
        "description": "No answer if the best label, by itself, scores less; true leaves the "
        "number to the checkpoint.",
    },
    "window_scores": {
        "enum": [*WINDOW_SCORES, None],
        "description": "How the windows of a long text are put together.",
    },
}
_QUESTION_OPTIONS = {
    "text": _TEXT,
    "kind": {"enum": ["question", "summary", "open", None]},
    "threshold": _THRESHOLD,
}
_NAMING_OPTIONS = {
    "choices": {
        "type": ["array", "null"],
        "items": _NAME,
        "minItems": 1,
        "uniqueItems": True,
        "description": "The only names allowed.",
    },
    "count": {"type": ["integer", "null"], "minimum": 1, "description": "Names of an entity."},
}
_COUNT = {"type": ["integer", "null"], "minimum": 0}
_MOST = {"type": ["integer", "null"], "minimum": 1}
_LABELS = {"anyOf": [{"$ref": "#/$defs/names"}, _NAME, {"type": "null"}]}
_RELATION_OPTIONS = {
    **_OPTIONS,
    "head": {**_LABELS, "description": "Entity labels that a head may have."},
    "tail": {**_LABELS, "description": "Entity labels that a tail may have."},
    "symmetric": {"type": ["boolean", "null"]},
    "inverse": {"anyOf": [_NAME, {"type": "null"}]},
    "max_heads": {**_MOST, "description": "Heads that a tail may have."},
    "max_tails": {**_MOST, "description": "Tails that a head may have."},
}
_BOUND = {"type": ["number", "string", "null"]}
_RULES = {
    "kind": {"enum": [*KINDS, None], "description": "What the text is read as."},
    "pattern": {**_TEXT, "description": "A regular expression that occurs in the value."},
    **dict.fromkeys(BOUNDS, _BOUND),
    "min_length": _COUNT,
    "max_length": _COUNT,
    "min_items": _COUNT,
    "max_items": _COUNT,
    "exclusive": {
        "type": ["boolean", "null"],
        "description": "Whether a place in the text fills this field in one record only.",
    },
    "region": {
        "type": ["string", "null"],
        "pattern": "^[A-Za-z]{2}$",
        "description": "The country whose national phone numbers are read.",
    },
    "order": {"enum": [*ORDERS, None], "description": "Of the parts of a date like 3/4/2024."},
    "labels": {**_LABELS, "description": "Entity labels of which a value must have one."},
}
_FIELD_OPTIONS = {
    "dtype": {"enum": ["str", "list", None]},
    "choices": {"type": ["array", "null"], "items": _NAME, "minItems": 1, "uniqueItems": True},
    "description": _TEXT,
    "threshold": _THRESHOLD,
    **_RULES,
}


def _is(option: str, *values: object) -> dict[str, Any]:
    """Return the schema of an object with an option that has one of some values."""
    return {"required": [option], "properties": {option: {"enum": list(values)}}}


# What options say about each other.
_NULL: dict[str, Any] = {"type": "null"}
_NONE: dict[str, Any] = {"enum": [None, []]}
_TASK_RULES = {
    "if": _is("multi_label", True),
    "then": {"properties": {"abstain": {"enum": [None, False]}}},
}
_QUESTION_RULES = {
    "if": _is("kind", "summary"),
    "then": {"properties": {"text": {"not": _NAME}}},
    "else": {"properties": {"text": _NAME}, "required": ["text"]},
}
_RELATION_RULES = {
    "if": _is("symmetric", True),
    "then": {"properties": {"inverse": _NULL}},
}
_FIELD_RULES = {
    "allOf": [
        {
            "if": _is("kind", *BOUNDED),
            "else": {"properties": dict.fromkeys(BOUNDS, _NULL)},
        },
        {
            "if": _is("kind", *DATED),
            "then": {"properties": dict.fromkeys(BOUNDS, _TEXT)},
        },
        {
            "if": {"required": ["choices"], "properties": {"choices": {"type": "array"}}},
            "then": {"properties": {"labels": _NONE}},
        },
    ]
}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """Return the schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _mapping(*values: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object from names to one of several kinds of value."""
    return {
        "type": "object",
        "propertyNames": _NAME,
        "additionalProperties": {"anyOf": list(values)},
    }


def _names() -> dict[str, Any]:
    """Return the schema of a list of distinct names."""
    return {"type": "array", "items": _NAME, "uniqueItems": True}


_DEFINITIONS: dict[str, Any] = {
    "name": {"type": "string", "pattern": "\\S"},
    "threshold": {
        "type": ["number", "null"],
        "minimum": 0,
        "maximum": 1,
        "description": "Scores at or above it count; null leaves it to the checkpoint.",
    },
    "names": _names(),
    "relations": {
        "description": "Names, or names with their descriptions, thresholds and rules.",
        "anyOf": [_names(), _mapping(_TEXT, _object(_RELATION_OPTIONS) | _RELATION_RULES)],
    },
    "named": {
        "description": "Names, or names with their descriptions and thresholds.",
        "anyOf": [_names(), _mapping(_TEXT, _object(_OPTIONS))],
    },
    "labels": {
        "description": "As named, or a tree: names with the labels below them.",
        "anyOf": [_names(), _mapping(_TEXT, {"$ref": "#/$defs/below"})],
        "minItems": 1,
        "minProperties": 1,
    },
    "below": {
        "description": "The labels below one, or an object with its options.",
        "anyOf": [
            _names(),
            _object({**_OPTIONS, "labels": {"$ref": "#/$defs/level"}}),
            _mapping({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/below"}]}),
        ],
    },
    "level": {"anyOf": [_names(), _mapping(_TEXT, {"$ref": "#/$defs/below"}), {"type": "null"}]},
    "fields": {
        "anyOf": [
            {
                "type": "array",
                "minItems": 1,
                "items": {
                    "anyOf": [
                        {
                            "$ref": "#/$defs/name",
                            "description": "Shorthand: name::str::description",
                        },
                        _object({"name": _NAME, **_FIELD_OPTIONS}, "name") | _FIELD_RULES,
                    ]
                },
            },
            {**_mapping(_TEXT, _object(_FIELD_OPTIONS) | _FIELD_RULES), "minProperties": 1},
        ]
    },
}

SCHEMA_JSON_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "onepass/schema.json",
    "title": "onepass schema",
    "description": "What to find in a text: entities, classes, structures, relations, answers.",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "$schema": {"description": "Ignored; lets an editor find this file."},
        "entities": {"anyOf": [{"$ref": "#/$defs/named"}, {"type": "null"}]},
        "classifications": {
            "anyOf": [
                {
                    "type": "array",
                    "items": _object({"task": _NAME, **_TASK_OPTIONS}, "task", "labels")
                    | _TASK_RULES,
                },
                _mapping(
                    {"type": "array", "$ref": "#/$defs/labels"},
                    _object(_TASK_OPTIONS, "labels") | _TASK_RULES,
                ),
                {"type": "null"},
            ]
        },
        "structures": {
            "anyOf": [
                _mapping(
                    {"type": "array", "$ref": "#/$defs/fields"},
                    _object({"fields": {"$ref": "#/$defs/fields"}}, "fields"),
                ),
                {"type": "array", "maxItems": 0},
                {"type": "null"},
            ]
        },
        "relations": {"anyOf": [{"$ref": "#/$defs/relations"}, {"type": "null"}]},
        "questions": {
            "description": "Asked in words, answered with parts of the text.",
            "anyOf": [
                _names(),
                _mapping(_NAME, _object(_QUESTION_OPTIONS) | _QUESTION_RULES),
                {"type": "null"},
            ],
        },
        "naming": {
            "description": "Let the checkpoint name the entities in words of its own.",
            "anyOf": [_object(_NAMING_OPTIONS), {"type": "null"}],
        },
    },
    "$defs": _DEFINITIONS,
}


def render_json_schema() -> str:
    """Return the JSON Schema as the text of docs/schema.json.

    >>> render_json_schema().splitlines()[1]
    '  "$schema": "https://json-schema.org/draft/2020-12/schema",'
    """
    return json.dumps(SCHEMA_JSON_SCHEMA, indent=2) + "\n"
