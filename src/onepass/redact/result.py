"""What was replaced: the new text, and for each place what stood there and what stands there now.

Dicts and reports leave out what was replaced, so that they can be kept beside the new text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from onepass.results.types import Coverage, Entity, Extraction
from onepass.results.wording import counted

_COUNTED = ("model", "pattern", "repeat", "passed", "failed")


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

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, without the texts that were replaced."""
        return {"text": self.text, "found": [one.to_dict() for one in self.found]}

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


class Report:
    """Counts of what was replaced in some texts.

    >>> report = Report()
    >>> one = Found("person", "Bo", 0, 2, 0.9, "model", None, "label", "[person]", 0)
    >>> report.add(Redacted("[person]", (one,), Coverage(2, 2, 1, False)))
    >>> report.to_dict()["found"]["person"]
    {'count': 1, 'action': 'label', 'model': 1, 'pattern': 0, 'repeat': 0,
     'passed': 0, 'failed': 0}
    """

    def __init__(self) -> None:
        self.texts = 0
        self._labels: dict[str, dict[str, Any]] = {}

    def add(self, redacted: Redacted) -> None:
        """Count a text."""
        self.add_found(redacted.found)

    def add_found(self, found: Iterable[Found]) -> None:
        """Count a text by what was replaced in it."""
        self.texts += 1
        for one in found:
            row = self._labels.setdefault(
                one.label,
                {"count": 0, "action": one.action, **dict.fromkeys(_COUNTED, 0)},
            )
            row["count"] += 1
            row[one.source] += 1
            if one.check is not None:
                row["passed" if one.check else "failed"] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain values, and which libraries took part in the checks."""
        from onepass.redact.checks import libraries

        return {"texts": self.texts, "found": self._labels, "libraries": libraries()}

    def summary(self) -> str:
        """Return the counts in one line.

        >>> Report().summary()
        'nothing was replaced in 0 texts'
        """
        texts = counted(self.texts, "text")
        found = ", ".join(self._counted())
        return f"replaced in {texts}: {found}" if found else f"nothing was replaced in {texts}"

    def _counted(self) -> Iterator[str]:
        for label, row in sorted(self._labels.items(), key=lambda item: -item[1]["count"]):
            yield f"{row['count']:,} {label}"
