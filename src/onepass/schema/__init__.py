"""What to find in a text: the schema, its parts, and every way of writing one."""

from onepass.schema.options import OnLong, Overlap, Solver, Threshold
from onepass.schema.reading import read_schema
from onepass.schema.relation import RelationType
from onepass.schema.rules import Rules
from onepass.schema.schema import Schema
from onepass.schema.shorthand import format_field, parse_field
from onepass.schema.task import ClassificationTask
from onepass.schema.types import (
    Field,
    Label,
    Naming,
    Question,
    Structure,
)

__all__ = [
    "ClassificationTask",
    "Field",
    "Label",
    "Naming",
    "OnLong",
    "Overlap",
    "Question",
    "RelationType",
    "Rules",
    "Schema",
    "Solver",
    "Structure",
    "Threshold",
    "format_field",
    "parse_field",
    "read_schema",
]
