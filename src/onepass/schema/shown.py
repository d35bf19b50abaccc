"""How a refused value is shown in an error message. It knows no values of a schema."""

from json import JSONDecodeError

_SHOWN = 80  # characters of a refused value that an error repeats


def shown(value: object) -> str:
    """Return ``repr(value)`` for an error message, cut when it is long.

    >>> shown("person"), len(shown("x" * 1000))
    ("'person'", 80)
    >>> shown(10**5000)
    'a value of the type int that is too large to show'
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, a deep list
        return f"a value of the type {type(value).__name__} that is too large to show"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def json_reason(error: JSONDecodeError) -> str:
    """Return why something is not JSON, for a message that says where behind it.

    >>> json_reason(JSONDecodeError("Unterminated string starting at", "'a", 0))
    'Unterminated string starting'
    """
    return error.msg.removesuffix(" at")
