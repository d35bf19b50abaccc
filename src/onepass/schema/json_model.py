"""The JSON Schema of an object, read as a shape: structures, and what their values mean.

Understood are objects with properties, arrays, enums, constants, plain types, formats, bounds,
lengths, patterns, and ``$ref`` within the document. What a text cannot fill is refused. The JSON
form of a `Schema` of our own is another thing: it has no properties.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeGuard

from onepass.errors import SchemaError
from onepass.schema.rules import NO_RULES, RULE_KEYS, Rules
from onepass.schema.shape import Child, Leaf, Shape, named
from onepass.schema.types import Field, shown

_FORMATS = {
    "date": "date", "date-time": "datetime", "email": "email", "idn-email": "email", "uri": "url",
    "url": "url", "iri": "url", "phone": "phone", "iban": "iban", "money": "money",
    "quantity": "quantity", "decimal": "decimal",
}  # fmt: skip
_TYPES = {"integer": "integer", "number": "number", "string": "text"}
_RULES = {
    "minimum": "ge", "exclusiveMinimum": "gt", "maximum": "le", "exclusiveMaximum": "lt",
    "minLength": "min_length", "maxLength": "max_length", "pattern": "pattern",
}  # fmt: skip
_OWN = ("exclusive", "region", "order")  # rules that JSON Schema has no word for
_WORD_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\W]+")
_DEPTH = 16  # of references to references


class _Type(NamedTuple):
    """What a property holds."""

    many: bool
    choices: tuple[str, ...] = ()
    meanings: tuple[Any, ...] = ()
    rules: Rules = NO_RULES
    below: Mapping[str, Any] | None = None  # the schema of an object
    name: str | None = None  # of the definition that it refers to
    nullable: bool = False


def is_json_schema(source: object) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a mapping is the JSON Schema of an object, and not our own JSON form.

    >>> is_json_schema({"type": "object", "properties": {}}), is_json_schema({"entities": ["a"]})
    (True, False)
    """
    return isinstance(source, Mapping) and ("properties" in source or "$ref" in source)


def shape_of_json(data: Mapping[str, Any]) -> Shape:
    """Return the shape of the JSON Schema of an object.

    Raises:
        SchemaError: naming the property that cannot be asked.

    >>> order = {
    ...     "title": "Order",
    ...     "properties": {
    ...         "day": {"type": "string", "format": "date"},
    ...         "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
    ...     },
    ...     "required": ["day"],
    ...     "$defs": {"Item": {"type": "object", "properties": {"product": {"type": "string"}}}},
    ... }
    >>> [structure.name for structure in shape_of_json(order).structures()]
    ['order', 'item']
    """
    return named(_Reader(data).shape())


