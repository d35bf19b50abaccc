"""The JSON Schema of an object, read as a shape: structures, and what their values mean.

Understood are objects with properties, arrays, enums, constants, plain types, formats, bounds,
lengths, patterns, and ``$ref`` within the document. What a text cannot fill is refused; keywords
that are not understood are left out. The JSON form of a `Schema` of our own is another thing: it
has no properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeGuard
from urllib.parse import unquote

from onepass.errors import SchemaError
from onepass.schema.json_types import (
    Object,
    allowed_by,
    choice_text,
    distinct_values,
    is_null,
    kind_of,
    may_be_null,
    parts_of,
    rules_of,
    title_of,
    with_rules,
)
from onepass.schema.parse import SCHEMA_KEYS
from onepass.schema.rules import NO_RULES, Rules
from onepass.schema.shape import LEVELS, Child, Leaf, Shape, named, structure_name
from onepass.schema.shown import shown
from onepass.schema.types import Dtype, Field, check_name

_TOP = ("properties", "$ref", "$defs")  # words that only a whole JSON Schema has
_DEPTH = 16  # of references to references
_MOST = 5_000  # fields and choices by reference: a few lines may stand for millions


class _Type(NamedTuple):
    """What a property holds."""

    many: bool = False
    choices: tuple[str, ...] = ()
    meanings: tuple[Any, ...] = ()
    rules: Rules = NO_RULES
    below: Object | None = None  # the schema of an object
    name: str | None = None  # of the definition that it refers to
    nullable: bool = False
    description: Any = None  # checked by who makes a field of it


class _Found(NamedTuple):
    """A schema behind its references."""

    data: Object
    name: str | None  # of the last definition
    nullable: bool


def is_json_schema(source: object) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a mapping is a JSON Schema, of an object as a rule, not our own JSON form.

    >>> is_json_schema({"type": "object", "properties": {}}), is_json_schema({"entities": ["a"]})
    (True, False)
    """
    return isinstance(source, Mapping) and (
        any(word in source for word in _TOP) or source.get("type") in ("object", "array")
    )


