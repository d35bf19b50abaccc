"""Entities, classes, records and relations from a text in one pass, with exact places.

The public names of onepass. Each is imported when it is first used, so that `import onepass` itself
loads no other package; nothing here knows how any of them works.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onepass.errors import (
        BackendError,
        CheckpointError,
        InputError,
        MissingExtra,
        OnepassError,
        SchemaError,
        ServiceError,
        TextTooLong,
    )
    from onepass.extractor import Extractor
    from onepass.models.labels import LabelVectors
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
        "SchemaError",
        "ServiceError",
        "TextTooLong",
    ),
    "onepass.extractor": ("Extractor",),
    "onepass.models.labels": ("LabelVectors",),
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
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

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
    "Schema",
    "SchemaError",
    "ServiceError",
    "TextTooLong",
    "Value",
    "__version__",
    "read_schema",
]


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name

    def __getattr__(name: str) -> object:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME_OF[name]), name)
        globals()[name] = value  # the next use finds it without coming here
        return value