class _Reader:
    """Reads one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    def shape(self) -> Shape:
        root, name = self._resolved(self.document, "The JSON Schema")
        return self._shape(root, self._title(root, name or "record"), ())

    def _shape(self, data: Mapping[str, Any], name: str, above: tuple[str, ...]) -> Shape:
        properties = data.get("properties")
        if not isinstance(properties, Mapping):
            raise SchemaError(f"The object {shown(name)} of the JSON Schema has no properties.")
        if name in above:
            raise SchemaError(f"The object {shown(name)} holds itself; give an object that ends.")
        required = data.get("required", ())
        leaves: list[Leaf] = []
        children: list[Child] = []
        for key, value in properties.items():
            where = f"{name}.{key}"
            if not isinstance(value, Mapping):
                raise SchemaError(f"The property {where} must be an object, not {shown(value)}.")
            kind, needed = self._type(value, where), key in required
            kind = kind._replace(nullable=self._may_be_null(value))
            if kind.below is not None:
                below = self._shape(kind.below, kind.name or key, (*above, name))
                fewest, most = _items(value)
                ends = (needed, kind.nullable, fewest, most)
                children.append(Child(key, key, below, kind.many, *ends))
                continue
            dtype = "list" if kind.many else "str"
            description = value.get("description")
            field = Field(key, dtype, kind.choices, description, None, kind.rules)  # type: ignore[arg-type]
            leaves.append(Leaf(key, key, field, kind.meanings, needed, kind.nullable))
        words = _WORD_BORDER.sub(" ", name).strip().lower()
        return Shape(words or name, name, tuple(leaves), tuple(children))

    def _may_be_null(self, value: Mapping[str, Any]) -> bool:
        union = value.get("anyOf", value.get("oneOf", ()))
        kinds = value.get("type")
        return (isinstance(kinds, list) and "null" in kinds) or any(
            isinstance(one, Mapping) and _is_null(one) for one in union
        )

    def _title(self, data: Mapping[str, Any], default: str) -> str:
        title = data.get("title")
        return title if isinstance(title, str) and title.strip() else default

    def _resolved(
        self, data: Mapping[str, Any], where: str
    ) -> tuple[Mapping[str, Any], str | None]:
        """Return what a reference refers to, null aside, and the name of the last definition."""
        name: str | None = None
        for _ in range(_DEPTH):
            union = data.get("anyOf", data.get("oneOf"))
            parts = data.get("allOf")
            if "$ref" in data:
                data, name = self._target(data["$ref"], where)
            elif isinstance(union, list):
                kept = _alternatives(union)
                if len(kept) != 1:
                    raise SchemaError(
                        f"{where} allows several types; give it one, and null if it may be absent."
                    )
                data = {**data, **kept[0]}
                data = {key: value for key, value in data.items() if key not in ("anyOf", "oneOf")}
            elif isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], Mapping):
                data = {**{key: own for key, own in data.items() if key != "allOf"}, **parts[0]}
            else:
                return data, name
        raise SchemaError(f"{where} refers to itself; give it a type.")

    def _target(self, reference: object, where: str) -> tuple[Mapping[str, Any], str]:
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise SchemaError(f"{where} refers to {shown(reference)}; only '#/...' is followed.")
        target: Any = self.document
        name = reference
        for name in reference[2:].split("/"):
            name = name.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, Mapping) or name not in target:
                raise SchemaError(f"{where} refers to {shown(reference)}, which is not there.")
            target = target[name]
        if not isinstance(target, Mapping):
            raise SchemaError(f"{where} refers to {shown(reference)}, which is no schema.")
        return target, name

    def _type(self, value: Mapping[str, Any], where: str) -> _Type:
        given, name = self._resolved(value, f"The property {where}")
        kinds = given.get("type")
        listed = kinds if isinstance(kinds, list) else [kinds]
        kinds = [kind for kind in listed if kind != "null"]
        if "enum" in given or "const" in given:
            values = given["enum"] if "enum" in given else [given["const"]]
            if not isinstance(values, list):
                raise SchemaError(f"The enum of {where} must be a list, not {shown(values)}.")
            meanings = tuple(one for one in values if one is not None)
            return _Type(False, tuple(_choice(one) for one in meanings), meanings, name=name)
        if len(kinds) != 1:
            raise SchemaError(f"The property {where} must have one type, besides null.")
        kind = kinds[0]
        if kind is None and "properties" in given:
            kind = "object"
        if given.get("format") in ("money", "quantity"):
            kind = "string"
        if kind == "object":
            return _Type(False, below=given, name=self._title(given, name or "") or None)
        if kind == "array":
            return self._list(given, where)
        if kind == "boolean":
            return _Type(False, ("true", "false"), (True, False))
        if kind is not None and kind not in _TYPES:
            raise SchemaError(f"The type of {where} is not known: {shown(kind)}.")
        return _Type(False, rules=_rules(given, kind, where))

    def _list(self, given: Mapping[str, Any], where: str) -> _Type:
        items = given.get("items", {"type": "string"})
        if not isinstance(items, Mapping):
            raise SchemaError(f"The items of {where} must have one schema, not {shown(items)}.")
        item = self._type(items, f"{where}[]")
        if item.many:
            raise SchemaError(f"The property {where} is a list of lists; give a flat list.")
        fewest, most = _items(given)
        counts = {"min_items": fewest or None, "max_items": most}
        kept = {name: count for name, count in counts.items() if count is not None}
        return item._replace(many=True, rules=item.rules.with_(kept))


def _items(given: Mapping[str, Any]) -> tuple[int, int | None]:
    return given.get("minItems") or 0, given.get("maxItems")


def _alternatives(union: list[Any]) -> list[Mapping[str, Any]]:
    """Return the types of a union, null aside; a number or text is a number, as Decimals write."""
    kept = [one for one in union if isinstance(one, Mapping) and not _is_null(one)]
    numbers = [one for one in kept if one.get("type") == "number"]
    return numbers if {one.get("type") for one in kept} == {"number", "string"} else kept


def _is_null(data: Mapping[str, Any]) -> bool:
    return data.get("type") == "null" or ("const" in data and data["const"] is None)


def _choice(value: object) -> str:
    """Return what an allowed value looks like in a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _rules(given: Mapping[str, Any], kind: str | None, where: str) -> Rules:
    """Return the rules of a plain value."""
    name = _FORMATS.get(given.get("format", ""), _TYPES.get(kind or "string", "text"))
    rules = {own: given[word] for word, own in _RULES.items() if word in given}
    rules |= {word: given[word] for word in _OWN if word in given and word in RULE_KEYS}
    try:
        return NO_RULES.with_({"kind": name, **rules})
    except SchemaError as error:
        raise SchemaError(f"In the property {where}: {error}") from error
