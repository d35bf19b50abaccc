"""Rules in the words of JSON Schema: its own where it has one, ours elsewhere.

It knows the names of rules, not their class: what is read and written here are plain values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FORMATS = {
    "date": "date", "date-time": "datetime", "email": "email", "idn-email": "email", "uri": "url",
    "url": "url", "iri": "url", "phone": "phone", "iban": "iban", "money": "money",
    "quantity": "quantity", "decimal": "decimal", "integer": "integer", "number": "number",
}  # fmt: skip
_WRITTEN = {"datetime": "date-time", "url": "uri"}  # kinds whose format has another name
_BOUNDS = {
    "ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum",
}  # fmt: skip
_TEXTS = {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"}
_ITEMS = {"min_items": "minItems", "max_items": "maxItems"}
_OWN = ("exclusive", "region", "order", "labels")  # rules that JSON Schema has no word for


def read_rules(data: Mapping[str, Any], plain: str) -> dict[str, Any]:
    """Return the rules that the schema of one value says, by their names.

    Args:
        data: the schema.
        plain: the kind of its type, which a format may say more of.

    >>> read_rules({"type": "string", "format": "date", "ge": "2024-01-01"}, "text")
    {'kind': 'date', 'ge': '2024-01-01'}
    """
    form = data.get("format")
    kind = FORMATS.get(form if isinstance(form, str) else "", plain)
    words = {**_BOUNDS, **_TEXTS}
    rules = {name: data[word] for name, word in words.items() if word in data}
    # Pydantic writes `ge` where the type has no `minimum`, even of a text, which it does not bound.
    own = _OWN if kind == "text" else (*_OWN, *_BOUNDS)
    return {"kind": kind, **rules, **{name: data[name] for name in own if name in data}}


def write_rules(data: Mapping[str, Any], rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a field with rules: those of a list with items say what these are.

    Args:
        data: the schema.
        rules: those that are not defaults, by their names.

    >>> rules = {"kind": "phone", "region": "CH", "max_items": 2}
    >>> write_rules({"type": "array", "items": {"type": "string"}}, rules)["items"]
    {'type': 'string', 'format': 'phone', 'region': 'CH'}
    """
    for word in ("anyOf", "oneOf"):
        if word in data:
            return {**data, word: [write_rules(one, rules) for one in data[word]]}
    if data.get("type") == "null":
        return dict(data)
    if data.get("type") == "array":
        return _write_list(data, rules)
    out = dict(data)
    for name, value in rules.items():
        if name == "kind":
            out["format"] = _WRITTEN.get(value, value)
        elif name in _BOUNDS:
            out.pop(name, None)
            out.pop(_BOUNDS[name], None)
            # The words of JSON Schema take numbers: dates and exact decimals are texts.
            out[name if isinstance(value, str) else _BOUNDS[name]] = value
        elif name in _TEXTS:
            out[_TEXTS[name]] = value
        elif name in _OWN:
            out[name] = list(value) if isinstance(value, tuple) else value
    return out


def _write_list(data: Mapping[str, Any], rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a list with rules: those that count are its own."""
    out = {**data, **{word: rules[name] for name, word in _ITEMS.items() if name in rules}}
    if "items" in data and isinstance(data["items"], Mapping):
        out["items"] = write_rules(data["items"], rules)
    if "prefixItems" in data:
        out["prefixItems"] = [write_rules(one, rules) for one in data["prefixItems"]]
    return out
