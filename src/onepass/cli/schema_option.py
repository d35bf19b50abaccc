"""What to ask for: the schema of ``--schema`` and the one of the flags, as one.

It knows where a schema is written, not how; that is `onepass.schema`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from onepass.cli.inputs import read_text_file
from onepass.errors import SchemaError
from onepass.schema import read_schema
from onepass.schema.flags import schema_from_flags
from onepass.schema.schema import Schema


def schema_asked(
    entities: Sequence[str],
    classifications: Sequence[str],
    relations: Sequence[str],
    structures: Sequence[str],
    questions: Sequence[str],
    source: str | None,
    *,
    names: Sequence[str] | None = None,
) -> Schema:
    """Return the schema that the options of a command ask for.

    Args:
        entities: the values of ``-e``.
        classifications: the values of ``-c``.
        relations: the values of ``-r``.
        structures: the values of ``-s``.
        questions: the values of ``-q``.
        source: the value of ``--schema``: a JSON file, or the JSON itself.
        names: the values of ``--name-choice``, none for any name; None if entities are not named.

    Raises:
        SchemaError: if a part is wrong, asked twice, or nothing is asked for.
        InputError: if the file cannot be read.

    >>> schema_asked(["person"], [], [], [], [], '{"relations": ["works for"]}')
    Schema().entities(['person']).relations(['works for'])
    """
    schema = schema_from_flags(entities, classifications, relations, structures, questions)
    if names is not None:
        schema.name_entities(names or None)
    if source is not None:
        schema = _joined(read_schema_option(source), schema)
    if schema.is_empty:
        raise SchemaError(
            "Nothing is asked for; say what to find with -e, -c, -r, -s, -q or --schema, "
            "as  onepass extract --help  shows."
        )
    return schema.checked()


def schema_file(source: str | None) -> Path | None:
    """Return the file that the value of ``--schema`` names; None if it holds a schema.

    >>> schema_file("schema.json").name, schema_file('{"entities": ["city"]}'), schema_file(None)
    ('schema.json', None, None)
    """
    if source is None or source.lstrip()[:1] in ("{", "[", '"'):
        return None
    return Path(source)


def read_schema_option(source: str) -> Schema:
    """Return the schema that the value of ``--schema`` holds or names.

    Raises:
        SchemaError: if it is not a schema; the message names the file.
        InputError: if the file cannot be read.
    """
    path = schema_file(source)
    if path is None:
        return read_schema(source)
    text = read_text_file(path, "schema file", "give a JSON file, or the JSON itself")
    try:
        return read_schema(text)
    except SchemaError as error:
        raise SchemaError(f"In the schema file {path}: {error}") from error


def _joined(schema: Schema, flags: Schema) -> Schema:
    """Return all that a schema and the one of the flags ask for."""
    try:
        return schema.merged(flags)
    except SchemaError as error:
        raise SchemaError(f"A flag asks for what --schema asks for already: {error}") from error
