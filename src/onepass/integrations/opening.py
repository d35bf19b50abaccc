"""How a guest names a model and what it looks for, in values that a configuration file can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onepass.errors import InputError, SchemaError
from onepass.schema import Schema, read_schema

if TYPE_CHECKING:
    from onepass.extractor import Extractor

Labels = Sequence[str] | Mapping[str, str]


def extractor_of(model: Extractor | str | Path | None, revision: str | None = None) -> Extractor:
    """Return a model that is ready to run.

    Args:
        model: one that is open, a hub id, a directory, or None (also "builtin") for the model that
            comes with the package.
        revision: branch, tag or commit of a hub id.

    Raises:
        InputError: for anything else, or a revision of what has none.
        CheckpointError, BackendError, MissingExtra: as `Extractor.from_pretrained` does.

    >>> extractor_of(None).name
    'builtin'
    """
    from onepass.builtin import NAME
    from onepass.extractor import Extractor  # loads numpy and the backends

    if isinstance(model, Extractor):
        if revision is not None:
            raise InputError(
                f"revision={revision!r} is for a hub id, but an open model was given; open it with "
                "that revision, or leave it out."
            )
        return model
    if model is not None and not isinstance(model, str | Path):
        raise InputError(
            f"The model must be an Extractor, a hub id or a directory, but {model!r:.60} was given."
        )
    return Extractor.from_pretrained(NAME if model is None else model, revision=revision)


def schema_with_labels(labels: Labels, schema: Any = None) -> Schema:
    """Return a schema that asks for entity labels, beside what another one asks for.

    Args:
        labels: names, or a mapping to descriptions; may be empty if there is a schema.
        schema: anything that `Extractor.extract` takes.

    Raises:
        SchemaError: if nothing is asked for, or the same twice.

    >>> schema_with_labels(["person"], {"relations": ["knows"]})
    Schema().entities(['person']).relations(['knows'])
    """
    asked = Schema() if schema is None else read_schema(schema)
    if labels:
        asked = asked.merged(Schema().entities(labels))
    if asked.is_empty:
        raise SchemaError("Nothing is asked for; give labels, a schema, or both.")
    return asked.checked()
