"""The text of a configuration, JSON or YAML, as a plain object.

It knows nothing about the keys.
"""

from __future__ import annotations

import json
import re
from typing import Any

from onepass.errors import InputError
from onepass.schema.shown import json_reason

YAML_SUFFIXES = (".yaml", ".yml")

# YAML 1.1 takes 1e-5 for a string, because its floats need a point. No one means that here.
_FLOAT = re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$")


def parse_json(text: str) -> dict[str, Any]:
    """Return the object that a JSON text holds.

    Raises:
        InputError: if it is not JSON, or not an object.

    >>> parse_json('{"steps": 10}')
    {'steps': 10}
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"A training configuration must be JSON: {json_reason(error)} at line {error.lineno}, "
            f"column {error.colno}; examples to learn from are named by the option --data."
        ) from error
    except RecursionError as error:
        raise InputError("A training configuration must not be nested so deeply.") from error
    except ValueError as error:  # a number of thousands of digits
        raise InputError(f"A training configuration must be JSON: {error}.") from error
    return _object(data, "JSON object")


def parse_yaml(text: str) -> dict[str, Any]:
    r"""Return the mapping that a YAML text holds; only plain values are read, no Python objects.

    Raises:
        InputError: if it is not YAML, or not a mapping.

    >>> parse_yaml("steps: 10\nencoder_rate: 1e-5\ndata: [a.jsonl, b.jsonl]")
    {'steps': 10, 'encoder_rate': 1e-05, 'data': ['a.jsonl', 'b.jsonl']}
    """
    import yaml  # type: ignore[import-untyped, unused-ignore]  # most runs do without

    class Loader(yaml.SafeLoader):  # type: ignore[misc, unused-ignore]
        """The safe loader with floats as everyone writes them."""

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789"))
    try:
        data = yaml.load(text, Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(
            f"A training configuration must be YAML: {error.problem}{place}."
        ) from error
    except yaml.YAMLError as error:  # a character that YAML does not allow
        reason = str(error).splitlines()[0]
        raise InputError(f"A training configuration must be YAML: {reason}.") from error
    except RecursionError as error:
        raise InputError("A training configuration must not be nested so deeply.") from error
    except ValueError as error:  # a date that is none, or a number of thousands of digits
        raise InputError(f"A training configuration must be YAML: {error}.") from error
    return _object(data, "YAML mapping")


def _object(data: object, expected: str) -> dict[str, Any]:
    if isinstance(data, list):
        raise InputError(
            f"A training configuration must be a {expected}, not a list; examples to learn from "
            "are named by its key 'data' or the option --data."
        )
    if not isinstance(data, dict):
        raise InputError(
            f"A training configuration must be a {expected}, not {type(data).__name__}."
        )
    return data
