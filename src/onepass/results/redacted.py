"""What was replaced: the new text, and for each place what stood there and what stands there now.

Dicts leave out what was replaced, so that they can be kept beside the new text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from onepass.results.checks import check_list, check_object, check_score, check_text, check_whole
from onepass.results.coverage import coverage_from
from onepass.results.types import Coverage, Entity, Extraction


@dataclass(frozen=True, slots=True)
class Found:
    """A place that was replaced.

    Attributes:
        label: the label of the text that stood there.
        text: the text that stood there.
        start: index of its first character in the text that was given.
        end: index behind its last character.
        score: the score after the check of its kind, from 0 to 1.
        source: "model", "pattern" or "repeat" (of what the model found elsewhere in the text).
        check: whether the text passed the check of its kind; None if nothing can be said.
        action: "mask", "label", "hash" or "pseudonym".
        replacement: the text that stands there now.
        at: index of the first character of the replacement in the new text.

    >>> one = Found("person", "Bo", 3, 5, 0.9, "model", None, "label", "[person]", 3)
    >>> "Hi [person]!"[one.at : one.at + len(one.replacement)]
    '[person]'
    """

    label: str
    text: str = field(repr=False)  # a log must not tell
    start: int
    end: int
    score: float
    source: str
    check: bool | None
    action: str
    replacement: str
    at: int

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], text: str) -> Found:
        """Rebuild what `to_dict` gave.

        Args:
            values: the plain values that `to_dict` gave.
            text: the whole text in which it stood.

        >>> one = Found("person", "Bo", 3, 5, 0.9, "model", None, "label", "[person]", 3)
        >>> Found.from_dict(one.to_dict(), "Hi Bo") == one
        True
        """
        return cls(text=text[values["start"] : values["end"]], **values)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, without the text that stood there."""
        return {
            "label": self.label,
            "start": self.start,
            "end": self.end,
            "score": self.score,
            "source": self.source,
            "check": self.check,
            "action": self.action,
            "replacement": self.replacement,
            "at": self.at,
        }


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text after the replacements.

    Attributes:
        text: the new text.
        found: the places that were replaced, in the order of the text.
        coverage: the part of the text that the model read.

    >>> one = Found("person", "Bo", 0, 2, 0.9, "model", None, "label", "[person]", 0)
    >>> Redacted("[person] barks", (one,), Coverage(8, 8, 1, False)).to_dict()["text"]
    '[person] barks'
    """

    text: str
    found: tuple[Found, ...]
    coverage: Coverage

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], text: str) -> Redacted:
        """Rebuild what `to_dict` gave.

        Args:
            values: the plain values that `to_dict` gave.
            text: the whole text that was redacted.

        Raises:
            ValueError: if they are not what becomes of that text.

        >>> one = Found("person", "Bo", 0, 2, 0.9, "model", None, "label", "[person]", 0)
        >>> done = Redacted("[person] barks", (one,), Coverage(8, 8, 1, False))
        >>> Redacted.from_dict(done.to_dict(), "Bo barks") == done
        True
        """
        new = values["text"]
        check_text(new, "'text'")
        rows = [_checked(row) for row in check_list(values["found"], "'found'")]
        found = tuple(Found.from_dict(row, text) for row in rows)
        done = at = 0  # in the given text, and in the new one
        parts: list[str] = []
        for one in found:
            between = text[done : one.start]
            at += len(between)
            if not done <= one.start <= one.end or one.at != at:
                raise ValueError("'found' must be places in their order, each behind the last one.")
            parts += between, one.replacement
            done, at = one.end, at + len(one.replacement)
        if "".join([*parts, text[done:]]) != new:
            raise ValueError("'text' must be the given text with its replacements, but is another.")
        return cls(new, found, coverage_from(values["coverage"]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, without the texts that were replaced."""
        return {
            "text": self.text,
            "found": [one.to_dict() for one in self.found],
            "coverage": asdict(self.coverage),
        }

    def to_extraction(self) -> Extraction:
        """Return the replacements as entities of the new text, to be shown by `to_html`.

        >>> one = Found("person", "Bo", 0, 2, 0.9, "model", None, "label", "[person]", 0)
        >>> Redacted("[person] barks", (one,), Coverage(8, 8, 1, False)).to_extraction().entities
        (Entity(label='person', text='[person]', start=0, end=8, score=0.9, names=()),)
        """
        shown = tuple(
            Entity(one.label, one.replacement, one.at, one.at + len(one.replacement), one.score)
            for one in self.found
        )
        chars, read = len(self.text), self.coverage
        whole = read.windows and not read.truncated
        part = chars if whole else min(chars, read.chars_read)
        return Extraction(
            self.text, shown, coverage=Coverage(chars, part, read.windows, read.truncated)
        )


def _checked(row: Any) -> Mapping[str, Any]:
    """Return the plain values of a place, or refuse what is none."""
    held = check_object(row, "a place")
    for name in ("label", "source", "action", "replacement"):
        check_text(held[name], repr(name))
    for name in ("start", "end", "at"):
        check_whole(held[name], repr(name))
    check_score(held["score"], "a place")
    return held
