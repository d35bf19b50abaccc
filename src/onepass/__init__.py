"""Entities, classes, records and relations from a text in one pass, with exact places.

The public names of onepass. Each is imported when it is first used, so that `import onepass` itself
loads no other package; nothing here knows how any of them works.
"""

from typing import TYPE_CHECKING

from onepass.lazy import public

if TYPE_CHECKING:
    from onepass.errors import (
        BackendError,
        CheckpointError,
        InputError,
        MissingExtra,
        OnepassError,
        RunFailed,
        SchemaError,
        ServiceError,
        TextTooLong,
        TooMuchFound,
    )
    from onepass.extractor import Extractor
    from onepass.models.labels import LabelVectors
    from onepass.models.session import Session
    from onepass.results.types import (
        Classification,
        Coverage,
        Entity,
        Extraction,
        LabelScore,
        Record,
        Relation,
        Value,
    )
    from onepass.schema import Schema, read_schema

__version__ = "0.1.0"

_HOMES = {
    "onepass.errors": (
        "BackendError",
        "CheckpointError",
        "InputError",
        "MissingExtra",
        "OnepassError",
        "RunFailed",
        "SchemaError",
        "ServiceError",
        "TextTooLong",
        "TooMuchFound",
    ),
    "onepass.extractor": ("Extractor",),
    "onepass.models.labels": ("LabelVectors",),
    "onepass.models.session": ("Session",),
    "onepass.results.types": (
        "Classification",
        "Coverage",
        "Entity",
        "Extraction",
        "LabelScore",
        "Record",
        "Relation",
        "Value",
    ),
    "onepass.schema": ("Schema", "read_schema"),
}

__all__ = [
    "BackendError",
    "CheckpointError",
    "Classification",
    "Coverage",
    "Entity",
    "Extraction",
    "Extractor",
    "InputError",
    "LabelScore",
    "LabelVectors",
    "MissingExtra",
    "OnepassError",
    "Record",
    "Relation",
    "RunFailed",
    "Schema",
    "SchemaError",
    "ServiceError",
    "Session",
    "TextTooLong",
    "TooMuchFound",
    "Value",
    "__version__",
    "read_schema",
]


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name
    __getattr__, _ = public(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
