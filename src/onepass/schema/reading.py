"""Every way of giving a schema, read as one.

It knows the ways, not what is in them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast

from onepass.errors import SchemaError
from onepass.schema.json_model import is_json_schema
from onepass.schema.parse import not_a_path, parse_json
from onepass.schema.schema import Schema
from onepass.schema.shown import shown

SchemaLike = Schema | Mapping[str, Any] | str
"""A `Schema`, or its JSON form or a JSON Schema, as an object or as text."""


def read_schema(source: object) -> Schema:
    """Return the schema that a value describes.

    Args:
        source: a `Schema` (returned as it is), its JSON form or the JSON Schema of an object as a
            mapping or as text, or a Pydantic model class.

    Raises:
        SchemaError: if it is anything else, or what it describes is wrong.

    >>> read_schema({"entities": ["person"]})
    Schema().entities(['person'])
    >>> read_schema(["person"])
    Traceback (most recent call last):
    ...
    onepass.errors.SchemaError: A schema must be a Schema, a dict, JSON text or a Pydantic model \
class, but ['person'] (list) was given; for entities write Schema().entities([...]).
    """
    if isinstance(source, Schema):
        return source
    if isinstance(source, os.PathLike):
        raise not_a_path(source)
    given_as_text = isinstance(source, str)
    if isinstance(source, str):
        source = parse_json(source)
    if is_json_schema(source):
        return Schema.from_json_schema(source)
    if isinstance(source, Mapping) or given_as_text:
        return Schema.from_dict(cast(Mapping[str, Any], source))  # which says what is wrong in it
    if isinstance(source, type):
        return Schema.from_pydantic(source)
    hint = "; for entities write Schema().entities([...])" if isinstance(source, list) else ""
    raise SchemaError(
        "A schema must be a Schema, a dict, JSON text or a Pydantic model class, "
        f"but {shown(source)} ({type(source).__name__}) was given{hint}."
    )
