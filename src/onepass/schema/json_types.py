"""One object of a JSON Schema: its type, the values that it allows, and its rules.

Nothing here follows a reference: see `onepass.schema.json_model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepass.errors import SchemaError
from onepass.schema.json_rules import read_rules
from onepass.schema.rules import NO_RULES, Rules, pattern_problem
from onepass.schema.shown import shown

Object = Mapping[str, Any]

_TELLING = {"properties": "object", "items": "array"}  # words that only one type has
_TYPES = {"integer": "integer", "number": "number", "string": "text"}


def title_of(data: Object) -> str | None:
    """Return the title of a schema; None if it has none."""
    title = data.get("title")
    return title if isinstance(title, str) and title.strip() else None


def may_be_null(data: Object) -> bool:
    """Return whether a schema says itself that null is allowed."""
    unions = (data.get("anyOf"), data.get("oneOf"))
    kinds, values = data.get("type"), data.get("enum")
    return (
        (isinstance(kinds, list) and "null" in kinds)
        or (isinstance(values, list) and None in values)
        or any(is_null(one) for union in unions if isinstance(union, list) for one in union)
    )


def is_null(data: object) -> bool:
    """Return whether a schema allows nothing but null."""
    return isinstance(data, Mapping) and (
        data.get("type") == "null" or ("const" in data and data["const"] is None)
    )


def parts_of(held: object, where: str) -> list[Object]:
    """Return the schemas that stand behind a word such as anyOf."""
    if not isinstance(held, list) or not all(isinstance(one, Mapping) for one in held):
        raise SchemaError(f"{where} must list its types as objects, not {shown(held)}.")
    return held


def kind_of(given: Object, where: str) -> str | None:
    """Return the type of a schema, null aside; None if it has none."""
    kinds = given.get("type")
    kept = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind != "null"]
    if len(kept) != 1:
        raise SchemaError(f"The property {where} must have one type, besides null.")
    kind = kept[0]
    if given.get("format") in ("money", "quantity"):
        return "string"  # their JSON form is an object, but a text says them at once
    if kind is None:
        return next((k for word, k in _TELLING.items() if word in given), None)
    if not isinstance(kind, str) or kind not in (*_TYPES, *_TELLING.values(), "boolean"):
        raise SchemaError(f"The type of {where} is not known: {shown(kind)}.")
    return kind


def allowed_by(given: Object, where: str) -> tuple[Any, ...]:
    """Return the values that an enum or a constant allows, null aside."""
    values = given["enum"] if "enum" in given else [given["const"]]
    if not isinstance(values, list):
        raise SchemaError(f"The enum of {where} must be a list, not {shown(values)}.")
    kept = tuple(one for one in values if one is not None)
    if not kept:
        raise SchemaError(f"The enum of {where} has no value besides null; give one.")
    for one in kept:
        if not isinstance(one, str | int | float):
            raise SchemaError(
                f"The enum of {where} has {shown(one)}; give texts, numbers, true or false."
            )
    return kept


def distinct_values(values: list[Any]) -> list[Any]:
    """Return values once each; 1 and true are two."""
    return list({(type(value), value): value for value in values}.values())


def choice_text(value: str | float) -> str:
    """Return what an allowed value looks like in a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else shown(value)


def rules_of(given: Object, kind: str | None, where: str) -> Rules:
    """Return the rules of a plain value."""
    rules = read_rules(given, _TYPES.get(kind or "string", "text"))
    if _is_foreign(rules.get("pattern")):
        del rules["pattern"]
    return with_rules(NO_RULES, rules, where)


def _is_foreign(pattern: object) -> bool:
    r"""Return whether Pydantic's engine knows a pattern that Python's does not, as \p{L}."""
    if not isinstance(pattern, str) or pattern_problem(pattern) is None:
        return False
    from pydantic_core import SchemaError as Refused  # it loads slowly
    from pydantic_core import SchemaValidator, core_schema

    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern))
    except Refused:
        return False
    return True


def with_rules(rules: Rules, changes: Mapping[str, Any], where: str) -> Rules:
    """Return rules with some more of the property that `where` names; None says nothing."""
    kept = {name: value for name, value in changes.items() if value is not None}
    try:
        return rules.with_(kept)
    except SchemaError as error:
        raise SchemaError(f"In the property {where}: {error}") from error
