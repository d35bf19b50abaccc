"""Words that the forms of a result have in common.

It knows results, not where they are shown.
"""

from __future__ import annotations

import re
import unicodedata

from onepass.results.types import Classification, Entity, Extraction

# Control characters, surrogates, line separators, and what turns the direction of a whole line.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return a text with escapes for control characters, so that none can steer a terminal.

    >>> print(printable("a\x1b[31mb"))
    a\x1b[31mb
    """
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def counted(number: int, noun: str) -> str:
    """Return a number of things.

    >>> counted(1, "text"), counted(1234, "text")
    ('1 text', '1,234 texts')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def called(entity: Entity) -> str:
    """Return the label of an entity, with its names where they say more."""
    names = [name.label for name in entity.names if name.label != entity.label]
    return f"{entity.label} ({', '.join(names)})" if names else entity.label


def none_fits(answer: Classification) -> str:
    """Return the words for a task that abstained, nothing for others."""
    if answer.labels or answer.fit is None:
        return ""
    return f"none of these (the best fits {answer.fit:.3f})"


def coverage_line(doc: Extraction) -> str:
    """Return a sentence about how much of the text was read."""
    read = doc.coverage
    windows = counted(read.windows, "window")
    cut = " The rest was cut off." if read.truncated else ""
    return f"{read.chars_read} of {read.chars} characters read in {windows}.{cut}"


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    flat = (c for c in text if unicodedata.category(c) not in ("Mn", "Me", "Cf"))
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in flat)
