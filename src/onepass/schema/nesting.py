"""How deeply JSON may be nested. It knows no values of a schema.

What reads JSON and what writes it each stop where the stack of Python ends, which depends on who
calls them: what was read could then not be written. A limit of our own is the same everywhere.
"""

from typing import Any

DEEPEST = 200  # levels; each may take two of the thousand calls that Python allows
TOO_DEEP = f"it is nested on more than {DEEPEST} levels"


def is_too_deep(value: object) -> bool:
    """Return whether lists and objects lie in each other on more levels than may be.

    Args:
        value: as it was read from JSON, so that nothing in it holds itself.

    >>> import json
    >>> is_too_deep({"a": [1, 2]}), is_too_deep(json.loads("[" * 201 + "]" * 201))
    (False, True)
    """
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        level = [one for one in level if isinstance(one, dict | list)]
        if not level:
            return False
        level = [
            one for held in level for one in (held.values() if isinstance(held, dict) else held)
        ]
    return True
