"""What to find in a text: the schema, its parts, and every way of writing one."""

from onepass.schema.schema import Schema, read_schema
from onepass.schema.task import ClassificationTask
from onepass.schema.types import (
    Field,
    Label,
    Naming,
    Question,
    RelationType,
    Structure,
)

__all__ = [
    "ClassificationTask",
    "Field",
    "Label",
    "Naming",
    "Question",
    "RelationType",
    "Schema",
    "Structure",
    "read_schema",
]