def shape_of_json(data: Mapping[str, Any]) -> Shape:
    """Return the shape of the JSON Schema of an object.

    Raises:
        SchemaError: naming the property that cannot be asked, or the key of our own JSON form; for
            more than 5,000 fields.

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
    if not isinstance(data, Mapping):
        raise SchemaError(f"The JSON Schema of an object was expected, but {shown(data)} is none.")
    ours = next((key for key in SCHEMA_KEYS if key in data), None)
    if ours is not None:
        raise SchemaError(
            f"The schema is the JSON Schema of an object, which has no key {shown(ours)}; ask for "
            "one of the two alone, or write the object as one of the structures."
        )
    return named(_Reader(data).shape())


class _Reader:
    """Reads one document."""

    def __init__(self, document: Object) -> None:
        self.document = document
        self.asked = 0  # fields, and choices that are asked once more
        self.seen: set[int] = set()  # ids of properties that were read

    def shape(self) -> Shape:
        root = self._found(self.document, "The JSON Schema")
        if root.data.get("type") == "array":
            raise SchemaError(
                "The JSON Schema is that of an array; give that of its items, an object: each "
                "record that is found becomes one."
            )
        return self._shape(root.data, title_of(root.data) or root.name or "record", ())

    def _shape(self, data: Object, name: str, above: tuple[Object, ...]) -> Shape:
        """Return the shape of an object below those with the properties ``above``."""
        properties, required = data.get("properties"), data.get("required", ())
        if not isinstance(properties, Mapping):
            raise SchemaError(f"The object {shown(name)} of the JSON Schema has no properties.")
        if any(properties is one for one in above):
            raise SchemaError(f"The object {shown(name)} holds itself; give an object that ends.")
        if len(above) == LEVELS:
            raise SchemaError(
                f"The object {shown(name)} is on level {LEVELS + 1}, but objects may be nested on "
                f"{LEVELS} levels; flatten it."
            )
        if not isinstance(required, list | tuple):
            raise SchemaError(
                f"What is required of {shown(name)} must be a list of properties, but "
                f"{shown(required)} was given."
            )
        for key in required:
            if not isinstance(key, str) or key not in properties:
                raise SchemaError(
                    f"The object {shown(name)} requires {shown(key)}, which is none of its "
                    "properties; correct it, or leave it out."
                )
        again = id(properties) in self.seen
        self.seen.add(id(properties))
        leaves: list[Leaf] = []
        children: list[Child] = []
        for key, value in properties.items():
            where = f"{name}.{check_name(key, 'The name of a property')}"
            kind, needed = self._type(value, where), key in required
            # What is written out is as long as its text; only references make more of it.
            self.asked += 1 + (len(kind.choices) if again or kind.name is not None else 0)
            if self.asked > _MOST:
                raise SchemaError(
                    f"The JSON Schema has more than {_MOST} fields, those of each reference and "
                    "their choices counted; ask for fewer."
                )
            if kind.below is not None:
                below = self._shape(kind.below, kind.name or key, (*above, properties))
                ends = (kind.nullable, kind.rules.min_items or 0, kind.rules.max_items)
                children.append(Child(key, key, below, kind.many, needed, *ends))
                continue
            dtype: Dtype = "list" if kind.many else "str"
            field = Field(key, dtype, kind.choices, kind.description, None, kind.rules)
            leaves.append(Leaf(key, key, field, kind.meanings, needed, kind.nullable))
        return Shape(structure_name(name), name, tuple(leaves), tuple(children))

    def _found(self, given: object, where: str) -> _Found:
        """Return what a schema refers to; of a union with null, the other type."""
        if not isinstance(given, Mapping):
            raise SchemaError(f"{where} must be an object, not {shown(given)}.")
        data, name, nullable = dict(given), None, False
        for _ in range(_DEPTH):
            nullable = nullable or may_be_null(data)
            word = next((one for one in ("$ref", "anyOf", "oneOf", "allOf") if one in data), None)
            if word is None:
                return _Found(data, name, nullable)
            held = data.pop(word)
            if word == "$ref":
                data.pop("title", None)  # of the property, not of what it refers to
                target, name = self._target(held, where)
                data = {**target, **data}
                continue
            kept = self._alternatives(held, where) if word != "allOf" else parts_of(held, where)
            if len(kept) != 1:
                raise SchemaError(
                    f"{where} joins several schemas by allOf; write them as one."
                    if word == "allOf"
                    else f"{where} allows several types; give it one, and null if it may be absent."
                )
            own = {} if data.get("description") is None else {"description": data["description"]}
            data = {**data, **kept[0], **own}  # what it says of itself goes before its type
        raise SchemaError(f"{where} refers to itself; give it a type.")

    def _alternatives(self, held: object, where: str) -> list[Object]:
        """Return the types of a union, null aside: of choices one, of a number or text a number."""
        kept = [one for one in parts_of(held, where) if not is_null(one)]
        kinds = [one.get("type") for one in kept]
        if {"number", "string"} == {one if isinstance(one, str) else None for one in kinds}:
            number = next(one for one in kept if one.get("type") == "number")
            return [{"format": "decimal", **number}]  # as Decimals are written
        meant = [self._target(one["$ref"], where)[0] if "$ref" in one else one for one in kept]
        if len(kept) > 1 and all("enum" in one or "const" in one for one in meant):
            values = [value for one in meant for value in allowed_by(one, where)]
            null = [None] if any(may_be_null(one) for one in meant) else []
            return [{"enum": [*distinct_values(values), *null]}]
        return kept

    def _target(self, reference: object, where: str) -> tuple[Object, str]:
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise SchemaError(f"{where} refers to {shown(reference)}; only '#/...' is followed.")
        target: Any = self.document
        name = reference
        for name in unquote(reference[2:]).split("/"):  # a pointer in a URI is percent-encoded
            name = name.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, Mapping) or name not in target:
                raise SchemaError(f"{where} refers to {shown(reference)}, which is not there.")
            target = target[name]
        if not isinstance(target, Mapping):
            raise SchemaError(f"{where} refers to {shown(reference)}, which is no schema.")
        return target, name

    def _type(self, value: object, where: str, *, of_items: bool = False) -> _Type:
        given, name, nullable = self._found(value, f"The property {where}")
        own = _Type(name=name, nullable=nullable, description=given.get("description"))
        if "enum" in given or "const" in given:
            meanings = allowed_by(given, where)
            return own._replace(
                choices=tuple(choice_text(one) for one in meanings), meanings=meanings
            )
        kind = kind_of(given, where)
        if kind == "object":
            return own._replace(below=given, name=title_of(given) or name)
        if kind == "array":
            if of_items:
                raise SchemaError(f"The property {where} is a list of lists; give a flat list.")
            item = self._item(given, where)
            counts = {
                "min_items": given.get("minItems") or None,
                "max_items": given.get("maxItems"),
            }
            rules = with_rules(item.rules, counts, where)
            told = item.description if own.description is None else own.description
            return item._replace(many=True, rules=rules, nullable=nullable, description=told)
        if kind == "boolean":
            return own._replace(choices=("true", "false"), meanings=(True, False))
        return own._replace(rules=rules_of(given, kind, where))

    def _item(self, given: Object, where: str) -> _Type:
        """Return what the items of an array hold: all of them, or those at each place alike."""
        places = given.get("prefixItems")
        if places is None:
            return self._type(given.get("items", {}), f"{where}[]", of_items=True)
        if not isinstance(places, list) or not places:
            raise SchemaError(f"The prefixItems of {where} must be a list, not {shown(places)}.")
        held = [self._type(one, f"{where}[{i}]", of_items=True) for i, one in enumerate(places)]
        if all(one == held[0] for one in held):
            return held[0]
        if any(one.choices or one.below is not None for one in held):
            raise SchemaError(
                f"The property {where} mixes types that are extracted differently; give its items "
                "one type."
            )
        return _Type()  # several kinds of value: texts as they stand
